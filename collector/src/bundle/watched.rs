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
        self.load_all().map(|loaded| loaded.body)
    }

    /// The same once something has changed in it.
    ///
    /// # Errors
    /// As those of [`Watched::load`].
    pub fn load_change(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.has_changed()? { self.load().map(Some) } else { Ok(None) }
    }

    /// The same of a folder whose rules stand beside others: nothing where a file is left out, or where there is none, since
    /// whoever gets them would be without rules that the author has written.
    ///
    /// # Errors
    /// As those of [`Watched::load`].
    pub fn load_whole(&mut self) -> io::Result<Option<Vec<u8>>> {
        let loaded = self.load_all()?;
        let folder = self.folder.path().display();
        let is_whole = loaded.left_out().next().is_none();
        if !is_whole {
            tracing::error!(%folder, "a file is left out, so these rules are not tried until it is mended");
        } else if self.folder.sound().is_empty() {
            self.metrics.bundle_errors.add(1);
            tracing::error!(%folder, "there is no rule file, so nothing is tried");
        }
        Ok((is_whole && !self.folder.sound().is_empty()).then_some(loaded.body))
    }

    /// Whether something has changed in it.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn has_changed(&mut self) -> io::Result<bool> {
        self.folder.has_settled_change().map_err(|error| named(self.folder.path(), &error))
    }

    fn load_all(&mut self) -> io::Result<Loaded> {
        let loaded = self.folder.load().map_err(|error| named(self.folder.path(), &error))?;
        self.report(&loaded);
        whole_file::write(&self.sound, &serde_json::to_vec(self.folder.sound())?)?;
        Ok(loaded)
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
