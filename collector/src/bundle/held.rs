//! Whether the rules folder is overruled: somebody has put a bundle into effect by request, and the folder counts again once what it
//! says changes.

use crate::content::sha256;
use crate::hex::hex;
use crate::whole_file::{self, named};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the folder said when it was overruled, kept over a restart.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    texts: Option<String>,
    shown: Arc<AtomicBool>,
}

impl Held {
    /// Takes back what was so before this process.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let texts = whole_file::read(&path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let shown = Arc::new(AtomicBool::new(texts.is_some()));
        Ok(Self { path, texts, shown })
    }

    /// Whether it is overruled, now and later.
    pub fn shown(&self) -> Arc<AtomicBool> {
        self.shown.clone()
    }

    /// Overrules a folder whose files have these texts; durable when this returns.
    ///
    /// # Errors
    /// The disk refused.
    pub fn hold(&mut self, texts: &BTreeMap<String, String>) -> io::Result<()> {
        let texts = fingerprint(texts)?;
        whole_file::write(&self.path, texts.as_bytes())?;
        self.texts = Some(texts);
        self.shown.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the folder counts, whose files have these texts: from the first change of them on.
    ///
    /// # Errors
    /// The disk refused.
    pub fn lets(&mut self, texts: &BTreeMap<String, String>) -> io::Result<bool> {
        let Some(held) = &self.texts else { return Ok(true) };
        if *held == fingerprint(texts)? {
            return Ok(false);
        }
        fs::remove_file(&self.path).map_err(|error| named(&self.path, &error))?;
        self.texts = None;
        self.shown.store(false, Ordering::Relaxed);
        Ok(true)
    }
}

fn fingerprint(texts: &BTreeMap<String, String>) -> io::Result<String> {
    Ok(hex(&sha256(&serde_json::to_vec(texts)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_overruled_counts_again_from_its_first_change_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("held");
        let texts = |text: &str| BTreeMap::from([("a.json".to_owned(), text.to_owned())]);
        let mut held = Held::open(path.clone()).unwrap();
        assert!(held.lets(&texts("one")).unwrap());
        held.hold(&texts("one")).unwrap();
        let mut held = Held::open(path.clone()).unwrap();
        assert!(held.shown().load(Ordering::Relaxed) && !held.lets(&texts("one")).unwrap());
        assert!(held.lets(&texts("two")).unwrap() && held.lets(&texts("one")).unwrap());
        assert!(Held::open(path).unwrap().lets(&texts("one")).unwrap());
    }
}
