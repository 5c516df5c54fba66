//! `cargo xtask size`: raw, gzip and brotli bytes of what a page loads, as JSON lines.

use crate::arguments::Arguments;
use crate::bench::print;
use crate::build;
use crate::command::program;
use crate::failure::Failure;
use crate::workspace;

/// Builds the package and prints one line per file and one per total.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    Arguments::new(arguments).finish()?;
    let root = workspace::root()?;
    build::assets(&root)?;
    print(&mut program(&root, &["node", "benches/size.mjs"]))
}
