//! The bundle on trial: what is to be tried, and what is kept of it over a restart.

use crate::whole_file;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct TrialSettings {
    /// Folder of its rule files.
    pub folder: PathBuf,
    /// For how many units, in hundredths of a percent.
    pub share: u32,
}

/// What pages have been told of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialRecord {
    /// Its revision.
    pub revision: u64,
    /// For how many units, in hundredths of a percent.
    pub share: u32,
    /// Divides the units, from the first revision of the trial to its end.
    pub seed: String,
}

impl TrialRecord {
    /// Reads a record; nothing where there is none.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let Some(bytes) = whole_file::read(path)? else { return Ok(None) };
        let record = serde_json::from_slice::<Value>(&bytes).ok().and_then(|value| {
            Some(Self {
                revision: value["revision"].as_u64()?,
                share: u32::try_from(value["share"].as_u64()?).ok()?,
                seed: value["seed"].as_str()?.to_owned(),
            })
        });
        let told = || io::Error::other(format!("{}: it is no record of a trial", path.display()));
        record.map(Some).ok_or_else(told)
    }

    /// Writes it; durable when this returns.
    ///
    /// # Errors
    /// The disk refused.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let json = json!({"revision": self.revision, "share": self.share, "seed": self.seed});
        whole_file::write(path, json.to_string().as_bytes())
    }

    /// Forgets the record of a trial that is over.
    ///
    /// # Errors
    /// The disk refused.
    pub fn remove(path: &Path) -> io::Result<()> {
        fs::remove_file(path).map_err(|error| whole_file::named(path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trial.json");
        assert_eq!(TrialRecord::read(&path).unwrap(), None);
        let record = TrialRecord { revision: 7, share: 1_250, seed: "shop/production/7".to_owned() };
        record.write(&path).unwrap();
        assert_eq!(TrialRecord::read(&path).unwrap(), Some(record));
        fs::write(&path, "{}").unwrap();
        assert!(TrialRecord::read(&path).unwrap_err().to_string().contains("trial.json: it is no record"));
    }
}
