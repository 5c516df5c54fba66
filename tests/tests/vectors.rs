//! The numbered vectors as a whole: how many there are, and that each file of them is run by every host.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a file that cannot be read is a failed test, and the totals are shown"
)]

use attune_core::value::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The fewest vectors of all files together.
const LEAST: usize = 1_950;
/// Patterns and texts that are all asked of each other, and so no numbered list.
const CORPUS: &str = "13-pattern-corpus";
/// What stands before the log, and so is no part of `core.wasm`, which begins behind it.
const FILTER: &str = "80-filter";
const NODE: [&str; 6] = [
    "calendar.test.mjs",
    "core.mjs",
    "division.test.mjs",
    "rules.test.mjs",
    "signals.test.mjs",
    "vectors.test.mjs",
];
const PYTHON: [&str; 7] = [
    "test_calendar.py",
    "test_conditions.py",
    "test_division.py",
    "test_growthbook.py",
    "test_rules.py",
    "test_signals.py",
    "vectors.py",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files by name, in order, each with its vectors; the corpus has none.
fn files() -> Vec<(String, Vec<Value>)> {
    let entries = fs::read_dir(root().join("tests/spec")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let vectors = |name: &String| match Value::parse(&read(&format!("tests/spec/{name}.json"))).unwrap() {
        Value::Array(vectors) => vectors,
        _ if name == CORPUS => Vec::new(),
        _ => panic!("{name}: no list of vectors"),
    };
    names.iter().map(|name| (name.clone(), vectors(name))).collect()
}

/// Whether one of the files of a folder names a file of vectors.
fn is_run_by(folder: &str, hosts: &[&str], name: &str) -> bool {
    let texts = hosts.iter().map(|host| read(&format!("{folder}/{host}")));
    let quoted = [format!("\"{name}\""), format!("'{name}'")];
    texts.into_iter().any(|text| quoted.iter().any(|quoted| text.contains(quoted)))
}

#[test]
fn there_are_enough_vectors_and_each_has_its_number_and_a_name_of_its_own() {
    let (files, mut total) = (files(), 0);
    for (file, vectors) in &files {
        let mut names: Vec<&str> = Vec::new();
        for (index, vector) in vectors.iter().enumerate() {
            assert_eq!(vector.field("number"), Some(&Value::Number(index as f64 + 1.0)), "{file}");
            names.push(vector.field("name").and_then(Value::as_str).unwrap());
        }
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{file}: two vectors of one name");
        total += names.len();
    }
    for file in ["24-sticky", "30-scores", "70-rules"] {
        assert!(files.iter().any(|(name, vectors)| name == file && !vectors.is_empty()), "{file}");
    }
    println!("{total} numbered vectors in {} files", files.len());
    assert!(total >= LEAST, "{total} vectors");
}

#[test]
fn every_file_is_run_natively_and_in_chromium() {
    let chromium = read("xtask/src/test/mod.rs");
    let tests: Vec<(String, String)> = fs::read_dir(root().join("sdk-core/tests"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| {
            Some((name.strip_suffix(".rs")?.to_owned(), read(&format!("sdk-core/tests/{name}"))))
        })
        .collect();
    for (file, _) in files() {
        let runs = |text: &str| text.contains(&format!("{file}.json\""));
        let Some((test, text)) = tests.iter().find(|(_, text)| runs(text)) else {
            panic!("{file}: no test of sdk-core reads it")
        };
        assert!(
            chromium.contains(&format!("\"{test}\"")),
            "{file}: {test} is not among the tests in Chromium"
        );
        assert!(text.contains("run_in_browser"), "{file}: {test} does not run in a browser");
    }
}

#[test]
fn every_file_is_run_by_the_hosts_of_core_wasm() {
    for (host, files_of_host) in [("Node", &NODE[..]), ("Python", &PYTHON[..])] {
        let run = |name: &str| is_run_by("tests/core-abi", files_of_host, name);
        let is_left = |name: &String| !run(name) && name != FILTER;
        let left: Vec<String> = files().into_iter().map(|(name, _)| name).filter(is_left).collect();
        assert!(left.is_empty(), "{host} does not run {left:?}");
    }
}
