//! The files of the workspace, always in the same order.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Directories that hold what was built or installed, not what was written.
const NOT_OURS: [&str; 5] = ["target", "node_modules", ".venv", "__pycache__", ".git"];

/// The workspace's directory.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// One text file: its path below the root, with forward slashes, and what it says.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All files below `directory` that end in one of `extensions`, sorted by path.
/// A directory that does not exist has none.
pub(crate) fn files(root: &Path, directory: &str, extensions: &[&str]) -> Result<Vec<File>> {
    let mut found = Vec::new();
    let start = root.join(directory);
    if start.is_dir() {
        collect(root, &start, extensions, &mut found)?;
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn collect(
    root: &Path,
    directory: &Path,
    extensions: &[&str],
    found: &mut Vec<File>,
) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !NOT_OURS.contains(&name.as_ref()) {
                collect(root, &path, extensions, found)?;
            }
        } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
            let text = read(&path)?;
            found.push(File { path: below(root, &path), text });
        }
    }
    Ok(())
}

/// A file's text, or an error that names the file.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn below(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    relative.to_string_lossy().replace('\\', "/")
}
