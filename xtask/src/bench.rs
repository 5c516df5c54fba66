//! `cargo xtask bench <name>`: builds what is measured and runs the bench, which prints JSON lines.

use crate::arguments::Arguments;
use crate::build;
use crate::command::{program, run as run_program};
use crate::failure::Failure;
use crate::fuzz;
use crate::size;
use crate::toolchain::ensure_browser;
use crate::workspace;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs one bench by name.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let names = match arguments.split_first() {
        // Its options are those of its script.
        Some((name, _))
            if ["ack", "crash", "dedup", "delivery", "ingest", "page", "power", "recovery", "track"]
                .contains(&name.as_str()) =>
        {
            arguments.to_vec()
        }
        _ => Arguments::new(arguments).finish()?,
    };
    let root = workspace::root()?;
    match names.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["size"] => size::run(&[]),
        [name @ ("delivery" | "page" | "track"), options @ ..] => in_browser(&root, name, options),
        [name @ ("push" | "eval")] => in_browser(&root, name, &[]),
        [name @ ("ack" | "crash" | "dedup" | "ingest" | "recovery" | "hostile"), options @ ..] => {
            against_collector(&root, name, options)
        }
        ["power", options @ ..] => power(&root, options),
        ["delta"] => delta(&root),
        [name @ ("signals" | "worker")] => print(&mut rust_binary(&root, name)?),
        ["fuzz", seconds @ ..] => fuzz::run(&root, seconds),
        _ => Err(Failure::new(
            "name one of: size, delivery, page, track, crash, power, ingest, ack, dedup, recovery, hostile, push, eval, signals, worker, delta, fuzz",
        )),
    }
}

/// Runs a script in Chromium, with options of its own.
fn in_browser(root: &Path, name: &str, options: &[&str]) -> Result<(), Failure> {
    build::assets(root)?;
    build::collector(root)?;
    let browser = ensure_browser(root)?;
    let script = format!("benches/{name}.mjs");
    let mut bench = program(root, &["node", &script]);
    bench.args(options);
    bench.env("CHROMIUM", browser.chromium).env("ATTUNE_BINARY", workspace::collector_binary()?);
    print(&mut bench)
}

fn delta(root: &Path) -> Result<(), Failure> {
    build::assets(root)?;
    let native = rust_binary(root, "delta")?;
    let browser = ensure_browser(root)?;
    let mut bench = program(root, &["node", "benches/delta.mjs"]);
    print(bench.env("CHROMIUM", browser.chromium).env("ATTUNE_DELTA", native.get_program()))
}

fn against_collector(root: &Path, name: &str, options: &[&str]) -> Result<(), Failure> {
    build::assets(root)?;
    build::collector(root)?;
    print(rust_binary(root, name)?.args(options).env("ATTUNE_BINARY", workspace::collector_binary()?))
}

/// Mounts an ext4 in a file, and gives it back.
const MOUNT_A_LOOP: &str = "set -e; place=$(mktemp -d); trap 'umount \"$place/at\" 2>/dev/null; rm -rf \"$place\"' EXIT; \
     mkdir \"$place/at\"; truncate -s 8M \"$place/disk\"; mkfs.ext4 -q -F \"$place/disk\"; \
     mount -o loop \"$place/disk\" \"$place/at\"";
/// The test that cuts the power of a simulated disk.
const SIMULATED_CUTS: &str = "log::tests::cuts::so_many_cuts_as_are_asked_for_go_as_they_should";

/// Cuts the power of a collector, on a disk that may lie; of its log on a simulated disk where this machine lets nobody mount one.
fn power(root: &Path, options: &[&str]) -> Result<(), Failure> {
    if let Err(why) = mount_a_loop(root) {
        eprintln!(
            "power: no disk of its own may be mounted here ({why}), so the log is cut on a simulated one"
        );
        return simulated_power(root, options);
    }
    build::assets(root)?;
    build::collector(root)?;
    let liar = ["cargo", "build", "--release", "--package", "attune-sync-liar"];
    run_program(&mut program(root, &liar))?;
    let liar = workspace::target()?.join("release/libattune_sync_liar.so");
    let mut bench = rust_binary(root, "power")?;
    print(bench.args(options).env("ATTUNE_LIAR", liar).env("ATTUNE_BINARY", workspace::collector_binary()?))
}

/// Whether an ext4 in a file can be mounted here.
///
/// # Errors
/// It cannot; why.
pub fn mount_a_loop(root: &Path) -> Result<(), String> {
    let tried = program(root, &["sh", "-c", MOUNT_A_LOOP]).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&tried.stderr);
    let why = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no mount");
    if tried.status.success() { Ok(()) } else { Err(why.to_owned()) }
}

/// Prints the line of the test that cuts the power of a simulated disk.
fn simulated_power(root: &Path, options: &[&str]) -> Result<(), Failure> {
    let words = [
        "cargo",
        "test",
        "--quiet",
        "--package",
        "attune-collector",
        "--lib",
        "--",
        "--exact",
        "--nocapture",
    ];
    let mut cuts = program(root, &words);
    cuts.arg(SIMULATED_CUTS).env("ATTUNE_SIMULATED_CUTS", "1000");
    for pair in options.chunks(2) {
        let variable = match pair[0] {
            "--cuts" => "ATTUNE_SIMULATED_CUTS",
            "--seed" => "ATTUNE_SIMULATED_SEED",
            "--sync" => "ATTUNE_SIMULATED_SYNC",
            name @ ("--clients" | "--keep-mib") => {
                eprintln!("power: {name} says nothing of a simulated disk");
                continue;
            }
            name => return Err(Failure::new(format!("unknown flag `{name}`"))),
        };
        let value = pair.get(1).ok_or_else(|| Failure::new(format!("{} needs a value", pair[0])))?;
        cuts.env(variable, value);
    }
    let done = cuts.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let done = done.map_err(|error| Failure::new(format!("the bench did not start: {error}")))?;
    let said = String::from_utf8_lossy(&done.stdout);
    let line = said.lines().find(|line| line.starts_with('{'));
    line.iter().for_each(|line| println!("{line}"));
    match (done.status.success(), line) {
        (true, Some(_)) => Ok(()),
        (_, None) => Err(Failure::new(format!("the bench failed: {}", said.trim()))),
        (false, _) => Err(Failure::new(format!("the bench failed: {}", done.status))),
    }
}

/// Builds a binary of `benches/` and returns the command that runs it.
///
/// # Errors
/// It does not compile.
pub fn rust_binary(root: &Path, name: &str) -> Result<Command, Failure> {
    let words = ["cargo", "build", "--release", "--package", "attune-benches", "--bin", name];
    run_program(&mut program(root, &words))?;
    let mut command = Command::new(workspace::target()?.join("release").join(name));
    command.current_dir(root).stdin(Stdio::null());
    Ok(command)
}

/// Runs to the end with stdout untouched: JSON lines for whoever reads them.
///
/// # Errors
/// The program fails.
pub fn print(command: &mut Command) -> Result<(), Failure> {
    let status =
        command.status().map_err(|error| Failure::new(format!("the bench did not start: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("the bench failed: {status}"))) }
}
