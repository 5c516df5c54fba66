//! What a process has taken of the machine, and the wall clock that events are stamped with.

use crate::failure::Failure;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time between two looks at a process that is to come to rest.
const LOOK: Duration = Duration::from_secs(1);
/// Processor time between two looks below which a process rests.
const REST: Duration = Duration::from_millis(50);

/// The wall clock, in milliseconds since 1970.
pub fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}

/// User and system time of a process so far, from fields 14 and 15 of `/proc/<pid>/stat`.
///
/// # Errors
/// There is no such process.
pub fn cpu_time(process: u32) -> Result<Duration, Failure> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).map_err(|error| Failure::of(&path, error))?;
    // The name in parentheses may hold spaces; what follows it does not.
    let fields = text.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// The same of a process and of those that it has started itself.
///
/// # Errors
/// There is no such process.
pub fn cpu_time_with_children(process: u32) -> Result<Duration, Failure> {
    let path = format!("/proc/{process}/task/{process}/children");
    let children = fs::read_to_string(&path).map_err(|error| Failure::of(&path, error))?;
    let mut all = cpu_time(process)?;
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        all += cpu_time(child)?;
    }
    Ok(all)
}

/// Memory of a process that is in use and its own, in bytes: `RssAnon` of `/proc/<pid>/status`.
///
/// # Errors
/// There is no such process.
pub fn own_memory(process: u32) -> Result<u64, Failure> {
    memory(process, "RssAnon:")
}

/// Memory of a process that is in use, with what it shares and what it has mapped, in bytes: `VmRSS` of `/proc/<pid>/status`.
///
/// # Errors
/// There is no such process.
pub fn resident_memory(process: u32) -> Result<u64, Failure> {
    memory(process, "VmRSS:")
}

fn memory(process: u32, name: &str) -> Result<u64, Failure> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).map_err(|error| Failure::of(&path, error))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| Failure::new(format!("{path}: no {name}")))
}

/// Ends a child as an operator does, and waits until it has.
///
/// # Errors
/// It does not end, or not well.
pub fn terminate(child: &mut Child) -> Result<(), Failure> {
    let told = |error: io::Error| Failure::of("SIGTERM", error);
    kill_process(Pid::from_child(child), Signal::TERM).map_err(|error| told(error.into()))?;
    let status = child.wait().map_err(told)?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("it ended with {status}"))) }
}

/// Ends a child as a crash does.
///
/// # Errors
/// It is not there any more.
pub fn kill(child: &mut Child) -> Result<(), Failure> {
    child.kill().and_then(|()| child.wait()).map(drop).map_err(|error| Failure::of("kill", error))
}

/// Waits until a process has done what it does at its start: a collector compresses what it serves.
///
/// # Errors
/// There is no such process.
pub fn wait_until_idle(process: u32) -> Result<(), Failure> {
    loop {
        let before = cpu_time(process)?;
        sleep(LOOK);
        if cpu_time(process)?.saturating_sub(before) < REST {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_processor_time_grows() {
        let before = cpu_time(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while cpu_time(std::process::id()).unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(cpu_time_with_children(std::process::id()).unwrap() > before);
    }

    #[test]
    fn the_own_memory_grows_by_what_is_written() {
        let before = own_memory(std::process::id()).unwrap();
        let bytes = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(own_memory(std::process::id()).unwrap() > before + (32 << 20), "{}", bytes.len());
    }
}
