//! The profile store: a port of seven methods, and its embedded adapter.

mod embedded;
mod letter;
mod page;

use std::fmt;

pub use embedded::EmbeddedStore;
pub use letter::{Letter, is_of};
pub use page::Page;

/// What is kept apart from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Member states by member id.
    Members,
    /// Profile states by profile id.
    Profiles,
    /// Due instants by instant and profile id.
    Timers,
    /// Firings as JSON by order of firing.
    Firings,
    /// Order numbers by firing id.
    FiringIds,
    /// What has become of each firing's calls, by order number and place among its actions.
    Deliveries,
    /// How far erasures have come, by tombstone.
    Erased,
    /// Refused events by their place in the log.
    DeadLetters,
    /// The log position absorbed, the bundle in effect and counters, by name.
    Progress,
}

/// First byte of what is kept of an erasure that has been carried out.
pub const ERASURE_DONE: u8 = 3;

/// The key of what has become of one call: the key of its firing, and its place among the actions.
pub fn delivery_key(firing: &[u8], action: u16) -> Vec<u8> {
    [firing, &action.to_be_bytes()].concat()
}

/// Writes that become visible together.
#[derive(Debug, Default)]
pub struct Changes {
    /// Each with its new value, or none for removal.
    pub writes: Vec<(Table, Vec<u8>, Option<Vec<u8>>)>,
}

impl Changes {
    /// Sets a value.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push((table, key.into(), Some(value.into())));
    }

    /// Removes a value.
    pub fn remove(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.writes.push((table, key.into(), None));
    }
}

/// The store could not be read or written.
#[derive(Debug)]
pub struct StoreError(String);

impl StoreError {
    /// The store holds something that cannot be read.
    pub fn damaged(what: &str, error: &dyn fmt::Display) -> Self {
        Self(format!("a {what} is not of a form this version reads: {error}"))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile store: {}", self.0)
    }
}

impl std::error::Error for StoreError {}

/// Keyed state of members and profiles, with the log position that it has absorbed.
pub trait Store: Send + Sync + fmt::Debug {
    /// Reads one value.
    ///
    /// # Errors
    /// The store is broken.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Shows every entry in order of key until `visit` says false.
    ///
    /// # Errors
    /// The store is broken.
    fn scan(&self, table: Table, visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), StoreError> {
        self.scan_from(table, &[], visit)
    }

    /// The same from a key on, itself included.
    ///
    /// # Errors
    /// The store is broken.
    fn scan_from(
        &self,
        table: Table,
        first: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError>;

    /// Applies all changes or none.
    ///
    /// # Errors
    /// Nothing has been applied.
    fn commit(&self, changes: Changes) -> Result<(), StoreError>;

    /// Makes what has been committed survive a power loss.
    ///
    /// # Errors
    /// The disk refused.
    fn sync(&self) -> Result<(), StoreError>;

    /// Begins new files with what there is now, so that nothing that was removed is left on the disk.
    ///
    /// # Errors
    /// The disk refused; the old files are still there.
    fn purge(&self) -> Result<(), StoreError>;

    /// Opens the store anew with what is on the disk: after an error it may take nothing more as it is.
    ///
    /// # Errors
    /// It cannot be opened; it is closed until this is called again.
    fn reopen(&self) -> Result<(), StoreError>;
}
