//! Random histories of two clients and two owners, a service and two resource servers, against a model
//! of what may happen.
//!
//! The model knows of every flow which code and tokens it was given and which of them are spent, and of
//! every token what it may do and where. After every step:
//! * a code was redeemed at most once (CODE-05), and by its client only (CODE-08, REFRESH-01);
//! * nothing outlives its grant, and neither scope nor audience is wider than what was approved
//!   (REFRESH-06, RES-03);
//! * what hangs on a grant that ended is dead, and stays so (CODE-06, REFRESH-04, REVOKE-06, XC-06);
//! * a token that was taken back is dead, by its client only, and no other token with it (REVOKE-03);
//! * everybody is told of every token what concerns them and is true, and nothing else (INTRO-02..05);
//! * no owner is asked again for what they approved, or passed over for what they did not (UI-06);
//! * of the successors of one refresh token at most one was ever used (REFRESH-12);
//! * a client that loses answers, and does nothing else, is never signed out (REFRESH-05).

mod access;
mod audience;
mod flow;
mod invariants;
mod model;

use auth_core::token::RefreshReuse;
use model::{SCOPES, World};
use proptest::prelude::*;
use time::Duration;

/// One step. Numbers choose among what there is, whatever their size.
#[derive(Debug, Clone)]
enum Step {
    Authorize {
        client: usize,
        owner: usize,
        scope: usize,
        at: usize,
    },
    Decide {
        interaction: usize,
        approve: bool,
    },
    Redeem {
        flow: usize,
        how: Redeem,
    },
    /// The client presents the token that it holds; the answer may get lost on the way.
    Refresh {
        flow: usize,
        heard: bool,
    },
    /// Somebody presents any token that was ever issued: an old one, a lost one, a stolen one.
    Present {
        flow: usize,
        token: usize,
    },
    Misuse {
        flow: usize,
        token: usize,
    },
    /// A refresh that asks for this scope at these resources.
    Narrow {
        flow: usize,
        scope: Option<&'static str>,
        at: usize,
    },
    /// The service asks for a token for itself.
    GetOwnToken {
        scope: usize,
        at: usize,
    },
    /// Somebody, mostly its client, takes a token back.
    RevokeAccess {
        token: usize,
        by: usize,
    },
    RevokeRefresh {
        flow: usize,
        token: usize,
        by: usize,
    },
    /// Somebody introspects a token.
    AskAboutAccess {
        token: usize,
        caller: usize,
    },
    AskAboutRefresh {
        flow: usize,
        token: usize,
        caller: usize,
    },
    /// An administrator ends a grant.
    Revoke {
        flow: usize,
    },
    Withdraw {
        owner: usize,
        client: usize,
    },
    DisableClient {
        client: usize,
    },
    DisableOwner {
        owner: usize,
    },
    ChangePassword {
        owner: usize,
    },
    Advance {
        seconds: i64,
    },
    Purge {
        limit: usize,
    },
}

#[derive(Debug, Clone, Copy)]
enum Redeem {
    Rightly,
    /// For a token at these resources.
    At(usize),
    WrongVerifier,
    WrongRedirectUri,
    WrongClient,
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0..64_usize;
    let at = || prop_oneof![2 => Just(0), 3 => number()];
    let scopes = ["api.read", "api.read api.write", "api.write", "profile", "email"];
    let scope = prop::option::of(prop::sample::select(scopes.to_vec()));
    let redeem = prop_oneof![
        4 => Just(Redeem::Rightly),
        2 => number().prop_map(Redeem::At),
        1 => Just(Redeem::WrongVerifier),
        1 => Just(Redeem::WrongRedirectUri),
        1 => Just(Redeem::WrongClient),
    ];
    let seconds = prop_oneof![
        6 => prop::sample::select(vec![1, 20, 59, 60, 300, 600]),
        2 => prop::sample::select(vec![86_400, 10 * 86_400, 29 * 86_400]),
        1 => Just(-3600),
    ];
    prop_oneof![
        5 => (number(), number(), number(), at())
            .prop_map(|(client, owner, scope, at)| Step::Authorize { client, owner, scope, at }),
        5 => (number(), prop::bool::weighted(0.85))
            .prop_map(|(interaction, approve)| Step::Decide { interaction, approve }),
        6 => (number(), redeem).prop_map(|(flow, how)| Step::Redeem { flow, how }),
        9 => (number(), any::<bool>()).prop_map(|(flow, heard)| Step::Refresh { flow, heard }),
        2 => (number(), number()).prop_map(|(flow, token)| Step::Present { flow, token }),
        2 => (number(), number()).prop_map(|(flow, token)| Step::Misuse { flow, token }),
        3 => (number(), scope, at())
            .prop_map(|(flow, scope, at)| Step::Narrow { flow, scope, at }),
        2 => (0..2_usize, at()).prop_map(|(scope, at)| Step::GetOwnToken { scope, at }),
        2 => (number(), number()).prop_map(|(token, by)| Step::RevokeAccess { token, by }),
        2 => (number(), number(), number())
            .prop_map(|(flow, token, by)| Step::RevokeRefresh { flow, token, by }),
        2 => (number(), number())
            .prop_map(|(token, caller)| Step::AskAboutAccess { token, caller }),
        2 => (number(), number(), number())
            .prop_map(|(flow, token, caller)| Step::AskAboutRefresh { flow, token, caller }),
        1 => number().prop_map(|flow| Step::Revoke { flow }),
        1 => (number(), number()).prop_map(|(owner, client)| Step::Withdraw { owner, client }),
        1 => number().prop_map(|client| Step::DisableClient { client }),
        1 => number().prop_map(|owner| Step::DisableOwner { owner }),
        1 => number().prop_map(|owner| Step::ChangePassword { owner }),
        3 => seconds.prop_map(|seconds| Step::Advance { seconds }),
        2 => (1..4_usize).prop_map(|limit| Step::Purge { limit }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_history_breaks_the_rules(
        strict in any::<bool>(),
        capped in any::<bool>(),
        history in prop::collection::vec(step(), 1..80),
    ) {
        let reuse = match strict {
            true => RefreshReuse::Strict,
            false => RefreshReuse::UntilSuccessorUsed,
        };
        let mut world = World::new(reuse, capped);
        for step in &history {
            world.take(step);
            world.check();
        }
        world.try_everything();
    }

    /// REFRESH-05: whatever the order of heard and lost answers, and however long the pauses.
    #[test]
    fn losing_answers_signs_nobody_out(
        client in 0..2_usize,
        answers in prop::collection::vec((any::<bool>(), 0..28_i64), 1..60),
    ) {
        let mut world = World::new(RefreshReuse::UntilSuccessorUsed, false);
        world.authorize(client, 0, SCOPES[1], &[]);
        world.decide(0, true);
        world.redeem(0, Redeem::Rightly);
        let idle = Duration::days(30);
        let mut issued_at = world.now();
        for (heard, days) in answers {
            world.take(&Step::Advance { seconds: days * 86_400 });
            if issued_at.after(idle).is_expired(world.now()) {
                return Ok(());
            }
            world.take(&Step::Purge { limit: 3 });
            world.take(&Step::Refresh { flow: 0, heard });
            world.check();
            prop_assert!(!world.flows[0].dead);
            if heard {
                issued_at = world.now();
            }
        }
    }
}
