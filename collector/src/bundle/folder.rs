//! The folder of rule files: what it holds, whether it has changed, and the last sound text of every file.

use crate::limits::MAX_RULE_FILES;
use attune_core::bundle::author::{Compiled, Diagnostic, Severity, SourceFile, compile};
use attune_core::bundle::policy_of;
use attune_core::limits::MAX_RULE_FILE_BYTES;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A folder of rule files.
#[derive(Debug)]
pub struct RulesFolder {
    path: PathBuf,
    seen: Option<Stamps>,
    settled: Option<Stamps>,
    /// Of every file the newest text that held no error.
    sound: BTreeMap<String, String>,
}

type Stamps = BTreeMap<String, (u64, Option<SystemTime>)>;

/// What the folder amounts to.
#[derive(Debug)]
pub struct Loaded {
    /// The compiled body.
    pub body: Vec<u8>,
    /// What was found in the files as they stand.
    pub diagnostics: Vec<Diagnostic>,
    /// Files of which an older text is in effect.
    pub kept: Vec<String>,
}

impl Loaded {
    /// Whether what is in effect has a filter policy.
    pub fn has_policy(&self) -> bool {
        policy_of(&self.body).is_ok_and(|policy| !policy.is_empty())
    }

    /// Files with errors of which no older text is in effect.
    pub fn left_out(&self) -> impl Iterator<Item = &str> {
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        errors.map(|diagnostic| &*diagnostic.file).filter(|file| !self.kept.iter().any(|kept| kept == file))
    }
}

/// Every rule file of a folder as it stands, in order of name.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn read_sources(folder: &Path) -> io::Result<Vec<SourceFile>> {
    let folder = RulesFolder::new(folder.to_owned(), BTreeMap::new());
    folder.stamps()?.keys().map(|name| folder.read(name)).collect()
}

impl RulesFolder {
    /// A folder, with the sound texts known from before.
    pub fn new(path: PathBuf, sound: BTreeMap<String, String>) -> Self {
        Self { path, seen: None, settled: None, sound }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest text without errors of every file.
    pub const fn sound(&self) -> &BTreeMap<String, String> {
        &self.sound
    }

    /// Whether something has changed and has since stayed the same from one look to the next, so that a file that is
    /// being written is not read half way.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn has_settled_change(&mut self) -> io::Result<bool> {
        let now = self.stamps()?;
        let still = self.seen.as_ref() == Some(&now);
        let changed = self.settled.as_ref() != Some(&now);
        self.seen = Some(now);
        Ok(still && changed)
    }

    /// Reads and compiles the folder. A file with errors goes on in its last sound text, if it has one.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn load(&mut self) -> io::Result<Loaded> {
        let stamps = self.stamps()?;
        let files = stamps.keys().map(|name| self.read(name)).collect::<io::Result<Vec<_>>>()?;
        self.seen = Some(stamps.clone());
        self.settled = Some(stamps);
        let as_they_stand = compile(&files);
        let broken: BTreeSet<&str> = broken_files(&as_they_stand);
        let kept: Vec<String> = broken
            .iter()
            .filter(|name| self.sound.contains_key(**name))
            .map(|name| (*name).to_owned())
            .collect();
        let mut chosen = files;
        for file in chosen.iter_mut().filter(|file| kept.contains(&file.name)) {
            file.text.clone_from(&self.sound[&file.name]);
        }
        let body = if kept.is_empty() { as_they_stand.body.clone() } else { compile(&chosen).body };
        self.sound.retain(|name, _| chosen.iter().any(|file| file.name == *name));
        for file in chosen {
            if !broken.contains(&*file.name) {
                self.sound.insert(file.name, file.text);
            }
        }
        drop(broken);
        Ok(Loaded { body, diagnostics: as_they_stand.diagnostics, kept })
    }

    fn stamps(&self) -> io::Result<Stamps> {
        let mut stamps = Stamps::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.ends_with(".json") || name.starts_with('.') {
                continue;
            }
            // A file that went away between the two calls is simply not there.
            let Ok(meta) = fs::metadata(entry.path()) else { continue };
            if meta.is_file() {
                stamps.insert(name, (meta.len(), meta.modified().ok()));
            }
            if stamps.len() > MAX_RULE_FILES {
                let message = format!("{} holds more than {MAX_RULE_FILES} rule files", self.path.display());
                return Err(io::Error::other(message));
            }
        }
        Ok(stamps)
    }

    /// Reads one more byte than a file may have at most, which is enough for the compiler to refuse it.
    fn read(&self, name: &str) -> io::Result<SourceFile> {
        let mut bytes = Vec::new();
        match fs::File::open(self.path.join(name)) {
            Ok(file) => file.take(MAX_RULE_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map(drop)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io::Error::new(error.kind(), format!("{name}: {error}"))),
        }
        Ok(SourceFile { name: name.to_owned(), text: String::from_utf8_lossy(&bytes).into_owned() })
    }
}

fn broken_files(compiled: &Compiled) -> BTreeSet<&str> {
    let errors = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(|diagnostic| &*diagnostic.file).chain(compiled.unreadable.iter().map(|name| &**name)).collect()
}
