//! A rules folder that is watched: what it amounts to, with what was wrong in it told and counted.

use super::folder::{Loaded, RulesFolder};
use crate::metrics::Metrics;
use crate::whole_file::{self, named};
use attune_core::bundle::author::Severity;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A folder with the file that keeps its sound texts over a restart.
#[derive(Debug)]
pub struct Watched {
    folder: RulesFolder,
    sound: PathBuf,
    metrics: Arc<Metrics>,
}

impl Watched {
    /// A folder, with the sound texts of an earlier process.
    ///
    /// # Errors
    /// The file of sound texts cannot be read.
    pub fn open(folder: PathBuf, sound: PathBuf, metrics: Arc<Metrics>) -> io::Result<Self> {
        let texts = whole_file::read(&sound)?
            .and_then(|bytes| serde_json::from_slice::<BTreeMap<String, String>>(&bytes).ok());
        Ok(Self { folder: RulesFolder::new(folder, texts.unwrap_or_default()), sound, metrics })
    }

    /// The compiled body of the folder as it stands.
    ///
    /// # Errors
    /// The folder cannot be read, or the sound texts cannot be written.
    pub fn load(&mut self) -> io::Result<Vec<u8>> {
        let loaded = self.folder.load().map_err(|error| named(self.folder.path(), &error))?;
        self.report(&loaded);
        whole_file::write(&self.sound, &serde_json::to_vec(self.folder.sound())?)?;
        Ok(loaded.body)
    }

    /// The same once something has changed in it.
    ///
    /// # Errors
    /// As those of [`Watched::load`].
    pub fn load_change(&mut self) -> io::Result<Option<Vec<u8>>> {
        let changed = self.folder.has_settled_change();
        let changed = changed.map_err(|error| named(self.folder.path(), &error))?;
        if changed { self.load().map(Some) } else { Ok(None) }
    }

    fn report(&self, loaded: &Loaded) {
        let folder = self.folder.path().display();
        for diagnostic in &loaded.diagnostics {
            if diagnostic.severity == Severity::Error {
                self.metrics.bundle_errors.add(1);
                let kept = loaded.kept.contains(&diagnostic.file);
                let effect =
                    if kept { "the last sound text of this file stays in effect" } else { "left out" };
                tracing::error!(%folder, "{diagnostic}; {effect}");
            } else {
                tracing::warn!(%folder, "{diagnostic}");
            }
        }
    }
}
