//! What a client knows of one of its grants: what it was answered, what it was refused, and what it
//! cannot know because the server was killed before it answered.
//!
//! Every answer is held against that knowledge. What is not known may be either, and the first answer
//! that depends on it settles it for good.

use std::time::Instant;

/// Whether something has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    No,
    /// It was asked for, and the answer never came.
    Maybe,
    Yes,
}

/// What came of a token request.
#[derive(Debug)]
pub enum Reply {
    Tokens {
        access: String,
        refresh: String,
    },
    /// `invalid_grant`
    Refused,
    /// The server was killed first.
    Unknown,
}

/// The server contradicts what it said before.
#[derive(Debug)]
pub struct Wrong(pub String);

#[derive(Debug)]
pub struct Grant {
    pub code: String,
    pub born: Instant,
    pub redeemed: Known,
    pub ended: Known,
    /// Every access token that was received.
    pub access: Vec<String>,
    pub line: Option<Line>,
}

/// The refresh tokens of a grant that were received (REFRESH-03, -04, -12). `current` works, whatever was
/// lost on the way to it and from it.
#[derive(Debug)]
pub struct Line {
    pub current: String,
    /// Whether `current` was used, which spends its parent and its siblings.
    pub used: Known,
    pub parent: Option<String>,
    pub siblings: Vec<String>,
    /// Successors of `current` that the client was given and dropped.
    children: Vec<String>,
    pub spent: Vec<String>,
}

impl Grant {
    pub fn new(code: String) -> Self {
        Self {
            code,
            born: Instant::now(),
            redeemed: Known::No,
            ended: Known::No,
            access: Vec::new(),
            line: None,
        }
    }

    /// The code was presented.
    pub fn redeemed(&mut self, reply: Reply) -> Result<(), Wrong> {
        match (self.redeemed, reply) {
            (Known::No | Known::Maybe, Reply::Tokens { access, refresh }) => {
                self.redeemed = Known::Yes;
                self.line = Some(Line::new(refresh));
                self.gave(access)
            }
            (Known::Yes, Reply::Tokens { .. }) => self.wrong("a code was redeemed twice"),
            (Known::No, Reply::Refused) => self.wrong("a fresh code was refused"),
            // Somebody's redemption was first, so that this one was a replay.
            (Known::Maybe | Known::Yes, Reply::Refused) => {
                self.redeemed = Known::Yes;
                self.ended = Known::Yes;
                Ok(())
            }
            (Known::No, Reply::Unknown) => {
                self.redeemed = Known::Maybe;
                Ok(())
            }
            (Known::Maybe | Known::Yes, Reply::Unknown) => self.may_have_ended(),
        }
    }

    /// The code was presented twice at once. In whatever order the answers came, tokens say that
    /// theirs was the first, and a refusal that it was not.
    pub fn raced(&mut self, replies: [Reply; 2]) -> Result<(), Wrong> {
        let mut replies = Vec::from(replies);
        replies.sort_by_key(|reply| match reply {
            Reply::Tokens { .. } => 0,
            Reply::Unknown => 1,
            Reply::Refused => 2,
        });
        replies.into_iter().try_for_each(|reply| self.redeemed(reply))
    }

    /// The code was presented with a wrong verifier, which changes nothing (CODE-08, CODE-10).
    pub fn misused(&self, reply: &Reply) -> Result<(), Wrong> {
        match reply {
            Reply::Tokens { .. } => self.wrong("a wrong verifier was accepted"),
            Reply::Refused | Reply::Unknown => Ok(()),
        }
    }

    /// The current refresh token was presented; the client keeps its successor or drops it.
    pub fn refreshed(&mut self, reply: Reply, keep: bool) -> Result<(), Wrong> {
        let Some(line) = &mut self.line else { return Ok(()) };
        match reply {
            Reply::Tokens { access, refresh } => {
                line.used = Known::Yes;
                line.spent.extend(line.parent.take());
                line.spent.append(&mut line.siblings);
                if keep {
                    let parent = std::mem::replace(&mut line.current, refresh);
                    line.parent = Some(parent);
                    line.siblings.append(&mut line.children);
                    line.used = Known::No;
                } else {
                    line.children.push(refresh);
                }
                self.gave(access)
            }
            Reply::Refused => self.refused("a good refresh token was refused"),
            Reply::Unknown => {
                if line.used == Known::No {
                    line.used = Known::Maybe;
                }
                Ok(())
            }
        }
    }

    /// The parent of the current refresh token was presented, which mints a sibling unless the current
    /// one was used.
    pub fn parent_refreshed(&mut self, reply: Reply) -> Result<(), Wrong> {
        let Some(line) = &mut self.line else { return Ok(()) };
        match (line.used, reply) {
            (Known::No | Known::Maybe, Reply::Tokens { access, refresh }) => {
                line.used = Known::No;
                line.siblings.push(refresh);
                self.gave(access)
            }
            (Known::Yes, Reply::Tokens { .. }) => self.wrong("a spent refresh token was accepted"),
            (Known::No, Reply::Refused) => self.refused("a parent was refused too early"),
            (Known::Maybe | Known::Yes, Reply::Refused) => {
                self.ended = Known::Yes;
                Ok(())
            }
            (Known::No, Reply::Unknown) => Ok(()),
            (Known::Maybe | Known::Yes, Reply::Unknown) => self.may_have_ended(),
        }
    }

    /// A refresh token that is spent for certain was presented (REFRESH-13).
    pub fn replayed(&mut self, reply: &Reply) -> Result<(), Wrong> {
        match reply {
            Reply::Tokens { .. } => self.wrong("a spent refresh token was accepted"),
            Reply::Refused => {
                self.ended = Known::Yes;
                Ok(())
            }
            Reply::Unknown => self.may_have_ended(),
        }
    }

    /// What the database itself says of every access token that was received.
    pub fn seen(&mut self, live: &[bool]) -> Result<(), Wrong> {
        let ended = match (live.first(), self.ended) {
            (None, _) => return Ok(()),
            (Some(true), Known::No | Known::Maybe) => Known::No,
            (Some(false), Known::Maybe | Known::Yes) => Known::Yes,
            (Some(true), Known::Yes) => return self.wrong("a revoked access token lives"),
            (Some(false), Known::No) => return self.wrong("a received access token is lost"),
        };
        self.ended = ended;
        match live.iter().all(|it| *it == live[0]) {
            true => Ok(()),
            false => self.wrong("some access tokens of one grant live and some do not"),
        }
    }

    fn gave(&mut self, access: String) -> Result<(), Wrong> {
        if self.ended == Known::Yes {
            return self.wrong("an ended grant gave tokens");
        }
        self.ended = Known::No;
        self.access.push(access);
        Ok(())
    }

    fn refused(&mut self, otherwise: &str) -> Result<(), Wrong> {
        if self.ended == Known::No {
            return self.wrong(otherwise);
        }
        self.ended = Known::Yes;
        Ok(())
    }

    fn may_have_ended(&mut self) -> Result<(), Wrong> {
        if self.ended == Known::No {
            self.ended = Known::Maybe;
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> Result<(), Wrong> {
        Err(Wrong(format!("{what}: {self:#?}")))
    }
}

impl Line {
    fn new(current: String) -> Self {
        Self {
            current,
            used: Known::No,
            parent: None,
            siblings: Vec::new(),
            children: Vec::new(),
            spent: Vec::new(),
        }
    }

    /// Goes on with a sibling instead, as long as neither was used.
    pub fn switch(&mut self) {
        if self.used == Known::No
            && let Some(sibling) = self.siblings.first_mut()
        {
            std::mem::swap(&mut self.current, sibling);
        }
    }

    /// How many successors may hang on one parent before the oldest is forgotten is not tried here.
    pub fn has_few_siblings(&self) -> bool {
        self.siblings.len() < 5
    }
}
