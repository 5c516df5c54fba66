//! The tools for those who write rules, through the real binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod check;
mod compile;
mod diff;
mod filter;
mod guide;
mod preview;
#[path = "../rig/mod.rs"]
mod rig;
mod script;
mod signing;
mod simulate;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What a run of the binary came to.
struct Run {
    is_clean: bool,
    out: String,
    err: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// A folder of one test, in which the binary runs.
struct Place(TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("rules")).unwrap();
        files.iter().for_each(|(name, text)| place.write(name, text));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self, words: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        let done = command.args(words).current_dir(self.0.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { is_clean: done.status.success(), out: text(done.stdout), err: text(done.stderr) }
    }
}

const SHOP: &str = r#"{
  "signals": [{"name": "views", "on": "page_view", "aggregate": "count", "window": "5m"}],
  "rules": [
    {"id": "keen", "slot": "hero", "priority": 5, "when": {"signals.views": {"$gte": 3}},
     "actions": [{"kind": "variable", "name": "tone", "value": "keen"}]}
  ],
  "triggers": [{"id": "third", "on": "page_view", "when": {"signals.views": {"$gte": 3}}, "cap": {"per": "lifetime"}}]
}"#;

fn demo(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-site").join(name).display().to_string()
}
