//! The embedded store: one fjall database in the data folder.

use super::{Changes, Store, StoreError, Table};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::fmt;
use std::path::Path;

const TABLES: [(Table, &str); 6] = [
    (Table::Members, "members"),
    (Table::Profiles, "profiles"),
    (Table::Timers, "timers"),
    (Table::Firings, "firings"),
    (Table::FiringIds, "firing_ids"),
    (Table::Progress, "progress"),
];

/// A store in one folder of this machine.
pub struct EmbeddedStore {
    database: Database,
    tables: [Keyspace; TABLES.len()],
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedStore")
    }
}

impl EmbeddedStore {
    /// Opens or creates the store in a folder.
    ///
    /// # Errors
    /// The folder cannot be used, or another process uses it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let told = |error: fjall::Error| StoreError(format!("{}: {error}", folder.display()));
        let database = Database::builder(folder).worker_threads(1).open().map_err(told)?;
        let [a, b, c, d, e, f] =
            TABLES.map(|(_, name)| database.keyspace(name, KeyspaceCreateOptions::default).map_err(told));
        Ok(Self { tables: [a?, b?, c?, d?, e?, f?], database })
    }

    const fn table(&self, table: Table) -> &Keyspace {
        &self.tables[table as usize]
    }
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        Self(error.to_string())
    }
}

impl Store for EmbeddedStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.table(table).get(key)?.map(|value| value.to_vec()))
    }

    fn scan(&self, table: Table, visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), StoreError> {
        for entry in self.table(table).iter() {
            let (key, value) = entry.into_inner()?;
            if !visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        let mut batch = self.database.batch();
        for (table, key, value) in changes.writes {
            match value {
                Some(value) => batch.insert(self.table(table), key, value),
                None => batch.remove(self.table(table), key),
            }
        }
        Ok(batch.durability(Some(PersistMode::Buffer)).commit()?)
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }
}
