//! When each level trigger has to be judged again: what an event has not touched stands where it stood until time moves it.

use super::active::Active;
use crate::bundle::Bundle;
use crate::condition::{Condition, Outlook, Reads, Root, each_leaf, reads_of};
use crate::id::{SessionId, SignalId};
use crate::profile::{Change, TileChange, TileChanges, Tiles, bounded_key};
use crate::time::{Clocks, Timestamp};
use crate::value::cut;
use alloc::boxed::Box;
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
            readers.traits.iter().for_each(|level| self.mark(*level));
        }
        for tile in changes {
            for reader in readers.of(tile.signal) {
                if reader.is_touched(tile, tiles) {
                    self.mark(reader.level);
                }
            }
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

/// Which level triggers of a bundle read what.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// In order of signal.
    signals: Vec<Reader>,
    /// The level triggers that read traits.
    traits: Vec<usize>,
}

/// A level trigger that reads a signal.
#[derive(Debug)]
struct Reader {
    signal: SignalId,
    /// Under this key alone; under any where there is none.
    key: Option<Box<str>>,
    level: usize,
}

impl Reader {
    fn is_touched(&self, tile: &TileChange, tiles: &Tiles) -> bool {
        match &self.key {
            // A key that falls to the bound leaves every other one open that is missing.
            Some(key) => **key == *tile.key || tiles.is_truncated(tile.signal, tile.bucket),
            None => true,
        }
    }
}

impl Readers {
    /// Adds what a level trigger's condition reads, by the signals of its bundle. Says whether that is all it depends on,
    /// so that nothing else moves its answer before its time: scores and variations depend on more, and on who is asked.
    pub fn add(&mut self, bundle: &Bundle, level: usize, condition: &Condition) -> bool {
        let mut is_foreseeable = true;
        each_leaf(condition, &mut |leaf| {
            for read in reads_of(leaf) {
                match read {
                    Reads::Signal(signal, key) => self.add_signal(signal, Some(&key), level),
                    Reads::Keys(signal) => self.add_signal(signal, None, level),
                    Reads::Path(root, rest) if root == Root::Signals as u8 => {
                        let (name, key) = cut(&rest, b'.');
                        if let Some(signal) = bundle.signals.by_name(name) {
                            self.add_signal(signal.id, Some(key.unwrap_or_default()), level);
                        }
                    }
                    Reads::Path(root, _) if root == Root::Traits as u8 => self.traits.push(level),
                    // No level trigger is judged with an event or a context.
                    Reads::Path(root, _) if root == Root::Event as u8 || root == Root::Context as u8 => {}
                    Reads::Path(..) | Reads::Anything => is_foreseeable = false,
                }
            }
        });
        is_foreseeable
    }

    fn add_signal(&mut self, signal: SignalId, key: Option<&str>, level: usize) {
        let mut room = [0; 40];
        let key = key.map(|key| Box::from(bounded_key(key, &mut room)));
        let place = self.signals.partition_point(|reader| reader.signal <= signal);
        self.signals.insert(place, Reader { signal, key, level });
    }

    fn of(&self, signal: SignalId) -> &[Reader] {
        let from = self.signals.partition_point(|reader| reader.signal < signal);
        let readers = self.signals.get(from..).unwrap_or_default();
        readers.get(..readers.partition_point(|reader| reader.signal == signal)).unwrap_or_default()
    }
}
