//! A store in memory that knows what of it is durable: a power cut leaves some of the commits since the last sync, in their
//! order, and a commit fails when it is told to.

use crate::log::tests::content::Random;
use crate::profile::{Changes, Store, StoreError, Table};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tables in one: by table, and by key.
type Rows = BTreeMap<(u8, Vec<u8>), Vec<u8>>;

/// The store.
#[derive(Debug, Default)]
pub struct SimulatedStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rows: Rows,
    durable: Rows,
    /// Commits since the last sync.
    commits: Vec<Changes>,
    fails_next: bool,
    is_broken: bool,
}

impl SimulatedStore {
    /// Has the next commit fail, and everything behind it until the store is opened anew.
    pub fn fail(&self) {
        self.state().fails_next = true;
    }

    /// Lets it work again: another process has it.
    pub fn repair(&self) {
        let mut state = self.state();
        (state.is_broken, state.fails_next) = (false, false);
    }

    /// Takes the power from it.
    pub fn cut(&self, random: &mut Random) {
        let mut state = self.state();
        let kept = random.below(state.commits.len() as u64 + 1) as usize;
        let mut rows = state.durable.clone();
        state.commits.drain(..).take(kept).for_each(|changes| apply(&mut rows, changes));
        state.durable = rows.clone();
        state.rows = rows;
    }

    /// Every row of a table.
    pub fn rows(&self, table: Table) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let state = self.state();
        let of_table = state.rows.iter().filter(|((of, _), _)| *of == table as u8);
        of_table.map(|((_, key), value)| (key.clone(), value.clone())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state();
        if state.is_broken { Err(StoreError::damaged("store", &"it refuses")) } else { Ok(state) }
    }
}

fn apply(rows: &mut Rows, changes: Changes) {
    for (table, key, value) in changes.writes {
        match value {
            Some(value) => rows.insert((table as u8, key), value),
            None => rows.remove(&(table as u8, key)),
        };
    }
}

impl Store for SimulatedStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.open()?.rows.get(&(table as u8, key.to_vec())).cloned())
    }

    fn scan_from(
        &self,
        table: Table,
        first: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let state = self.open()?;
        let from = Bound::Included((table as u8, first.to_vec()));
        let rows = state.rows.range((from, Bound::Unbounded));
        for ((_, key), value) in rows.take_while(|((of, _), _)| *of == table as u8) {
            if !visit(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        let mut state = self.open()?;
        if state.fails_next {
            (state.is_broken, state.fails_next) = (true, false);
            return Err(StoreError::damaged("store", &"it refuses"));
        }
        let writes = changes.writes.clone();
        apply(&mut state.rows, changes);
        state.commits.push(Changes { writes });
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut state = self.open()?;
        state.commits.clear();
        state.durable = state.rows.clone();
        Ok(())
    }

    fn purge(&self) -> Result<(), StoreError> {
        self.sync()
    }

    fn reopen(&self) -> Result<(), StoreError> {
        self.state().is_broken = false;
        Ok(())
    }
}
