//! Remembers what a build step was made from, so that an unchanged step is skipped.

use crate::failure::Failure;
use crate::workspace;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Folders that hold results rather than sources.
const NOT_SOURCES: [&str; 5] = ["dist", "pkg", "target", "node_modules", ".git"];

/// Runs `make` unless the inputs have the hash of the last successful run and every output is there.
/// Returns whether it ran.
///
/// # Errors
/// Those of `make`, and inputs that cannot be read.
pub fn when_changed(
    name: &str,
    inputs: &[PathBuf],
    outputs: &[PathBuf],
    make: impl FnOnce() -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let store = workspace::target()?.join("attune-build");
    fs::create_dir_all(&store).map_err(|error| Failure::at(&store, &error))?;
    let note = store.join(name);
    let hash = hash_of(inputs)?;
    let known = fs::read_to_string(&note).is_ok_and(|noted| noted == hash);
    if known && outputs.iter().all(|output| output.exists()) {
        return Ok(false);
    }
    make()?;
    // The hash from before the run is noted: an edit made meanwhile is built next time.
    fs::write(&note, hash).map_err(|error| Failure::at(&note, &error))?;
    Ok(true)
}

fn hash_of(inputs: &[PathBuf]) -> Result<String, Failure> {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        absorb(input, &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn absorb(path: &Path, hasher: &mut DefaultHasher) -> Result<(), Failure> {
    path.hash(hasher);
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| Failure::at(path, &error))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for entry in paths {
            let name = entry.file_name().unwrap_or_default();
            if NOT_SOURCES.iter().all(|skipped| name != *skipped) {
                absorb(&entry, hasher)?;
            }
        }
    } else if path.exists() {
        fs::read(path).map_err(|error| Failure::at(path, &error))?.hash(hasher);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_changes_the_hash_and_a_result_folder_does_not() {
        let folder = std::env::temp_dir().join(format!("attune-fingerprint-{}", std::process::id()));
        fs::create_dir_all(folder.join("dist")).unwrap();
        fs::write(folder.join("a"), "1").unwrap();
        let inputs = [folder.clone()];
        let first = hash_of(&inputs).unwrap();
        fs::write(folder.join("dist/b"), "1").unwrap();
        assert_eq!(hash_of(&inputs).unwrap(), first);
        fs::write(folder.join("a"), "2").unwrap();
        assert_ne!(hash_of(&inputs).unwrap(), first);
        fs::remove_dir_all(&folder).unwrap();
    }
}
