//! `cargo xtask test`: every check and test of the repository, and one closing line that counts them.

mod needs;
mod report;
mod suite;
mod tally;

use crate::arguments::Arguments;
use crate::bench;
use crate::build;
use crate::command::program;
use crate::engines;
use crate::failure::Failure;
use crate::python;
use crate::tidy;
use crate::toolchain::{self, Browser, WASM_TARGET};
use crate::workspace;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use suite::Suite;

/// The recording that the replay's tests read; it is no part of the repository.
const RECORDING: &str = "../shared/data/eshop2008_apr_may.csv.gz";
/// Tests in `benches/tests/replay.rs`, and one of `tests/tests/signal_oracle.rs`.
const RECORDED_TESTS: u64 = 4;
/// Tests of the collector whose names begin with `promtool_`.
const PROMTOOL_TESTS: u64 = 3;

/// Runs everything; stops early only where the machine lacks something that cannot be installed.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    Arguments::new(arguments).finish()?;
    let root = workspace::root()?;
    toolchain::ensure_components(&root)?;
    toolchain::ensure_wasm_target(&root)?;
    toolchain::ensure_npm_packages(&root)?;
    let browser = toolchain::ensure_browser(&root)?;

    let mut suite = Suite::default();
    source_checks(&mut suite, &root);
    // The assets come before cargo's tests, which look into core.wasm and the embedded files.
    let built = suite.check("build of the page", || build::assets(&root));
    rust_tests(&mut suite, &root);
    if built {
        suite.check("the WebAssembly has no imports", || tidy::check_built_wasm(&root));
        suite.program("weight of the page", &mut program(&root, &["node", "benches/size.mjs", "--gate"]));
        // The tests of the page keep one core busy, the compiler's last steps another.
        let collector = thread::scope(|scope| {
            let building = scope.spawn(|| build::collector(&root));
            wasm_tests(&mut suite, &root, &browser);
            script_checks(&mut suite, &root);
            building.join().unwrap_or_else(|_| Err(Failure::new("the thread that builds it panicked")))
        });
        if suite.check("build of the collector", || collector) {
            whole_system_tests(&mut suite, &root, &browser)?;
        }
    }
    suite.finish()
}

fn source_checks(suite: &mut Suite, root: &Path) {
    suite.check("tidy", || tidy::check(root));
    suite.program("rustfmt", &mut program(root, &["cargo", "fmt", "--all", "--check"]));
    let clippy = "cargo clippy --workspace --all-targets --features attune-core/author,attune-benches/recorded,attune-tests/recorded -- -D warnings";
    suite.program("clippy", &mut words(root, clippy));
    let page = "cargo clippy --package attune-core --package attune-wasm --package attune-core-abi --package attune-trust-wasm --package attune-filter-wasm --lib --features attune-wasm/page,attune-filter-wasm/page,attune-trust-wasm/page,attune-trust-wasm/verifier";
    let mut page = words(root, page);
    suite.program("clippy of the page", page.args(["--target", WASM_TARGET, "--", "-D", "warnings"]));
    suite.program("biome", &mut program(root, &["node_modules/.bin/biome", "ci", "."]));
}

fn rust_tests(suite: &mut Suite, root: &Path) {
    let tests = "cargo test --workspace --features attune-core/author --no-fail-fast";
    let mut tests = words(root, tests);
    let promtool = toolchain::ensure_promtool(root);
    tests.arg("--");
    match &promtool {
        Ok(promtool) => {
            tests.env("PROMTOOL", promtool);
        }
        Err(failure) => {
            suite.skip("Rust: tests by promtool", PROMTOOL_TESTS, &failure.to_string());
            tests.args(["--skip", "promtool_"]);
        }
    }
    tests.arg("--include-ignored").args(needs::left_out(suite, root));
    suite.tests("Rust", &mut tests);
}

fn wasm_tests(suite: &mut Suite, root: &Path, browser: &Browser) {
    let tools = match build::wasm_tools(root) {
        Ok(tools) => tools,
        Err(failure) => return suite.fail("WebAssembly in Chromium", &failure),
    };
    let tests = "cargo test --package attune-core --package attune-wasm --features attune-core/author";
    let mut tests = words(root, tests);
    tests
        .args([
            "--test",
            "candidate_vectors",
            "--test",
            "condition_vectors",
            "--test",
            "filter_vectors",
            "--test",
            "growthbook_vectors",
            "--test",
            "model_vectors",
            "--test",
            "rule_vectors",
            "--test",
            "signal_vectors",
            "--test",
            "page",
        ])
        .args(["--target", WASM_TARGET, "--no-fail-fast"])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", tools)
        .env("CHROMEDRIVER", &browser.driver)
        // A cold browser on a small machine needs longer than the runner's default of 5 s.
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    suite.tests("WebAssembly in Chromium", &mut tests);
}

fn script_checks(suite: &mut Suite, root: &Path) {
    for folder in ["sdk-wasm", "demo-site"] {
        let mut types = program(root, &["node_modules/.bin/tsc", "--noEmit", "--project", folder]);
        suite.program(&format!("types of {folder}"), &mut types);
    }
    node_tests(suite, root, "sdk-wasm/test", "TypeScript", |command| command);
    node_tests(suite, root, "tests/growthbook", "core.wasm beside GrowthBook", |command| command);
}

fn whole_system_tests(suite: &mut Suite, root: &Path, browser: &Browser) -> Result<(), Failure> {
    let binary = workspace::collector_binary()?;
    let xtask = env::current_exe().map_err(|error| Failure::new(format!("own binary: {error}")))?;
    browser_tests(suite, root, "tests/e2e", "end to end in Chromium", |command| {
        command.env("ATTUNE_BINARY", &binary).env("CHROMIUM", &browser.chromium).env("XTASK_BINARY", &xtask)
    });
    packaging_tests(suite, root, &binary, browser);
    compat_tests(suite, root, &binary, browser);
    engine_tests(suite, root, &binary, browser);
    let mut delivery = program(root, &["node", "benches/delivery.mjs", "--short"]);
    delivery.env("ATTUNE_BINARY", &binary).env("CHROMIUM", &browser.chromium);
    suite.program("delivery when everything else fails, in short", &mut delivery);
    for (name, options) in [
        ("a collector that is killed again and again, in short", ["--kills", "25", "--keep-mib", "0"]),
        ("the same, where its segments are used again", ["--kills", "25", "--keep-mib", "2"]),
        ("the same, where clients believe too much", ["--kills", "8", "--control", "1"]),
    ] {
        suite.check(name, || {
            bench::print(bench::rust_binary(root, "crash")?.args(options).env("ATTUNE_BINARY", &binary))
        });
    }
    let mut page = program(root, &["node", "benches/page.mjs", "--short"]);
    page.env("ATTUNE_BINARY", &binary).env("CHROMIUM", &browser.chromium);
    suite.program("what a page pays for the SDK, in short", &mut page);
    node_tests(suite, root, "tests/core-abi", "core.wasm in Node without glue", |command| {
        command.env("ATTUNE_BINARY", &binary)
    });
    python_tests(suite, root, &binary);
    contract_tests(suite, root, &binary);
    if root.join(RECORDING).is_file() {
        // The features of the workspace's tests, so that nothing is compiled twice.
        let tests = "cargo test --workspace --features attune-core/author,attune-benches/recorded,attune-tests/recorded --test replay --test signal_oracle";
        let mut replay = words(root, tests);
        suite.tests("replay of recorded input", replay.env("ATTUNE_BINARY", &binary));
    } else {
        let why = format!("{RECORDING} is not on this machine");
        suite.skip("replay of recorded input", RECORDED_TESTS, &why);
    }
    Ok(())
}

/// Builds projects of users from the packed npm package, and opens them in Chromium.
fn packaging_tests(suite: &mut Suite, root: &Path, binary: &Path, browser: &Browser) {
    let name = "projects of users with the packed package";
    if let Err(failure) = toolchain::ensure_packaging_packages(root) {
        return suite.fail(name, &failure);
    }
    browser_tests(suite, root, "tests/packaging", name, |command| {
        command.env("ATTUNE_BINARY", binary).env("CHROMIUM", &browser.chromium)
    });
}

/// Has the libraries of other makers send to a collector.
fn compat_tests(suite: &mut Suite, root: &Path, binary: &Path, browser: &Browser) {
    let name = "libraries of Segment, RudderStack and Mixpanel";
    let python = toolchain::ensure_compat_packages(root)
        .and_then(|_| python::ensure_environment(root, python::COMPAT));
    match python {
        Ok(python) => browser_tests(suite, root, "tests/compat", name, |command| {
            command
                .env("ATTUNE_BINARY", binary)
                .env("CHROMIUM", &browser.chromium)
                .env("COMPAT_PYTHON", &python)
        }),
        Err(failure) => suite.fail(name, &failure),
    }
}

/// Runs the cases that every engine has to pass.
fn engine_tests(suite: &mut Suite, root: &Path, binary: &Path, browser: &Browser) {
    let name = "end to end in Firefox, WebKit and Chromium";
    let engines = match engines::ensure(root) {
        Ok(engines) => engines,
        Err(failure) => return suite.fail(name, &failure),
    };
    browser_tests(suite, root, "tests/e2e/engines", name, |command| {
        command
            .env("ATTUNE_BINARY", binary)
            .env("CHROMIUM", &browser.chromium)
            .env("CHROMEDRIVER", &browser.driver)
            .env("FIREFOX", &engines.firefox)
            .env("WEBKIT_DRIVER", &engines.webkit_driver)
            .env("MINIBROWSER", &engines.minibrowser)
            .env("XVFB", &engines.xvfb)
    });
}

/// Runs every `test_*.py` of the host in Python; one that needs the recording says so where it is missing.
fn python_tests(suite: &mut Suite, root: &Path, binary: &Path) {
    let name = "core.wasm in Python";
    match python::ensure_environment(root, python::HOST) {
        Ok(python) => {
            let mut command = program(root, &[&*python.to_string_lossy(), "tests/core-abi/run.py"]);
            suite.tests(name, command.env("ATTUNE_BINARY", binary).env("PYTHONDONTWRITEBYTECODE", "1"));
        }
        Err(failure) => suite.fail(name, &failure),
    }
}

/// Has schemathesis ask the privileged listener of a collector; each operation of its document counts as one test.
fn contract_tests(suite: &mut Suite, root: &Path, binary: &Path) {
    let name = "the privileged listener by its OpenAPI document";
    match python::ensure_environment(root, python::CONTRACT) {
        Ok(python) => {
            let mut command = program(root, &[&*python.to_string_lossy(), "tests/contract/run.py"]);
            suite.tests(name, command.env("ATTUNE_BINARY", binary).env("PYTHONDONTWRITEBYTECODE", "1"));
        }
        Err(failure) => suite.fail(name, &failure),
    }
}

/// Runs every `*.test.mjs` below a folder; that there is none is a failure, not a skip.
fn node_tests(
    suite: &mut Suite,
    root: &Path,
    folder: &str,
    name: &str,
    prepare: impl FnOnce(&mut Command) -> &mut Command,
) {
    match test_files(root, folder) {
        Ok(files) => suite.tests(name, prepare(&mut node_test(root, &files))),
        Err(failure) => suite.fail(name, &failure),
    }
}

/// As [`node_tests`], in a browser: a file that fails is tried once more.
fn browser_tests(
    suite: &mut Suite,
    root: &Path,
    folder: &str,
    name: &str,
    prepare: impl Fn(&mut Command) -> &mut Command,
) {
    let command = |files: &[String]| {
        let mut command = node_test(root, files);
        prepare(&mut command);
        command
    };
    match test_files(root, folder) {
        Ok(files) => suite.tests_in_a_browser(name, &mut command(&files), command),
        Err(failure) => suite.fail(name, &failure),
    }
}

fn test_files(root: &Path, folder: &str) -> Result<Vec<String>, Failure> {
    let mut files: Vec<String> = fs::read_dir(root.join(folder))
        .map(|entries| entries.filter_map(|entry| entry.ok()?.path().to_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    files.retain(|file| file.ends_with(".test.mjs"));
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("{folder} has no file named *.test.mjs")));
    }
    Ok(files)
}

/// One file at a time: browser tests share two cores with a collector and a browser. A file that leaves something open
/// when it fails never ends by itself.
fn node_test(root: &Path, files: &[String]) -> Command {
    let words = ["node", "--test", "--test-concurrency=1", "--test-timeout=600000", "--test-reporter=spec"];
    let mut command = program(root, &words);
    command.args(files);
    command
}

fn words(root: &Path, line: &str) -> Command {
    program(root, &line.split_whitespace().collect::<Vec<_>>())
}
