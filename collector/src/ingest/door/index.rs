//! Where the entries of an old generation stand: the table as a sorted file, and in memory what says where to look in it.
//!
//! `ATTDIX01` · `length of the description: u32` · `checksum: u32` · `description`, filled up to whole blocks of 4,096 bytes;
//! then blocks of `checksum: u32` · `count: u32` · `(fingerprint: u32, index: u32)*`, in the order of the hashes. The description,
//! as the core's codec has it, holds the key and the mark of the file of entries, their number, the hours, the first hash of each
//! block and the filter. Checksums are CRC-32C.

use super::filter::Filter;
use super::hash::HashKey;
use super::hours::Hours;
use super::ids::{BLOCK_BYTES, Mark, read_block, sealed, u32_at};
use super::table::Table;
use attune_core::codec::{Reader, Writer};
use attune_core::time::Timestamp;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const MAGIC: &[u8; 8] = b"ATTDIX01";
const PREFIX_BYTES: usize = 16;
const BLOCK_HEAD_BYTES: usize = 8;
const SLOT_BYTES: usize = 8;
const BLOCK_SLOTS: usize = (BLOCK_BYTES - BLOCK_HEAD_BYTES) / SLOT_BYTES;

/// What an index is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The key of the file of entries.
    pub key: HashKey,
    /// How far that has come.
    pub end: Mark,
    /// In which hours its ids were made.
    pub hours: Hours,
}

/// The open file.
#[derive(Debug)]
pub struct Index {
    file: File,
    /// What it is of.
    pub summary: Summary,
    /// Entries.
    count: usize,
    /// Number of the first block of slots.
    first_block: u64,
    /// The first hash of each block.
    starts: Vec<u64>,
    filter: Filter,
}

impl Index {
    /// Writes the index of a table, durable when this returns, and opens it.
    ///
    /// # Errors
    /// The disk refuses; what was there before is there.
    pub fn write(path: &Path, table: &Table, summary: Summary) -> io::Result<Self> {
        let mut filter = Filter::new(table.len());
        let mut starts = Vec::with_capacity(table.len().div_ceil(BLOCK_SLOTS));
        for (place, (hash, _)) in table.entries().enumerate() {
            filter.insert(hash);
            if place % BLOCK_SLOTS == 0 {
                starts.push(hash);
            }
        }
        let fresh = path.with_extension("idx.new");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        let mut out = BufWriter::with_capacity(64 * BLOCK_BYTES, &file);
        let mut index =
            Self { file: file.try_clone()?, summary, count: table.len(), first_block: 0, starts, filter };
        let head = index.head();
        index.first_block = (head.len() / BLOCK_BYTES) as u64;
        out.write_all(&head)?;
        let mut slots = Vec::with_capacity(BLOCK_SLOTS);
        for slot in table.entries() {
            slots.push(slot);
            if slots.len() == BLOCK_SLOTS {
                out.write_all(&block_of(&slots))?;
                slots.clear();
            }
        }
        if !slots.is_empty() {
            out.write_all(&block_of(&slots))?;
        }
        out.flush()?;
        drop(out);
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        Ok(index)
    }

    /// Opens an index; nothing where there is none, or what describes it is damaged.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let left = file.metadata()?.len().saturating_sub(PREFIX_BYTES as u64);
        let mut prefix = [0; PREFIX_BYTES];
        if left == 0 || file.read_exact_at(&mut prefix, 0).is_err() || !prefix.starts_with(MAGIC) {
            return Ok(None);
        }
        let [.., a, b, c, d, e, f, g, h] = prefix;
        let length = u32::from_le_bytes([a, b, c, d]);
        if u64::from(length) > left {
            return Ok(None);
        }
        let mut described = vec![0; length as usize];
        file.read_exact_at(&mut described, PREFIX_BYTES as u64)?;
        if crc32c::crc32c(&described) != u32::from_le_bytes([e, f, g, h]) {
            return Ok(None);
        }
        let first_block = (PREFIX_BYTES + described.len()).div_ceil(BLOCK_BYTES) as u64;
        Ok(Self::described(file, first_block, &described))
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Memory that it takes, in bytes.
    pub const fn bytes(&self) -> usize {
        self.filter.bytes() + self.starts.capacity() * size_of::<u64>()
    }

    /// The indexes of the entries that may be of this hash; nothing where a block is damaged.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn candidates(&self, hash: u64) -> io::Result<Option<Vec<u32>>> {
        let mut found = Vec::new();
        if !self.filter.may_hold(hash) {
            return Ok(Some(found));
        }
        // Equal hashes may begin in the block before the first that begins with them.
        let from = self.starts.partition_point(|start| *start < hash).saturating_sub(1);
        for (number, _) in self.starts.iter().enumerate().skip(from).take_while(|(_, start)| **start <= hash)
        {
            let Some(block) = read_block(&self.file, self.first_block + number as u64)? else {
                return Ok(None);
            };
            let count = (u32_at(&block, 4) as usize).min(BLOCK_SLOTS);
            let slots = (0..count).map(|place| BLOCK_HEAD_BYTES + place * SLOT_BYTES);
            let alike = slots.filter(|at| u32_at(&block, *at) == hash as u32);
            found.extend(alike.map(|at| u32_at(&block, at + 4)));
        }
        Ok(Some(found))
    }

    /// Everything before the blocks of slots.
    fn head(&self) -> Vec<u8> {
        let mut out = Writer::new();
        let Summary { key, end, hours } = &self.summary;
        for number in [key.0[0], key.0[1], end.covered, end.ran_ms, self.count as u64] {
            out.u64(number);
        }
        out.i64(end.at.0);
        out.option(hours.list(), |out, hours| {
            out.len(hours.len());
            hours.iter().for_each(|hour| out.u64(u64::from(*hour)));
        });
        out.len(self.starts.len());
        self.starts.iter().for_each(|start| out.u64(*start));
        for word in self.filter.words() {
            out.raw(&word.to_le_bytes());
        }
        let described = out.into_bytes();
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&(described.len() as u32).to_le_bytes());
        head.extend_from_slice(&crc32c::crc32c(&described).to_le_bytes());
        head.extend_from_slice(&described);
        head.resize(head.len().next_multiple_of(BLOCK_BYTES), 0);
        head
    }

    fn described(file: File, first_block: u64, described: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(described);
        let key = HashKey([reader.u64().ok()?, reader.u64().ok()?]);
        let (covered, ran_ms, count) = (reader.u64().ok()?, reader.u64().ok()?, reader.u64().ok()?);
        let end = Mark { covered, ran_ms, at: Timestamp(reader.i64().ok()?) };
        let hours =
            reader.option(|reader| reader.list(|reader| reader.u64().map(|hour| hour as u32))).ok()?;
        let starts = reader.list(Reader::u64).ok()?;
        let (words, rest) = reader.rest().as_chunks();
        let filter = Filter::from_words(words.iter().map(|word| u64::from_le_bytes(*word)));
        let summary = Summary { key, end, hours: Hours::from_list(hours) };
        let filter = filter.filter(|_| rest.is_empty())?;
        Some(Self { file, summary, count: count as usize, first_block, starts, filter })
    }
}

fn block_of(slots: &[(u64, u32)]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block[4..8].copy_from_slice(&(slots.len() as u32).to_le_bytes());
    let places = block[BLOCK_HEAD_BYTES..].chunks_exact_mut(SLOT_BYTES);
    for ((hash, index), bytes) in slots.iter().zip(places) {
        bytes[..4].copy_from_slice(&(*hash as u32).to_le_bytes());
        bytes[4..].copy_from_slice(&index.to_le_bytes());
    }
    sealed(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    const KEY: HashKey = HashKey([4, 2]);
    const COUNT: u32 = 20_000;

    fn hash_of(number: u32) -> u64 {
        // Some hundreds are alike, so that they lie across the border of blocks.
        KEY.hash(u128::from(number / 700))
    }

    fn written(path: &Path) -> Index {
        let mut table = Table::default();
        (0..COUNT).for_each(|number| table.insert(hash_of(number), number));
        let mut hours = Hours::none();
        hours.note(attune_core::id::uuid_v7(Timestamp(1_764_000_000_000), &[1; 10]).as_u128());
        let end = Mark { covered: 77, ran_ms: 88, at: Timestamp(99) };
        Index::write(path, &table, Summary { key: KEY, end, hours }).unwrap()
    }

    #[test]
    fn what_is_written_is_found_by_who_wrote_it_and_after_opening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.idx");
        let index = written(&path);
        let opened = Index::open(&path).unwrap().unwrap();
        assert_eq!((&opened.summary, opened.len()), (&index.summary, COUNT as usize));
        for index in [index, opened] {
            for number in 0..COUNT {
                assert!(index.candidates(hash_of(number)).unwrap().unwrap().contains(&number), "{number}");
            }
            let new = (COUNT..3 * COUNT).filter(|id| {
                let hash = KEY.hash(u128::from(*id));
                !index.candidates(hash).unwrap().unwrap().is_empty()
            });
            assert_eq!(new.count(), 0);
        }
        assert!(Index::open(&folder.path().join("2.idx")).unwrap().is_none());
    }

    #[test]
    fn every_flipped_byte_is_noticed_where_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.idx");
        let whole = {
            let _index = written(&path);
            fs::read(&path).unwrap()
        };
        let described = PREFIX_BYTES + u32::from_le_bytes(*whole[8..].first_chunk().unwrap()) as usize;
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        for at in (0..whole.len()).step_by(61) {
            file.write_all_at(&[whole[at] ^ 4], at as u64).unwrap();
            let opened = Index::open(&path).unwrap();
            if at < described {
                assert!(opened.is_none(), "byte {at}");
            } else if at >= described.next_multiple_of(BLOCK_BYTES) {
                let index = opened.unwrap();
                let is_noticed = (0..COUNT)
                    .step_by(350)
                    .any(|number| index.candidates(hash_of(number)).unwrap().is_none());
                assert!(is_noticed, "byte {at}");
            }
            file.write_all_at(&[whole[at]], at as u64).unwrap();
        }
    }
}
