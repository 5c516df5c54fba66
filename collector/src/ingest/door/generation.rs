//! The event ids of one stretch of the log: a file of entries, and a table or an index that says where they stand.

use super::hours::Hours;
use super::ids::{Entry, Head, IdsFile, Mark};
use super::index::{Index, Summary};
use super::key::Seen;
use super::table::Table;
use attune_core::time::Timestamp;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One generation.
#[derive(Debug)]
pub struct Generation {
    /// Its entries.
    pub ids: IdsFile,
    hours: Hours,
    held: Held,
    /// Up to where it has the events of the log; of an old one, where the next begins.
    pub end: Mark,
}

/// How the entries are found.
#[derive(Debug)]
enum Held {
    /// In memory, and more may come.
    Open(Table),
    /// In memory, while the index is being made.
    Closed(Arc<Table>),
    /// On the disk.
    Filed(Index),
}

/// Why an id could not be looked up.
#[derive(Debug)]
pub enum Trouble {
    /// What has been read is not what was written.
    Damaged,
    /// The disk cannot be read.
    Disk(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("what was read is not what was written"),
            Self::Disk(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Generation {
    /// Begins one in the place of whatever is there.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn create(folder: &Path, head: Head) -> io::Result<Self> {
        let path = path_of(folder, head.first);
        remove(&path.with_extension("idx"))?;
        let ids = IdsFile::create(path, head)?;
        Ok(Self { ids, hours: Hours::none(), held: Held::Open(Table::default()), end: head.begun })
    }

    /// Opens the one that begins at a log position: by its index where that is there and intact, or else by its entries. Nothing
    /// where its head is damaged.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn open(folder: &Path, first: u64) -> io::Result<Option<Self>> {
        let path = path_of(folder, first);
        if let Some(index) = Index::open(&path.with_extension("idx"))? {
            let ids = IdsFile::open(path.clone())?;
            if let Some(ids) = ids.filter(|ids| ids.head.first == first && ids.head.key == index.summary.key)
            {
                let Summary { end, hours, .. } = index.summary.clone();
                let ids = ids.with_len(index.len());
                return Ok(Some(Self { ids, hours, held: Held::Filed(index), end }));
            }
        }
        Self::load(folder, first)
    }

    /// Opens the one that begins at a log position by what is intact of its entries, so that more can be added.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn load(folder: &Path, first: u64) -> io::Result<Option<Self>> {
        let path = path_of(folder, first);
        // Whatever is added now it does not know.
        remove(&path.with_extension("idx"))?;
        let (mut table, mut hours) = (Table::default(), Hours::none());
        let ids = IdsFile::load(path, |key, index, entry| {
            table.insert(key.hash(entry.id), index);
            hours.note(entry.id);
        })?;
        let ids = ids.filter(|ids| ids.head.first == first);
        Ok(ids.map(|ids| Self { end: ids.mark(), ids, hours, held: Held::Open(table) }))
    }

    /// What its head says.
    pub const fn head(&self) -> &Head {
        &self.ids.head
    }

    /// How many ids it has.
    pub fn len(&self) -> usize {
        match &self.held {
            Held::Open(table) => table.len(),
            Held::Closed(table) => table.len(),
            Held::Filed(index) => index.len(),
        }
    }

    /// Memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let held = match &self.held {
            Held::Open(table) => table.bytes(),
            Held::Closed(table) => table.bytes(),
            Held::Filed(index) => index.bytes(),
        };
        held + self.ids.bytes()
    }

    /// Whether more may be added.
    pub const fn is_open(&self) -> bool {
        matches!(self.held, Held::Open(_))
    }

    /// Whether its entries are found on the disk.
    pub const fn is_filed(&self) -> bool {
        matches!(self.held, Held::Filed(_))
    }

    /// What is known of an id, made in an hour if it says so.
    ///
    /// # Errors
    /// Its files are damaged or cannot be read.
    pub fn find(&self, id: u128, hour: Option<u32>) -> Result<Option<Seen>, Trouble> {
        if !self.hours.may_hold(hour) {
            return Ok(None);
        }
        Ok(self.place_of(id)?.map(|(_, seen)| seen))
    }

    fn place_of(&self, id: u128) -> Result<Option<(u32, Seen)>, Trouble> {
        let hash = self.ids.head.key.hash(id);
        match &self.held {
            Held::Open(table) => self.confirm(id, table.candidates(hash)),
            Held::Closed(table) => self.confirm(id, table.candidates(hash)),
            Held::Filed(index) => self.confirm(id, index.candidates(hash)?.ok_or(Trouble::Damaged)?),
        }
    }

    fn confirm(
        &self,
        id: u128,
        candidates: impl IntoIterator<Item = u32>,
    ) -> Result<Option<(u32, Seen)>, Trouble> {
        for index in candidates {
            let entry = self.ids.get(index)?.ok_or(Trouble::Damaged)?;
            if entry.id == id {
                return Ok(Some((index, entry.seen)));
            }
        }
        Ok(None)
    }

    /// Adds an id to one that is open.
    pub fn insert(&mut self, entry: Entry) {
        let Held::Open(table) = &mut self.held else { return };
        table.insert(self.ids.head.key.hash(entry.id), self.ids.push(entry));
        self.hours.note(entry.id);
    }

    /// Takes back what has been added since the last commit.
    pub fn take_uncommitted(&mut self) -> Vec<Entry> {
        let taken = self.ids.take_uncommitted();
        if let Held::Open(table) = &mut self.held {
            for (index, entry) in (self.ids.len()..).zip(&taken) {
                table.remove(self.ids.head.key.hash(entry.id), index as u32);
            }
        }
        taken
    }

    /// Notes when it was begun, where the log did not say so.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn date(&mut self, at: Timestamp) -> io::Result<()> {
        if self.ids.head.begun.at == Timestamp::default() && self.len() > 0 {
            self.ids.date(at)
        } else {
            Ok(())
        }
    }

    /// Says that what has been added is in the log up to a position.
    ///
    /// # Errors
    /// The disk refuses; everything is known nevertheless, and written later.
    pub fn commit(&mut self, mark: Mark) -> io::Result<()> {
        self.end = mark;
        self.ids.commit(mark)
    }

    /// Lets no more be added, and says what the index is to be made of.
    ///
    /// # Errors
    /// The disk refuses the last entries; it stays open.
    pub fn close(&mut self) -> io::Result<Option<(Arc<Table>, Summary)>> {
        if self.is_open() {
            self.ids.write(self.end)?;
            self.ids.shrink();
        }
        let held = std::mem::replace(&mut self.held, Held::Open(Table::default()));
        let table = match held {
            Held::Open(table) => Arc::new(table),
            Held::Closed(table) => table,
            Held::Filed(_) => {
                self.held = held;
                return Ok(None);
            }
        };
        self.held = Held::Closed(table.clone());
        let summary = Summary { key: self.ids.head.key, end: self.end, hours: self.hours.clone() };
        Ok(Some((table, summary)))
    }

    /// Whether an index is of this generation as it is, and nothing else finds its entries yet.
    pub fn wants(&self, index: &Index) -> bool {
        let is_its_own = index.summary.key == self.ids.head.key && index.len() == self.len();
        matches!(self.held, Held::Closed(_)) && is_its_own
    }

    /// Has the entries found by an index from now on.
    pub fn file(&mut self, index: Index) {
        self.held = Held::Filed(index);
    }
}

/// Where the entries of the generation lie that begins at a log position.
pub fn path_of(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.ids"))
}

/// The log positions at which the generations of a folder begin, ascending.
///
/// # Errors
/// The folder cannot be read.
pub fn firsts(folder: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".ids"));
        firsts.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Removes a file, where it is there.
///
/// # Errors
/// It cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
