//! Rust to WebAssembly: cargo, wasm-bindgen, wasm-opt. The results go to `sdk-wasm/pkg`.

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
pub const OUTPUTS: [&str; 4] = ["attune_wasm.js", "attune_wasm.d.ts", "attune_wasm_bg.wasm", "core.wasm"];

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

/// Functions with one caller stay apart: as bodies that look alike they compress better than inlined ones.
/// The lowest addresses are the far end of the stack, so nothing points there.
const SMALL: [&str; 7] = [
    "-Oz",
    "--converge",
    "--one-caller-inline-max-function-size=8",
    "--always-inline-max-function-size=0",
    "--low-memory-unused",
    "--strip-debug",
    "--strip-producers",
];

/// Builds `attune_wasm_bg.wasm` with its bindings, and `core.wasm`, where their sources have changed.
///
/// # Errors
/// The first tool that fails.
pub fn build(root: &Path) -> Result<(), Failure> {
    let pkg = root.join("sdk-wasm/pkg");
    let shared = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "sdk-core", "xtask/src/build"];
    let with =
        |own: &[&str]| -> Vec<PathBuf> { paths(root, &shared).into_iter().chain(paths(root, own)).collect() };
    let page_outputs: Vec<PathBuf> = OUTPUTS.iter().take(3).map(|name| pkg.join(name)).collect();
    step("page core (wasm)", || {
        let inputs = with(&["sdk-wasm/src", "sdk-wasm/Cargo.toml"]);
        when_changed("page-wasm", &inputs, &page_outputs, || page(root, &pkg))
    })?;
    step("core.wasm", || {
        when_changed("core-wasm", &with(&["core-abi"]), &[pkg.join("core.wasm")], || core(root, &pkg))
    })
}

/// Builds wasm-bindgen and its test runner from the version that Cargo.lock pins; returns the binary.
///
/// # Errors
/// It does not compile.
pub fn wasm_tools(root: &Path) -> Result<PathBuf, Failure> {
    run(&mut program(root, &["cargo", "build", "--package", "wasm-tools"]))?;
    Ok(workspace::target()?.join("debug").join("wasm-tools"))
}

fn page(root: &Path, pkg: &Path) -> Result<(), Failure> {
    let compiled = compile(root, "attune-wasm", "attune_wasm")?;
    let tools = wasm_tools(root)?;
    fs::create_dir_all(pkg).map_err(|error| Failure::at(pkg, &error))?;
    let mut bindgen = Command::new(tools);
    bindgen.args(["bindgen", "--target", "web", "--out-name", "attune_wasm", "--remove-producers-section"]);
    run(bindgen.arg("--out-dir").arg(pkg).arg(compiled))?;
    let bound = pkg.join("attune_wasm_bg.wasm");
    optimize(root, &bound, &bound)
}

fn core(root: &Path, pkg: &Path) -> Result<(), Failure> {
    let compiled = compile(root, "attune-core-abi", "attune_core_abi")?;
    fs::create_dir_all(pkg).map_err(|error| Failure::at(pkg, &error))?;
    optimize(root, &compiled, &pkg.join("core.wasm"))
}

fn compile(root: &Path, package: &str, file: &str) -> Result<PathBuf, Failure> {
    ensure_wasm_target(root)?;
    let words =
        ["cargo", "rustc", "--profile", "wasm", "--target", WASM_TARGET, "--lib", "--package", package];
    // Cargo optimizes across crates at link time only where a crate has no other type beside this one.
    run(program(root, &words).args(["--crate-type", "cdylib"]))?;
    Ok(workspace::target()?.join(WASM_TARGET).join("wasm").join(format!("{file}.wasm")))
}

fn optimize(root: &Path, from: &Path, to: &Path) -> Result<(), Failure> {
    let mut optimizer = Command::new(root.join("node_modules/.bin/wasm-opt"));
    optimizer.arg(from).args(SMALL).args(WASM_FEATURES);
    run(optimizer.arg("-o").arg(to))
}
