//! `attune log dump`: the events of a log as lines of JSON, for people and for other programs.

use super::read_folder;
use attune_core::wire::{Facts, Record, decode_record, write_whole_event};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

/// Prints every event of the log that the data folder holds; what else the log says is left out.
///
/// # Errors
/// One line that names what could not be read or written. A reader that has gone away is no error.
pub fn dump(data_dir: &Path) -> Result<(), String> {
    let folder = data_dir.join("log");
    let named = |error: io::Error| format!("{}: {error}", folder.display());
    let mut reader = read_folder(&folder).map_err(named)?;
    let mut out = BufWriter::new(io::stdout().lock());
    while let Some(chunk) = reader.read_on().map_err(named)? {
        for frame in chunk.frames() {
            for bytes in frame.records() {
                let record = decode_record(bytes).map_err(|_| {
                    format!(
                        "{}: before position {}: a record that this version does not read",
                        folder.display(),
                        frame.end
                    )
                })?;
                let Record::Event { event, facts, .. } = record else { continue };
                // Metadata is as it was sent, and may have its tokens on several lines.
                let line = with_facts(write_whole_event(&event), facts.as_ref()).replace(['\n', '\r'], " ");
                if let Err(error) = writeln!(out, "{line}") {
                    return written(Err(error));
                }
            }
        }
    }
    written(out.flush())?;
    let damaged = reader.take_damaged();
    let Some(first) = damaged.first() else { return Ok(()) };
    Err(format!(
        "{}: damaged places: {}, the first from position {} to {}; everything else has been printed",
        folder.display(),
        damaged.len(),
        first.start,
        first.end
    ))
}

/// Adds what the collector has found out about an event, below `context`, and whether it stands in the log alone.
fn with_facts(mut line: String, facts: Option<&Facts>) -> String {
    if let Some(Facts { context, aside, .. }) = facts {
        line.pop();
        line.push_str(",\"context\":");
        line.push_str(context);
        line.push_str(if *aside { ",\"aside\":true}" } else { "}" });
    }
    line
}

fn written(done: io::Result<()>) -> Result<(), String> {
    match done {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}
