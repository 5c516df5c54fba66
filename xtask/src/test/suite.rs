//! Runs checks and test runners one after another and keeps the count.

use super::report::Report;
use super::tally::Tally;
use crate::command::stream;
use crate::failure::Failure;
use std::process::Command;
use std::time::Instant;

/// How many files with failed tests may be tried again; where more fail, it is no chance.
const MAX_TRIED_AGAIN: usize = 2;

/// The count so far, and what has failed.
#[derive(Default)]
pub struct Suite {
    total: Tally,
    failures: Vec<String>,
    reports: Vec<String>,
    /// What failed first and passed when it was tried again.
    flaky: Vec<String>,
}

/// What a runner printed, and whether it ended well.
struct Run {
    tally: Tally,
    report: Report,
    result: Result<bool, Failure>,
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
        let run = run(command);
        let ended_well = self.take_in(name, run);
        end(name, ended_well, started);
    }

    /// As [`tests`](Self::tests), for tests in a browser: where at most [`MAX_TRIED_AGAIN`] of the files that it names
    /// have failed tests, `again` makes the command that runs these once more. What passes then has passed, and is named
    /// at the end of the run with what it said first.
    pub fn tests_in_a_browser(
        &mut self,
        name: &str,
        command: &mut Command,
        again: impl FnOnce(&[String]) -> Command,
    ) {
        let started = begin(name);
        let mut first = run(command);
        let files = first.report.files();
        if first.tally.failed > 0 && (1..=MAX_TRIED_AGAIN).contains(&files.len()) {
            println!("── {name}: {} once more", files.join(", "));
            let second = run(&mut again(&files));
            if matches!(second.result, Ok(true)) && second.tally.failed == 0 && second.tally.passed > 0 {
                let failed = std::mem::take(&mut first.tally.failed);
                first.tally.passed += failed;
                first.result = Ok(true);
                self.flaky.push(format!("{name}: {failed} of {}, as above", files.join(", ")));
            }
        }
        let ended_well = self.take_in(name, first);
        end(name, ended_well, started);
    }

    /// Counts what a runner printed; returns whether all is well.
    fn take_in(&mut self, name: &str, run: Run) -> bool {
        let Run { tally, report, result } = run;
        self.total.add(tally);
        self.reports.extend(report.into_lines());
        match result {
            Err(failure) => self.fail(name, &failure),
            Ok(false) if tally.failed == 0 => {
                self.fail(name, &Failure::new("the runner failed before its tests"));
            }
            Ok(true) if tally == Tally::default() => {
                self.fail(name, &Failure::new("the runner ran no test"));
            }
            Ok(_) if tally.failed > 0 => self.failures.push(format!("{name}: {} tests", tally.failed)),
            Ok(_) => return true,
        }
        false
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
        for flaky in &self.flaky {
            println!("flaky, passed when tried again: {flaky}");
        }
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{}", self.total);
        // The closing line stays the last one, so nothing is said on top of it.
        if self.total.failed > 0 { std::process::exit(1) } else { Ok(()) }
    }
}

fn run(command: &mut Command) -> Run {
    let mut tally = Tally::default();
    let mut report = Report::default();
    let result = stream(command, &mut |line| {
        tally.take_line(line);
        report.take_line(line);
    });
    Run { tally, report, result }
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

    /// A runner that names a failed test in each of these files and counts another one as passed.
    fn failing(files: &[&str]) -> String {
        let named: String = files.iter().map(|file| format!("test at {file}:3:1\n")).collect();
        format!("printf '# pass 1\n# fail {}\n✖ failing tests:\n{named}'; exit 1", files.len())
    }

    fn twice(first: &str, second: &str) -> Suite {
        let mut suite = Suite::default();
        let shell = |line: &str| program(Path::new("/"), &["sh", "-c", line]);
        suite.tests_in_a_browser("sample", &mut shell(first), |files| {
            let mut again = shell(second);
            again.arg("sh").args(files);
            again
        });
        suite
    }

    #[test]
    fn what_fails_in_a_browser_is_tried_again_by_file_and_told() {
        let only_the_file = "[ \"$*\" = tests/a.test.mjs ] && printf '# pass 5\n# fail 0\n'";
        let suite = twice(&failing(&["tests/a.test.mjs", "tests/a.test.mjs"]), only_the_file);
        assert_eq!(suite.total, Tally { passed: 3, failed: 0, skipped: 0 });
        assert_eq!(suite.flaky, ["sample: 2 of tests/a.test.mjs, as above"]);
        assert_eq!(suite.reports.len(), 2, "{:?}", suite.reports);
        assert!(suite.failures.is_empty());
    }

    #[test]
    fn what_fails_twice_or_in_many_files_has_failed() {
        let passes = "printf '# pass 5\n# fail 0\n'";
        let one = failing(&["tests/a.test.mjs"]);
        let many = failing(&["a.test.mjs", "b.test.mjs", "c.test.mjs"]);
        let unnamed = "printf '# pass 1\n# fail 1\n'; exit 1".to_owned();
        for (first, second, failed) in
            [(&one, one.as_str(), 1), (&one, "true", 1), (&many, passes, 3), (&unnamed, passes, 1)]
        {
            let suite = twice(first, second);
            assert_eq!(suite.total, Tally { passed: 1, failed, skipped: 0 }, "{first} | {second}");
            assert!(suite.flaky.is_empty());
        }
    }

    #[test]
    fn a_runner_that_ends_badly_or_runs_nothing_counts_as_a_failure() {
        assert_eq!(total(&["false"]).failed, 1);
        assert_eq!(total(&["true"]).failed, 1);
        assert_eq!(total(&["a-program-that-is-not-there"]).failed, 1);
        assert_eq!(total(&["printf", "# pass 2\n# fail 0\n"]), Tally { passed: 2, failed: 0, skipped: 0 });
    }
}
