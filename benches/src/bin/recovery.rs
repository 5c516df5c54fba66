//! `recovery [--profiles 1000000] [--tail 3000000] [--members 100000]`: what profiles take of memory and disk, and how long the
//! collector takes until it is ready behind a crash that has left it with a tail of the log. JSON lines.
//!
//! The tail is real: the state of before it is put back, so everything behind is read and taken in anew.

use attune_benches::collector::Collector;
use attune_benches::failure::Failure;
use attune_benches::open_loop::{self, Answers, Offer};
use attune_benches::options::Options;
use attune_benches::process::{own_memory, resident_memory, wait_until_idle};
use attune_benches::rules::{one_signal, rules};
use attune_benches::search::Target;
use attune_benches::traffic::{EVENT_TYPES, Server};
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const EVENTS_PER_BATCH: usize = 100;
const BATCHES_AT_ONCE: usize = 2_000;
const CONNECTIONS: usize = 64;
/// Time until it is ready, in seconds.
const GOAL_READY_S: f64 = 3.0;
/// Memory for a million small profiles, in MiB.
const GOAL_MIB: f64 = 350.0;
/// Memory of a collector that does nothing, in MiB.
const GOAL_IDLE_MIB: f64 = 30.0;
/// Lanes of each of the larger members, and events that each has: every signal with every category.
const LANES: u64 = 5;
const EVENTS_OF_LARGE: u64 = 12;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("recovery: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let options = Options::of_command_line(&["--members", "--profiles", "--tail"])?;
    let (profiles, tail) = (options.number("--profiles", 1_000_000)?, options.number("--tail", 3_000_000)?);
    if profiles > 0 {
        recover(profiles, tail)?;
    }
    let members = options.number("--members", 100_000)?;
    if members > 0 {
        large(members)?;
    }
    Ok(())
}

/// Many small profiles, a crash, and a tail.
fn recover(profiles: u64, tail: u64) -> Result<(), Failure> {
    let mut collector = Collector::start(&one_signal(EVENT_TYPES[0]))?;
    wait_until_idle(collector.process_id())?;
    let idle = resident_memory(collector.process_id())?;
    println!(
        "{}",
        json!({ "bench": "recovery", "what": "idle", "resident_mib": mib(idle), "goal_resident_mib": GOAL_IDLE_MIB, "met": mib(idle) <= GOAL_IDLE_MIB })
    );
    let mut server = Server::new(profiles, 0, &EVENT_TYPES[..1]);
    send(&collector, &mut server, profiles)?;
    let mut line = memory(&mut collector, "small profiles", profiles, idle)?;
    let allowed = GOAL_MIB * profiles as f64 / 1e6;
    line["goal_resident_mib"] = allowed.into();
    line["met"] = line["resident_mib"].as_f64().is_some_and(|mib| mib <= allowed).into();
    println!("{line}");

    collector.terminate()?;
    let (state, before) = (collector.data().join("state"), collector.data().join("before"));
    let told = |error: io::Error| Failure::of("the state of before", error);
    copy(&state, &before).map_err(told)?;
    collector.start_again()?;
    send(&collector, &mut server, tail)?;
    collector.kill()?;
    fs::remove_dir_all(&state).and_then(|()| fs::rename(&before, &state)).map_err(told)?;

    let began = Instant::now();
    let ready = collector.start_again()?;
    collector.settle()?;
    let caught_up = began.elapsed().as_secs_f64();
    let counted = collector.settled_summary()?["signals"]["events"].as_u64().unwrap_or_default();
    let expected = rounded(profiles) + rounded(tail);
    if counted != expected {
        return Err(Failure::new(format!(
            "{counted} events are counted of {expected} that were acknowledged"
        )));
    }
    println!(
        "{}",
        json!({
            "bench": "recovery",
            "what": "crash",
            "profiles": profiles,
            "tail_events": rounded(tail),
            "ready_s": hundredths(ready.as_secs_f64()),
            "caught_up_s": hundredths(caught_up),
            "tail_events_per_second": (rounded(tail) as f64 / (caught_up - ready.as_secs_f64()).max(1e-3)).round(),
            "goal_ready_s": GOAL_READY_S,
            "ready_met": ready.as_secs_f64() <= GOAL_READY_S,
            "caught_up_met": caught_up <= GOAL_READY_S,
        })
    );
    Ok(())
}

/// Fewer members with much to remember of each.
fn large(members: u64) -> Result<(), Failure> {
    let mut collector = Collector::start(&rules(&EVENT_TYPES))?;
    wait_until_idle(collector.process_id())?;
    let idle = resident_memory(collector.process_id())?;
    let mut server = Server::new(members, LANES, &EVENT_TYPES[EVENT_TYPES.len() - 3..]);
    send(&collector, &mut server, members * EVENTS_OF_LARGE)?;
    println!("{}", memory(&mut collector, "10 signals, 40 tiles, 5 lanes", members, idle)?);
    Ok(())
}

/// What so many members take, beside what it took before them.
fn memory(collector: &mut Collector, what: &str, members: u64, idle: u64) -> Result<Value, Failure> {
    wait_until_idle(collector.process_id())?;
    let (resident, own) = (resident_memory(collector.process_id())?, own_memory(collector.process_id())?);
    let each = |bytes: u64| (bytes as f64 / members as f64).round();
    let disk = size(&collector.data().join("state")).map_err(|error| Failure::of("state", error))?;
    Ok(json!({
        "bench": "recovery",
        "what": what,
        "members": members,
        "resident_mib": mib(resident),
        "own_mib": mib(own),
        "resident_bytes_per_member": each(resident.saturating_sub(idle)),
        "state_bytes_per_member_on_disk": each(disk),
    }))
}

/// Sends so many events, rounded up to whole batches, and waits until they are counted.
fn send(collector: &Collector, server: &mut Server, events: u64) -> Result<(), Failure> {
    let mut left = (rounded(events) as usize) / EVENTS_PER_BATCH;
    while left > 0 {
        let requests = server.requests(left.min(BATCHES_AT_ONCE))?;
        left -= requests.bytes.len();
        let offer = Offer {
            port: collector.port(),
            requests: &requests,
            answers: Answers::Receipt(EVENTS_PER_BATCH),
            rate: None,
            connections: CONNECTIONS,
        };
        let tally = open_loop::run(&offer)?.tally;
        let sent = (requests.bytes.len() * EVENTS_PER_BATCH) as u64;
        if tally.accepted != sent {
            return Err(Failure::new(format!("{} events of {sent} were accepted", tally.accepted)));
        }
    }
    collector.settle().map(drop)
}

const fn rounded(events: u64) -> u64 {
    events.next_multiple_of(EVENTS_PER_BATCH as u64)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?
        } else {
            fs::copy(entry.path(), place).map(drop)?
        }
    }
    Ok(())
}

fn size(folder: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

fn mib(bytes: u64) -> f64 {
    hundredths(bytes as f64 / (1024.0 * 1024.0))
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
