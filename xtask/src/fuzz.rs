//! `cargo xtask bench fuzz [seconds]`: runs every fuzz target from its committed corpus, one JSON line each.

use crate::command::{output, program, run as run_program};
use crate::failure::Failure;
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// How long each target runs unless told otherwise, in seconds.
const SECONDS: u32 = 60;
/// One input may take so many seconds, and all so many megabytes: above that it counts as a crash.
const BOUNDS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];
/// Longest input that is tried, in bytes.
const MAX_LENGTH: &str = "-max_len=8192";

/// Builds all targets, runs each and prints its line.
///
/// # Errors
/// cargo-fuzz is missing, a target does not build, or an input was found that ends one.
pub fn run(root: &Path, seconds: &[&str]) -> Result<(), Failure> {
    let seconds = match seconds {
        [] => SECONDS,
        [text] => text.parse().map_err(|_| Failure::new(format!("`{text}` is no number of seconds")))?,
        _ => return Err(Failure::new("bench fuzz takes one number of seconds")),
    };
    let list = cargo_fuzz(root, &["list"]);
    let names = output(&mut program(root, &words(&list)))
        .map_err(|failure| Failure::new(format!("{failure}; run: cargo install cargo-fuzz --locked")))?;
    run_program(&mut with_toolchain(root, &cargo_fuzz(root, &["build", "--sanitizer", "none"])))?;
    let mut crashed = Vec::new();
    for name in names.lines().map(str::trim).filter(|name| !name.is_empty()) {
        if !run_target(root, name, seconds)? {
            crashed.push(name);
        }
    }
    if crashed.is_empty() { Ok(()) } else { Err(Failure::new(format!("crashes: {}", crashed.join(", ")))) }
}

/// Runs one target on a copy of its corpus, so that the committed one changes only on purpose; whether it stayed well.
fn run_target(root: &Path, name: &str, seconds: u32) -> Result<bool, Failure> {
    let committed = root.join("fuzz/corpus").join(name);
    let grown = root.join("fuzz/grown").join(name);
    let failed = |error| Failure::new(format!("{}: {error}", grown.display()));
    fs::create_dir_all(&grown).map_err(failed)?;
    let time = format!("-max_total_time={seconds}");
    let folders = [&grown, &committed].map(|folder| folder.to_string_lossy().into_owned());
    let [grown, committed] = &folders;
    let mut arguments = cargo_fuzz(root, &["run", "--sanitizer", "none", name, grown, committed, "--"]);
    arguments.extend(BOUNDS.map(str::to_owned));
    arguments.extend([MAX_LENGTH.to_owned(), time, "-print_final_stats=1".to_owned()]);
    let mut command = with_toolchain(root, &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let told = command.output().map_err(|error| Failure::new(format!("{name} did not start: {error}")))?;
    let log = String::from_utf8_lossy(&told.stderr);
    let is_well = told.status.success();
    println!("{}", Figures::of(&log).line(name, u32::from(!is_well)));
    if !is_well {
        eprintln!("{log}");
    }
    Ok(is_well)
}

fn cargo_fuzz(root: &Path, arguments: &[&str]) -> Vec<String> {
    // Both its names: nightly where there is one, else the toolchain of the repository with nightly's flags let in.
    let has_nightly = output(&mut program(root, &["cargo", "+nightly", "--version"])).is_ok();
    let toolchain = if has_nightly { &["+nightly"][..] } else { &[] };
    let words = ["cargo"].iter().chain(toolchain).chain(&["fuzz"]).chain(arguments);
    words.map(|word| (*word).to_owned()).collect()
}

fn with_toolchain(root: &Path, arguments: &[String]) -> std::process::Command {
    let mut command = program(root, &words(arguments));
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// What libFuzzer says of a run.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    executions: u64,
    per_second: u64,
    coverage: u64,
    features: u64,
    corpus: u64,
}

impl Figures {
    /// Reads the log: the last line of progress, `#12 DONE cov: 7 ft: 9 corp: 3/120b …`, and the closing statistics.
    fn of(log: &str) -> Self {
        let after = |line: &str, name: &str| -> Option<u64> {
            let text = line.split_once(name)?.1.trim_start();
            text.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
        };
        let mut figures = Self::default();
        for line in log.lines() {
            if let Some(coverage) = after(line, " cov:") {
                figures.coverage = coverage;
                figures.features = after(line, " ft:").unwrap_or(figures.features);
                figures.corpus = after(line, " corp:").unwrap_or(figures.corpus);
            }
            figures.executions = after(line, "stat::number_of_executed_units:").unwrap_or(figures.executions);
            figures.per_second = after(line, "stat::average_exec_per_sec:").unwrap_or(figures.per_second);
        }
        figures
    }

    fn line(&self, name: &str, crashes: u32) -> String {
        let Self { executions, per_second, coverage, features, corpus } = self;
        format!(
            r#"{{"bench":"fuzz","target":"{name}","executions":{executions},"per_second":{per_second},"coverage":{coverage},"features":{features},"corpus":{corpus},"crashes":{crashes}}}"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_last_line_of_progress_and_of_the_closing_ones() {
        let log = "#2\tINITED cov: 5 ft: 6 corp: 1/1b\n#4096\tDONE   cov: 70 ft: 95 corp: 12/120b lim: 8 exec/s: 0\n\
                   stat::number_of_executed_units: 4096\nstat::average_exec_per_sec:     2048\n";
        let figures =
            Figures { executions: 4_096, per_second: 2_048, coverage: 70, features: 95, corpus: 12 };
        assert_eq!(Figures::of(log), figures);
        assert!(figures.line("bundle", 0).contains(r#""target":"bundle","executions":4096"#));
        assert_eq!(Figures::of("error: it does not compile"), Figures::default());
    }
}
