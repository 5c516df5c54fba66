//! `cargo xtask replay <data set> <file>`: builds what is needed and sends recorded input through it.

use crate::bench::{print, rust_binary};
use crate::build;
use crate::failure::Failure;
use crate::workspace;
use std::env;

/// Hands everything to the `replay` binary of `benches/`, which checks the arguments.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let root = workspace::root()?;
    build::assets(&root)?;
    build::collector(&root)?;
    let mut replay = rust_binary(&root, "replay")?;
    // The file is named relative to where the command was typed.
    replay.current_dir(
        env::current_dir().map_err(|error| Failure::new(format!("current directory: {error}")))?,
    );
    replay.env("ATTUNE_BINARY", workspace::collector_binary()?).env("ATTUNE_ROOT", &root);
    print(replay.args(arguments))
}
