//! `attune import growthbook`: a rule file from a GrowthBook payload.

use attune_core::bundle::author::{SourceFile, compile};
use attune_core::growthbook::import;
use std::fs;
use std::path::Path;

/// Writes the rule file, and to standard error what has no counterpart and what the compiler says of the rest.
///
/// # Errors
/// A file that cannot be read or written, or a payload that is no JSON object.
pub fn import_growthbook(payload: &Path, output: &Path) -> Result<(), String> {
    let told = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(payload).map_err(|error| told(payload, &error))?;
    let imported = import(&text).map_err(|error| told(payload, &error))?;
    for note in &imported.notes {
        eprintln!("{}: {note}", payload.display());
    }
    let file = SourceFile { name: output.display().to_string(), text: imported.rules.clone() };
    for diagnostic in compile(&[file]).diagnostics {
        eprintln!("{diagnostic}");
    }
    fs::write(output, imported.rules).map_err(|error| told(output, &error))
}
