//! The file with the entries of one generation, in the order in which they came: what decides whether an id is known.
//!
//! Blocks of 4,096 bytes, little endian. The first is the head: `checksum: u32` · `ATTDOR01` · `hash key: u64 u64` ·
//! `first: u64` · `known from: u64` · `covered: u64` · `ran: u64, ms` · `at: i64, ms`. The others: `checksum: u32` · `count: u32` ·
//! `covered: u64` · `ran: u64, ms` · `at: i64, ms` · entries of `id: u128` · `place: u32` · `payload: u32`; each but the last is
//! full. A checksum is CRC-32C of what follows it in the block. Nothing is synced: what is torn or missing, the log has.

use super::hash::HashKey;
use super::key::Seen;
use attune_core::time::Timestamp;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes of a block of the door's files.
pub const BLOCK_BYTES: usize = 4_096;
const MAGIC: &[u8; 8] = b"ATTDOR01";
const BLOCK_HEAD_BYTES: usize = 32;
const ENTRY_BYTES: usize = 24;
const BLOCK_ENTRIES: usize = (BLOCK_BYTES - BLOCK_HEAD_BYTES) / ENTRY_BYTES;
/// Entries for which room is kept in memory between two writes.
const KEPT_ENTRIES: usize = 8 * BLOCK_ENTRIES;

/// What the system says of a sector that cannot be read: `EIO`.
const UNREADABLE: i32 = rustix::io::Errno::IO.raw_os_error();

type Block = [u8; BLOCK_BYTES];

/// An event id and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event id.
    pub id: u128,
    /// The rest.
    pub seen: Seen,
}

/// How far something has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The log position up to which every event is taken in.
    pub covered: u64,
    /// For how long the collector had run then, in milliseconds; see [`super::known`].
    pub ran_ms: u64,
    /// What the wall clock said.
    pub at: Timestamp,
}

/// What the head of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Hashes the ids of this file.
    pub key: HashKey,
    /// The log position from which on it has the events.
    pub first: u64,
    /// The log position before which the door has forgotten everything, as of the newest file.
    pub known_from: u64,
    /// When it was begun.
    pub begun: Mark,
}

/// The open file.
#[derive(Debug)]
pub struct IdsFile {
    file: File,
    path: PathBuf,
    /// What its head says.
    pub head: Head,
    /// Entries behind the last full block of the file; the first `committed` of them are in the log.
    tail: Vec<Entry>,
    /// How many stand before them.
    base: usize,
    committed: usize,
    /// What of the tail the file has.
    written: usize,
    /// How far the file has come.
    mark: Mark,
}

impl IdsFile {
    /// Begins a file in the place of whatever is there.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn create(path: PathBuf, head: Head) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all_at(&head.block(), 0)?;
        Ok(Self::of(file, path, head, head.begun))
    }

    /// Opens a file without looking at its entries; nothing where it is not there or its head is damaged.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: PathBuf) -> io::Result<Option<Self>> {
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let head = read_block(&file, 0)?.and_then(|block| Head::of_block(&block));
        Ok(head.map(|head| Self::of(file, path, head, head.begun)))
    }

    /// Opens a file and gives `each` its intact entries with their indexes. Where blocks are damaged before intact ones, what is
    /// intact goes into a new file with another key; how far it then has come is what stood before the damage.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn load(path: PathBuf, mut each: impl FnMut(&HashKey, u32, Entry)) -> io::Result<Option<Self>> {
        let Some(mut opened) = Self::open(path)? else { return Ok(None) };
        let blocks = opened.file.metadata()?.len().div_ceil(BLOCK_BYTES as u64);
        let mut sound = 1;
        while let Some(found) = opened.read_entries(sound)? {
            if found.0.len() < BLOCK_ENTRIES && sound + 1 < blocks {
                break;
            }
            sound += 1;
        }
        let mut is_torn_only = true;
        for number in sound + 1..blocks {
            is_torn_only &= opened.read_entries(number)?.is_none();
        }
        if !is_torn_only {
            return opened.rescued(sound, blocks, &mut each).map(Some);
        }
        if sound < blocks {
            // An index of what is cut off is none of what comes in its place.
            opened.head.key = HashKey::random()?;
            opened.file.set_len(sound * BLOCK_BYTES as u64)?;
            opened.file.write_all_at(&opened.head.block(), 0)?;
        }
        for number in 1..sound {
            let Some((entries, mark)) = opened.read_entries(number)? else { break };
            for entry in &entries {
                each(&opened.head.key, opened.len() as u32, *entry);
                opened.tail.push(*entry);
            }
            (opened.committed, opened.written) = (opened.tail.len(), opened.tail.len());
            opened.settle_tail(mark);
        }
        Ok(Some(opened))
    }

    /// The file anew, with what is intact of it.
    fn rescued(
        self,
        sound: u64,
        blocks: u64,
        each: &mut impl FnMut(&HashKey, u32, Entry),
    ) -> io::Result<Self> {
        let fresh_path = self.path.with_extension("ids.new");
        let mut fresh = Self::create(fresh_path.clone(), Head { key: HashKey::random()?, ..self.head })?;
        for number in 1..blocks {
            let Some((entries, mark)) = self.read_entries(number)? else { continue };
            for entry in entries {
                let index = fresh.push(entry);
                each(&fresh.head.key, index, entry);
            }
            let mark = if number < sound { mark } else { fresh.mark };
            fresh.commit(mark)?;
        }
        std::fs::rename(&fresh_path, &self.path)?;
        fresh.path = self.path;
        Ok(fresh)
    }

    const fn of(file: File, path: PathBuf, head: Head, mark: Mark) -> Self {
        Self { file, path, head, tail: Vec::new(), base: 0, committed: 0, written: 0, mark }
    }

    /// The same to be read only, where something else says how many entries there are.
    pub const fn with_len(mut self, len: usize) -> Self {
        self.base = len;
        self
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.base + self.tail.len()
    }

    /// Memory of the entries that no full block of the file has, in bytes.
    pub const fn bytes(&self) -> usize {
        self.tail.capacity() * size_of::<Entry>()
    }

    /// How far the file has come.
    pub const fn mark(&self) -> Mark {
        self.mark
    }

    /// Appends an entry; returns its index.
    pub fn push(&mut self, entry: Entry) -> u32 {
        let index = self.len() as u32;
        self.tail.push(entry);
        index
    }

    /// Takes back the entries that have been appended since the last commit.
    pub fn take_uncommitted(&mut self) -> Vec<Entry> {
        self.tail.split_off(self.committed)
    }

    /// The entry of an index; nothing where it is damaged.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn get(&self, index: u32) -> io::Result<Option<Entry>> {
        let index = index as usize;
        if let Some(place) = index.checked_sub(self.base) {
            return Ok(self.tail.get(place).copied());
        }
        let Some(block) = read_block(&self.file, (index / BLOCK_ENTRIES + 1) as u64)? else {
            return Ok(None);
        };
        let is_there = index % BLOCK_ENTRIES < u32_at(&block, 4) as usize;
        Ok(is_there.then(|| entry_at(&block, index % BLOCK_ENTRIES)))
    }

    /// Says that what has been appended is in the log, and writes it.
    ///
    /// # Errors
    /// The disk refuses; it is written by the next commit.
    pub fn commit(&mut self, mark: Mark) -> io::Result<()> {
        self.committed = self.tail.len();
        if self.committed == self.written { Ok(()) } else { self.write(mark) }
    }

    /// Writes what the file does not have yet of what is committed, and how far it has come.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&mut self, mark: Mark) -> io::Result<()> {
        let count = self.committed.div_ceil(BLOCK_ENTRIES).max(1);
        let mut bytes = Vec::with_capacity(count * BLOCK_BYTES);
        for number in 0..count {
            let end = self.committed.min((number + 1) * BLOCK_ENTRIES);
            // Only with the last are all entries there that belong to the mark.
            let mark = if number + 1 == count { mark } else { self.mark };
            bytes.extend_from_slice(&block_of(&self.tail[number * BLOCK_ENTRIES..end], mark));
        }
        self.file.write_all_at(&bytes, ((self.base / BLOCK_ENTRIES + 1) * BLOCK_BYTES) as u64)?;
        self.written = self.committed;
        self.settle_tail(mark);
        Ok(())
    }

    /// Gives up the memory of what will not grow any more.
    pub fn shrink(&mut self) {
        self.tail.shrink_to_fit();
    }

    /// Gives up the memory of full blocks that the file has.
    fn settle_tail(&mut self, mark: Mark) {
        let full = self.written / BLOCK_ENTRIES * BLOCK_ENTRIES;
        self.tail.drain(..full);
        self.tail.shrink_to(KEPT_ENTRIES);
        self.base += full;
        self.written -= full;
        self.committed -= full;
        self.mark = mark;
    }

    /// Notes in the head when it was begun.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn date(&mut self, at: Timestamp) -> io::Result<()> {
        self.head.begun.at = at;
        self.file.write_all_at(&self.head.block(), 0)
    }

    /// Notes in the head what the door has forgotten.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn set_known_from(&mut self, position: u64) -> io::Result<()> {
        self.head.known_from = position;
        self.file.write_all_at(&self.head.block(), 0)
    }

    /// The file once more, for whoever makes it durable.
    ///
    /// # Errors
    /// There are too many open files.
    pub fn another(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    fn read_entries(&self, number: u64) -> io::Result<Option<(Vec<Entry>, Mark)>> {
        let Some(block) = read_block(&self.file, number)? else { return Ok(None) };
        let count = u32_at(&block, 4) as usize;
        let entries = (0..count.min(BLOCK_ENTRIES)).map(|place| entry_at(&block, place)).collect();
        Ok((count <= BLOCK_ENTRIES).then(|| (entries, mark_at(&block, 8))))
    }
}

impl Head {
    fn block(&self) -> Block {
        let mut block = [0; BLOCK_BYTES];
        block[4..12].copy_from_slice(MAGIC);
        let numbers = [self.key.0[0], self.key.0[1], self.first, self.known_from];
        for (place, number) in numbers.into_iter().enumerate() {
            block[12 + 8 * place..20 + 8 * place].copy_from_slice(&number.to_le_bytes());
        }
        put_mark(&mut block[44..], self.begun);
        sealed(block)
    }

    fn of_block(block: &Block) -> Option<Self> {
        let number = |place: usize| u64_at(block, 12 + 8 * place);
        block[4..].starts_with(MAGIC).then(|| Self {
            key: HashKey([number(0), number(1)]),
            first: number(2),
            known_from: number(3),
            begun: mark_at(block, 44),
        })
    }
}

fn block_of(entries: &[Entry], mark: Mark) -> Block {
    let mut block = [0; BLOCK_BYTES];
    block[4..8].copy_from_slice(&(entries.len() as u32).to_le_bytes());
    put_mark(&mut block[8..], mark);
    for (entry, bytes) in entries.iter().zip(block[BLOCK_HEAD_BYTES..].chunks_exact_mut(ENTRY_BYTES)) {
        bytes[..16].copy_from_slice(&entry.id.to_le_bytes());
        bytes[16..20].copy_from_slice(&entry.seen.place.to_le_bytes());
        bytes[20..].copy_from_slice(&entry.seen.payload.to_le_bytes());
    }
    sealed(block)
}

fn entry_at(block: &Block, place: usize) -> Entry {
    let start = BLOCK_HEAD_BYTES + place * ENTRY_BYTES;
    let id = u128::from(u64_at(block, start + 8)) << 64 | u128::from(u64_at(block, start));
    Entry { id, seen: Seen { place: u32_at(block, start + 16), payload: u32_at(block, start + 20) } }
}

fn put_mark(bytes: &mut [u8], mark: Mark) {
    bytes[..8].copy_from_slice(&mark.covered.to_le_bytes());
    bytes[8..16].copy_from_slice(&mark.ran_ms.to_le_bytes());
    bytes[16..24].copy_from_slice(&mark.at.0.to_le_bytes());
}

fn mark_at(block: &Block, at: usize) -> Mark {
    let at_ms = u64_at(block, at + 16).cast_signed();
    Mark { covered: u64_at(block, at), ran_ms: u64_at(block, at + 8), at: Timestamp(at_ms) }
}

/// The block with the checksum of what follows that.
pub fn sealed(mut block: Block) -> Block {
    let checksum = crc32c::crc32c(&block[4..]);
    block[..4].copy_from_slice(&checksum.to_le_bytes());
    block
}

/// A block of a file by its number; nothing where it is damaged, cannot be read any more, or is not there.
///
/// # Errors
/// The file cannot be read.
pub fn read_block(file: &File, number: u64) -> io::Result<Option<Block>> {
    let mut block = [0; BLOCK_BYTES];
    match file.read_exact_at(&mut block, number * BLOCK_BYTES as u64) {
        Ok(()) => Ok((u32_at(&block, 0) == crc32c::crc32c(&block[4..])).then_some(block)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        // A sector that the disk cannot read any more is as good as damaged.
        Err(error) if error.raw_os_error() == Some(UNREADABLE) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a number of a block.
pub fn u32_at(block: &Block, at: usize) -> u32 {
    block.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Reads a number of a block.
pub fn u64_at(block: &Block, at: usize) -> u64 {
    block.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
