//! The demonstration's passwords and secret: made on the first run, kept for the next.

use crate::system::OsEntropy;
use anyhow::{Context as _, Result};
use auth_core::secret::Secret;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::Path;

/// What the demonstration prints.
#[derive(Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) alice_password: String,
    pub(super) admin_password: String,
    pub(super) demo_app_secret: String,
    /// Empty in a file of a version that had no API yet.
    #[serde(default)]
    pub(super) demo_api_secret: String,
    /// Made just now: whatever the database knows is not what will be printed.
    #[serde(skip)]
    pub(super) fresh: bool,
}

impl Credentials {
    /// Reads the file, or makes it, readable by its owner only. What it lacks is added.
    pub(super) fn load_or_make(path: &Path) -> Result<Self> {
        let what = || format!("cannot use {}", path.display());
        if path.exists() {
            let text = std::fs::read_to_string(path).with_context(what)?;
            let mut kept: Self = serde_json::from_str(&text).with_context(what)?;
            if kept.demo_api_secret.is_empty() {
                kept.demo_api_secret = secret()?;
                std::fs::write(path, serde_json::to_string_pretty(&kept)?).with_context(what)?;
            }
            return Ok(kept);
        }
        let made = Self {
            alice_password: password()?,
            admin_password: password()?,
            demo_app_secret: secret()?,
            demo_api_secret: secret()?,
            fresh: true,
        };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).with_context(what)?;
        file.write_all(serde_json::to_string_pretty(&made)?.as_bytes()).with_context(what)?;
        file.sync_all().with_context(what)?;
        Ok(made)
    }
}

fn secret() -> Result<String> {
    Ok(Secret::mint(&OsEntropy)?.expose().to_owned())
}

/// A password that can be typed: 60 random bits as twelve letters and digits in three groups.
fn password() -> Result<String> {
    // 32 characters, none of which is taken for another.
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
    let mut bytes = [0u8; 12];
    auth_core::entropy::Entropy::fill(&OsEntropy, &mut bytes)?;
    let letters: Vec<char> =
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    Ok(letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-"))
}
