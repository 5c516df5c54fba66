//! What runners say of their failed tests, kept for the end of the run, where it is found at once.

/// Of one runner; the rest stands where it was printed.
const MAX_LINES: usize = 80;
const MAX_CHARS: usize = 200;

/// The report of one runner.
#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<String>,
    has_begun: bool,
}

impl Report {
    /// Takes a printed line in: all behind the heading under which `node --test` or cargo tells of failed tests.
    pub fn take_line(&mut self, line: &str) {
        if matches!(line, "✖ failing tests:" | "failures:") {
            self.has_begun = true;
        } else if line.starts_with("test result:") {
            self.has_begun = false;
        } else if self.has_begun && self.lines.len() < MAX_LINES && says_something(line) {
            self.lines.push(line.chars().take(MAX_CHARS).collect());
        }
    }

    /// The files of the failed tests that `node --test` names, each once.
    pub fn files(&self) -> Vec<String> {
        let places = self.lines.iter().filter_map(|line| line.strip_prefix("test at "));
        let mut files: Vec<String> =
            places.filter_map(|place| Some(place.rsplitn(3, ':').nth(2)?.to_owned())).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Its lines.
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }
}

/// Frames of the runner itself say nothing of the test.
fn says_something(line: &str) -> bool {
    !line.trim().is_empty() && !line.contains("(node:internal") && !line.contains("at node:internal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lines: &[&str]) -> Vec<String> {
        let mut report = Report::default();
        lines.iter().for_each(|line| report.take_line(line));
        report.into_lines()
    }

    #[test]
    fn what_stands_behind_the_heading_of_node_is_kept() {
        let frame = "      at Test.run (node:internal/test_runner/test:796:25)";
        let printed =
            ["✖ one (3ms)", "ℹ fail 1", "", "✖ failing tests:", "", "test at a.mjs:2:1", "✖ one", frame];
        assert_eq!(report(&printed), ["test at a.mjs:2:1", "✖ one"]);
        assert!(report(&printed[..3]).is_empty());
    }

    #[test]
    fn the_files_of_failed_tests_are_named_once() {
        let printed = [
            "test at z.mjs:9:9",
            "✖ failing tests:",
            "test at b.mjs:2:1",
            "✖ one",
            "test at a.mjs:7:3",
            "test at b.mjs:4:1",
        ];
        let mut report = Report::default();
        printed.iter().for_each(|line| report.take_line(line));
        assert_eq!(report.files(), ["a.mjs", "b.mjs"]);
    }

    #[test]
    fn what_cargo_says_ends_with_its_result() {
        let printed = [
            "failures:",
            "---- one stdout ----",
            "panicked",
            "test result: FAILED. 1 passed",
            "running 2 tests",
        ];
        assert_eq!(report(&printed), ["---- one stdout ----", "panicked"]);
    }

    #[test]
    fn a_long_report_is_cut() {
        let long = "x".repeat(1_000);
        let lines =
            vec!["failures:"].into_iter().chain(std::iter::repeat_n(long.as_str(), 500)).collect::<Vec<_>>();
        let kept = report(&lines);
        assert_eq!((kept.len(), kept[0].len()), (MAX_LINES, MAX_CHARS));
    }
}
