//! Reading the log by position: from memory while the reader keeps up, from disk while it catches up.

use super::frame;
use super::segment::{Segment, bases};
use super::tail::Tail;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads whole frames in log order.
#[derive(Debug)]
pub struct LogReader {
    folder: PathBuf,
    tail: Arc<Tail>,
    position: u64,
    segment: Option<Segment>,
}

/// Some consecutive frames.
#[derive(Clone, Debug)]
pub struct Chunk {
    bytes: Arc<Vec<u8>>,
    offset: usize,
    position: u64,
}

impl LogReader {
    pub(super) fn new(folder: PathBuf, tail: Arc<Tail>, position: u64) -> Self {
        Self { folder, tail, position, segment: None }
    }

    /// The next frames, or nothing at the end of the log.
    ///
    /// # Errors
    /// A segment that cannot be read, or whose durable part is damaged.
    pub fn read_on(&mut self) -> io::Result<Option<Chunk>> {
        if let Some((bytes, offset)) = self.tail.find(self.position) {
            let chunk = Chunk { bytes, offset, position: self.position };
            self.position += (chunk.bytes.len() - offset) as u64;
            self.segment = None;
            return Ok(Some(chunk));
        }
        let end = self.tail.end();
        if self.position >= end {
            return Ok(None);
        }
        let bytes = self.read_from_disk(end)?;
        let chunk = Chunk { bytes: Arc::new(bytes), offset: 0, position: self.position };
        self.position += chunk.bytes.len() as u64;
        Ok(Some(chunk))
    }

    /// How many bytes lie between here and the end of the log.
    pub fn behind(&self) -> u64 {
        self.tail.end().saturating_sub(self.position)
    }

    fn read_from_disk(&mut self, end: u64) -> io::Result<Vec<u8>> {
        if let Some(segment) = &self.segment {
            let bytes = segment.read(self.position, end)?;
            if !bytes.is_empty() {
                return Ok(bytes);
            }
        }
        let bases = bases(&self.folder)?;
        let after = bases.partition_point(|base| *base <= self.position);
        let base =
            after.checked_sub(1).and_then(|index| bases.get(index)).ok_or_else(|| damaged(self.position))?;
        let segment = Segment::open(&self.folder, *base)?;
        let bytes = segment.read(self.position, end)?;
        self.segment = Some(segment);
        if bytes.is_empty() { Err(damaged(self.position)) } else { Ok(bytes) }
    }
}

impl Chunk {
    /// Each frame's records payload with the position behind the frame, in order.
    pub fn frames(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let mut offset = self.offset;
        std::iter::from_fn(move || {
            let length = frame::declared_length(self.bytes.get(offset..)?)?;
            let start = offset + frame::HEADER_BYTES;
            let payload = self.bytes.get(start..start + length)?;
            offset = start + length;
            Some((payload, self.position + (offset - self.offset) as u64))
        })
    }
}

/// A frame boundary from which on at most about so many bytes lead to `end`.
///
/// Frames can only be found from the start of a segment, so it is the first segment within the bound.
pub(super) fn position_within(folder: &Path, end: u64, bytes: u64) -> io::Result<u64> {
    let bases = bases(folder)?;
    let within = bases.partition_point(|base| base + bytes < end);
    Ok(bases.get(within).copied().unwrap_or(end))
}

fn damaged(position: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the log is damaged or missing at position {position}"),
    )
}
