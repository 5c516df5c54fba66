//! The envelopes kept from before the one in effect: a folder with one file each, named by revision and hash.

use super::published::Kept;
use crate::content::{Document, sha256};
use crate::hex::{hex, parse_hex};
use crate::limits::{KEPT_BUNDLE_BYTES, KEPT_BUNDLES};
use crate::whole_file::{self, named};
use attune_core::bundle::open_envelope;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ENDING: &str = ".bundle";

/// The folder, and what it holds, the newest first.
#[derive(Debug)]
pub struct History {
    folder: PathBuf,
    kept: Vec<Arc<Kept>>,
}

impl History {
    /// Reads a folder, which is made where missing. Files that are damaged are left out, each with one line.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: PathBuf) -> io::Result<(Self, Vec<String>)> {
        fs::create_dir_all(&folder).map_err(|error| named(&folder, &error))?;
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        let mut history = Self { folder, kept: Vec::new() };
        let mut files = history.files()?;
        files.sort_unstable_by(|a, b| b.cmp(a));
        for (revision, hash, path) in files.into_iter().take(KEPT_BUNDLES) {
            match read(&path, revision, &hash) {
                Ok(bytes) => kept.push(Arc::new(Kept { revision, document: Document::of(bytes) })),
                Err(error) => left_out.push(error.to_string()),
            }
        }
        history.kept = kept;
        Ok((history, left_out))
    }

    /// Those of lower revisions than the one that is to be in effect, the newest first, within the bounds.
    pub fn before(&self, current: &Kept) -> Vec<Arc<Kept>> {
        let lower = self.kept.iter().filter(|kept| kept.revision < current.revision);
        let mut room = KEPT_BUNDLE_BYTES;
        let within = lower.take(KEPT_BUNDLES - 1).take_while(|kept| {
            let left = room.checked_sub(kept.document.bytes().len());
            room = left.unwrap_or_default();
            left.is_some()
        });
        within.cloned().collect()
    }

    /// Keeps the one in effect, forgets what falls out of the bounds for it.
    ///
    /// # Errors
    /// The disk refused; it is kept in memory nevertheless.
    pub fn keep(&mut self, current: &Arc<Kept>) -> io::Result<()> {
        let mut kept = self.before(current);
        kept.insert(0, current.clone());
        self.kept = kept;
        let (revision, hash) = (current.revision, current.document.hash);
        let path = self.folder.join(format!("{revision:020}-{}{ENDING}", hex(&hash)));
        if !path.exists() {
            whole_file::write(&path, current.document.bytes())?;
        }
        for (revision, hash, path) in self.files()? {
            let is_kept = |kept: &Arc<Kept>| (kept.revision, kept.document.hash) == (revision, hash);
            if !self.kept.iter().any(is_kept) {
                fs::remove_file(&path).map_err(|error| named(&path, &error))?;
            }
        }
        Ok(())
    }

    fn files(&self) -> io::Result<Vec<(u64, [u8; 32], PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| named(&self.folder, &error))? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let parts = name.strip_suffix(ENDING).and_then(|name| name.split_once('-'));
            let read = parts.and_then(|(revision, hash)| Some((revision.parse().ok()?, parse_hex(hash)?)));
            files.extend(read.map(|(revision, hash)| (revision, hash, path)));
        }
        Ok(files)
    }
}

fn read(path: &Path, revision: u64, hash: &[u8; 32]) -> io::Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(|error| named(path, &error))?;
    let is_whole = sha256(&bytes) == *hash;
    match open_envelope(&bytes) {
        Ok(envelope) if is_whole && envelope.header.revision == revision => Ok(bytes),
        _ => Err(io::Error::other(format!("{}: it is not the bundle that its name says", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::{Header, SIGNATURE_BYTES, attach_signature, seal_envelope};

    fn kept(revision: u64) -> Arc<Kept> {
        let sealed = seal_envelope(&Header { revision, ..Header::default() }, b"body");
        let document = Document::of(attach_signature(sealed, &[0; SIGNATURE_BYTES]));
        Arc::new(Kept { revision, document })
    }

    fn revisions(kept: &[Arc<Kept>]) -> Vec<u64> {
        kept.iter().map(|kept| kept.revision).collect()
    }

    #[test]
    fn the_newest_are_kept_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (mut history, _) = History::open(folder.path().join("kept")).unwrap();
        let last = KEPT_BUNDLES as u64 + 3;
        for revision in 1..=last {
            history.keep(&kept(revision)).unwrap();
        }
        let (history, left_out) = History::open(folder.path().join("kept")).unwrap();
        let expected: Vec<u64> = (4..=last).rev().collect();
        assert_eq!((revisions(&history.kept), left_out.len()), (expected.clone(), 0));
        assert_eq!(revisions(&history.before(&kept(last))), expected[1..]);
        assert_eq!(revisions(&history.before(&kept(6))), [5, 4]);
        assert_eq!(fs::read_dir(folder.path().join("kept")).unwrap().count(), KEPT_BUNDLES);
    }

    #[test]
    fn a_damaged_file_is_told_and_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let (mut history, _) = History::open(folder.path().to_owned()).unwrap();
        (1..=3).for_each(|revision| history.keep(&kept(revision)).unwrap());
        fs::write(folder.path().join("note.txt"), "not ours").unwrap();
        let path = history.files().unwrap().into_iter().find(|(revision, ..)| *revision == 2).unwrap().2;
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        let (mut history, left_out) = History::open(folder.path().to_owned()).unwrap();
        assert_eq!(revisions(&history.kept), [3, 1]);
        assert!(left_out.len() == 1 && left_out[0].contains("00002-"), "{left_out:?}");
        history.keep(&kept(4)).unwrap();
        assert!(!path.exists() && folder.path().join("note.txt").exists());
    }

    #[test]
    fn what_a_crash_or_a_backup_left_above_the_one_in_effect_is_not_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut history, _) = History::open(folder.path().to_owned()).unwrap();
        [1, 2, 5].iter().for_each(|revision| history.keep(&kept(*revision)).unwrap());
        assert_eq!(revisions(&history.before(&kept(3))), [2, 1]);
        history.keep(&kept(3)).unwrap();
        assert_eq!(revisions(&history.kept), [3, 2, 1]);
    }
}
