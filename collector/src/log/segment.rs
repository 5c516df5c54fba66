//! The files of the log: preallocated segments named by the position of their first byte.

use super::frame;
use crate::limits::{LOG_READ_BYTES, SEGMENT_BYTES};
use rustix::fs::FallocateFlags;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"ATTLOG01";
/// Bytes of a segment before its first frame.
pub const PREFIX_BYTES: u64 = MAGIC.len() as u64;

/// Name of a segment that is being made.
const UNFINISHED: &str = "segment.new";

/// One open segment.
#[derive(Debug)]
pub struct Segment {
    file: File,
    path: PathBuf,
    /// Log position of its first frame.
    pub base: u64,
}

impl Segment {
    /// Creates a preallocated segment whose first frame is at `base`, durable in its folder. It has its name only once it is
    /// whole: who dies before that, or finds the disk full, leaves no segment that cannot be opened.
    pub fn create(folder: &Path, base: u64, capacity: u64) -> io::Result<Self> {
        let path = folder.join(format!("{base:020}.log"));
        let unfinished = folder.join(UNFINISHED);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&unfinished)?;
        let made = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, capacity)
            .map_err(io::Error::from)
            .and_then(|()| file.write_all_at(MAGIC, 0))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&unfinished, &path))
            .and_then(|()| File::open(folder)?.sync_all());
        // What it has taken of a full disk is needed there.
        made.inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
        Ok(Self { file, path, base })
    }

    /// Opens an existing segment.
    pub fn open(folder: &Path, base: u64) -> io::Result<Self> {
        let path = folder.join(format!("{base:020}.log"));
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let mut magic = [0; MAGIC.len()];
        file.read_exact_at(&mut magic, 0)?;
        if &magic != MAGIC {
            let message = format!("{} is not a log segment of this version", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Self { file, path, base })
    }

    /// Writes whole frames at a position and makes them durable.
    pub fn write(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, PREFIX_BYTES + (position - self.base))
    }

    /// Makes what has been written durable.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Reads the intact frames from `position` on, up to `end`, at least one where there is one.
    pub fn read(&self, position: u64, end: u64) -> io::Result<Vec<u8>> {
        let wanted = (end - position).min(LOG_READ_BYTES as u64);
        let mut bytes = self.read_up_to(position, wanted as usize)?;
        if let Some(length) = frame::declared_length(&bytes) {
            let whole = frame::HEADER_BYTES + length;
            if whole > bytes.len() {
                bytes = self.read_up_to(position, whole)?;
            }
        }
        let intact = intact_length(&bytes, position);
        bytes.truncate(intact);
        Ok(bytes)
    }

    /// The position behind the last intact frame.
    pub fn find_end(&self) -> io::Result<u64> {
        let mut position = self.base;
        loop {
            let bytes = self.read(position, position + LOG_READ_BYTES as u64)?;
            if bytes.is_empty() {
                return Ok(position);
            }
            position += bytes.len() as u64;
        }
    }

    /// Cuts everything behind `end` off, so that nothing old can follow what is written next, and preallocates again.
    ///
    /// Returns whether anything but zeros was there.
    pub fn cut(&self, end: u64) -> io::Result<bool> {
        let offset = PREFIX_BYTES + (end - self.base);
        let torn = self.read_up_to(end, LOG_READ_BYTES)?.iter().any(|byte| *byte != 0);
        self.file.set_len(offset)?;
        rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, SEGMENT_BYTES.max(offset))?;
        self.file.sync_all()?;
        Ok(torn)
    }

    /// Where the segment lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read_up_to(&self, position: u64, length: usize) -> io::Result<Vec<u8>> {
        let offset = PREFIX_BYTES + (position - self.base);
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.file.read_at(&mut bytes[filled..], offset + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

/// The bases of the segments in a folder, ascending.
pub fn bases(folder: &Path) -> io::Result<Vec<u64>> {
    let mut bases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".log"));
        bases.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
    }
    bases.sort_unstable();
    Ok(bases)
}

/// Removes the oldest segments while more than `keep_bytes` remain, but none that holds a position from `needed` on.
pub fn remove_old(folder: &Path, needed: u64, keep_bytes: u64) -> io::Result<()> {
    let bases = bases(folder)?;
    let newest = bases.last().copied().unwrap_or(0);
    for pair in bases.windows(2) {
        if pair[1] > needed || newest.saturating_sub(pair[1]) < keep_bytes {
            break;
        }
        fs::remove_file(folder.join(format!("{:020}.log", pair[0])))?;
    }
    Ok(())
}

fn intact_length(bytes: &[u8], position: u64) -> usize {
    let mut length = 0;
    while let Some(payload) = frame::read(&bytes[length..], position + length as u64) {
        length += frame::HEADER_BYTES + payload.len();
    }
    length
}
