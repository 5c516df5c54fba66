//! The embedded store: one fjall database in the data folder.

use super::{Changes, Store, StoreError, Table};
use crate::limits::PURGE_ENTRIES;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

const TABLES: [(Table, &str); 9] = [
    (Table::Members, "members"),
    (Table::Profiles, "profiles"),
    (Table::Timers, "timers"),
    (Table::Firings, "firings"),
    (Table::FiringIds, "firing_ids"),
    (Table::Deliveries, "deliveries"),
    (Table::Erased, "erased"),
    (Table::DeadLetters, "dead_letters"),
    (Table::Progress, "progress"),
];

/// A store in one folder of this machine.
pub struct EmbeddedStore {
    folder: PathBuf,
    files: usize,
    /// Nothing where the files could not be opened again after they have been begun anew.
    opened: RwLock<Option<Opened>>,
}

struct Opened {
    database: Database,
    tables: [Keyspace; TABLES.len()],
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedStore")
    }
}

impl EmbeddedStore {
    /// Opens or creates the store in a folder, of whose files it keeps so many open.
    ///
    /// # Errors
    /// The folder cannot be used, or another process uses it.
    pub fn open(folder: &Path, files: usize) -> Result<Self, StoreError> {
        settle(folder).map_err(|error| told(folder, &error))?;
        let opened = RwLock::new(Some(Opened::open(folder, files)?));
        Ok(Self { folder: folder.to_owned(), files, opened })
    }

    fn read<T>(&self, act: impl FnOnce(&Opened) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let opened: RwLockReadGuard<'_, _> = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        match &*opened {
            Some(opened) => act(opened),
            None => Err(StoreError(format!("{}: the store is closed", self.folder.display()))),
        }
    }
}

impl Opened {
    fn open(folder: &Path, files: usize) -> Result<Self, StoreError> {
        let told = |error: fjall::Error| told(folder, &error);
        let database =
            Database::builder(folder).worker_threads(1).max_cached_files(Some(files)).open().map_err(told)?;
        let [a, b, c, d, e, f, g, h, i] =
            TABLES.map(|(_, name)| database.keyspace(name, KeyspaceCreateOptions::default).map_err(told));
        Ok(Self { tables: [a?, b?, c?, d?, e?, f?, g?, h?, i?], database })
    }

    const fn table(&self, table: Table) -> &Keyspace {
        &self.tables[table as usize]
    }

    /// Writes everything into a new store.
    fn copy_to(&self, fresh: &Self) -> Result<(), StoreError> {
        for (from, to) in self.tables.iter().zip(&fresh.tables) {
            let (mut batch, mut held) = (fresh.database.batch(), 0);
            for entry in from.iter() {
                let (key, value) = entry.into_inner()?;
                batch.insert(to, key, value);
                held += 1;
                if held == PURGE_ENTRIES {
                    std::mem::replace(&mut batch, fresh.database.batch()).commit()?;
                    held = 0;
                }
            }
            batch.commit()?;
        }
        Ok(fresh.database.persist(PersistMode::SyncAll)?)
    }
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        Self(error.to_string())
    }
}

impl Store for EmbeddedStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|opened| Ok(opened.table(table).get(key)?.map(|value| value.to_vec())))
    }

    fn scan_from(
        &self,
        table: Table,
        first: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.read(|opened| {
            for entry in opened.table(table).range(first..) {
                let (key, value) = entry.into_inner()?;
                if !visit(&key, &value) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        self.read(|opened| {
            let mut batch = opened.database.batch();
            for (table, key, value) in changes.writes {
                match value {
                    Some(value) => batch.insert(opened.table(table), key, value),
                    None => batch.remove(opened.table(table), key),
                }
            }
            Ok(batch.durability(Some(PersistMode::Buffer)).commit()?)
        })
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.read(|opened| Ok(opened.database.persist(PersistMode::SyncAll)?))
    }

    fn purge(&self) -> Result<(), StoreError> {
        let mut held = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let Some(old) = held.take() else { return Err(StoreError("the store is closed".to_owned())) };
        let copied = (|| {
            let fresh = Opened::open(&beside(&self.folder, "new"), self.files)?;
            old.copy_to(&fresh)
        })();
        // Neither may have a file open when its folder gets another name.
        drop(old);
        let moved = copied.and_then(|()| {
            let swapped = fs::rename(&self.folder, beside(&self.folder, "old"))
                .and_then(|()| fs::rename(beside(&self.folder, "new"), &self.folder))
                .and_then(|()| sync_folder_of(&self.folder));
            swapped.map_err(|error| told(&self.folder, &error))
        });
        let settled = settle(&self.folder).map_err(|error| told(&self.folder, &error));
        *held = Some(Opened::open(&self.folder, self.files)?);
        moved.and(settled)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut held = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        // Two may not have the files open.
        drop(held.take());
        *held = Some(Opened::open(&self.folder, self.files)?);
        Ok(())
    }
}

/// Finishes or takes back what a crash has interrupted: the new files take the old ones' place only once they are whole.
fn settle(folder: &Path) -> io::Result<()> {
    let (fresh, old) = (beside(folder, "new"), beside(folder, "old"));
    if !folder.exists() && old.exists() {
        fs::rename(if fresh.exists() { &fresh } else { &old }, folder)?;
        sync_folder_of(folder)?;
    }
    for left in [fresh, old].iter().filter(|left| left.exists()) {
        fs::remove_dir_all(left)?;
    }
    Ok(())
}

fn beside(folder: &Path, extension: &str) -> PathBuf {
    folder.with_extension(extension)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn told(folder: &Path, error: &dyn fmt::Display) -> StoreError {
    StoreError(format!("{}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::STORE_FILES;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn holds(folder: &Path, wanted: &[u8]) -> bool {
        fs::read_dir(folder).unwrap().any(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                return holds(&path, wanted);
            }
            fs::read(path).unwrap().windows(wanted.len()).any(|bytes| bytes == wanted)
        })
    }

    fn filled(folder: &Path) -> EmbeddedStore {
        let store = EmbeddedStore::open(folder, STORE_FILES).unwrap();
        let mut changes = Changes::default();
        for number in 0..PURGE_ENTRIES as u32 + 10 {
            changes.put(Table::Members, number.to_be_bytes(), *b"value");
        }
        changes.put(Table::Profiles, *b"planted-key", *b"planted-value");
        store.commit(changes).unwrap();
        store.sync().unwrap();
        store
    }

    #[test]
    fn a_purge_keeps_what_there_is_and_leaves_nothing_of_what_was() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("state");
        let store = filled(&folder);
        let mut changes = Changes::default();
        changes.remove(Table::Profiles, *b"planted-key");
        store.commit(changes).unwrap();
        store.sync().unwrap();
        assert!(holds(&folder, b"planted-value"), "removing alone leaves it in the files");
        store.purge().unwrap();
        assert!(!holds(data.path(), b"planted"));
        assert_eq!(names(data.path()), ["state"]);
        let mut count = 0;
        store
            .scan(Table::Members, &mut |_, value| {
                count += usize::from(value == b"value");
                true
            })
            .unwrap();
        assert_eq!(count, PURGE_ENTRIES + 10);
        drop(store);
        let again = EmbeddedStore::open(&folder, STORE_FILES).unwrap();
        assert_eq!(again.get(Table::Members, &7_u32.to_be_bytes()).unwrap().as_deref(), Some(&b"value"[..]));
    }

    #[test]
    fn a_purge_that_was_interrupted_is_finished_or_taken_back() {
        for (step, moves) in [
            ("while it copies", &[("state", "state"), ("", "state.new")][..]),
            ("between the names", &[("state", "state.old"), ("", "state.new")]),
            ("before the old files are gone", &[("state", "state.old"), ("", "state")]),
            ("when only the old files are there", &[("state", "state.old")]),
        ] {
            let data = tempfile::tempdir().unwrap();
            let path = |name: &str| data.path().join(name);
            drop(filled(&path("state")));
            for (from, to) in moves {
                if from.is_empty() {
                    drop(filled(&path("another")));
                    fs::rename(path("another"), path(to)).unwrap();
                } else if from != to {
                    fs::rename(path(from), path(to)).unwrap();
                }
            }
            let store = EmbeddedStore::open(&path("state"), STORE_FILES).unwrap();
            let found = store.get(Table::Profiles, b"planted-key").unwrap();
            assert_eq!(found.as_deref(), Some(&b"planted-value"[..]), "{step}");
            assert_eq!(names(data.path()), ["state"], "{step}");
        }
    }
}
