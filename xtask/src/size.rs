//! `cargo xtask size`: raw, gzip and brotli bytes of what a page loads of Attune and of others, as JSON lines.

use crate::arguments::Arguments;
use crate::bench::print;
use crate::build;
use crate::command::program;
use crate::failure::Failure;
use crate::workspace;

/// Builds the package and prints one line per file, one per total and one per other SDK.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    Arguments::new(arguments).finish()?;
    let root = workspace::root()?;
    build::assets(&root)?;
    print(&mut program(&root, &["node", "benches/size.mjs"]))
}
