//! Blanking records where they stand: every frame keeps its place and length, and a crash at any step is made good.
//!
//! What is to be written is written to a journal first, which is whole or not there at all. It is carried out and then
//! removed; a journal that is found when the log is opened is carried out again, which changes nothing more.

use super::frame;
use super::segment::{Segment, bases};
use crate::whole_file;
use attune_core::codec::{Reader, Writer};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A frame that takes the place of the one at its position.
#[derive(Debug, PartialEq, Eq)]
pub struct NewFrame {
    /// Log position of its first byte.
    pub position: u64,
    /// Header and payload.
    pub bytes: Vec<u8>,
}

impl NewFrame {
    /// The frame whose payload ends at `end`, with each record for which `blank` says so blanked; nothing where there
    /// is none.
    pub fn blanked(
        payload: &[u8],
        end: u64,
        is_blank: impl Fn(&[u8]) -> bool,
        blank: impl Fn(&mut [u8]),
    ) -> Option<Self> {
        let length = frame::HEADER_BYTES + payload.len();
        let position = end.checked_sub(length as u64)?;
        let mut bytes = Vec::with_capacity(length);
        let start = frame::begin(&mut bytes);
        bytes.extend_from_slice(payload);
        let mut changed = false;
        for record in frame::records(payload).filter(|record| is_blank(record)) {
            // A record is a part of its payload.
            let from = frame::HEADER_BYTES + (record.as_ptr().addr() - payload.as_ptr().addr());
            blank(&mut bytes[from..from + record.len()]);
            changed = true;
        }
        frame::finish(&mut bytes, start, position);
        changed.then_some(Self { position, bytes })
    }
}

/// Puts frames in the place of those at their positions, durably.
pub fn replace(folder: &Path, frames: &[NewFrame]) -> io::Result<()> {
    if frames.is_empty() {
        return Ok(());
    }
    whole_file::write(&journal(folder), &encode(frames))?;
    carry_out(folder)
}

/// Finishes what a crash has interrupted.
pub fn carry_out(folder: &Path) -> io::Result<()> {
    let path = journal(folder);
    // Written half, it was never to be carried out.
    let _ = fs::remove_file(path.with_extension("new"));
    let Some(bytes) = whole_file::read(&path)? else { return Ok(()) };
    let frames = decode(&bytes).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is not a journal of this version", path.display()),
        )
    })?;
    let bases = bases(folder)?;
    let mut open: Option<Segment> = None;
    for NewFrame { position, bytes } in frames {
        // A segment that has been given back meanwhile needs nothing more.
        let Some(base) = bases.iter().rev().find(|base| **base <= position) else { continue };
        if open.as_ref().is_none_or(|segment| segment.base != *base) {
            sync(open.take())?;
            open = Some(Segment::open(folder, *base)?);
        }
        open.iter().try_for_each(|segment| segment.write(&bytes, position))?;
    }
    sync(open)?;
    fs::remove_file(&path)?;
    File::open(folder)?.sync_all()
}

fn sync(segment: Option<Segment>) -> io::Result<()> {
    segment.map_or(Ok(()), |segment| segment.sync())
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("blank.journal")
}

fn encode(frames: &[NewFrame]) -> Vec<u8> {
    let mut out = Writer::new();
    out.len(frames.len());
    for frame in frames {
        out.u64(frame.position);
        out.bytes(&frame.bytes);
    }
    out.into_bytes()
}

fn decode(bytes: &[u8]) -> Option<Vec<NewFrame>> {
    let mut reader = Reader::new(bytes);
    let count = reader.u64().ok()?;
    let mut frames = Vec::new();
    for _ in 0..count {
        frames.push(NewFrame { position: reader.u64().ok()?, bytes: reader.bytes().ok()?.to_vec() });
    }
    reader.is_empty().then_some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: u64 = 4_096;

    fn frame_of(position: u64, records: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let start = frame::begin(&mut out);
        records.iter().for_each(|record| frame::push_record(&mut out, record));
        frame::finish(&mut out, start, position);
        out
    }

    /// A log of two segments with two frames each.
    fn planted(folder: &Path) -> Vec<u64> {
        let (mut position, mut positions) = (0, Vec::new());
        for _ in 0..2 {
            let segment = Segment::create(folder, position, CAPACITY).unwrap();
            for _ in 0..2 {
                let bytes = frame_of(position, &[b"other", b"planted", b"more"]);
                segment.write(&bytes, position).unwrap();
                positions.push(position);
                position += bytes.len() as u64;
            }
        }
        positions
    }

    fn blanked(folder: &Path, positions: &[u64]) -> Vec<NewFrame> {
        let found = positions.iter().filter_map(|position| {
            let base = *bases(folder).unwrap().iter().rev().find(|base| **base <= *position).unwrap();
            let bytes = Segment::open(folder, base).unwrap().read(*position, position + CAPACITY).unwrap();
            let payload = frame::read(&bytes, *position).unwrap();
            let end = position + (frame::HEADER_BYTES + payload.len()) as u64;
            NewFrame::blanked(payload, end, |record| record == b"planted", |record| record.fill(0))
        });
        found.collect()
    }

    fn records_at(folder: &Path, position: u64) -> Vec<Vec<u8>> {
        let base = *bases(folder).unwrap().iter().rev().find(|base| **base <= position).unwrap();
        let bytes = Segment::open(folder, base).unwrap().read(position, position + CAPACITY).unwrap();
        frame::records(frame::read(&bytes, position).unwrap()).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn blanked_records_leave_their_neighbours_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let positions = planted(folder.path());
        replace(folder.path(), &blanked(folder.path(), &positions)).unwrap();
        for position in positions {
            assert_eq!(records_at(folder.path(), position), [&b"other"[..], &[0; 7], b"more"]);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no journal is left");
    }

    #[test]
    fn what_a_crash_has_interrupted_is_made_good_at_whatever_step() {
        for written in 0..=4 {
            let folder = tempfile::tempdir().unwrap();
            let positions = planted(folder.path());
            let frames = blanked(folder.path(), &positions);
            whole_file::write(&journal(folder.path()), &encode(&frames)).unwrap();
            // The crash comes in the middle of the frame after those that were written.
            for (place, frame) in frames.iter().enumerate().take(written + 1) {
                let half = if place == written { frame.bytes.len() / 2 } else { frame.bytes.len() };
                let base = *bases(folder.path())
                    .unwrap()
                    .iter()
                    .rev()
                    .find(|base| **base <= frame.position)
                    .unwrap();
                let segment = Segment::open(folder.path(), base).unwrap();
                segment.write(&frame.bytes[..half], frame.position).unwrap();
            }
            fs::write(folder.path().join("blank.new"), b"half").unwrap();
            carry_out(folder.path()).unwrap();
            for position in &positions {
                assert_eq!(records_at(folder.path(), *position)[1], [0; 7], "{written}");
            }
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        }
    }

    #[test]
    fn a_journal_of_another_form_stops_the_log_from_being_opened() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(journal(folder.path()), [9, 9]).unwrap();
        assert!(carry_out(folder.path()).is_err());
    }
}
