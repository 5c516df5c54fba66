//! Blanking records where they stand: every frame keeps its place and length, and a crash at any step is made good.
//!
//! What is to be written is written to a journal first, which is whole or not there at all. It is carried out and then
//! removed; a journal that is found when the log is opened is carried out again, which changes nothing more.

use super::disk::{Disk, How, read_up_to, write_all_at};
use super::frame::{Form, Frame};
use super::segment::{Segment, bases};
use attune_core::codec::{Reader, Writer};
use attune_core::time::Timestamp;
use std::io;

/// How a journal begins; one that begins otherwise has whole frames of the first form.
const SECOND: &[u8; 8] = b"ATTBLK02";

/// Name of the journal.
const JOURNAL: &str = "blank.journal";
/// Name of one that is being written, and not to be carried out.
const UNFINISHED: &str = "blank.new";

/// What takes the place of the frame at its position.
#[derive(Debug, PartialEq, Eq)]
pub struct NewFrame {
    /// Log position of its first byte.
    pub position: u64,
    /// When what stood there was written.
    pub received_at: Timestamp,
    /// Its records, as long as those that stood there.
    pub payload: Vec<u8>,
}

impl NewFrame {
    /// A frame with each record for which `is_blank` says so blanked; nothing where there is none.
    pub fn blanked(
        frame: &Frame<'_>,
        is_blank: impl Fn(&[u8]) -> bool,
        blank: impl Fn(&mut [u8]),
    ) -> Option<Self> {
        let mut payload = frame.payload.to_vec();
        let mut changed = false;
        for record in frame.records().filter(|record| is_blank(record)) {
            // A record is a part of its payload.
            let from = record.as_ptr().addr() - frame.payload.as_ptr().addr();
            blank(&mut payload[from..from + record.len()]);
            changed = true;
        }
        let received_at = frame.received_at.unwrap_or(Timestamp(0));
        changed.then_some(Self { position: frame.position, received_at, payload })
    }
}

/// Puts frames in the place of those at their positions, durably.
pub fn replace(disk: &Disk, frames: &[NewFrame]) -> io::Result<()> {
    // What could not be finished the last time would be forgotten with its journal.
    carry_out(disk)?;
    if frames.is_empty() {
        return Ok(());
    }
    write_journal(disk, &encode(frames))?;
    carry_out(disk)
}

/// Finishes what a crash has interrupted.
pub fn carry_out(disk: &Disk) -> io::Result<()> {
    let _ = disk.remove(UNFINISHED);
    let Some(length) = disk.length(JOURNAL)? else { return Ok(()) };
    let bytes =
        read_up_to(&*disk.open(JOURNAL, How::Read)?, 0, usize::try_from(length).unwrap_or(usize::MAX))?;
    let frames = decode(&bytes).ok_or_else(|| {
        let path = disk.path().join(JOURNAL);
        let message = format!("{} is not a journal of this version", path.display());
        io::Error::new(io::ErrorKind::InvalidData, message)
    })?;
    let bases = bases(disk)?;
    let mut open: Option<Segment> = None;
    for NewFrame { position, received_at, payload } in frames {
        // A segment that has been given back meanwhile needs nothing more.
        let Some(base) = bases.iter().rev().find(|base| **base <= position) else { continue };
        if open.as_ref().is_none_or(|segment| segment.base != *base) {
            sync(open.take())?;
            open = Some(Segment::open_to_write(disk, *base)?);
        }
        // In a segment whose head is damaged nothing is found any more.
        let Some((segment, form)) = open.as_ref().and_then(|segment| Some((segment, segment.form?))) else {
            continue;
        };
        segment.write(&form.write(&payload, position, received_at), position)?;
    }
    sync(open)?;
    disk.remove(JOURNAL)?;
    disk.sync()
}

/// Writes a journal, which is whole once it has its name.
fn write_journal(disk: &Disk, bytes: &[u8]) -> io::Result<()> {
    let file = disk.open(UNFINISHED, How::Private)?;
    write_all_at(&*file, bytes, 0)?;
    file.sync_all()?;
    disk.rename(UNFINISHED, JOURNAL)?;
    disk.sync()
}

fn sync(segment: Option<Segment>) -> io::Result<()> {
    segment.map_or(Ok(()), |segment| segment.sync())
}

fn encode(frames: &[NewFrame]) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(SECOND);
    out.len(frames.len());
    for frame in frames {
        out.u64(frame.position);
        out.i64(frame.received_at.0);
        out.bytes(&frame.payload);
    }
    out.into_bytes()
}

fn decode(bytes: &[u8]) -> Option<Vec<NewFrame>> {
    let second = bytes.strip_prefix(SECOND);
    let mut reader = Reader::new(second.unwrap_or(bytes));
    let count = reader.u64().ok()?;
    let mut frames = Vec::new();
    for _ in 0..count {
        let position = reader.u64().ok()?;
        let received_at = if second.is_some() { reader.i64().ok()? } else { 0 };
        let bytes = reader.bytes().ok()?;
        let payload = if second.is_some() { bytes } else { bytes.get(Form::First.header_bytes()..)? };
        frames.push(NewFrame { position, received_at: Timestamp(received_at), payload: payload.to_vec() });
    }
    reader.is_empty().then_some(frames)
}

#[cfg(test)]
mod tests {
    use super::super::disk;
    use super::super::frame::push_record;
    use super::*;
    use std::fs;

    const CAPACITY: u64 = 16_384;

    const AT: Timestamp = Timestamp(1_764_000_000_000);

    fn payload_of(records: &[&[u8]]) -> Vec<u8> {
        let mut payload = Vec::new();
        records.iter().for_each(|record| push_record(&mut payload, record));
        payload
    }

    /// A log of two segments with two frames each.
    fn planted(folder: &Disk) -> Vec<u64> {
        let (mut position, mut positions) = (0, Vec::new());
        for epoch in 0..2 {
            let segment = Segment::create(folder, position, epoch, CAPACITY, |_| false).unwrap();
            for _ in 0..2 {
                let payload = payload_of(&[b"other", b"planted", b"more"]);
                let bytes = segment.form.unwrap().write(&payload, position, AT);
                segment.write(&bytes, position).unwrap();
                positions.push(position);
                position += bytes.len() as u64;
            }
        }
        positions
    }

    fn segment_of(folder: &Disk, position: u64) -> Segment {
        let base = *bases(folder).unwrap().iter().rev().find(|base| **base <= position).unwrap();
        Segment::open_to_write(folder, base).unwrap()
    }

    fn blanked(folder: &Disk, positions: &[u64]) -> Vec<NewFrame> {
        let found = positions.iter().filter_map(|position| {
            let found = segment_of(folder, *position).read(*position, position + CAPACITY).unwrap().unwrap();
            let frame = found.frames().next().unwrap();
            NewFrame::blanked(&frame, |record| record == b"planted", |record| record.fill(0))
        });
        found.collect()
    }

    fn records_at(folder: &Disk, position: u64) -> Vec<Vec<u8>> {
        let found = segment_of(folder, position).read(position, position + CAPACITY).unwrap().unwrap();
        let frame = found.frames().next().unwrap();
        assert_eq!((frame.position, frame.received_at), (position, Some(AT)));
        frame.records().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn blanked_records_leave_their_neighbours_where_they_are() {
        let place = tempfile::tempdir().unwrap();
        let folder = disk::folder(place.path());
        let positions = planted(&folder);
        replace(&folder, &blanked(&folder, &positions)).unwrap();
        for position in positions {
            assert_eq!(records_at(&folder, position), [&b"other"[..], &[0; 7], b"more"]);
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2, "no journal is left");
    }

    #[test]
    fn what_a_crash_has_interrupted_is_made_good_at_whatever_step() {
        for written in 0..=4 {
            let place = tempfile::tempdir().unwrap();
            let folder = disk::folder(place.path());
            let positions = planted(&folder);
            let frames = blanked(&folder, &positions);
            write_journal(&folder, &encode(&frames)).unwrap();
            // The crash comes in the middle of the frame after those that were written.
            for (place, frame) in frames.iter().enumerate().take(written + 1) {
                let segment = segment_of(&folder, frame.position);
                let bytes = segment.form.unwrap().write(&frame.payload, frame.position, frame.received_at);
                let half = if place == written { bytes.len() / 2 } else { bytes.len() };
                segment.write(&bytes[..half], frame.position).unwrap();
            }
            fs::write(place.path().join("blank.new"), b"half").unwrap();
            carry_out(&folder).unwrap();
            for position in &positions {
                assert_eq!(records_at(&folder, *position)[1], [0; 7], "{written}");
            }
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
        }
    }

    #[test]
    fn a_journal_of_another_form_stops_the_log_from_being_opened() {
        let place = tempfile::tempdir().unwrap();
        let folder = disk::folder(place.path());
        fs::write(place.path().join(JOURNAL), [9, 9]).unwrap();
        assert!(carry_out(&folder).is_err());
    }
}
