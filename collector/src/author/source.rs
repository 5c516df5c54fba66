//! What a tool is given: a folder of rule files, or a bundle file.

use crate::bundle::read_sources;
use attune_core::bundle::Bundle;
use attune_core::bundle::author::{Compiled, Diagnostic, Severity, SourceFile, compile};
use std::fs;
use std::path::Path;

/// A folder of rule files and what they amount to.
pub struct Folder {
    /// The files, in order of name.
    pub files: Vec<SourceFile>,
    /// What they amount to.
    pub compiled: Compiled,
}

impl Folder {
    /// Reads and compiles a folder, whatever the compiler has to say about it.
    pub fn read(path: &Path) -> Result<Self, String> {
        if path.is_file() {
            return Err(format!("{}: this is a file; name its folder", path.display()));
        }
        if !path.is_dir() {
            return Err(format!("{}: there is no such folder of rule files", path.display()));
        }
        let files = read_sources(path).map_err(|error| named(path, &error))?;
        if files.is_empty() {
            return Err(format!("{}: the folder holds no .json file", path.display()));
        }
        let mut compiled = compile(&files);
        // The empty bundle before the first has revision 0, so what is published has at least 1.
        compiled.bundle.revision = 1;
        Ok(Self { files, compiled })
    }

    /// The same, where the compiler has no error to report; its findings go to standard error.
    pub fn read_sound(path: &Path) -> Result<Self, String> {
        let folder = Self::read(path)?;
        let errors = count_errors(&folder.compiled.diagnostics);
        if errors > 0 {
            folder.compiled.diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}"));
            let noun = if errors == 1 { "error" } else { "errors" };
            return Err(format!("{}: {errors} {noun}; nothing was done", path.display()));
        }
        Ok(folder)
    }
}

/// How many of the findings are errors.
pub fn count_errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
}

/// The bundle of a folder without errors, or of a bundle file.
pub fn read_bundle(path: &Path) -> Result<Bundle, String> {
    if path.is_dir() {
        return Ok(Folder::read_sound(path)?.compiled.bundle);
    }
    let bytes = read_file(path)?;
    Bundle::open(&bytes).map_err(|error| format!("{}: {error} ({})", path.display(), error.code()))
}

/// The content of a file that must be there.
pub fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| named(path, &error))
}

/// The error with the file in its text.
pub fn named(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
