//! `power [--cuts 1000] [--clients 4] [--seed 1] [--sync honest] [--keep-mib 0]`: takes the power from under the collector again and again while
//! clients send, and compares what they know with what it has. One JSON line; fails where anything is lost, twice or invented.
//!
//! The disk is a file with an ext4 on it. A cut stops the collector, has the file system drop whatever it has not written
//! (`EXT4_IOC_SHUTDOWN` without flushing its journal), kills the collector, and mounts the file again. It takes root.
//! With `--sync none`, `late` or `folders` the disk lies about what is durable; then something has to be found lost.

use attune_benches::failure::Failure;
use attune_benches::mortal::{Mortal, Options, Rig, outlive};
use rustix::ioctl::{Setter, ioctl};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Name of the setting with the library that lies.
const LIAR: &str = "ATTUNE_LIAR";
/// Size of the disk; its file has only what has been written to it.
const DISK_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// `EXT4_IOC_SHUTDOWN`, and its flag that leaves the journal as it is.
const SHUTDOWN: rustix::ioctl::Opcode = 0x8004_587d;
const WITHOUT_JOURNAL: u32 = 2;
/// Time in which a file system is given back.
const UNMOUNT_LIMIT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("power: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Failure> {
    let (options, sync, keep_mib) = options()?;
    let mut rig = Rig::new()?;
    rig.keep_mib = keep_mib;
    let disk = Disk::make(rig.folder())?;
    rig.data = disk.place.join("data");
    let is_honest = sync == "honest";
    if !is_honest {
        let liar =
            env::var(LIAR).map_err(|_| Failure::new(format!("{LIAR} is not set; cargo xtask does")))?;
        rig.environment = vec![("LD_PRELOAD".to_owned(), liar), ("ATTUNE_SYNC".to_owned(), sync.clone())];
    }
    let started = Instant::now();
    let outcome = outlive(&rig, &options, &mut |collector| disk.cut(collector))?;
    let met = if is_honest { outcome.is_sound } else { !outcome.is_sound };
    let goal = if is_honest { "0 lost, 0 twice, 0 invented" } else { "something lost" };
    let mut line = json!({ "bench": "power", "simulated": false, "sync": sync, "goal": goal, "met": met });
    if let (Some(line), Some(fields)) = (line.as_object_mut(), outcome.line.as_object()) {
        line.extend(fields.clone());
        line.insert("seconds".to_owned(), started.elapsed().as_secs().into());
    }
    println!("{line}");
    Ok(met)
}

fn options() -> Result<(Options, String, Option<u64>), Failure> {
    let mut keep_mib = None;
    let mut options = Options { ends: 1_000, clients: 4, seed: 1, is_control: false };
    let mut sync = "honest".to_owned();
    let arguments: Vec<String> = env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(Failure::new(format!("{} needs a value", pair[0]))) };
        let number = || value.parse().map_err(|_| Failure::new(format!("{name}: `{value}` is not a number")));
        match name.as_str() {
            "--cuts" => options.ends = number()?,
            "--clients" => options.clients = number()?,
            "--seed" => options.seed = number()?.max(1),
            "--keep-mib" => keep_mib = Some(number()?).filter(|mib| *mib > 0),
            "--sync" if ["honest", "none", "late", "folders"].contains(&value.as_str()) => {
                sync.clone_from(value)
            }
            "--sync" => {
                return Err(Failure::new(format!(
                    "--sync: `{value}` is none of honest, none, late, folders"
                )));
            }
            _ => return Err(Failure::new(format!("unknown flag `{name}`"))),
        }
    }
    Ok((options, sync, keep_mib))
}

/// A file with a file system on it, mounted.
struct Disk {
    file: PathBuf,
    place: PathBuf,
}

impl Disk {
    fn make(folder: &Path) -> Result<Self, Failure> {
        let disk = Self { file: folder.join("disk"), place: folder.join("mounted") };
        File::create(&disk.file)
            .and_then(|file| file.set_len(DISK_BYTES))
            .and_then(|()| fs::create_dir(&disk.place))
            .map_err(|error| Failure::of(&disk.file.display().to_string(), error))?;
        succeed(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk.file))?;
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<(), Failure> {
        succeed(Command::new("mount").args(["-o", "loop,noatime"]).arg(&self.file).arg(&self.place))
    }

    /// Takes the power from under a collector.
    fn cut(&self, collector: &mut Mortal) -> Result<(), Failure> {
        let id = Pid::from_child(&collector.child);
        // It may have ended by itself, which is told when it is killed.
        let _ = kill_process(id, Signal::STOP);
        wait_until_stopped(collector.child.id());
        let root = File::open(&self.place).map_err(|error| Failure::of("disk", error))?;
        // SAFETY: the request takes the address of a number, which is what is handed over.
        let shut = unsafe { ioctl(&root, Setter::<SHUTDOWN, u32>::new(WITHOUT_JOURNAL)) };
        shut.map_err(|error| Failure::of("EXT4_IOC_SHUTDOWN", error))?;
        drop(root);
        collector.kill()?;
        let deadline = Instant::now() + UNMOUNT_LIMIT;
        while let Err(failure) = succeed(Command::new("umount").arg(&self.place)) {
            if Instant::now() > deadline {
                return Err(failure);
            }
            sleep(Duration::from_millis(5));
        }
        self.mount()
    }
}

/// Waits until no thread of a process runs any more: a signal to stop reaches them one after the other, and what still ran behind
/// the cut would be no power cut. A thread that waits for the disk stops before it comes back from there.
fn wait_until_stopped(process: u32) {
    let is_still = |task: &fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        state.is_none_or(|state| "TtDZX".contains(state))
    };
    let deadline = Instant::now() + UNMOUNT_LIMIT;
    while let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) {
        if tasks.flatten().all(|task| is_still(&task)) || Instant::now() > deadline {
            return;
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).output();
    }
}

/// Runs a program to its end, and has what it says in the line where it fails.
fn succeed(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().display().to_string();
    let output = command.output().map_err(|error| Failure::of(&name, error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}
