//! Runs checks and test runners one after another and keeps the count.

use super::report::Report;
use super::tally::Tally;
use crate::command::stream;
use crate::failure::Failure;
use std::process::Command;
use std::time::Instant;

/// The count so far, and what has failed.
#[derive(Default)]
pub struct Suite {
    total: Tally,
    failures: Vec<String>,
    reports: Vec<String>,
}

impl Suite {
    /// Runs a check that counts as one test; returns whether it passed.
    pub fn check(&mut self, name: &str, work: impl FnOnce() -> Result<(), Failure>) -> bool {
        let started = begin(name);
        let result = work();
        match &result {
            Ok(()) => self.total.passed += 1,
            Err(failure) => self.fail(name, failure),
        }
        end(name, result.is_ok(), started);
        result.is_ok()
    }

    /// Runs a program that counts as one test.
    pub fn program(&mut self, name: &str, command: &mut Command) {
        self.check(name, || match stream(command, &mut |_| {})? {
            true => Ok(()),
            false => Err(Failure::new("it reported the above")),
        });
    }

    /// Runs a test runner whose printed lines are counted. One that fails without naming a failed test, or that ran
    /// none, counts as one failed test.
    pub fn tests(&mut self, name: &str, command: &mut Command) {
        let started = begin(name);
        let mut tally = Tally::default();
        let mut report = Report::default();
        let result = stream(command, &mut |line| {
            tally.take_line(line);
            report.take_line(line);
        });
        self.total.add(tally);
        self.reports.extend(report.into_lines());
        let ended_well = match result {
            Err(failure) => {
                self.fail(name, &failure);
                false
            }
            Ok(false) if tally.failed == 0 => {
                self.fail(name, &Failure::new("the runner failed before its tests"));
                false
            }
            Ok(true) if tally == Tally::default() => {
                self.fail(name, &Failure::new("the runner ran no test"));
                false
            }
            Ok(_) if tally.failed > 0 => {
                self.failures.push(format!("{name}: {} tests", tally.failed));
                false
            }
            Ok(_) => true,
        };
        end(name, ended_well, started);
    }

    /// Counts one failed test.
    pub fn fail(&mut self, name: &str, failure: &Failure) {
        eprintln!("{name}: {failure}");
        self.total.failed += 1;
        self.failures.push(format!("{name}: {failure}"));
    }

    /// Counts tests that cannot run here, and says why.
    pub fn skip(&mut self, name: &str, tests: u64, why: &str) {
        println!("── {name}: {tests} tests SKIPPED: {why}");
        self.total.skipped += tests;
    }

    /// Prints what runners said of their failed tests, what failed, then the closing line.
    ///
    /// # Errors
    /// Something failed.
    pub fn finish(self) -> Result<(), Failure> {
        for line in &self.reports {
            println!("{line}");
        }
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{}", self.total);
        // The closing line stays the last one, so nothing is said on top of it.
        if self.total.failed > 0 { std::process::exit(1) } else { Ok(()) }
    }
}

fn begin(name: &str) -> Instant {
    println!("── {name}");
    Instant::now()
}

fn end(name: &str, passed: bool, started: Instant) {
    let verdict = if passed { "passed" } else { "FAILED" };
    println!("── {name}: {verdict} ({:.1} s)", started.elapsed().as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::program;
    use std::path::Path;

    fn total(words: &[&str]) -> Tally {
        let mut suite = Suite::default();
        suite.tests("sample", &mut program(Path::new("/"), words));
        suite.total
    }

    #[test]
    fn a_runner_that_ends_badly_or_runs_nothing_counts_as_a_failure() {
        assert_eq!(total(&["false"]).failed, 1);
        assert_eq!(total(&["true"]).failed, 1);
        assert_eq!(total(&["a-program-that-is-not-there"]).failed, 1);
        assert_eq!(total(&["printf", "# pass 2\n# fail 0\n"]), Tally { passed: 2, failed: 0, skipped: 0 });
    }
}
