//! `cargo xtask tidy`: the rules of style and architecture that a machine can check.

mod arrows;
mod cycles;
mod length;
mod names;
mod purity;
mod references;
mod rooms;
mod scripts;
mod tree;
mod wasm;
mod words;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::workspace;
use std::fs;
use std::path::Path;
use tree::Tree;

/// One broken rule, at one place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    place: String,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// The checks, each over the whole tree.
const CHECKS: [fn(&Tree) -> Vec<Finding>; 7] =
    [length::check, names::check, words::check, purity::check, arrows::check, cycles::check, scripts::check];

/// Checks the repository.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    Arguments::new(arguments).finish()?;
    check(&workspace::root()?)?;
    println!("tidy");
    Ok(())
}

/// Checks the tree below a root; every broken rule is printed.
///
/// # Errors
/// A rule is broken.
pub fn check(root: &Path) -> Result<(), Failure> {
    let tree = Tree::read(root)?;
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    for name in BUILT_WASM {
        if let Ok(bytes) = fs::read(root.join(name)) {
            findings.extend(zero_imports(name, &bytes));
        }
    }
    findings.sort();
    for finding in &findings {
        eprintln!("{}: {}", finding.place, finding.message);
    }
    if findings.is_empty() { Ok(()) } else { Err(Failure::new(format!("{} rules broken", findings.len()))) }
}

/// Checks that the built WebAssembly files ask nothing of their hosts.
///
/// # Errors
/// One was not built, is no WebAssembly, or has imports.
pub fn check_built_wasm(root: &Path) -> Result<(), Failure> {
    for name in BUILT_WASM {
        let path = root.join(name);
        let bytes = fs::read(&path).map_err(|error| Failure::at(&path, &error))?;
        if let Some(finding) = zero_imports(name, &bytes) {
            return Err(Failure::new(format!("{name}: {}", finding.message)));
        }
    }
    Ok(())
}

/// The core for a page, and the core for any other host.
const BUILT_WASM: [&str; 5] = [
    "sdk-wasm/pkg/attune_bg.wasm",
    "sdk-wasm/pkg/core.wasm",
    "sdk-wasm/pkg/trust.wasm",
    "sdk-wasm/pkg/verifier.wasm",
    "sdk-wasm/pkg/filter.wasm",
];

fn zero_imports(name: &str, bytes: &[u8]) -> Option<Finding> {
    match wasm::count_imports(bytes) {
        Some(0) => None,
        Some(count) => {
            Some(Finding::new(name, format!("{count} imports; the core needs nothing of its host")))
        }
        None => Some(Finding::new(name, "not a WebAssembly module")),
    }
}
