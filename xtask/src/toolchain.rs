//! What the build and the tests need on the machine, installed where that is possible.

use crate::command::{self, output, program, run};
use crate::failure::Failure;
use crate::fingerprint;
use crate::workspace;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The target of everything that runs as WebAssembly.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Names under which distributions install Chromium, in order of preference.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const BROWSER_PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "ca-certificates"];

/// Adds the WebAssembly target where it is missing.
///
/// # Errors
/// The target cannot be added; the line names the command to run.
pub fn ensure_wasm_target(root: &Path) -> Result<(), Failure> {
    let words = ["rustc", "--print", "target-libdir", "--target", WASM_TARGET];
    let library = PathBuf::from(output(&mut program(root, &words))?.trim());
    if library.is_dir() {
        return Ok(());
    }
    run(&mut program(root, &["rustup", "target", "add", WASM_TARGET]))
        .map_err(|failure| Failure::new(format!("{failure}; run: rustup target add {WASM_TARGET}")))
}

/// Adds rustfmt and clippy where the toolchain came without them.
///
/// # Errors
/// They cannot be added; the line names the command to run.
pub fn ensure_components(root: &Path) -> Result<(), Failure> {
    let cargo = |name: &str| output(&mut program(root, &["cargo", name, "--version"])).is_ok();
    if cargo("fmt") && cargo("clippy") {
        return Ok(());
    }
    run(&mut program(root, &["rustup", "component", "add", "rustfmt", "clippy"]))
        .map_err(|failure| Failure::new(format!("{failure}; run: rustup component add rustfmt clippy")))
}

/// Installs the npm packages of the lock file where they are missing or the lock file has changed.
///
/// # Errors
/// npm is missing or fails.
pub fn ensure_npm_packages(root: &Path) -> Result<bool, Failure> {
    if !command::exists("npm") {
        return Err(Failure::new("npm is missing: install Node.js 20.16 or newer"));
    }
    let inputs = [
        "package.json",
        "package-lock.json",
        "sdk-wasm/package.json",
        "demo-site/package.json",
        "benches/package.json",
    ]
    .map(|name| root.join(name));
    let outputs = [root.join("node_modules/.package-lock.json")];
    fingerprint::when_changed("npm", &inputs, &outputs, || {
        run(&mut program(root, &["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]))
    })
}

/// Installs what the projects of `tests/packaging` are built with, where it is missing or its lock file has changed. It is
/// apart from the rest, since only these tests need it and it is large.
///
/// # Errors
/// npm is missing or fails.
pub fn ensure_packaging_packages(root: &Path) -> Result<bool, Failure> {
    let folder = root.join("tests/packaging");
    let inputs = ["package.json", "package-lock.json", "react-18/package.json"].map(|name| folder.join(name));
    let outputs = [folder.join("node_modules/.package-lock.json")];
    fingerprint::when_changed("npm-packaging", &inputs, &outputs, || {
        run(&mut program(&folder, &["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]))
    })
}

/// Installs the libraries of other makers that `tests/compat` sends with, where they are missing or their lock file has
/// changed.
///
/// # Errors
/// npm is missing or fails.
pub fn ensure_compat_packages(root: &Path) -> Result<bool, Failure> {
    let folder = root.join("tests/compat");
    let inputs = ["package.json", "package-lock.json"].map(|name| folder.join(name));
    let outputs = [folder.join("node_modules/.package-lock.json")];
    fingerprint::when_changed("npm-compat", &inputs, &outputs, || {
        run(&mut program(&folder, &["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]))
    })
}

/// A browser and its driver.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Path of Chromium.
    pub chromium: PathBuf,
    /// Path of ChromeDriver.
    pub driver: PathBuf,
}

/// Finds Chromium and ChromeDriver, and installs them by apt where this runs as root.
///
/// # Errors
/// They are missing and cannot be installed; the line names the command to run.
pub fn ensure_browser(root: &Path) -> Result<Browser, Failure> {
    ensure_by_apt(root, "Chromium or ChromeDriver", &BROWSER_PACKAGES, find_browser)
}

/// Finds programs, and installs the packages that bring them by apt where this runs as root.
///
/// # Errors
/// They are missing and cannot be installed; the line names the command to run.
pub fn ensure_by_apt<Found>(
    root: &Path,
    what: &str,
    packages: &[&str],
    find: impl Fn() -> Option<Found>,
) -> Result<Found, Failure> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let install = format!("apt-get update && apt-get install -y {}", packages.join(" "));
    let missing =
        |why: &str| Failure::new(format!("{what} is missing and {why}; run: sudo sh -c '{install}'"));
    if !rustix::process::geteuid().is_root() {
        return Err(missing("only root may install it"));
    }
    let mut apt = program(root, &["sh", "-c", &install]);
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut apt).map_err(|failure| missing(&failure.to_string()))?;
    find().ok_or_else(|| missing("apt did not bring it"))
}

/// Finds Prometheus' promtool, or unpacks it from its package below the target directory: installing that would start a
/// server.
///
/// # Errors
/// It is missing and cannot be had; the line names the package.
pub fn ensure_promtool(root: &Path) -> Result<PathBuf, Failure> {
    let folder = workspace::target()?.join("promtool");
    let unpacked = folder.join("usr/bin/promtool");
    let found = || {
        let found = variable("PROMTOOL").or_else(|| on_path("promtool"));
        found.or_else(|| unpacked.is_file().then(|| unpacked.clone()))
    };
    if let Some(found) = found() {
        return Ok(found);
    }
    let missing = |why: &dyn std::fmt::Display| {
        Failure::new(format!("promtool is missing and {why}; install the package prometheus or set PROMTOOL"))
    };
    fs::create_dir_all(&folder).map_err(|error| missing(&error))?;
    let fetch = "(apt-get download prometheus || (apt-get update && apt-get download prometheus)) && dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb";
    run(program(root, &["sh", "-c", fetch]).current_dir(&folder)).map_err(|failure| missing(&failure))?;
    found().ok_or_else(|| missing(&"its package did not bring it"))
}

fn find_browser() -> Option<Browser> {
    Some(Browser {
        chromium: variable("CHROMIUM").or_else(|| BROWSERS.iter().find_map(|name| on_path(name)))?,
        driver: variable("CHROMEDRIVER").or_else(|| on_path("chromedriver"))?,
    })
}

/// The path that an environment variable names.
pub fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from)
}

/// The file of this name in the first folder of `PATH` that has one.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| fs::metadata(file).is_ok())
}
