//! `attune bundle compile`: one bundle file from a folder of rule files, without a running collector.

use super::Signer;
use super::folder::RulesFolder;
use crate::secret::Secret;
use attune_core::bundle::author::Severity;
use std::collections::BTreeMap;
use std::path::Path;

/// Compiles a folder into an envelope of revision 1, signed with a key that is thrown away.
///
/// # Errors
/// A folder or file that cannot be used, or how many errors the rule files hold; each is a line on standard error.
pub fn compile_to_file(folder: &Path, output: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let loaded = RulesFolder::new(folder.to_owned(), BTreeMap::new()).load().map_err(told)?;
    for diagnostic in &loaded.diagnostics {
        eprintln!("{diagnostic}");
    }
    let errors =
        loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    if errors > 0 {
        return Err(format!("{}: {errors} errors; no bundle was written", folder.display()));
    }
    let signer = Signer::new(&Secret::random().map_err(told)?);
    std::fs::write(output, signer.seal(1, &loaded.body))
        .map_err(|error| format!("{}: {error}", output.display()))
}
