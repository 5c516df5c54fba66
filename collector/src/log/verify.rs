//! `attune log verify`: which parts of a log are intact, and where it is damaged.

use super::disk;
use super::disk::Disk;
use super::reader::is_there;
use super::segment::{self, Segment, bases};
use super::{Form, Found};
use attune_core::time::Timestamp;
use std::fmt::Write;
use std::io;
use std::path::Path;

/// Reads the whole log that the data folder holds and prints a line for each segment and for each place that is damaged,
/// then a sum. Says whether all is intact.
///
/// # Errors
/// One line that names what could not be read.
pub fn verify(data_dir: &Path) -> Result<bool, String> {
    let folder = data_dir.join("log");
    let named = |error: io::Error| format!("{}: {error}", folder.display());
    let disk = disk::folder(&folder);
    let bases = bases(&disk).map_err(named)?;
    if bases.is_empty() {
        return Err(format!("{}: the folder holds no log segment", folder.display()));
    }
    let (lines, sum) = read_all(&disk, &bases).map_err(named)?;
    let Sum { segments, frames, records, bytes, damaged_bytes, damaged } = sum;
    println!(
        "{lines}segments {segments}, frames {frames}, records {records}, bytes {bytes}, damaged places {damaged}, damaged bytes {damaged_bytes}"
    );
    Ok(damaged == 0)
}

/// Reads segments, but for those that a running collector gives back meanwhile.
fn read_all(disk: &Disk, bases: &[u64]) -> io::Result<(String, Sum)> {
    let (mut lines, mut sum) = (String::new(), Sum::default());
    for (index, base) in bases.iter().enumerate() {
        let (mut own_lines, mut own) = (String::new(), Sum { segments: 1, ..Sum::default() });
        let next = bases.get(index + 1).copied();
        let done =
            Segment::open(disk, *base).and_then(|segment| read(&segment, next, &mut own, &mut own_lines));
        if (done.is_err() || own.damaged > 0) && !is_there(disk, *base)? {
            let path = disk.path().join(segment::name_of(*base));
            let _ = writeln!(lines, "{}: given back meanwhile", path.display());
            continue;
        }
        done?;
        lines += &own_lines;
        sum.add(&own);
    }
    Ok((lines, sum))
}

/// What has been found in all segments.
#[derive(Debug, Default)]
struct Sum {
    segments: u64,
    frames: u64,
    records: u64,
    bytes: u64,
    damaged_bytes: u64,
    damaged: u64,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.segments += other.segments;
        self.frames += other.frames;
        self.records += other.records;
        self.bytes += other.bytes;
        self.damaged_bytes += other.damaged_bytes;
        self.damaged += other.damaged;
    }

    fn note_damaged(&mut self, segment: &Segment, from: u64, to: u64, lines: &mut String) {
        self.damaged_bytes += to - from;
        self.damaged += 1;
        let _ = writeln!(lines, "{}: damaged from position {from} to {to}", segment.path().display());
    }
}

/// Reads a segment up to where the next one begins; behind the last frame of the newest one there is nothing to be read.
fn read(segment: &Segment, next: Option<u64>, sum: &mut Sum, lines: &mut String) -> io::Result<()> {
    let (mut position, mut frames) = (segment.base, 0);
    let mut times: Option<(Timestamp, Timestamp)> = None;
    let limit = next.map_or_else(|| segment.capacity_end(), Ok)?;
    while let Some(found) = segment.read(position, limit)? {
        let Found { position: start, bytes, .. } = &found;
        if *start > position {
            sum.note_damaged(segment, position, *start, lines);
        }
        position = start + bytes.len() as u64;
        sum.bytes += bytes.len() as u64;
        for frame in found.frames() {
            frames += 1;
            sum.records += frame.records().count() as u64;
            if let Some(at) = frame.received_at {
                times = Some(times.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
            }
        }
    }
    if segment.form.is_none() || next.is_some_and(|next| next > position) {
        sum.note_damaged(segment, position, limit, lines);
    }
    sum.frames += frames;
    let form = match segment.form {
        Some(Form::First) => "first form",
        Some(Form::Second { .. }) => "second form",
        None => "head damaged",
    };
    let received =
        times.map_or_else(String::new, |(first, last)| format!(", received from {first} to {last} ms"));
    let _ = writeln!(
        lines,
        "{}: {form}, {frames} frames up to position {position}{received}",
        segment.path().display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_segment_that_is_given_back_meanwhile_is_not_damaged_and_one_that_is_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk::folder(folder.path());
        let bases = [0, 1_000];
        let segments = bases.map(|base| Segment::create(&disk, base, 7, 8_192, |_| false).unwrap());
        let read = |bases: &[u64]| read_all(&disk, bases).unwrap().1;
        // The first ends where the second begins, and holds nothing before that.
        assert_eq!((read(&bases).damaged, read(&bases).segments), (1, 2));
        fs::remove_file(segments[0].path()).unwrap();
        assert_eq!((read(&bases).damaged, read(&bases).segments), (0, 1));
    }
}
