//! `ingest [--seconds 5] [--connections 16]`: durable events a second through `POST /v1/events`, one JSON line.

use attune_benches::collector::Collector;
use attune_benches::failure::Failure;
use attune_benches::load::{self, Load};
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Time before counting starts: connections are open and the collector's tables are warm.
const WARM_UP: Duration = Duration::from_secs(1);

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
    let mut load = Load { seconds: 5, connections: 16 };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(Failure::new(format!("{} needs a value", pair[0]))) };
        let number = value.parse().map_err(|_| Failure::new(format!("{name}: `{value}` is not a number")))?;
        match name.as_str() {
            "--seconds" => load.seconds = number,
            "--connections" => load.connections = number,
            _ => return Err(Failure::new(format!("unknown flag `{name}`"))),
        }
    }
    let rules = json!({
        "signals": [
            { "name": "views", "on": "page_view", "by": "metadata.category", "aggregate": "count", "window": "5m" }
        ]
    });
    let collector = Collector::start(&rules)?;
    let started = Instant::now();
    let figures = load::run(&load, collector.port(), collector.process_id(), WARM_UP)?;
    let summary = collector.settled_summary()?;
    let settled_seconds = started.elapsed().as_secs_f64();
    let absorbed = summary["accepted"].as_u64().unwrap_or_default();
    if absorbed != figures.events_in_all {
        let sent = figures.events_in_all;
        return Err(Failure::new(format!(
            "{sent} events were acknowledged, and the collector counts {absorbed}"
        )));
    }
    println!(
        "{}",
        json!({
            "bench": "ingest",
            "events_per_batch": load::EVENTS_PER_BATCH,
            "connections": load.connections,
            "durable_events_per_second": figures.events_per_second.round(),
            "absorbed_events_per_second": (absorbed as f64 / settled_seconds).round(),
            "server_cpu_us_per_batch": figures.server_cpu_us_per_batch.round(),
            "batch_p50_ms": figures.batch_p50_ms,
            "batch_p99_ms": figures.batch_p99_ms,
        })
    );
    Ok(())
}
