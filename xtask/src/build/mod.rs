//! `cargo xtask build`: the page's WebAssembly, `core.wasm`, the npm package and the demo shop, each when changed.

mod wasm;

use crate::arguments::Arguments;
use crate::command::{program, run as run_program};
use crate::failure::Failure;
use crate::fingerprint::when_changed;
use crate::toolchain::ensure_npm_packages;
use crate::workspace;
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use wasm::wasm_tools;

/// Builds everything but the collector.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    Arguments::new(arguments).finish()?;
    assets(&workspace::root()?)
}

/// Builds what the collector embeds: the SDK in `sdk-wasm/dist` and the shop in `demo-site/dist`.
///
/// # Errors
/// The first step that fails.
pub fn assets(root: &Path) -> Result<(), Failure> {
    step("npm packages", || ensure_npm_packages(root))?;
    wasm::build(root)?;
    step("npm package attune", || package(root))?;
    step("demo shop", || shop(root))
}

/// Builds the collector's release binary, which carries the assets inside it.
///
/// # Errors
/// It does not compile.
pub fn collector(root: &Path) -> Result<(), Failure> {
    let words = ["cargo", "build", "--release", "--package", "attune-collector"];
    step("collector (release)", || run_program(&mut program(root, &words)).map(|()| true))
}

/// Runs one step with a line before it and the time it took after it.
fn step(name: &str, work: impl FnOnce() -> Result<bool, Failure>) -> Result<(), Failure> {
    let started = Instant::now();
    eprintln!("build: {name} ...");
    let ran = work()?;
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("build: {name} {} ({seconds:.1} s)", if ran { "done" } else { "unchanged" });
    Ok(())
}

fn package(root: &Path) -> Result<bool, Failure> {
    let mut inputs = paths(root, &["sdk-wasm/js", "sdk-wasm/build.mjs", "sdk-wasm/package.json"]);
    inputs.extend(paths(root, &["sdk-wasm/tsconfig.json", "sdk-wasm/tsconfig.build.json"]));
    inputs.extend(paths(root, &["tsconfig.base.json", "package-lock.json"]));
    inputs.extend(wasm::OUTPUTS.iter().map(|name| root.join("sdk-wasm/pkg").join(name)));
    let outputs = paths(root, &["sdk-wasm/dist", "sdk-wasm/dist/script/attune.js"]);
    when_changed("package", &inputs, &outputs, || {
        run_program(&mut program(root, &["node", "sdk-wasm/build.mjs"]))
    })
}

fn shop(root: &Path) -> Result<bool, Failure> {
    let inputs = paths(root, &["demo-site", "tsconfig.base.json", "package-lock.json", "sdk-wasm/js"]);
    // The shop bundles the package, so a new package means a new shop.
    let inputs: Vec<PathBuf> = inputs
        .into_iter()
        .chain(wasm::OUTPUTS.iter().map(|name| root.join("sdk-wasm/pkg").join(name)))
        .chain(paths(root, &["sdk-wasm/build.mjs"]))
        .collect();
    let outputs = paths(root, &["demo-site/dist/index.html"]);
    when_changed("shop", &inputs, &outputs, || {
        run_program(&mut program(root, &["npm", "--workspace=demo-site", "run", "build", "--loglevel=error"]))
    })
}

fn paths(root: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| root.join(name)).collect()
}
