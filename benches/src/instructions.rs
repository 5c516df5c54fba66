//! Instructions that an event takes, counted by valgrind where it is installed.

use crate::failure::Failure;
use std::process::Command;

/// Runs this binary again under valgrind with the arguments of each of two runs, and returns by how many instructions
/// the second took more; nothing where there is no valgrind.
///
/// # Errors
/// A run that valgrind starts and that fails.
pub fn more_in_second(first: &[String], second: &[String]) -> Result<Option<u64>, Failure> {
    let Some(base) = count(first)? else { return Ok(None) };
    Ok(count(second)?.map(|all| all.saturating_sub(base)))
}

fn count(arguments: &[String]) -> Result<Option<u64>, Failure> {
    let this = std::env::current_exe().map_err(|error| Failure::of("this binary", error))?;
    let mut run = Command::new("valgrind");
    run.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(this).args(arguments);
    let Ok(output) = run.output() else { return Ok(None) };
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(Failure::new(format!("valgrind: {text}")));
    }
    let counted = collected(&text);
    counted.map(Some).ok_or_else(|| Failure::new(format!("valgrind names no count: {text}")))
}

/// The count in callgrind's closing lines, such as `==7== Collected : 1234`.
fn collected(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_closing_lines() {
        let text = "==7== Events    : Ir\n==7== Collected : 1234\n==7== \n";
        assert_eq!(collected(text), Some(1_234));
        assert_eq!(collected("==7== Refused\n"), None);
    }
}
