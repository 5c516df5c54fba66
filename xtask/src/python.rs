//! The Python of tests: environments of their own below the target directory.

use crate::command::{output, program, run};
use crate::failure::Failure;
use crate::fingerprint;
use crate::workspace;
use std::path::{Path, PathBuf};

/// An environment.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// Its folder in the target directory.
    name: &'static str,
    /// The file of what it holds, with versions.
    requirements: &'static str,
}

/// Hosts core.wasm.
pub const HOST: Environment = Environment { name: "python", requirements: "tests/core-abi/requirements.txt" };
/// Has the libraries of other makers that send to the collector.
pub const COMPAT: Environment =
    Environment { name: "python-compat", requirements: "tests/compat/requirements.txt" };
/// Has schemathesis, which asks the privileged listener whatever its OpenAPI document allows, and what that forbids.
pub const CONTRACT: Environment =
    Environment { name: "python-contract", requirements: "tests/contract/requirements.txt" };
const PACKAGES: [&str; 3] = ["python3", "python3-venv", "python3-pip"];

/// Makes the environment with its packages where it is missing or they have changed; returns its interpreter.
///
/// # Errors
/// Python cannot make environments and that cannot be installed, or a package cannot be had; the line names the command
/// to run.
pub fn ensure_environment(root: &Path, environment: Environment) -> Result<PathBuf, Failure> {
    let Environment { name, requirements } = environment;
    let folder = workspace::target()?.join(name);
    let python = folder.join("bin/python");
    fingerprint::when_changed(name, &[root.join(requirements)], std::slice::from_ref(&python), || {
        ensure_venv(root)?;
        let folder = folder.to_string_lossy();
        run(&mut program(root, &["python3", "-m", "venv", "--clear", &folder]))?;
        let python = python.to_string_lossy();
        let install =
            [&*python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
        run(&mut program(root, &install))
            .map_err(|failure| Failure::new(format!("{failure}; run: {}", install.join(" "))))
    })?;
    Ok(python)
}

/// Installs what environments are made with, by apt where this runs as root.
fn ensure_venv(root: &Path) -> Result<(), Failure> {
    // Debian's python3 has the module venv and, without python3-venv, nothing that it needs.
    let works = || output(&mut program(root, &["python3", "-c", "import ensurepip, venv"])).is_ok();
    if works() {
        return Ok(());
    }
    let install = format!("apt-get update && apt-get install -y {}", PACKAGES.join(" "));
    let missing = |why: &str| {
        Failure::new(format!("python3 with venv and pip is missing and {why}; run: sudo sh -c '{install}'"))
    };
    if !rustix::process::geteuid().is_root() {
        return Err(missing("only root may install it"));
    }
    let mut apt = program(root, &["sh", "-c", &install]);
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut apt).map_err(|failure| missing(&failure.to_string()))?;
    if works() { Ok(()) } else { Err(missing("apt did not bring it")) }
}
