//! Prometheus' own checks, by its `promtool`.

use std::process::{ChildStdin, Command, Stdio};

/// Runs promtool; what it printed, as an error where it was not content.
pub fn promtool(arguments: &[&str], feed: impl FnOnce(&mut ChildStdin)) -> Result<String, String> {
    let program = std::env::var_os("PROMTOOL").unwrap_or_else(|| "promtool".into());
    let mut command = Command::new(&program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        let name = program.display();
        panic!("{name}: {error}; set PROMTOOL, or install the package prometheus; cargo xtask test finds it itself")
    });
    feed(&mut child.stdin.take().unwrap());
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    if output.status.success() { Ok(told) } else { Err(told) }
}
