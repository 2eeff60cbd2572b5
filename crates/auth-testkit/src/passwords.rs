use auth_core::password::{
    Password, PasswordCheck, PasswordHash, PasswordHasher, PasswordHasherError,
};

/// A password hasher that does not hash, so that tests spend no time on it.
///
/// The "hash" of `secret` is `$plain$secret`. A stored `$plain-old$secret` matches too, and asks to
/// be replaced as if it were too weak; anything else is a malformed hash.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainPasswords;

impl PasswordHasher for PlainPasswords {
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordHasherError> {
        let text = String::from_utf8_lossy(password.expose());
        Ok(PasswordHash::new(format!("$plain${text}")))
    }

    fn verify(
        &self,
        password: &Password,
        hash: &PasswordHash,
    ) -> Result<PasswordCheck, PasswordHasherError> {
        let (stored, rehash) = match hash.as_str() {
            text if text.starts_with("$plain$") => (&text["$plain$".len()..], false),
            text if text.starts_with("$plain-old$") => (&text["$plain-old$".len()..], true),
            _ => return Err(PasswordHasherError("malformed hash".into())),
        };
        let fits = password.expose().len() <= Password::MAX_BYTES;
        if fits && password.expose() == stored.as_bytes() {
            Ok(PasswordCheck::Match { rehash })
        } else {
            Ok(PasswordCheck::Mismatch)
        }
    }

    fn verify_nothing(&self, _: &Password) {}
}
