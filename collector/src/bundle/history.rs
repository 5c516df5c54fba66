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

    /// All that are kept, the newest first.
    pub fn kept(&self) -> &[Arc<Kept>] {
        &self.kept
    }

    /// The one of a revision.
    pub fn of_revision(&self, revision: u64) -> Option<&Arc<Kept>> {
        self.kept.iter().find(|kept| kept.revision == revision)
    }

    /// Keeps another, forgets what falls out of the bounds for it; those in use stay in any case.
    ///
    /// # Errors
    /// The disk refused; it is kept in memory nevertheless.
    pub fn keep(&mut self, new: &Arc<Kept>, in_use: &[u64]) -> io::Result<()> {
        self.kept.retain(|kept| kept.revision != new.revision);
        let place = self.kept.partition_point(|kept| kept.revision > new.revision);
        self.kept.insert(place, new.clone());
        let (mut places, mut room) = (KEPT_BUNDLES - in_use.len().min(KEPT_BUNDLES), KEPT_BUNDLE_BYTES);
        self.kept.retain(|kept| {
            let left = room.checked_sub(kept.document.bytes().len()).filter(|_| places > 0);
            if in_use.contains(&kept.revision) {
                return true;
            }
            // The first that does not fit ends it, so that what is kept has no gaps.
            (places, room) = left.map_or((0, 0), |left| (places - 1, left));
            left.is_some()
        });
        let (revision, hash) = (new.revision, new.document.hash);
        let path = self.folder.join(format!("{revision:020}-{}{ENDING}", hex(&hash)));
        if !path.exists() {
            whole_file::write(&path, new.document.bytes())?;
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

    fn keep(history: &mut History, revision: u64) {
        history.keep(&kept(revision), &[revision]).unwrap();
    }

    #[test]
    fn the_newest_and_those_in_use_are_kept_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (mut history, _) = History::open(folder.path().join("kept")).unwrap();
        let last = KEPT_BUNDLES as u64 + 3;
        (1..=last).for_each(|revision| keep(&mut history, revision));
        let (mut history, left_out) = History::open(folder.path().join("kept")).unwrap();
        let expected: Vec<u64> = (4..=last).rev().collect();
        assert_eq!((revisions(&history.kept), left_out.len()), (expected, 0));
        assert_eq!(fs::read_dir(folder.path().join("kept")).unwrap().count(), KEPT_BUNDLES);
        assert!(history.of_revision(4).is_some() && history.of_revision(3).is_none());
        history.keep(&kept(last + 1), &[4, last + 1]).unwrap();
        let expected: Vec<u64> = [4].into_iter().chain(6..=last + 1).rev().collect();
        assert_eq!(revisions(&history.kept), expected);
    }

    #[test]
    fn a_damaged_file_is_told_and_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let (mut history, _) = History::open(folder.path().to_owned()).unwrap();
        (1..=3).for_each(|revision| keep(&mut history, revision));
        fs::write(folder.path().join("note.txt"), "not ours").unwrap();
        let path = history.files().unwrap().into_iter().find(|(revision, ..)| *revision == 2).unwrap().2;
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        let (mut history, left_out) = History::open(folder.path().to_owned()).unwrap();
        assert_eq!(revisions(&history.kept), [3, 1]);
        assert!(left_out.len() == 1 && left_out[0].contains("00002-"), "{left_out:?}");
        keep(&mut history, 4);
        assert!(!path.exists() && folder.path().join("note.txt").exists());
    }
}
