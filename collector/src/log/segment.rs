//! The files of the log: preallocated segments named by the position of their first byte. A segment ends where the next one
//! begins, whatever stands behind that in its file.
//!
//! Before the frames of the second form there are 4,096 bytes, whose halves both begin with `ATTLOG02` · `base: u64` ·
//! `epoch: u64` · `made at: i64, ms` · `checksum: u32` (little endian, CRC-32C), so that one sector may be lost. Before those
//! of the first form there is `ATTLOG01`.

use super::disk::{Disk, File, How, read_up_to, write_all_at};
use super::frame::{self, Form, Frame};
use crate::clock;
use crate::limits::{LOG_READ_BYTES, MAX_FRAME_BYTES, MAX_GROUP_BYTES};
use attune_core::time::Timestamp;
use memchr::memmem;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const FAMILY: &[u8] = b"ATTLOG";
const FIRST: &[u8; 8] = b"ATTLOG01";
const SECOND: &[u8; 8] = b"ATTLOG02";
/// Bytes of a segment before its first frame.
pub const PREFIX_BYTES: u64 = 4_096;
/// Bytes before the checksum of the head of a segment.
const HEAD_BYTES: usize = 32;

/// What the log writes between two syncs at most: a group, and the frame that has filled it.
const MAX_WRITE_BYTES: u64 = (MAX_GROUP_BYTES + frame::HEADER_BYTES + MAX_FRAME_BYTES) as u64;

/// Name of a segment that is being made.
const UNFINISHED: &str = "segment.new";

/// One open segment.
#[derive(Debug)]
pub struct Segment {
    file: Box<dyn File>,
    path: PathBuf,
    /// Log position of its first frame.
    pub base: u64,
    /// How its frames are written; nothing where its head is damaged, so that no frame can be told.
    pub form: Option<Form>,
}

/// Consecutive intact frames of a segment.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Where they begin: behind the place that was asked for where what stands there is damaged.
    pub position: u64,
    /// The frames.
    pub bytes: Vec<u8>,
    /// How they are written.
    pub form: Form,
}

impl Found {
    /// The frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        frames(self.form, &self.bytes, self.position)
    }
}

impl Segment {
    /// Makes a segment whose first frame is at `base`, durable in its folder: of a spare, which `take_spare` renames and says
    /// so, or else of a new file. It has its name only once it is whole: who dies before that, or finds the disk full, leaves no segment that
    /// cannot be opened. One that has begun there already, and holds nothing that counts, is replaced.
    pub fn create(
        disk: &Disk,
        base: u64,
        epoch: u64,
        capacity: u64,
        take_spare: impl FnOnce(&str) -> bool,
    ) -> io::Result<Self> {
        let name = name_of(base);
        let is_spare = take_spare(UNFINISHED);
        let file = disk.open(UNFINISHED, if is_spare { How::Kept } else { How::Empty })?;
        let head = head(base, epoch);
        let made = if is_spare { Ok(()) } else { file.reserve(capacity) }
            .and_then(|()| write_all_at(&*file, &head, 0))
            .and_then(|()| write_all_at(&*file, &head, PREFIX_BYTES / 2))
            .and_then(|()| file.sync_all())
            .and_then(|()| disk.rename(UNFINISHED, &name))
            .and_then(|()| disk.sync());
        // What it has taken of a full disk is needed there.
        made.inspect_err(|_| drop(disk.remove(UNFINISHED)))?;
        Ok(Self { file, path: disk.path().join(name), base, form: Some(Form::Second { epoch }) })
    }

    /// Opens an existing segment to be read, also one whose head is damaged.
    ///
    /// # Errors
    /// It cannot be read, or is of a later version.
    pub fn open(disk: &Disk, base: u64) -> io::Result<Self> {
        Self::open_as(disk, base, How::Read)
    }

    /// Opens an existing segment to be read and written, also one whose head is damaged.
    ///
    /// # Errors
    /// It cannot be read or written, or is of a later version.
    pub fn open_to_write(disk: &Disk, base: u64) -> io::Result<Self> {
        Self::open_as(disk, base, How::Write)
    }

    fn open_as(disk: &Disk, base: u64, how: How) -> io::Result<Self> {
        let name = name_of(base);
        let file = disk.open(&name, how)?;
        let path = disk.path().join(name);
        let heads = [0, PREFIX_BYTES / 2].map(|offset| read_up_to(&*file, offset, HEAD_BYTES + 4));
        let [first, second] = heads;
        let (first, second) = (first?, second?);
        let form = [&first, &second].into_iter().find_map(|bytes| form_in(bytes, base));
        let is_later = |bytes: &Vec<u8>| {
            bytes.strip_prefix(FAMILY).and_then(|rest| rest.get(..2)).is_some_and(|version| {
                version.iter().all(u8::is_ascii_digit) && version > &SECOND[FAMILY.len()..]
            })
        };
        if form.is_none() && is_later(&first) && is_later(&second) {
            let message = format!("{} is a log segment of a later version", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Self { file, path, base, form })
    }

    /// Writes whole frames at a position.
    pub fn write(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        write_all_at(&*self.file, bytes, self.offset(position))
    }

    /// Makes what has been written durable.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Makes durable what is found in it up to `end`, also where an earlier sync of the bytes that were written last has
    /// failed: the system shows them as written then, and no further sync writes them unless they are written again.
    pub fn settle(&self, end: u64) -> io::Result<()> {
        if self.form.is_none() {
            return Ok(());
        }
        let from = end.saturating_sub(MAX_WRITE_BYTES).max(self.base);
        let last = self.read_up_to(from, end.saturating_sub(from) as usize)?;
        self.write(&last, from)?;
        self.sync()
    }

    /// The next intact frames from `position` on and before `end`; nothing where there is none.
    pub fn read(&self, position: u64, end: u64) -> io::Result<Option<Found>> {
        let Some(form) = self.form else { return Ok(None) };
        let found = self.read_at(form, position, end)?;
        if found.is_some() {
            return Ok(found);
        }
        match form {
            // Nothing says where another begins but the length of this one.
            Form::First => {
                let header = self.read_up_to(position, form.header_bytes())?;
                let Some(length) = form.declared_length(&header, position) else { return Ok(None) };
                self.read_at(form, position + (form.header_bytes() + length) as u64, end)
            }
            Form::Second { .. } => self.search(form, position, end),
        }
    }

    /// The intact frames that begin at a position, as many as are read at a time.
    fn read_at(&self, form: Form, position: u64, end: u64) -> io::Result<Option<Found>> {
        let Some(left) = end.checked_sub(position) else { return Ok(None) };
        let mut bytes = self.read_up_to(position, left.min(LOG_READ_BYTES as u64) as usize)?;
        if let Some(length) = form.declared_length(&bytes, position) {
            let whole = form.header_bytes() + length;
            if whole > bytes.len() && whole as u64 <= left {
                bytes = self.read_up_to(position, whole)?;
            }
        }
        let mut intact = 0;
        while let Some(frame) = form.read(&bytes[intact as usize..], position + intact) {
            intact = frame.end - position;
        }
        bytes.truncate(intact as usize);
        Ok((intact > 0).then_some(Found { position, bytes, form }))
    }

    /// Looks for the next place at which an intact frame begins.
    fn search(&self, form: Form, position: u64, end: u64) -> io::Result<Option<Found>> {
        let mark = memmem::Finder::new(&frame::MARK);
        let mut window = position + 1;
        while window < end {
            let bytes = self.read_up_to(window, LOG_READ_BYTES)?;
            for at in mark.find_iter(&bytes) {
                let (header, place) = (&bytes[at..], window + at as u64);
                if header.len() >= form.header_bytes() && form.declared_length(header, place).is_none() {
                    continue;
                }
                let found = self.read_at(form, place, end)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            if bytes.len() < LOG_READ_BYTES {
                break;
            }
            // A mark may lie across the border.
            window += (LOG_READ_BYTES - frame::MARK.len() + 1) as u64;
        }
        Ok(None)
    }

    /// The position behind the last intact frame. Where its head is damaged, one that no frame of it can reach.
    pub fn find_end(&self) -> io::Result<u64> {
        let limit = self.capacity_end()?;
        if self.form.is_none() {
            return Ok(limit);
        }
        let mut end = self.base;
        while let Some(found) = self.read(end, limit)? {
            end = found.position + found.bytes.len() as u64;
        }
        Ok(end)
    }

    /// A position that no frame in its file can reach.
    pub fn capacity_end(&self) -> io::Result<u64> {
        Ok(self.base + self.file.length()?)
    }

    /// Lets writes fail.
    #[cfg(test)]
    pub fn make_unwritable(&mut self) {
        self.file = Box::new(std::fs::File::open(&self.path).expect("the segment is there"));
    }

    /// Where the segment lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn offset(&self, position: u64) -> u64 {
        let prefix = if self.form == Some(Form::First) { FIRST.len() as u64 } else { PREFIX_BYTES };
        prefix + (position - self.base)
    }

    fn read_up_to(&self, position: u64, length: usize) -> io::Result<Vec<u8>> {
        read_up_to(&*self.file, self.offset(position), length)
    }
}

/// The frames in bytes that are known to be intact and begin at `position`.
pub fn frames(form: Form, bytes: &[u8], position: u64) -> impl Iterator<Item = Frame<'_>> {
    let mut at = position;
    std::iter::from_fn(move || {
        let frame = form.read_known(bytes.get((at - position) as usize..)?, at)?;
        at = frame.end;
        Some(frame)
    })
}

/// The bases of the segments in a folder, ascending.
pub fn bases(disk: &Disk) -> io::Result<Vec<u64>> {
    let names = disk.names()?;
    let stems = names.iter().filter_map(|name| name.strip_suffix(".log"));
    let mut bases: Vec<u64> = stems.filter_map(|stem| stem.parse().ok()).collect();
    bases.sort_unstable();
    Ok(bases)
}

/// What of a log is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// From this time on.
    pub since: Timestamp,
    /// So many bytes at most, where there is a limit.
    pub bytes: Option<u64>,
}

/// The oldest segments that need not be kept, and hold no position from `needed` on; the newest always stays.
pub fn outlived(disk: &Disk, needed: u64, keep: Keep) -> io::Result<Vec<u64>> {
    let bases = bases(disk)?;
    let newest = bases.last().copied().unwrap_or(0);
    let mut outlived = Vec::new();
    for pair in bases.windows(2) {
        let [base, next] = pair else { break };
        let is_beyond = keep.bytes.is_some_and(|bytes| newest.saturating_sub(*next) >= bytes);
        if *next > needed || !is_beyond && made_at(disk, *next)? >= keep.since {
            break;
        }
        outlived.push(*base);
    }
    Ok(outlived)
}

/// When a segment was made, and thereby the one before it ended; when it was last written to where its head does not say.
pub fn made_at(disk: &Disk, base: u64) -> io::Result<Timestamp> {
    let file = disk.open(&name_of(base), How::Read)?;
    let bytes = read_up_to(&*file, 0, HEAD_BYTES + 4)?;
    if let Some(Form::Second { .. }) = form_in(&bytes, base) {
        return Ok(Timestamp(frame::u64_at(&bytes, 24).unwrap_or_default().cast_signed()));
    }
    let since = file.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// The name of the segment that begins at `base`.
pub fn name_of(base: u64) -> String {
    format!("{base:020}.log")
}

fn head(base: u64, epoch: u64) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD_BYTES + 4);
    head.extend_from_slice(SECOND);
    head.extend_from_slice(&base.to_le_bytes());
    head.extend_from_slice(&epoch.to_le_bytes());
    head.extend_from_slice(&clock::now().0.to_le_bytes());
    head.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
    head
}

/// How frames are written behind this head; nothing where it is damaged, or of a segment that begins elsewhere.
fn form_in(bytes: &[u8], base: u64) -> Option<Form> {
    if bytes.starts_with(FIRST) {
        return Some(Form::First);
    }
    let is_intact = bytes.starts_with(SECOND)
        && frame::u64_at(bytes, 8) == Some(base)
        && frame::u32_at(bytes, HEAD_BYTES) == Some(crc32c::crc32c(bytes.get(..HEAD_BYTES)?));
    is_intact.then(|| frame::u64_at(bytes, 16)).flatten().map(|epoch| Form::Second { epoch })
}
