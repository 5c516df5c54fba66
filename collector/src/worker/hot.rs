//! States held decoded while they are in use, and what of them has to be written.

use super::timers::timer_key;
use crate::limits::HOT_STATES;
use crate::profile::{Changes, Table};
use attune_core::processor::ProfileState;
use attune_core::profile::{MemberState, SnapshotError};
use attune_core::time::Timestamp;
use hashbrown::HashMap;

/// A state that can be kept.
pub trait State {
    /// Where it is kept.
    const TABLE: Table;
    /// Its binary form.
    fn write(&self) -> Vec<u8>;
    /// Reads its binary form.
    ///
    /// # Errors
    /// Why the bytes are none.
    fn read(bytes: &[u8]) -> Result<Self, SnapshotError>
    where
        Self: Sized;
    /// When time alone will matter for it.
    fn wake_at(&self) -> Option<Timestamp>;
}

impl State for MemberState {
    const TABLE: Table = Table::Members;

    fn write(&self) -> Vec<u8> {
        self.encode()
    }

    fn read(bytes: &[u8]) -> Result<Self, SnapshotError> {
        Self::decode(bytes)
    }

    fn wake_at(&self) -> Option<Timestamp> {
        None
    }
}

impl State for ProfileState {
    const TABLE: Table = Table::Profiles;

    fn write(&self) -> Vec<u8> {
        self.encode()
    }

    fn read(bytes: &[u8]) -> Result<Self, SnapshotError> {
        Self::decode(bytes)
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at()
    }
}

/// A state held decoded.
#[derive(Debug)]
pub struct Hot<S> {
    /// The state.
    pub state: S,
    dirty: bool,
    used: u64,
    /// The timer that the store holds for it.
    stored_wake: Option<Timestamp>,
}

/// The states of one kind, by key.
#[derive(Debug)]
pub struct HotTable<S> {
    /// Boxed, since the table doubles, half of it is empty, and states are taken out and put back at each event.
    held: HashMap<Box<str>, Box<Hot<S>>>,
    dirty: Vec<Box<str>>,
    /// States that the store is to lose, each with the timer that it holds.
    removed: HashMap<Box<str>, Option<Timestamp>>,
    clock: u64,
}

/// All states held decoded.
#[derive(Debug, Default)]
pub struct HotStates {
    /// Member states by member id.
    pub members: HotTable<MemberState>,
    /// Profile states by profile id.
    pub profiles: HotTable<ProfileState>,
}

impl<S> Default for HotTable<S> {
    fn default() -> Self {
        Self { held: HashMap::new(), dirty: Vec::new(), removed: HashMap::new(), clock: 0 }
    }
}

impl<S: State> HotTable<S> {
    /// Whether a state is held.
    pub fn contains(&self, key: &str) -> bool {
        self.held.contains_key(key)
    }

    /// Whether the store still has a state that it is to lose.
    pub fn is_removed(&self, key: &str) -> bool {
        self.removed.contains_key(key)
    }

    /// Takes in a state as the store has it, or a new one.
    pub fn insert(&mut self, key: &str, state: S) {
        let stored_wake = state.wake_at();
        let hot = Hot { state, dirty: false, used: self.clock, stored_wake };
        self.held.insert(key.into(), Box::new(hot));
    }

    /// A held state, to be looked at.
    pub fn get(&mut self, key: &str) -> Option<&mut Hot<S>> {
        self.clock += 1;
        let hot = self.held.get_mut(key)?;
        hot.used = self.clock;
        Some(hot)
    }

    /// A held state, taken out to be changed beside another; give it back with [`HotTable::put_back`].
    pub fn take_out(&mut self, key: &str) -> Option<(Box<str>, Box<Hot<S>>)> {
        self.held.remove_entry(key)
    }

    /// Gives a state back that was taken out, changed.
    pub fn put_back(&mut self, (key, mut hot): (Box<str>, Box<Hot<S>>)) {
        if hot.mark_dirty() {
            self.dirty.push(key.clone());
        }
        self.held.insert(key, hot);
    }

    /// Removes a held state, from the store as well.
    pub fn remove(&mut self, key: &str) {
        if let Some((key, hot)) = self.held.remove_entry(key) {
            // Another one may have come in its place since, of which the store knows nothing.
            self.removed.entry(key).or_insert(hot.stored_wake);
        }
    }

    /// Notes that a state has been changed.
    pub fn note_dirty(&mut self, key: &str) {
        self.dirty.push(key.into());
    }

    fn write_changes(&mut self, changes: &mut Changes) {
        for (key, wake) in self.removed.drain() {
            wake.into_iter().for_each(|at| changes.remove(Table::Timers, timer_key(at, &key)));
            changes.remove(S::TABLE, key.into_string());
        }
        for key in self.dirty.drain(..) {
            // One that has been removed may have been asked for again; then nobody has changed it.
            let Some(hot) = self.held.get_mut(&key).filter(|hot| hot.dirty) else { continue };
            hot.dirty = false;
            let wake = hot.state.wake_at();
            if wake != hot.stored_wake {
                if let Some(at) = hot.stored_wake {
                    changes.remove(Table::Timers, timer_key(at, &key));
                }
                if let Some(at) = wake {
                    changes.put(Table::Timers, timer_key(at, &key), []);
                }
                hot.stored_wake = wake;
            }
            changes.put(S::TABLE, key.into_string(), hot.state.write());
        }
    }

    /// Lets the least recently used states go once there are too many; only when nothing is dirty.
    fn shrink(&mut self) {
        if self.held.len() <= HOT_STATES || !self.dirty.is_empty() {
            return;
        }
        let mut used: Vec<u64> = self.held.values().map(|hot| hot.used).collect();
        let surplus = used.len() - HOT_STATES + HOT_STATES / 10;
        let (_, oldest_kept, _) = used.select_nth_unstable(surplus);
        let oldest_kept = *oldest_kept;
        self.held.retain(|_, hot| hot.used >= oldest_kept);
    }
}

impl<S> Hot<S> {
    /// Marks the state as changed; says whether it was not yet, so that the caller notes it.
    pub fn mark_dirty(&mut self) -> bool {
        !std::mem::replace(&mut self.dirty, true)
    }
}

impl HotStates {
    /// Appends everything changed since the last call.
    pub fn write_changes(&mut self, changes: &mut Changes) {
        self.members.write_changes(changes);
        self.profiles.write_changes(changes);
    }

    /// Lets the least recently used states go once there are too many.
    pub fn shrink(&mut self) {
        self.members.shrink();
        self.profiles.shrink();
    }

    /// Whether a commit should come soon, so that states can be let go.
    pub fn is_crowded(&self) -> bool {
        self.members.held.len().max(self.profiles.held.len()) > HOT_STATES * 3 / 2
    }

    /// How many states are held.
    pub fn len(&self) -> usize {
        self.members.held.len() + self.profiles.held.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::id::MemberId;

    #[test]
    fn a_removed_state_that_is_looked_at_again_is_not_written() {
        let mut table = HotTable::default();
        let insert = |table: &mut HotTable<MemberState>| {
            table.insert("m", MemberState::new(MemberId("m".into())));
        };
        insert(&mut table);
        assert!(table.get("m").unwrap().mark_dirty());
        table.note_dirty("m");
        table.remove("m");
        assert!(table.is_removed("m"));
        insert(&mut table);
        let mut changes = Changes::default();
        table.write_changes(&mut changes);
        assert_eq!(changes.writes, [(Table::Members, b"m".to_vec(), None)]);
        assert!(!table.is_removed("m"));
    }
}
