//! Where recorded events come from: a collector's log, or a file with one event a line.

use crate::author::source::named;
use crate::limits::MAX_SIMULATED_LINE_BYTES;
use crate::log::{LogReader, read_folder};
use attune_core::bundle::Bundle;
use attune_core::filter::check_bounds;
use attune_core::limits::MAX_EVENT_BYTES;
use attune_core::wire::{EventDefaults, Facts, Record, decode_record, parse_event};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Refused lines that are named; the others are counted.
const NAMED_REFUSALS: usize = 5;

/// Recorded events, read once from the first to the last.
pub struct Events {
    path: PathBuf,
    source: Source,
    total_bytes: u64,
    refused: Refused,
}

enum Source {
    Log(Box<LogReader>),
    Lines(BufReader<File>),
}

/// Entries that could not be read: how many, and the first of them in words.
#[derive(Default)]
struct Refused {
    count: u64,
    named: Vec<String>,
}

impl Refused {
    fn note(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED_REFUSALS {
            self.named.push(text());
        } else if let Some(last) = self.named.get_mut(NAMED_REFUSALS - 1) {
            *last = format!("and {} more", self.count - NAMED_REFUSALS as u64 + 1);
        }
    }
}

impl Events {
    /// Opens a data folder, the log folder in it, or a file of lines.
    pub fn open(path: &Path) -> Result<Self, String> {
        let (source, total_bytes) = if path.is_dir() {
            let inner = path.join("log");
            let folder = if inner.is_dir() { inner } else { path.to_owned() };
            let reader = read_folder(&folder).map_err(|error| named(&folder, &error))?;
            let bytes = reader.behind();
            (Source::Log(Box::new(reader)), bytes)
        } else {
            let file = File::open(path).map_err(|error| named(path, &error))?;
            let bytes = file.metadata().map_or(0, |metadata| metadata.len());
            (Source::Lines(BufReader::new(file)), bytes)
        };
        Ok(Self { path: path.to_owned(), source, total_bytes, refused: Refused::default() })
    }

    /// Bytes there are to be read.
    pub const fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// What could not be read, in words; the first ones by their place, the others by their number.
    pub fn refused(&self) -> &[String] {
        &self.refused.named
    }

    /// The newest bundle that the log says has taken effect.
    pub fn newest_bundle(&mut self) -> Result<Option<Bundle>, String> {
        let mut newest = None;
        if matches!(self.source, Source::Log(_)) {
            self.each(&mut |record, _| {
                if let Record::Bundle { bytes, .. } = record {
                    newest = Some(bytes.clone());
                }
                Ok(())
            })?;
        }
        let open = |bytes: Box<[u8]>| {
            Bundle::open(&bytes).map_err(|error| {
                format!("--against: the bundle of the log cannot be used: {error} ({})", error.code())
            })
        };
        newest.map(open).transpose()
    }

    /// Shows every record in order, with the bytes read so far.
    pub fn each(&mut self, see: &mut dyn FnMut(&Record, u64) -> Result<(), String>) -> Result<(), String> {
        let Self { path, source, total_bytes, refused } = self;
        match source {
            Source::Log(reader) => {
                while let Some(chunk) = reader.read_on().map_err(|error| named(path, &error))? {
                    let read = total_bytes.saturating_sub(reader.behind());
                    for range in reader.take_damaged() {
                        refused.note(|| {
                            format!("positions {} to {}: the log is damaged", range.start, range.end)
                        });
                    }
                    for frame in chunk.frames() {
                        for bytes in frame.records() {
                            match decode_record(bytes) {
                                Ok(record) => see(&record, read)?,
                                Err(_) => refused.note(|| {
                                    let end = frame.end;
                                    format!("before position {end}: a record that this version does not read")
                                }),
                            }
                        }
                    }
                }
                Ok(())
            }
            Source::Lines(reader) => each_line(path, reader, refused, see),
        }
    }
}

fn each_line(
    path: &Path,
    reader: &mut BufReader<File>,
    refused: &mut Refused,
    see: &mut dyn FnMut(&Record, u64) -> Result<(), String>,
) -> Result<(), String> {
    let (mut line, mut number, mut read) = (Vec::new(), 0_u64, 0_u64);
    loop {
        line.clear();
        let limit = MAX_SIMULATED_LINE_BYTES as u64 + 1;
        let count = reader.take(limit).read_until(b'\n', &mut line).map_err(|error| named(path, &error))?;
        if count == 0 {
            return Ok(());
        }
        number += 1;
        read += count as u64;
        if count as u64 == limit {
            return Err(format!(
                "{}:{number}: the line has more than {MAX_SIMULATED_LINE_BYTES} bytes; one event a line is expected",
                path.display()
            ));
        }
        match std::str::from_utf8(&line).map(str::trim) {
            Ok("") => {}
            Ok(text) => match event_of(text) {
                Ok(record) => see(&record, read)?,
                Err(why) => refused.note(|| format!("{}:{number}: {why}", path.display())),
            },
            Err(_) => refused.note(|| format!("{}:{number}: the line is not UTF-8", path.display())),
        }
    }
}

/// What a dump has of where the event comes from.
fn facts_of(text: &str) -> Option<Facts> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        context: &'a RawValue,
        #[serde(default)]
        aside: bool,
    }
    let Line { context, aside } = serde_json::from_str(text).ok()?;
    Some(Facts { context: context.get().into(), gpc: false, aside })
}

/// The event of a line, as received when it happened.
fn event_of(text: &str) -> Result<Record, String> {
    if text.len() > MAX_EVENT_BYTES {
        return Err(format!(
            "the event has {} bytes; the limit is {MAX_EVENT_BYTES} (event_too_large)",
            text.len()
        ));
    }
    let defaults = EventDefaults { member: None, lane: None };
    // The reader sees one line alone, and says so.
    let told = |text: String| text.replace(" at line 1 column ", " at column ");
    let event = parse_event(text, defaults)
        .map_err(|error| format!("{} ({})", told(error.to_string()), error.code()))?;
    check_bounds(&event, event.metadata_bytes())
        .map_err(|rejection| format!("{} ({})", rejection.message(), rejection.code()))?;
    let received_at = event.timestamp;
    Ok(Record::Event { event, received_at, proven: true, facts: facts_of(text) })
}
