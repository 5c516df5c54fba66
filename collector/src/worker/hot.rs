//! States held decoded while they are in use, and what of them has to be written.

use super::timers::timer_key;
use crate::limits::HOT_STATES;
use crate::profile::{Changes, Table};
use attune_core::processor::ProfileState;
use attune_core::profile::{MemberState, SnapshotError};
use attune_core::time::Timestamp;
use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;

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
    /// Timers in the store of states that are not there any more.
    stale: Vec<(Timestamp, Box<str>)>,
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
        Self { held: HashMap::new(), dirty: Vec::new(), removed: HashMap::new(), stale: Vec::new(), clock: 0 }
    }
}

impl<S: State> HotTable<S> {
    /// A state, to be looked at; where none is held, it is what `read` gives, which is told whether the store may be asked:
    /// not for one that it is still to lose.
    ///
    /// # Errors
    /// As `read`.
    pub fn look<E>(&mut self, key: &str, read: impl FnOnce(bool) -> Result<S, E>) -> Result<&mut Hot<S>, E> {
        let Self { held, clock, removed, .. } = self;
        look(held, clock, key, || read(!removed.contains_key(key)))
    }

    /// The same, to be changed: the next commit writes it.
    ///
    /// # Errors
    /// As `read`.
    pub fn change<E>(&mut self, key: &str, read: impl FnOnce(bool) -> Result<S, E>) -> Result<&mut S, E> {
        let Self { held, clock, dirty, removed, .. } = self;
        let hot = look(held, clock, key, || read(!removed.contains_key(key)))?;
        if hot.mark_dirty() {
            dirty.push(key.into());
        }
        Ok(&mut hot.state)
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

    /// Removes from the store a state that cannot be read.
    pub fn discard(&mut self, key: &str) {
        self.removed.entry(key.into()).or_insert(None);
    }

    /// Removes from the store the timer of a state that is not there any more.
    pub fn forget_timer(&mut self, key: &str, at: Timestamp) {
        self.stale.push((at, key.into()));
    }

    /// Notes that a state has been changed.
    pub fn note_dirty(&mut self, key: &str) {
        self.dirty.push(key.into());
    }

    fn write_changes(&mut self, changes: &mut Changes) {
        for (at, key) in self.stale.drain(..) {
            changes.remove(Table::Timers, timer_key(at, &key));
        }
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

/// A state of those that are held, put there first where it is not.
fn look<'h, S: State, E>(
    held: &'h mut HashMap<Box<str>, Box<Hot<S>>>,
    clock: &mut u64,
    key: &str,
    read: impl FnOnce() -> Result<S, E>,
) -> Result<&'h mut Hot<S>, E> {
    *clock += 1;
    let hot = match held.entry_ref(key) {
        EntryRef::Occupied(held) => held.into_mut(),
        EntryRef::Vacant(free) => {
            let state = read()?;
            let stored_wake = state.wake_at();
            let hot = Hot { state, dirty: false, used: *clock, stored_wake };
            free.insert_with_key(key.into(), Box::new(hot))
        }
    };
    hot.used = *clock;
    Ok(hot)
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
        let make = |may_be_stored: bool, expected: bool| {
            assert_eq!(may_be_stored, expected);
            Ok::<_, ()>(MemberState::new(MemberId("m".into())))
        };
        assert!(table.change("m", |stored| make(stored, true)).is_ok());
        table.remove("m");
        assert!(table.look("m", |stored| make(stored, false)).is_ok());
        let mut changes = Changes::default();
        table.write_changes(&mut changes);
        assert_eq!(changes.writes, [(Table::Members, b"m".to_vec(), None)]);
        table.remove("m");
        table.write_changes(&mut changes);
        assert!(table.look("m", |stored| make(stored, true)).is_ok());
    }
}
