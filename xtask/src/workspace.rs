//! Where things are: the repository's root, cargo's target directory, the built binary.

use crate::failure::Failure;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root, found by its workspace manifest.
///
/// # Errors
/// Started outside of the repository.
pub fn root() -> Result<PathBuf, Failure> {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(manifest) => PathBuf::from(manifest),
        None => env::current_dir().map_err(|error| Failure::new(format!("current directory: {error}")))?,
    };
    start
        .ancestors()
        .find(|folder| {
            fs::read_to_string(folder.join("Cargo.toml"))
                .is_ok_and(|manifest| manifest.contains("[workspace]"))
        })
        .map(Path::to_path_buf)
        .ok_or_else(|| Failure::new(format!("{} is not inside the repository", start.display())))
}

/// Cargo's target directory: this very binary was built into `<target>/<profile>/xtask`.
///
/// # Errors
/// The running binary cannot be located.
pub fn target() -> Result<PathBuf, Failure> {
    let binary = env::current_exe().map_err(|error| Failure::new(format!("own binary: {error}")))?;
    let mut folders = binary.ancestors().skip(1).filter(|folder| !folder.ends_with("deps"));
    folders.nth(1).map(Path::to_path_buf).ok_or_else(|| Failure::new("own binary has no target directory"))
}

/// The collector's release binary.
///
/// # Errors
/// As [`target`].
pub fn collector_binary() -> Result<PathBuf, Failure> {
    Ok(target()?.join("release").join("attune"))
}
