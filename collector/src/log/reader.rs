//! Reading the log by position: from memory while the reader keeps up, from disk while it catches up. What is damaged is
//! passed over and told; what stands behind it is read.

use super::disk::Disk;
use super::frame::{Form, Frame};
use super::segment::{Found, Segment, bases, frames, made_at, name_of};
use super::tail::Tail;
use crate::clock;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Reads whole frames in log order.
#[derive(Debug)]
pub struct LogReader {
    disk: Disk,
    tail: Arc<Tail>,
    position: u64,
    segment: Option<Segment>,
    damaged: Vec<Range<u64>>,
    /// Whether segments may be given back before they are read.
    is_beside: bool,
}

/// Some consecutive frames.
#[derive(Clone, Debug)]
pub struct Chunk {
    bytes: Arc<Vec<u8>>,
    offset: usize,
    position: u64,
    form: Form,
}

impl LogReader {
    pub(super) fn new(disk: Disk, tail: Arc<Tail>, position: u64) -> Self {
        Self { disk, tail, position, segment: None, damaged: Vec::new(), is_beside: false }
    }

    /// One that reads beside a collector: what that gives back meanwhile is not damaged.
    pub(super) fn beside(disk: Disk, tail: Arc<Tail>, position: u64) -> Self {
        Self { is_beside: true, ..Self::new(disk, tail, position) }
    }

    /// The next frames, or nothing at the end of the log. They begin further on where something before them is damaged, or
    /// not there any more.
    ///
    /// # Errors
    /// A segment that cannot be read, or is of a later version.
    pub fn read_on(&mut self) -> io::Result<Option<Chunk>> {
        if let Some((bytes, offset, form)) = self.tail.find(self.position) {
            let chunk = Chunk { bytes, offset, position: self.position, form };
            self.position += (chunk.bytes.len() - offset) as u64;
            self.segment = None;
            return Ok(Some(chunk));
        }
        let end = self.tail.end();
        while self.position < end {
            if let Some(Found { position, bytes, form }) = self.read_from_disk(end)? {
                self.pass_over(position);
                self.position += bytes.len() as u64;
                return Ok(Some(Chunk { bytes: Arc::new(bytes), offset: 0, position, form }));
            }
        }
        Ok(None)
    }

    /// Where it reads on.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Another reader of this log, from a position.
    pub fn at(&self, position: u64) -> Self {
        Self::new(self.disk.clone(), self.tail.clone(), position)
    }

    /// The position behind the last durable record.
    pub fn end(&self) -> u64 {
        self.tail.end()
    }

    /// The oldest position that the log still has.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn oldest(&self) -> io::Result<u64> {
        Ok(bases(&self.disk)?.first().copied().unwrap_or_else(|| self.end()))
    }

    /// A position from which on the log has at least so many milliseconds, where no segment counts for more than `longest_ms`
    /// and none for less than nothing, whatever the clock was set to; the oldest where it has not as many.
    ///
    /// # Errors
    /// A segment that cannot be read.
    pub fn position_of_time(&self, window_ms: u64, longest_ms: u64) -> io::Result<u64> {
        let bases = bases(&self.disk)?;
        let (mut later, mut passed) = (clock::now(), 0);
        for base in bases.iter().rev() {
            let begun = made_at(&self.disk, *base)?;
            passed += u64::try_from(later.since(begun)).unwrap_or(0).min(longest_ms);
            if passed >= window_ms {
                return Ok(*base);
            }
            later = begun;
        }
        self.oldest()
    }

    /// How many bytes lie between here and the end of the log.
    pub fn behind(&self) -> u64 {
        self.tail.end().saturating_sub(self.position)
    }

    /// What has been passed over since this was asked last, from where to where.
    pub fn take_damaged(&mut self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.damaged)
    }

    /// Reads on in the segment of this position; where that holds nothing more, goes to the next one.
    fn read_from_disk(&mut self, end: u64) -> io::Result<Option<Found>> {
        let bases = bases(&self.disk)?;
        let after = bases.partition_point(|base| *base <= self.position);
        let limit = bases.get(after).map_or(end, |next| end.min(*next));
        let base = after.checked_sub(1).map(|index| bases[index]);
        let found = base.map_or(Ok(None), |base| self.read_in(base, limit));
        let is_next =
            found.as_ref().is_ok_and(|found| found.as_ref().is_some_and(|at| at.position == self.position));
        if self.is_beside && !is_next && !base.map_or(Ok(false), |base| is_there(&self.disk, base))? {
            (self.segment, self.position) = (None, limit);
            return Ok(None);
        }
        let found = found?;
        if found.is_none() {
            self.pass_over(limit);
        }
        Ok(found)
    }

    fn read_in(&mut self, base: u64, limit: u64) -> io::Result<Option<Found>> {
        if self.segment.as_ref().is_none_or(|segment| segment.base != base) {
            self.segment = Some(Segment::open(&self.disk, base)?);
        }
        self.segment.as_ref().map_or(Ok(None), |segment| segment.read(self.position, limit))
    }

    fn pass_over(&mut self, to: u64) {
        let from = self.position;
        if to > from {
            let folder = self.disk.path().display();
            tracing::error!(%folder, from, to, "the log is damaged or missing between these positions");
            self.damaged.push(from..to);
            self.position = to;
        }
    }
}

impl Chunk {
    /// The frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        frames(self.form, self.bytes.get(self.offset..).unwrap_or_default(), self.position)
    }
}

/// Whether a segment has not been given back.
pub(super) fn is_there(disk: &Disk, base: u64) -> io::Result<bool> {
    Ok(disk.length(&name_of(base))?.is_some())
}

/// A frame boundary from which on at most about so many bytes lead to `end`.
///
/// It is the first segment within the bound.
pub(super) fn position_within(disk: &Disk, end: u64, bytes: u64) -> io::Result<u64> {
    let bases = bases(disk)?;
    let within = bases.partition_point(|base| base + bytes < end);
    Ok(bases.get(within).copied().unwrap_or(end))
}
