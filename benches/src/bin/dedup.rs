//! `dedup [--ids 4000000] [--connections 64] [--memory-mib 384]`: what it takes to know an event again: so many different events are
//! sent, then some of the oldest and of the newest once more, of which every one has to be called a duplicate. With little
//! memory for the newest ids the others are found on the disk. JSON lines.

use attune_benches::collector::Collector;
use attune_benches::failure::Failure;
use attune_benches::open_loop::Answers;
use attune_benches::options::Options;
use attune_benches::process::{own_memory, wait_until_idle};
use attune_benches::search::{Bench, Seen, Trial, tenths};
use attune_benches::traffic::{Encoding, Form, Requests, Traffic};
use serde_json::{Value, json};
use std::process::ExitCode;

const EVENTS_PER_BATCH: usize = 100;
const FORM: Form = Form::Http(Encoding::Zstd);
/// Batches that are made and sent together.
const BATCHES_AT_ONCE: usize = 2_000;
/// Before memory counts: the log's tail and the states of all visitors are there.
const FIRST_EVENTS: usize = 1_200_000;
/// Memory of the table at the door for one event id, in bytes.
const GOAL_BYTES: f64 = 12.0;
/// Longest time that a batch may take at the door, in milliseconds.
const GOAL_STALL_MS: f64 = 50.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("dedup: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let options = Options::of_command_line(&["--connections", "--ids", "--memory-mib"])?;
    let (connections, ids) = (options.number("--connections", 64)?, options.number("--ids", 4_000_000)?);
    let memory_mib = options.number::<u64>("--memory-mib", 384)?.to_string();
    let collector = Collector::start_with(&json!({}), &["--dedup-memory-mib", &memory_mib])?;
    let process = collector.process_id();
    wait_until_idle(process)?;
    let mut traffic = Traffic::new();
    let mut bench = Bench {
        target: &collector,
        traffic: &mut traffic,
        form: FORM,
        events_each: EVENTS_PER_BATCH,
        connections,
        answers: Answers::Receipt(EVENTS_PER_BATCH),
    };
    let next = |bench: &mut Bench<'_>| bench.traffic.requests(FORM, EVENTS_PER_BATCH, BATCHES_AT_ONCE);
    let (oldest, mut newest) = (next(&mut bench)?, None);
    let mut sent = events(&oldest);
    bench.send(&oldest, None, Seen::Never)?;
    let mut begun = None;
    while sent < ids {
        if begun.is_none() && sent >= FIRST_EVENTS {
            begun = Some((sent, own_memory(process)?));
        }
        let requests = next(&mut bench)?;
        bench.send(&requests, None, Seen::Never)?;
        sent += events(&requests);
        newest = Some(requests);
    }
    let bytes_per_id = match begun {
        Some((first, before)) if sent > first => {
            Some((own_memory(process)? as f64 - before as f64) / (sent - first) as f64)
        }
        _ => None,
    };
    println!(
        "{}",
        json!({
            "bench": "dedup",
            "ids": sent,
            "memory_bytes_per_id": bytes_per_id.map(tenths),
            "goal_memory_bytes_per_id": GOAL_BYTES,
            "met": bytes_per_id.is_some_and(|bytes| bytes <= GOAL_BYTES),
        })
    );
    println!("{}", door(&collector)?);
    for (name, requests) in [("oldest", Some(&oldest)), ("newest", newest.as_ref())] {
        let Some(requests) = requests else { continue };
        println!("{}", repeats(name, sent, &bench.send(requests, None, Seen::Already)?));
    }
    Ok(())
}

/// What the door itself says of what it takes.
fn door(collector: &Collector) -> Result<Value, Failure> {
    let metric = |name: &str| collector.metric::<u64>(&format!("attune_door_{name}"));
    let (ids, bytes) = (metric("ids")?, metric("memory_bytes")?);
    let (filed_ids, filed_bytes) = (metric("filed_ids")?, metric("filed_memory_bytes")?);
    let longest_ms = 1e3 * collector.metric::<f64>("attune_door_longest_seconds")?;
    let each = |bytes: u64, ids: u64| (ids > 0).then(|| tenths(bytes as f64 / ids as f64));
    Ok(json!({
        "bench": "dedup",
        "ids_in_memory": ids,
        "table_bytes_per_id": each(bytes, ids),
        "ids_on_disk": filed_ids,
        "share_on_disk": tenths(100.0 * filed_ids as f64 / (ids + filed_ids) as f64) / 100.0,
        "memory_bytes_per_id_on_disk": each(filed_bytes, filed_ids),
        "generations": metric("generations")?,
        "longest_at_the_door_ms": tenths(longest_ms),
        "goal_longest_at_the_door_ms": GOAL_STALL_MS,
        "met": longest_ms <= GOAL_STALL_MS,
    }))
}

fn events(requests: &Requests) -> usize {
    requests.bytes.len() * requests.events_each
}

fn repeats(name: &str, ids: usize, trial: &Trial) -> Value {
    json!({
        "bench": "dedup",
        "ids": ids,
        "repeated": name,
        "repeats": trial.figures.requests() * EVENTS_PER_BATCH,
        "flood_answered_events_per_second": trial.answered_per_second(),
        "server_cpu_us_per_batch": tenths(trial.server_cpu_us()),
    })
}
