//! Runs other programs: loudly, so that progress is seen, and with one clear line on failure.

use crate::failure::Failure;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// A program with arguments, to be run in a folder.
pub fn program(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(words.first().copied().unwrap_or_default());
    command.args(words.iter().skip(1)).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs to the end; its output goes to stderr, because stdout belongs to this command's own result.
///
/// # Errors
/// The program is missing or ends with another status than zero.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    command.stdout(io::stderr());
    let status = command.status().map_err(|error| not_started(command, &error))?;
    check(command, status)
}

/// Runs to the end and returns what it printed.
///
/// # Errors
/// As [`run`].
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| not_started(command, &error))?;
    check(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end, passing every line of stdout on as it comes and to `each`; returns whether it succeeded.
///
/// # Errors
/// The program is missing.
pub fn stream(command: &mut Command, each: &mut dyn FnMut(&str)) -> Result<bool, Failure> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| not_started(command, &error))?;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line);
            print!("{text}");
            let _ = io::stdout().flush();
            each(text.trim_end());
            line.clear();
        }
    }
    let status = child.wait().map_err(|error| not_started(command, &error))?;
    Ok(status.success())
}

/// Whether a program of this name answers `--version`.
pub fn exists(name: &str) -> bool {
    let mut probe = Command::new(name);
    probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

fn check(command: &Command, status: ExitStatus) -> Result<(), Failure> {
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{}` failed: {status}", line(command)))) }
}

fn not_started(command: &Command, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` did not start: {error}", line(command)))
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}
