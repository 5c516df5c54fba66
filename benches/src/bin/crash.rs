//! `crash [--kills 1000] [--clients 4] [--seed 1] [--control 0] [--keep-mib 0]`: ends the collector as a crash does, again and again, while
//! clients send, and compares what they know with what it has. One JSON line; fails where anything is lost, twice or invented.
//!
//! Kills come at random times after a start: while it reads its log, before it listens, in rotation (segments have 1 MiB), under
//! load. Clients do as the SDK does: a batch is sent again, the same, until a receipt has taken it.
//! With `--keep-mib` segments are given back and used again; what is counted then has to be what was acknowledged.
//! With `--control 1` they take a batch for acknowledged that they have only sent; then something has to be found lost.

use attune_benches::failure::Failure;
use attune_benches::mortal::{Mortal, Options, Rig, outlive};
use serde_json::json;
use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("crash: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Failure> {
    let (options, keep_mib) = options()?;
    let mut rig = Rig::new()?;
    rig.keep_mib = keep_mib;
    let outcome = outlive(&rig, &options, &mut Mortal::kill)?;
    let met = if options.is_control { outcome.found.lost > 0 } else { outcome.is_sound };
    let goal = if options.is_control { "something lost" } else { "0 lost, 0 twice, 0 invented" };
    let mut line = json!({ "bench": "crash", "control": options.is_control, "goal": goal, "met": met });
    if let (Some(line), Some(fields)) = (line.as_object_mut(), outcome.line.as_object()) {
        line.extend(fields.clone());
    }
    println!("{line}");
    Ok(met)
}

fn options() -> Result<(Options, Option<u64>), Failure> {
    let mut keep_mib = None;
    let mut options = Options { ends: 1_000, clients: 4, seed: 1, is_control: false };
    let arguments: Vec<String> = env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(Failure::new(format!("{} needs a value", pair[0]))) };
        let number = value.parse().map_err(|_| Failure::new(format!("{name}: `{value}` is not a number")))?;
        match name.as_str() {
            "--kills" => options.ends = number,
            "--clients" => options.clients = number,
            "--seed" => options.seed = number.max(1),
            "--keep-mib" => keep_mib = Some(number).filter(|mib| *mib > 0),
            "--control" => options.is_control = number != 0,
            _ => return Err(Failure::new(format!("unknown flag `{name}`"))),
        }
    }
    Ok((options, keep_mib))
}
