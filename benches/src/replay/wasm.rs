//! The replay through `core.wasm` in Node: the package's own files, no collector in between.

use super::order::Disturbance;
use super::report::{Replayed, report, seconds_since};
use super::rule::{PRICE_SIGNAL, third_click};
use super::visit::Visit;
use crate::collector::{BINARY, repository_root};
use crate::failure::Failure;
use attune_core::wire::Event;
use serde_json::{Value, json};
use std::env;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Events handed over at a time.
const CHUNK_EVENTS: usize = 1_000;

/// Replays in Node; the figures come from what the evaluator says.
///
/// # Errors
/// Node or the built package is missing, or the evaluator refuses an event.
pub fn replay(visits: Vec<Visit>, disturbance: Disturbance) -> Result<Replayed, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::of("temporary folder", error))?;
    let bundle = compile(folder.path())?;
    let visits = disturbance.arrange(visits);
    let again = visits.iter().flat_map(|visit| disturbance.repeated(visit));
    let events: Vec<&Event> = visits.iter().flat_map(|visit| &visit.events).chain(again).collect();
    let started = Instant::now();
    let figures = evaluate(&bundle, &events)?;
    let firings =
        figures["fired"].as_array().ok_or_else(|| Failure::new("the evaluator listed no firings"))?;
    report(&figures, firings, seconds_since(started))
}

/// Compiles the rule file by the collector's own command.
fn compile(folder: &Path) -> Result<PathBuf, Failure> {
    let rules = folder.join("rules");
    fs::create_dir_all(&rules)
        .and_then(|()| fs::write(rules.join("replay.json"), third_click().to_string()))
        .map_err(|error| Failure::of("rule file", error))?;
    let bundle = folder.join("bundle");
    let binary = env::var_os(BINARY).ok_or_else(|| Failure::new(format!("{BINARY} is not set")))?;
    let mut command = Command::new(&binary);
    command.args(["bundle", "compile"]).arg(rules).arg("--output").arg(&bundle).stdout(Stdio::null());
    let status = command.status().map_err(|error| Failure::of("attune bundle compile", error))?;
    if status.success() { Ok(bundle) } else { Err(Failure::of("attune bundle compile", status)) }
}

fn evaluate(bundle: &Path, events: &[&Event]) -> Result<Value, Failure> {
    let script = repository_root().join("benches/replay.mjs");
    let mut node = Command::new("node")
        .arg(&script)
        .arg(bundle)
        .arg(PRICE_SIGNAL)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::of("node", error))?;
    let stdin = node.stdin.take().ok_or_else(|| Failure::new("node has no input"))?;
    write(events, stdin).map_err(|error| Failure::of("node", error))?;
    let output = node.wait_with_output().map_err(|error| Failure::of("node", error))?;
    if !output.status.success() {
        return Err(Failure::of("the evaluator in Node", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| Failure::of("the evaluator's figures", error))
}

/// Writes one JSON array a line.
fn write(events: &[&Event], out: impl Write) -> std::io::Result<()> {
    let mut out = BufWriter::new(out);
    for chunk in events.chunks(CHUNK_EVENTS) {
        let texts: Vec<String> = chunk.iter().map(|event| text(event)).collect();
        writeln!(out, "[{}]", texts.join(","))?;
    }
    out.flush()
}

/// One event in the form of the wire, with what a batch would say for all of them.
fn text(event: &Event) -> String {
    let metadata = event.metadata.as_deref().unwrap_or("{}");
    let lane = event.lane.map(|place| (place.lane.0.to_string(), place.seq));
    let mut fields = format!(
        "{{\"event_id\":\"{}\",\"event_type\":{},\"timestamp\":\"{}\",\"anonymous_id\":{}",
        event.event_id.0,
        json!(event.event_type),
        event.timestamp,
        json!(event.member.0),
    );
    if let Some((lane, seq)) = lane {
        fields.push_str(&format!(",\"lane\":\"{lane}\",\"seq\":{seq}"));
    }
    if let Some(session) = event.session {
        fields.push_str(&format!(",\"session_id\":\"{}\"", session.0));
    }
    fields.push_str(&format!(",\"metadata\":{metadata}}}"));
    fields
}

#[cfg(test)]
mod tests {
    use super::super::eshop::Click;
    use super::super::visit::visits;
    use super::*;

    #[test]
    fn an_event_is_written_with_its_member_lane_and_session() {
        let click =
            Click { day: (2008, 4, 1), order: 1, session: 7, category: 2, model: 5, price_dollars: 28 };
        let visits = visits(&[click]);
        let value: Value = serde_json::from_str(&text(&visits[0].events[0])).unwrap();
        assert_eq!(value["anonymous_id"], *visits[0].member.0);
        assert_eq!(value["seq"], 1);
        assert_eq!(value["metadata"]["category"], "2");
        assert!(value["lane"].is_string() && value["session_id"].is_string());
    }
}
