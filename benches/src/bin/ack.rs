//! `ack [--rules 0,50] [--seconds 10] [--connections 64]`: how long a sender waits until its batch of 100 is durable, at a quarter
//! of what the collector sustains, counted from when the batch was due; and how many POSTs with one event it sustains. JSON lines.

use attune_benches::collector::Collector;
use attune_benches::failure::Failure;
use attune_benches::open_loop::Answers;
use attune_benches::options::Options;
use attune_benches::process::wait_until_idle;
use attune_benches::rules::rules_of;
use attune_benches::search::{Bench, Found, Trial, tenths};
use attune_benches::traffic::{EVENT_TYPES, Encoding, Form, Traffic};
use serde_json::{Value, json};
use std::process::ExitCode;

const EVENTS_PER_BATCH: usize = 100;
const FORM: Form = Form::Http(Encoding::Json);
/// Share of what is sustained at which senders wait.
const LOAD: f64 = 0.25;
/// What they are to wait, in milliseconds; no stall is to be longer than 50 ms.
const GOAL_P50_MS: f64 = 0.5;
const GOAL_P99_MS: f64 = 2.0;
/// POSTs a second with one event each.
const GOAL_POSTS: f64 = 50_000.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ack: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let options = Options::of_command_line(&["--connections", "--rules", "--seconds"])?;
    let (connections, seconds) = (options.number("--connections", 64)?, options.number("--seconds", 10.0)?);
    let mut traffic = Traffic::new();
    for rules in options.chosen("--rules", &[("0", 0), ("50", 50)])? {
        let collector = Collector::start(&rules_of(rules, &EVENT_TYPES))?;
        wait_until_idle(collector.process_id())?;
        let mut bench = Bench {
            target: &collector,
            traffic: &mut traffic,
            form: FORM,
            events_each: EVENTS_PER_BATCH,
            connections,
            answers: Answers::Receipt(EVENTS_PER_BATCH),
        };
        let Found { flood, sustained, .. } = bench.search()?;
        let capacity = sustained.as_ref().map_or(flood.settled_per_second(), Trial::offered_per_second);
        // What the search has left to write is not what senders wait for.
        wait_until_idle(collector.process_id())?;
        let rate = LOAD * capacity / EVENTS_PER_BATCH as f64;
        let trial = bench.offer((rate * seconds) as usize, Some(rate))?;
        println!("{}", waiting(rules, capacity, &trial));
        bench.events_each = 1;
        bench.answers = Answers::Receipt(1);
        println!("{}", singles(rules, &bench.search()?));
    }
    Ok(())
}

fn waiting(rules: usize, capacity: f64, trial: &Trial) -> Value {
    let figures = &trial.figures;
    let (p50, p99) = (figures.latency_ms(0.5), figures.latency_ms(0.99));
    json!({
        "bench": "ack",
        "encoding": FORM.name(),
        "events_per_batch": EVENTS_PER_BATCH,
        "rules": rules,
        "capacity_events_per_second": capacity,
        "offered_events_per_second": trial.offered_per_second(),
        "batches": figures.requests(),
        "p50_ms": p50,
        "p99_ms": p99,
        "p99_9_ms": figures.latency_ms(0.999),
        "max_ms": figures.latency_ms(1.0),
        "stalls_over_50_ms": figures.stalls,
        "server_cpu_us_per_batch": tenths(trial.server_cpu_us()),
        "generator_cpu_us_per_batch": tenths(trial.generator_cpu_us()),
        "generator_late_p50_ms": figures.late_ms(0.5),
        "generator_late_p99_ms": figures.late_ms(0.99),
        "goal_p50_ms": GOAL_P50_MS,
        "goal_p99_ms": GOAL_P99_MS,
        "met": p50 <= GOAL_P50_MS && p99 <= GOAL_P99_MS && figures.stalls == 0,
    })
}

fn singles(rules: usize, found: &Found) -> Value {
    let Found { flood, sustained, generator_was_the_limit } = found;
    let trial = sustained.as_ref().unwrap_or(flood);
    let posts = sustained.as_ref().map(Trial::offered_per_second);
    json!({
        "bench": "ack",
        "encoding": FORM.name(),
        "events_per_batch": 1,
        "rules": rules,
        "request_bytes": trial.request_bytes,
        "sustained_posts_per_second": posts,
        "flood_answered_posts_per_second": flood.answered_per_second(),
        "flood_settled_posts_per_second": flood.settled_per_second(),
        "server_cpu_us_per_post": tenths(trial.server_cpu_us()),
        "p50_ms": trial.figures.latency_ms(0.5),
        "p99_ms": trial.figures.latency_ms(0.99),
        "generator_cpu_us_per_post": tenths(trial.generator_cpu_us()),
        "generator_was_the_limit": generator_was_the_limit,
        "goal_posts_per_second": GOAL_POSTS,
        "met": posts.is_some_and(|posts| posts >= GOAL_POSTS),
    })
}
