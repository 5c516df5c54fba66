//! Counts the tests of every runner from the lines that the runners print.

use std::fmt;

/// Tests that passed, failed, and were left out for a stated reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Left out, because their input is absent or they are marked so.
    pub skipped: u64,
}

impl Tally {
    /// Takes a printed line in: cargo's and wasm-bindgen's `test result:` line, or a total of `node --test`.
    pub fn take_line(&mut self, line: &str) {
        if let Some((_, counts)) = line.split_once("test result:") {
            for part in counts.split([';', '.']) {
                match part.split_whitespace().collect::<Vec<_>>().as_slice() {
                    [count, "passed"] => self.passed += number(count),
                    [count, "failed"] => self.failed += number(count),
                    [count, "ignored"] => self.skipped += number(count),
                    _ => {}
                }
            }
            return;
        }
        let Some(total) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) else { return };
        match total.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["pass", count] => self.passed += number(count),
            ["fail" | "cancelled", count] => self.failed += number(count),
            ["skipped" | "todo", count] => self.skipped += number(count),
            _ => {}
        }
    }

    /// Takes the counts of another tally in.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.take_line(line));
        tally
    }

    #[test]
    fn cargo_and_wasm_bindgen_lines_are_counted() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(tally(&[line, line]), Tally { passed: 24, failed: 4, skipped: 2 });
    }

    #[test]
    fn node_totals_are_counted_in_both_reporters() {
        let tap = ["# tests 5", "# pass 3", "# fail 1", "# cancelled 0", "# skipped 1", "# todo 0"];
        assert_eq!(tally(&tap), Tally { passed: 3, failed: 1, skipped: 1 });
        let spec = ["ℹ tests 5", "ℹ suites 1", "ℹ pass 3", "ℹ fail 1", "ℹ cancelled 1", "ℹ duration_ms 7"];
        assert_eq!(tally(&spec), Tally { passed: 3, failed: 2, skipped: 0 });
    }

    #[test]
    fn other_lines_count_nothing_and_skips_show_only_where_there_are_some() {
        assert_eq!(tally(&["running 3 tests", "# Subtest: pass 4", "pass 4"]), Tally::default());
        assert_eq!(Tally { passed: 2, failed: 0, skipped: 0 }.to_string(), "2 passed, 0 failed");
        assert_eq!(Tally { passed: 2, failed: 1, skipped: 3 }.to_string(), "2 passed, 1 failed, 3 skipped");
    }
}
