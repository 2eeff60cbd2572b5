//! Resource owners' passwords for auth-core with argon2id (RFC 9106), stored as PHC strings.
//!
//! [`Argon2Hasher`] is an adapter of [`auth_core::password::PasswordHasher`]. It blocks for tens of
//! milliseconds and takes [`Cost::memory_kib`] of memory while it runs, so call it from a small pool
//! of threads of its own.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, RECOMMENDED_SALT_LEN, Version};
use auth_core::password::{
    Password, PasswordCheck, PasswordHash, PasswordHasher, PasswordHasherError,
};
use std::fmt::Display;

/// The most work a stored hash may ask for, in KiB of memory times passes: a few seconds. A damaged
/// or planted row must not occupy a hashing thread for hours.
const MAX_STORED_WORK: u64 = 4 * 1024 * 1024;

/// What one hash costs (RFC 9106 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB, at least eight for each lane.
    pub memory_kib: u32,
    /// Passes over the memory, at least one.
    pub passes: u32,
    /// Lanes, at least one. They run one after the other on the calling thread.
    pub lanes: u32,
}

impl Default for Cost {
    /// 19 MiB, two passes, one lane: the floor of OWASP's password storage advice.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// Hashes with argon2id at one cost, and verifies what any argon2 made at any cost.
pub struct Argon2Hasher {
    argon2: Argon2<'static>,
    /// A hash of nobody's password at today's cost, for user names that do not exist.
    decoy: PasswordHash,
}

impl Argon2Hasher {
    /// A hasher whose new hashes have this cost.
    ///
    /// # Errors
    /// The cost is outside argon2's bounds, or beyond what this hasher would verify again.
    pub fn new(cost: Cost) -> Result<Self, PasswordHasherError> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).map_err(failed)?;
        bounded(&params)?;
        let decoy = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(failed)?,
            salt: Some(Salt::new(&[0; RECOMMENDED_SALT_LEN]).map_err(failed)?),
            hash: Some(Output::new(&[0; Params::DEFAULT_OUTPUT_LEN]).map_err(failed)?),
        };
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            decoy: PasswordHash::new(decoy.to_string()),
        })
    }

    /// Whether a stored hash resists guessing less than a new one would.
    fn is_weaker(&self, stored: &Phc, params: &Params) -> bool {
        let today = self.argon2.params();
        stored.algorithm != Algorithm::Argon2id.ident()
            || stored.version != Some(Version::V0x13.into())
            || params.m_cost() < today.m_cost()
            || params.t_cost() < today.t_cost()
            || stored.salt.as_ref().is_none_or(|salt| salt.len() < RECOMMENDED_SALT_LEN)
            || stored.hash.as_ref().is_none_or(|hash| hash.len() < Params::DEFAULT_OUTPUT_LEN)
    }
}

impl PasswordHasher for Argon2Hasher {
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordHasherError> {
        if password.expose().len() > Password::MAX_BYTES {
            return Err(failed("the password is too long"));
        }
        // The salt comes from the operating system.
        let hash = self.argon2.hash_password(password.expose()).map_err(failed)?;
        Ok(PasswordHash::new(hash.to_string()))
    }

    fn verify(
        &self,
        password: &Password,
        hash: &PasswordHash,
    ) -> Result<PasswordCheck, PasswordHasherError> {
        if password.expose().len() > Password::MAX_BYTES {
            return Ok(PasswordCheck::Mismatch);
        }
        let stored = Phc::new(hash.as_str()).map_err(failed)?;
        if stored.salt.is_none() || stored.hash.is_none() {
            return Err(failed("the stored hash has no salt or no output"));
        }
        let params = Params::try_from(&stored).map_err(failed)?;
        bounded(&params)?;
        match self.argon2.verify_password(password.expose(), &stored) {
            Ok(()) => Ok(PasswordCheck::Match { rehash: self.is_weaker(&stored, &params) }),
            Err(HashError::PasswordInvalid) => Ok(PasswordCheck::Mismatch),
            Err(error) => Err(failed(error)),
        }
    }

    fn verify_nothing(&self, password: &Password) {
        // The same path as for a known user, so that it cannot drift from it.
        let _ = std::hint::black_box(self.verify(password, &self.decoy));
    }
}

fn failed(reason: impl Display) -> PasswordHasherError {
    PasswordHasherError(reason.to_string())
}

fn bounded(params: &Params) -> Result<(), PasswordHasherError> {
    if u64::from(params.m_cost()) * u64::from(params.t_cost()) > MAX_STORED_WORK {
        return Err(failed("the hash asks for too much memory or too many passes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 2, lanes: 1 };

    fn hasher(cost: Cost) -> Argon2Hasher {
        Argon2Hasher::new(cost).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::presented(text.to_owned())
    }

    #[test]
    fn a_password_matches_its_own_hash_and_no_other_password_does() {
        let hasher = hasher(CHEAP);
        for text in ["correct horse", "пароль от всего", "🐎 battery 漢字", "nul\0inside", ""]
        {
            let hash = hasher.hash(&password(text)).unwrap();
            let check = |typed: &str| hasher.verify(&password(typed), &hash).unwrap();
            assert_eq!(check(text), PasswordCheck::Match { rehash: false });
            assert_eq!(check(&format!("{text} ")), PasswordCheck::Mismatch);
            assert_eq!(check("Correct horse"), PasswordCheck::Mismatch);
        }
    }

    #[test]
    fn a_hash_is_an_argon2id_phc_string_with_a_fresh_salt() {
        let hasher = hasher(CHEAP);
        let [one, two] = [(); 2].map(|()| hasher.hash(&password("correct horse")).unwrap());
        assert!(one.as_str().starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{}", one.as_str());
        assert_ne!(one.as_str(), two.as_str());
        assert_eq!(Phc::new(one.as_str()).unwrap().salt.unwrap().len(), 16);
    }

    #[test]
    fn the_default_cost_is_nineteen_mebibytes_and_two_passes() {
        let hasher = hasher(Cost::default());
        assert!(hasher.decoy.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn a_weaker_or_foreign_hash_matches_and_asks_for_a_rehash() {
        let today = hasher(CHEAP);
        for (memory_kib, passes, rehash) in
            [(64, 2, false), (128, 3, false), (32, 2, true), (64, 1, true), (1024, 1, true)]
        {
            let stored = hasher(Cost { memory_kib, passes, lanes: 1 }).hash(&password("horse"));
            let check = today.verify(&password("horse"), &stored.unwrap()).unwrap();
            assert_eq!(check, PasswordCheck::Match { rehash }, "m={memory_kib} t={passes}");
        }
        let params = || Params::new(64, 2, 1, None).unwrap();
        for (algorithm, version) in
            [(Algorithm::Argon2i, Version::V0x13), (Algorithm::Argon2id, Version::V0x10)]
        {
            let stored = Argon2::new(algorithm, version, params()).hash_password(b"horse").unwrap();
            let stored = PasswordHash::new(stored.to_string());
            let check = |typed| today.verify(&password(typed), &stored).unwrap();
            assert_eq!(check("horse"), PasswordCheck::Match { rehash: true });
            assert_eq!(check("house"), PasswordCheck::Mismatch);
        }
    }

    /// The vector of the reference implementation's command line, `-id -t 2 -m 16 -p 1`.
    #[test]
    fn a_hash_made_by_the_reference_implementation_verifies() {
        let stored = PasswordHash::new(
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
                .to_owned(),
        );
        let check = hasher(CHEAP).verify(&password("password"), &stored).unwrap();
        // Its salt has eight bytes.
        assert_eq!(check, PasswordCheck::Match { rehash: true });
    }

    #[test]
    fn a_malformed_stored_hash_is_an_error_and_never_a_match() {
        let hasher = hasher(CHEAP);
        for stored in [
            "",
            "$",
            "plain text",
            "$argon2id",
            "$argon2id$v=19$m=64,t=2,p=1",
            "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=0,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$not base64!",
            "$argon2id$v=99$m=64,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=4294967295,t=9,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$scrypt$ln=15,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
        ] {
            let result = hasher.verify(&password("x"), &PasswordHash::new(stored.to_owned()));
            assert!(result.is_err(), "{stored}: {result:?}");
        }
    }

    #[test]
    fn an_impossible_cost_is_refused_when_the_hasher_is_made() {
        for (memory_kib, passes, lanes) in
            [(0, 1, 1), (64, 0, 1), (64, 1, 0), (64, 1, 9), (u32::MAX, 1, 1), (64, u32::MAX, 1)]
        {
            assert!(Argon2Hasher::new(Cost { memory_kib, passes, lanes }).is_err());
        }
    }

    /// UI-18: an unknown user name costs what a known one costs.
    #[test]
    fn verifying_nothing_runs_a_whole_verification_at_the_cost_of_new_hashes() {
        let hasher = hasher(CHEAP);
        let decoy = Phc::new(hasher.decoy.as_str()).unwrap();
        let real = Phc::new(hasher.hash(&password("correct horse")).unwrap().as_str()).unwrap();
        assert_eq!(decoy.algorithm, real.algorithm);
        assert_eq!(decoy.version, real.version);
        assert_eq!(decoy.params, real.params);
        assert_eq!(decoy.salt.unwrap().len(), real.salt.unwrap().len());
        assert_eq!(decoy.hash.unwrap().len(), real.hash.unwrap().len());
        for typed in ["", "correct horse"] {
            let check = hasher.verify(&password(typed), &hasher.decoy);
            assert_eq!(check, Ok(PasswordCheck::Mismatch));
            hasher.verify_nothing(&password(typed));
        }
    }

    #[test]
    fn a_password_beyond_the_bound_matches_nothing_and_is_not_hashed() {
        let hasher = hasher(CHEAP);
        let [longest, too_long] = [1024, 1025].map(|bytes| password(&"x".repeat(bytes)));
        let hash = hasher.hash(&longest).unwrap();
        assert_eq!(hasher.verify(&longest, &hash), Ok(PasswordCheck::Match { rehash: false }));
        // A stored hash that cannot even be read shows that the length is judged first.
        let unreadable = PasswordHash::new("unreadable".to_owned());
        assert_eq!(hasher.verify(&too_long, &unreadable), Ok(PasswordCheck::Mismatch));
        assert!(hasher.hash(&too_long).is_err());
    }

    #[test]
    fn errors_do_not_repeat_the_password_or_the_hash() {
        let stored = PasswordHash::new("$argon2id$v=19$secret-looking".to_owned());
        let error = hasher(CHEAP).verify(&password("hunter2"), &stored).unwrap_err().to_string();
        assert!(!error.contains("hunter2") && !error.contains("secret-looking"), "{error}");
    }
}
