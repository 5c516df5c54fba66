//! `ingest [--rules 0,50] [--encodings json,gzip,zstd] [--peers nginx,fastify,redis] [--connections 64]`: durable events a second
//! in batches of 100 that the collector sustains under an open-loop load, and what of the processor it takes for a batch; then
//! the same events to other servers. One JSON line each.
//!
//! A rate is sustained where no backlog grows: neither of requests, nor of events that are durable and not in profiles yet.
//! Processor time counts until the worker has caught up. A run that loses an event prints no figure and fails.

use attune_benches::collector::Collector;
use attune_benches::failure::Failure;
use attune_benches::open_loop::Answers;
use attune_benches::options::Options;
use attune_benches::peers::{Absent, Kind};
use attune_benches::process::wait_until_idle;
use attune_benches::rules::rules_of;
use attune_benches::search::{Bench, Found, tenths};
use attune_benches::traffic::{EVENT_TYPES, Encoding, Form, Traffic};
use serde_json::{Value, json};
use std::process::ExitCode;

const EVENTS_PER_BATCH: usize = 100;
/// Durable, deduplicated events a second that are counted into profiles, compressed and not.
const GOAL_COMPRESSED: f64 = 1_000_000.0;
const GOAL_JSON: f64 = 900_000.0;
/// Processor time for a batch with 50 rules, in microseconds.
const GOAL_CPU_US: f64 = 150.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ingest: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let options = Options::of_command_line(&["--connections", "--encodings", "--peers", "--rules"])?;
    let connections = options.number("--connections", 64)?;
    let encodings = options.chosen("--encodings", &Encoding::ALL)?;
    let peers = options.chosen("--peers", &Kind::ALL)?;
    for rules in options.chosen("--rules", &[("0", 0), ("50", 50)])? {
        for encoding in &encodings {
            // One that has taken events in already has larger states to look into.
            let collector = Collector::start(&rules_of(rules, &EVENT_TYPES))?;
            wait_until_idle(collector.process_id())?;
            let (form, answers) = (Form::Http(*encoding), Answers::Receipt(EVENTS_PER_BATCH));
            let (target, traffic) = (&collector, &mut Traffic::new());
            let mut bench =
                Bench { target, traffic, form, events_each: EVENTS_PER_BATCH, connections, answers };
            let mut line = line("attune", form, &bench.search()?);
            line["rules"] = rules.into();
            judge(&mut line, *encoding, rules);
            println!("{line}");
        }
    }
    for kind in peers {
        let peer = match kind.start()? {
            Ok(peer) => peer,
            Err(Absent(why)) => {
                println!("{}", json!({ "bench": "ingest", "server": kind.name(), "left_out": why }));
                continue;
            }
        };
        let (form, answers) = (kind.form(), kind.answers(EVENTS_PER_BATCH));
        let (target, traffic) = (&peer, &mut Traffic::new());
        let mut bench = Bench { target, traffic, form, events_each: EVENTS_PER_BATCH, connections, answers };
        println!("{}", line(kind.name(), form, &bench.search()?));
    }
    Ok(())
}

fn line(server: &str, form: Form, found: &Found) -> Value {
    let Found { flood, sustained, generator_was_the_limit } = found;
    let trial = sustained.as_ref().unwrap_or(flood);
    let cpu = trial.server_cpu_us();
    json!({
        "bench": "ingest",
        "server": server,
        "encoding": form.name(),
        "events_per_batch": EVENTS_PER_BATCH,
        "request_bytes": trial.request_bytes,
        "sustained_events_per_second": sustained.as_ref().map(|trial| trial.offered_per_second()),
        "flood_answered_events_per_second": flood.answered_per_second(),
        "flood_settled_events_per_second": flood.settled_per_second(),
        "server_cpu_us_per_batch": tenths(cpu),
        "server_cpu_us_per_event": (cpu / EVENTS_PER_BATCH as f64 * 1e3).round() / 1e3,
        "flood_server_cpu_us_per_batch": tenths(flood.server_cpu_us()),
        "batch_p50_ms": trial.figures.latency_ms(0.5),
        "batch_p99_ms": trial.figures.latency_ms(0.99),
        "generator_cpu_us_per_batch": tenths(trial.generator_cpu_us()),
        "generator_was_the_limit": generator_was_the_limit,
    })
}

/// Without rules the goal is a rate, with rules what a batch costs.
fn judge(line: &mut Value, encoding: Encoding, rules: usize) {
    let is_met = if rules == 0 {
        let goal = if encoding == Encoding::Json { GOAL_JSON } else { GOAL_COMPRESSED };
        line["goal_events_per_second"] = goal.into();
        line["sustained_events_per_second"].as_f64().is_some_and(|rate| rate >= goal)
    } else {
        line["goal_server_cpu_us_per_batch"] = GOAL_CPU_US.into();
        line["server_cpu_us_per_batch"].as_f64().is_some_and(|cpu| cpu <= GOAL_CPU_US)
    };
    line["met"] = is_met.into();
}
