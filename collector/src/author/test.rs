//! `attune bundle test`: plays scripts and says which expectations were not met, and why.

use super::check::counted;
use super::rehearsal::{Mismatch, Played, play, read_scripts};
use super::source::Folder;
use super::{Outcome, print, print_json};
use crate::settings::{Format, TestArguments};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Plays every script against a folder of rule files; a script that fails is a finding.
pub fn run(arguments: &TestArguments) -> Result<Outcome, String> {
    let folder = Folder::read_sound(&arguments.folder)?;
    let tests = match &arguments.tests {
        Some(path) => path.clone(),
        None => beside(&arguments.folder)?,
    };
    let mut played = Vec::new();
    for (path, scripts) in read_scripts(&tests)? {
        let place = path.parent().unwrap_or_else(|| Path::new(""));
        for script in scripts {
            let told = |error| format!("{}: {}: {error}", path.display(), script.name);
            played.push((path.clone(), play(&folder.compiled.bundle, &script, place).map_err(told)?));
        }
    }
    let failed = played.iter().filter(|(_, played)| !played.mismatches.is_empty()).count();
    match arguments.format {
        Format::Text => print(&text(&played, failed))?,
        Format::Json => print_json(&json(&played, failed))?,
    }
    Ok(if failed > 0 { Outcome::Found } else { Outcome::Clean })
}

/// The script beside the folder of rule files, which is watched and so holds none itself.
fn beside(folder: &Path) -> Result<PathBuf, String> {
    let stem = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let candidates = ["json", "yaml", "yml"].map(|kind| folder.with_file_name(format!("{stem}.test.{kind}")));
    let found = candidates.iter().find(|path| path.is_file());
    found.cloned().ok_or_else(|| {
        format!("--tests: there is no {}, .yaml or .yml; name a script or a folder", candidates[0].display())
    })
}

fn text(played: &[(PathBuf, Played)], failed: usize) -> String {
    let mut out = String::new();
    let mut file: Option<&Path> = None;
    for (path, played) in played {
        if file.replace(path) != Some(path) {
            out.push_str(&format!("{}\n", path.display()));
        }
        let verdict = if played.mismatches.is_empty() { "ok  " } else { "FAIL" };
        out.push_str(&format!("{verdict} {}\n", played.name));
        out.extend(played.mismatches.iter().map(Mismatch::text));
    }
    let checked: usize = played.iter().map(|(_, played)| played.checked).sum();
    out.push_str(&format!(
        "{}, {failed} failed; {}\n",
        counted(played.len(), "test"),
        counted(checked, "expectation")
    ));
    out
}

fn json(played: &[(PathBuf, Played)], failed: usize) -> Value {
    let tests: Vec<Value> = played
        .iter()
        .map(|(path, played)| {
            json!({
                "file": path.display().to_string(),
                "name": played.name,
                "passed": played.mismatches.is_empty(),
                "expectations": played.checked,
                "mismatches": played.mismatches.iter().map(Mismatch::json).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "tests": tests, "passed": played.len() - failed, "failed": failed })
}
