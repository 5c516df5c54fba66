//! Which level triggers of a bundle read what, so that a change concerns only those that read what it has moved.

use crate::bundle::Bundle;
use crate::condition::{Condition, Reads, Root, each_leaf, reads_of};
use crate::id::SignalId;
use crate::profile::{ShortText, bounded_key};
use crate::value::cut;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Which level triggers of a bundle read what.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// In order of signal.
    signals: Vec<Reader>,
    /// The level triggers that read traits.
    traits: Vec<usize>,
    /// By level trigger the signals that it reads.
    read: Vec<Vec<SignalId>>,
}

/// A level trigger that reads a signal.
#[derive(Debug)]
pub(super) struct Reader {
    signal: SignalId,
    /// Under this key alone; under any where there is none.
    key: Option<Box<str>>,
    /// Its place among the level triggers.
    pub level: usize,
}

impl Reader {
    /// Whether it reads what the signal has under a key.
    pub fn reads(&self, key: &ShortText) -> bool {
        self.key.as_ref().is_none_or(|own| own.as_bytes() == key.as_bytes())
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
        if self.read.len() <= level {
            self.read.resize_with(level + 1, Vec::new);
        }
        if !self.read[level].contains(&signal) {
            self.read[level].push(signal);
        }
    }

    /// The signals that a level trigger reads.
    pub fn read_by(&self, level: usize) -> &[SignalId] {
        self.read.get(level).map_or(&[], Vec::as_slice)
    }

    /// The level triggers that read traits.
    pub fn of_traits(&self) -> &[usize] {
        &self.traits
    }

    /// The level triggers that read a signal, once for each way in which they do.
    pub fn of(&self, signal: SignalId) -> &[Reader] {
        let from = self.signals.partition_point(|reader| reader.signal < signal);
        let readers = self.signals.get(from..).unwrap_or_default();
        readers.get(..readers.partition_point(|reader| reader.signal == signal)).unwrap_or_default()
    }
}
