//! Tools for those who write rules: check, test, compile, sign, verify, compare and simulate, each one command.

mod check;
mod compile;
mod current;
mod delta;
mod diff;
mod keygen;
mod keyset;
mod preview;
mod rehearsal;
mod sign;
mod simulate;
mod source;
mod test;
mod trust;
mod verify;
pub mod words;

pub use check::{Checked, check as check_rules};

use crate::settings::{BundleCommand, PreviewArguments, SimulateArguments};
use serde_json::Value;
use std::io::{self, Write};

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to complain about.
    Clean,
    /// It found what it was looking for, and has said so.
    Found,
}

/// Runs `attune bundle …`.
///
/// # Errors
/// One line that names what could not be read, written or used.
pub fn bundle(command: &BundleCommand) -> Result<Outcome, String> {
    match command {
        BundleCommand::Check(arguments) => check::run(arguments),
        BundleCommand::Test(arguments) => test::run(arguments),
        BundleCommand::Compile(arguments) => compile::run(arguments),
        BundleCommand::Keygen(arguments) => keygen::run(arguments),
        BundleCommand::Sign(arguments) => sign::run(arguments),
        BundleCommand::Verify(arguments) => verify::run(arguments),
        BundleCommand::Keyset(arguments) => keyset::run(arguments),
        BundleCommand::Trust(arguments) => trust::run(arguments),
        BundleCommand::Current(arguments) => current::run(arguments),
        BundleCommand::Delta(arguments) => delta::make(arguments),
        BundleCommand::Apply(arguments) => delta::apply(arguments),
        BundleCommand::Diff(arguments) => diff::run(arguments),
    }
}

/// Runs `attune preview`.
///
/// # Errors
/// One line that names what could not be read or used.
pub fn preview(arguments: &PreviewArguments) -> Result<Outcome, String> {
    preview::run(arguments)
}

/// Runs `attune simulate`.
///
/// # Errors
/// One line that names what could not be read or used.
pub fn simulate(arguments: &SimulateArguments) -> Result<Outcome, String> {
    simulate::run(arguments)
}

/// Writes a text to standard output; a reader that has gone away is no error.
fn print(text: &str) -> Result<(), String> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}

/// Writes a JSON document to standard output.
fn print_json(value: &Value) -> Result<(), String> {
    print(&format!("{value:#}\n"))
}
