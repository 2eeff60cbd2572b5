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

impl Known {
    /// It was asked for, and that was answered or cut off.
    fn asked(self, answered: bool) -> Self {
        match (self, answered) {
            (Self::Yes, _) | (_, true) => Self::Yes,
            (Self::No | Self::Maybe, false) => Self::Maybe,
        }
    }
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
    pub access: Vec<Access>,
    pub line: Option<Line>,
}

/// An access token that was received.
#[derive(Debug)]
pub struct Access {
    pub token: String,
    /// Whether it was taken back alone (REVOKE-06).
    pub revoked: Known,
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
                line.use_up();
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
                line.used = line.used.asked(false);
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

    /// One of its refresh tokens, whichever, was revoked; or the answer to that never came (REVOKE-06).
    pub fn revoked(&mut self, answered: bool) {
        self.ended = self.ended.asked(answered);
    }

    /// The current refresh token was presented and revoked at once. Whichever came first, the grant is
    /// over (REVOKE-05): tokens say that they were given before, a refusal that it was over by then.
    pub fn revoked_while_refreshed(&mut self, answered: bool, reply: Reply) -> Result<(), Wrong> {
        self.revoked(false);
        self.refreshed(reply, true)?;
        self.revoked(answered);
        Ok(())
    }

    /// An access token was looked up.
    pub fn saw_access(&mut self, index: usize, active: bool) -> Result<(), Wrong> {
        match self.access[index].seen(self.ended, active) {
            Ok(ended) => {
                self.ended = ended;
                Ok(())
            }
            Err(what) => self.wrong(&format!("{what}, number {index}")),
        }
    }

    /// The current refresh token was looked up, or another.
    pub fn saw_refresh(&mut self, token: &str, active: bool) -> Result<(), Wrong> {
        let Some(line) = &mut self.line else { return Ok(()) };
        let is_spent = line.spent.iter().any(|it| it == token);
        // What the current one spends when it is used.
        let is_rival = !is_spent && token != line.current;
        match (active, self.ended) {
            (true, Known::Yes) => return self.wrong("a refresh token is active after the end"),
            (true, _) if is_spent => return self.wrong("a spent refresh token is active"),
            (true, _) => {
                self.ended = Known::No;
                if is_rival {
                    line.used = Known::No;
                }
            }
            (false, _) if is_spent => {}
            (false, Known::No) if is_rival && line.used == Known::Maybe => line.use_up(),
            (false, _) if is_rival && line.used == Known::Maybe => {}
            (false, _) => return self.refused("a good refresh token is not active"),
        }
        Ok(())
    }

    fn gave(&mut self, access: String) -> Result<(), Wrong> {
        if self.ended == Known::Yes {
            return self.wrong("an ended grant gave tokens");
        }
        self.ended = Known::No;
        self.access.push(Access::new(access));
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
        self.ended = self.ended.asked(false);
        Ok(())
    }

    fn wrong(&self, what: &str) -> Result<(), Wrong> {
        Err(Wrong(format!("{what}: {self:#?}")))
    }
}

impl Access {
    pub fn new(token: String) -> Self {
        Self { token, revoked: Known::No }
    }

    /// It was revoked, or the answer to that never came.
    pub fn revoked(&mut self, answered: bool) {
        self.revoked = self.revoked.asked(answered);
    }

    /// It was looked up, and so much is known of its grant's end. Answers what is known of that now.
    pub fn seen(&mut self, ended: Known, active: bool) -> Result<Known, &'static str> {
        match (active, self.revoked, ended) {
            (true, _, Known::Yes) => Err("an access token is active after the end of its grant"),
            (true, Known::Yes, _) => Err("a revoked access token is active"),
            (true, ..) => {
                self.revoked = Known::No;
                Ok(Known::No)
            }
            (false, Known::No, Known::No) => Err("a good access token is not active"),
            (false, Known::No, Known::Maybe) => Ok(Known::Yes),
            (false, Known::Maybe, Known::No) => {
                self.revoked = Known::Yes;
                Ok(ended)
            }
            (false, ..) => Ok(ended),
        }
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

    /// The current one was used.
    fn use_up(&mut self) {
        self.used = Known::Yes;
        self.spent.extend(self.parent.take());
        self.spent.append(&mut self.siblings);
    }

    /// Goes on with a sibling instead, as long as neither was used.
    pub fn switch(&mut self) {
        if self.used == Known::No
            && let Some(sibling) = self.siblings.first_mut()
        {
            std::mem::swap(&mut self.current, sibling);
        }
    }

    /// Every refresh token that the client remembers, the current one first.
    pub fn received(&self) -> Vec<&str> {
        let current = std::iter::once(&self.current).chain(&self.parent);
        current.chain(&self.siblings).chain(&self.spent).map(String::as_str).collect()
    }

    /// How many successors may hang on one parent before the oldest is forgotten is not tried here.
    pub fn has_few_siblings(&self) -> bool {
        self.siblings.len() < 5
    }
}
