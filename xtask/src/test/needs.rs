//! What the tests of disks and clocks in trouble need of a machine, and which of them are left out where it has not got that.

use super::suite::Suite;
use crate::bench;
use crate::command::{program, run};
use std::fs;
use std::path::{Path, PathBuf};

/// Those that mount a tmpfs, which nobody else sees.
const WITH_TMPFS: [&str; 2] = [
    "a_log_that_finds_no_room_refuses_with_503_and_goes_on_once_there_is_some",
    "events_are_refused_before_the_disk_is_full_of_bytes_or_of_files",
];
/// The one that mounts an ext4 in a file.
const WITH_EXT4: [&str; 1] = ["a_file_system_that_has_become_read_only_costs_nothing_that_was_acknowledged"];
/// The one that has system calls fail.
const WITH_FIU: [&str; 1] = ["whatever_a_disk_refuses_senders_are_told_and_it_goes_on_by_itself"];
/// The one whose clock jumps.
const WITH_FAKETIME: [&str; 1] = ["a_clock_that_jumps_by_ten_years_loses_nothing_and_doubles_nothing"];

/// Arguments of the tests' programs that leave out what this machine cannot run, which count as skipped.
pub fn left_out(suite: &mut Suite, root: &Path) -> Vec<&'static str> {
    let mount = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    let has_tmpfs = program(root, &mount).output().is_ok_and(|output| output.status.success());
    let needs = [
        (&WITH_TMPFS[..], has_tmpfs.then_some(()).ok_or("nobody may mount a tmpfs here".to_owned())),
        (&WITH_EXT4[..], bench::mount_a_loop(root)),
        (&WITH_FIU[..], ensure_package(root, "fiu-utils", "fiu/fiu_posix_preload.so")),
        (&WITH_FAKETIME[..], ensure_package(root, "faketime", "faketime/libfaketimeMT.so.1")),
    ];
    let mut arguments = Vec::new();
    for (names, can_be) in needs {
        let Err(why) = can_be else { continue };
        for name in names {
            suite.skip(&format!("Rust: {name}"), 1, &why);
            arguments.extend(["--skip", name]);
        }
    }
    arguments
}

/// Installs the package of a library, by apt where this runs as root.
fn ensure_package(root: &Path, package: &str, library: &str) -> Result<(), String> {
    if has_library(library) {
        return Ok(());
    }
    let install = format!("apt-get update && apt-get install -y {package}");
    let missing = |why: &str| format!("{library} is missing and {why}; run: sudo sh -c '{install}'");
    if !rustix::process::geteuid().is_root() {
        return Err(missing("only root may install it"));
    }
    let mut apt = program(root, &["sh", "-c", &install]);
    run(apt.env("DEBIAN_FRONTEND", "noninteractive")).map_err(|failure| missing(&failure.to_string()))?;
    if has_library(library) { Ok(()) } else { Err(missing("apt did not bring it")) }
}

/// Whether a library is below `/usr/lib`, or below its folder of an architecture.
fn has_library(library: &str) -> bool {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    [PathBuf::from("/usr/lib")].into_iter().chain(folders).any(|folder| folder.join(library).exists())
}
