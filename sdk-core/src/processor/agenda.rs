//! When each level trigger has to be judged again: what an event has not touched stands where it stood until time moves it.

use super::active::Active;
use crate::condition::Outlook;
use crate::id::SessionId;
use crate::profile::{Change, TileChanges, Tiles};
use crate::time::{Clocks, Timestamp};
use alloc::vec::Vec;

/// For each level trigger of a bundle the instant from which on its last answer may be another one. It is found again
/// where it is missing, so it is no part of what is kept and compares equal to any other.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    /// What the answers were found with; nothing while none are known.
    found: Option<Found>,
    /// By level trigger; [`AT_ONCE`] where something it reads has moved, [`NEVER`] where time alone moves nothing.
    due: Vec<Timestamp>,
}

/// What all answers depend on alike.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Found {
    edition: u64,
    session: Option<SessionId>,
    clocks: Clocks,
}

const AT_ONCE: Timestamp = Timestamp(i64::MIN);
const NEVER: Timestamp = Timestamp(i64::MAX);

impl PartialEq for Agenda {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Agenda {
    /// Has every level trigger judged anew: something has changed of which nobody says what it touches.
    pub fn forget(&mut self) {
        self.found = None;
    }

    /// Notes which level triggers read something that a change has moved, once it is in `tiles`.
    pub fn touch(&mut self, active: &Active, change: &Change, tiles: &Tiles) {
        let (Some(Found { edition, .. }), TileChanges::Touched(changes)) = (self.found, &change.tiles) else {
            return self.forget();
        };
        if edition != active.edition {
            return self.forget();
        }
        let readers = &active.readers;
        if !change.traits.is_empty() {
            readers.of_traits().iter().for_each(|level| self.mark(*level));
        }
        for tile in changes {
            let of_signal = readers.of(tile.signal);
            // A key that falls to the bound leaves every other one open that is missing.
            let of_any_key = !of_signal.is_empty() && tiles.is_truncated(tile.signal, tile.bucket);
            of_signal
                .iter()
                .filter(|reader| of_any_key || reader.reads(&tile.key))
                .for_each(|reader| self.mark(reader.level));
        }
    }

    /// Begins a judgement of the level triggers of a bundle, in a session and by clocks.
    pub fn begin(&mut self, active: &Active, session: Option<SessionId>, clocks: Clocks) {
        let found = Some(Found { edition: active.edition, session, clocks });
        if self.found != found {
            self.found = found;
            self.due.clear();
            self.due.resize(active.levels.len(), AT_ONCE);
        }
    }

    /// Whether a level trigger has to be judged at an instant. Where it stands as it did, the outlook hears until when.
    pub fn asks(&self, level: usize, now: Timestamp, outlook: &mut Outlook) -> bool {
        let due = self.due.get(level).copied().unwrap_or(AT_ONCE);
        if due > now && due != NEVER {
            outlook.note(due);
        }
        due <= now
    }

    /// Notes until when an answer holds, if nothing that it depends on moves.
    pub fn note(&mut self, level: usize, until: Option<Timestamp>, is_foreseeable: bool) {
        if let Some(due) = self.due.get_mut(level) {
            *due = if is_foreseeable { until.unwrap_or(NEVER) } else { AT_ONCE };
        }
    }

    fn mark(&mut self, level: usize) {
        if let Some(due) = self.due.get_mut(level) {
            *due = AT_ONCE;
        }
    }
}
