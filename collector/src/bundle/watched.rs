//! A rules folder that is watched: what it amounts to, with what was wrong in it told and counted.

use super::folder::{Loaded, RulesFolder};
use crate::metrics::Metrics;
use crate::whole_file::{self, named};
use attune_core::bundle::author::{Diagnostic, Severity};
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

    /// The newest sound text of every file.
    pub const fn texts(&self) -> &BTreeMap<String, String> {
        self.folder.sound()
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
                tracing::error!(%folder, "{diagnostic}; {}", effect(diagnostic, kept, loaded.has_policy()));
            } else {
                tracing::warn!(%folder, "{diagnostic}");
            }
        }
    }
}

/// What an error leads to; of a filter policy also whether events are filtered now, since that is not to be guessed.
fn effect(diagnostic: &Diagnostic, kept: bool, has_policy: bool) -> &'static str {
    let is_of_policy = diagnostic.path == "/filter" || diagnostic.path.starts_with("/filter/");
    match (is_of_policy, kept, has_policy) {
        (false, true, _) => "the last sound text of this file stays in effect",
        (true, true, true) => {
            "the last sound text of this file stays in effect, and events are filtered by the last sound policy"
        }
        (true, true, false) => {
            "the last sound text of this file stays in effect, and no policy is in it: events are not filtered"
        }
        (true, false, _) if diagnostic.code == "duplicate_filter" => {
            "left out; events are filtered by the first"
        }
        (true, false, _) => {
            "there is no sound policy to go on with, so no event is kept until this one is mended"
        }
        (false, false, false) if diagnostic.path.is_empty() => {
            "left out, a filter in it included: events are not filtered"
        }
        (false, false, _) => "left out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// What is said of a file whose texts follow each other.
    fn effects(texts: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut rules = RulesFolder::new(folder.path().to_owned(), BTreeMap::new());
        let mut said = String::new();
        for text in texts {
            fs::write(folder.path().join("rules.json"), text).unwrap();
            let loaded = rules.load().unwrap();
            let kept = loaded.kept.contains(&"rules.json".to_owned());
            said = loaded
                .diagnostics
                .first()
                .map_or_else(String::new, |found| effect(found, kept, loaded.has_policy()).to_owned());
        }
        said
    }

    #[test]
    fn an_error_in_a_policy_says_whether_events_are_filtered() {
        let (sound, other) = (r#"{"filter":{"deny":["x"]}}"#, r#"{"rules":[]}"#);
        let (broken, unreadable) = (r#"{"filter":{"redact":["emial"]}}"#, r#"{"filter":"#);
        for (texts, expected) in [
            (&[sound, broken][..], "events are filtered by the last sound policy"),
            (&[other, broken], "no policy is in it: events are not filtered"),
            (&[broken], "so no event is kept until this one is mended"),
            (&[unreadable], "left out, a filter in it included: events are not filtered"),
            (&[sound, unreadable], "the last sound text of this file stays in effect"),
            (&[r#"{"rules":[{"id":"r"}]}"#], "left out"),
            (&[sound], ""),
        ] {
            let said = effects(texts);
            assert!(said.ends_with(expected) && said.is_empty() == expected.is_empty(), "{texts:?}: {said}");
        }
    }
}
