//! Rust to WebAssembly: cargo, then wasm-opt. The results go to `sdk-wasm/pkg`.

use super::{paths, step};
use crate::command::{program, run};
use crate::failure::Failure;
use crate::fingerprint::when_changed;
use crate::toolchain::{WASM_TARGET, ensure_wasm_target};
use crate::workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What stands in `sdk-wasm/pkg` afterwards.
pub const OUTPUTS: [&str; 7] = [PAGE, FIRST, REST, CORE, TRUST, VERIFIER, FILTER];

/// The page's core whole, and in two files: what a first visit needs to decide, and the rest.
const PAGE: &str = "attune_bg.wasm";
const FIRST: &str = "attune_first.wasm";
const REST: &str = "attune_rest.wasm";
const CORE: &str = "core.wasm";
/// The chain of trust for hosts with WebCrypto, and for those without.
const TRUST: &str = "trust.wasm";
const VERIFIER: &str = "verifier.wasm";
/// What may leave a page, for pages that have a policy.
const FILTER: &str = "filter.wasm";

/// The features that rustc uses for this target and that all current browsers have.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Flat code, joined anew, compresses best; functions with one caller stay apart, as bodies that look alike do too.
/// The lowest addresses are the far end of the stack, so nothing points there. Traps stay: a bug must end its call.
const SMALL: [&str; 10] = [
    "-Oz",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--one-caller-inline-max-function-size=8",
    "--low-memory-unused",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// What is small already, and has been divided.
const DIVIDED: [&str; 3] = ["-Oz", "--strip-debug", "--strip-producers"];

/// Straight code for hosts that load it once and ask it often.
const FAST: [&str; 4] = ["-O3", "-O3", "--strip-debug", "--strip-producers"];

/// Room for the deepest nesting of JSON, conditions and trees that is read, several times over; linear memory begins
/// with it.
const STACK_BYTES: usize = 512 * 1024;
/// The same for the page's core, which every page holds as long as it is open. tests/e2e/page-memory.test.mjs shows how
/// little of it the deepest rules use; a call that needed more would trap.
const PAGE_STACK_BYTES: usize = 64 * 1024;

/// How a module is built.
struct Form {
    profile: &'static str,
    optimizer: &'static [&'static str],
    stack_bytes: usize,
    /// Whether pages load it.
    is_loaded: bool,
}

/// The page loads it over the network.
const FOR_PAGES: Form =
    Form { profile: "wasm", optimizer: &SMALL, stack_bytes: STACK_BYTES, is_loaded: true };
const FOR_EVERY_PAGE: Form = Form { stack_bytes: PAGE_STACK_BYTES, ..FOR_PAGES };
const FOR_HOSTS: Form =
    Form { profile: "wasm-host", optimizer: &FAST, stack_bytes: STACK_BYTES, is_loaded: false };

/// Builds every module of [`OUTPUTS`] whose sources have changed.
///
/// # Errors
/// The first tool that fails.
pub fn build(root: &Path) -> Result<(), Failure> {
    let pkg = root.join("sdk-wasm/pkg");
    let shared = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "sdk-core", "xtask/src/build"];
    let with =
        |own: &[&str]| -> Vec<PathBuf> { paths(root, &shared).into_iter().chain(paths(root, own)).collect() };
    step("page core (wasm)", || {
        let inputs = with(&["sdk-wasm/src", "sdk-wasm/Cargo.toml"]);
        when_changed("page-wasm", &inputs, &[pkg.join(PAGE)], || {
            module(root, "attune-wasm", &["--features", "page"], &FOR_EVERY_PAGE, &pkg.join(PAGE))
        })
    })?;
    step("page core in two files", || {
        let mut inputs = with(&["xtask/wasm-split", "sdk-wasm/src"]);
        inputs.push(pkg.join(PAGE));
        when_changed("page-parts", &inputs, &[pkg.join(FIRST), pkg.join(REST)], || parts(root, &pkg))
    })?;
    step("core.wasm", || {
        when_changed("core-wasm", &with(&["core-abi"]), &[pkg.join(CORE)], || {
            module(root, "attune-core-abi", &[], &FOR_HOSTS, &pkg.join(CORE))
        })
    })?;
    step("chain of trust (wasm)", || {
        when_changed("trust-wasm", &with(&["trust-wasm"]), &[pkg.join(TRUST), pkg.join(VERIFIER)], || {
            for (file, features) in [(TRUST, "page"), (VERIFIER, "page,verifier")] {
                let flags = ["--features", features];
                module(root, "attune-trust-wasm", &flags, &FOR_PAGES, &pkg.join(file))?;
            }
            Ok(())
        })
    })?;
    step("filter (wasm)", || {
        when_changed("filter-wasm", &with(&["filter-wasm"]), &[pkg.join(FILTER)], || {
            module(root, "attune-filter-wasm", &["--features", "page"], &FOR_PAGES, &pkg.join(FILTER))
        })
    })
}

/// Builds the runner of tests in a browser from the version that Cargo.lock pins; returns the binary.
///
/// # Errors
/// It does not compile.
pub fn wasm_tools(root: &Path) -> Result<PathBuf, Failure> {
    run(&mut program(root, &["cargo", "build", "--package", "wasm-tools"]))?;
    Ok(workspace::target()?.join("debug").join("wasm-tools"))
}

/// Divides the page's core by what a first visit runs.
fn parts(root: &Path, pkg: &Path) -> Result<(), Failure> {
    let raw = workspace::target()?.join("wasm-split");
    fs::create_dir_all(&raw).map_err(|error| Failure::at(&raw, &error))?;
    run(split(root, "wasm-split").arg(pkg.join(PAGE)).args([raw.join(FIRST), raw.join(REST)]))?;
    [FIRST, REST].iter().try_for_each(|name| {
        optimize(root, &raw.join(name), &DIVIDED, &pkg.join(name))?;
        order(root, &pkg.join(name))
    })
}

fn module(root: &Path, package: &str, flags: &[&str], form: &Form, to: &Path) -> Result<(), Failure> {
    ensure_wasm_target(root)?;
    let words =
        ["cargo", "rustc", "--profile", form.profile, "--target", WASM_TARGET, "--lib", "--package", package];
    // Cargo optimizes across crates at link time only where a crate has no other type beside this one.
    let stack = format!("link-arg=-zstack-size={}", form.stack_bytes);
    run(program(root, &words).args(["--crate-type", "cdylib"]).args(flags).args(["--", "-C", &stack]))?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    let compiled = workspace::target()?.join(WASM_TARGET).join(form.profile).join(file);
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::at(folder, &error))?;
    }
    optimize(root, &compiled, form.optimizer, to)?;
    if form.is_loaded { order(root, to) } else { Ok(()) }
}

/// Orders functions so that the file compresses well.
fn order(root: &Path, file: &Path) -> Result<(), Failure> {
    run(split(root, "wasm-order").arg(file))
}

/// A program of the package that divides modules.
fn split(root: &Path, name: &str) -> Command {
    program(root, &["cargo", "run", "--quiet", "--package", "wasm-split", "--bin", name, "--"])
}

fn optimize(root: &Path, from: &Path, flags: &[&str], to: &Path) -> Result<(), Failure> {
    let mut optimizer = Command::new(root.join("node_modules/.bin/wasm-opt"));
    optimizer.arg(from).args(flags).args(WASM_FEATURES);
    run(optimizer.arg("-o").arg(to))
}
