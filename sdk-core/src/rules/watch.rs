//! Which slots a change concerns: what a page needs, where every byte of code is loaded before the first decision.
//!
//! It knows for everything that is read the slots whose rules read it. A slot that is concerned has its rules asked in
//! order of rank, until one holds. Hosts that have room use the [index](super::index) instead, which looks at single
//! leaves.

use super::index::{Marks, Subject};
use super::{RuleTable, Touched};
use crate::condition::{Code, Lists};
use crate::id::SignalId;
use crate::limits::MAX_CONDITION_DEPTH;
use crate::profile::SignalTable;
use crate::time::Timestamp;
use alloc::vec;
use alloc::vec::Vec;

/// The slots of one visitor that have to be decided again.
#[derive(Debug, Default)]
pub struct Watch {
    /// Of each subject the signal it reads, if it reads one.
    signals: Vec<Option<SignalId>>,
    /// By subject: the slots that depend on it.
    slots_of: Lists,
    concerned: Marks,
    /// The slots that exclusion groups concern: one is decided with all others.
    grouped: Vec<usize>,
    /// Of each slot the next instant at which time alone can change it.
    due: Vec<i64>,
    now: Timestamp,
}

const NEVER: i64 = i64::MAX;

impl Watch {
    /// Watches a bundle, with every slot to be decided.
    pub fn new(rules: &RuleTable, signals: &SignalTable) -> Self {
        let signal = |place: &u32| Subject::read(&mut rules.form().at(*place)).signal(signals);
        let read: Vec<_> = rules.subjects().iter().map(signal).collect();
        let mut pairs = rules.shown();
        for slot in 0..rules.slot_count() {
            for rule in rules.slot(slot).into_iter().flat_map(|(_, ranking)| ranking) {
                collect(&mut { rule.when }, slot as u32, MAX_CONDITION_DEPTH, &mut pairs);
            }
        }
        let mut concerned = Marks::none(rules.slot_count());
        concerned.add_all();
        let due = vec![NEVER; rules.slot_count()];
        let slots_of = Lists::new(read.len(), &pairs);
        Self { signals: read, slots_of, concerned, grouped: rules.grouped_slots(), due, now: Timestamp(0) }
    }

    /// Notes that something may have changed.
    pub fn touch(&mut self, touched: Touched, rules: &RuleTable) {
        if touched == Touched::All {
            return self.concerned.add_all();
        }
        for (subject, (place, signal)) in rules.subjects().iter().zip(&self.signals).enumerate() {
            let is_meant = match (touched, *signal) {
                // Every event asks this for each of its signals.
                (Touched::Signal(id), Some(read)) => id == read,
                _ => match (touched, Subject::read(&mut rules.form().at(*place))) {
                    (_, Subject::Anything) => true,
                    (Touched::Root(root), Subject::Path(path)) => path.root == root,
                    (Touched::Subject(number), _) => subject == number,
                    _ => false,
                },
            };
            if is_meant {
                self.slots_of.get(subject).iter().for_each(|slot| self.concerned.add(*slot as usize));
            }
        }
    }

    /// Notes that the latch of a slot's rule has come, gone or changed.
    pub fn touch_slot(&mut self, slot: usize) {
        self.concerned.add(slot);
    }

    /// Lets time pass up to an instant, at which slots are to be decided; whether exclusion groups are concerned.
    pub fn begin(&mut self, now: Timestamp) -> bool {
        if now < self.now {
            self.concerned.add_all();
        }
        self.now = now;
        for (slot, due) in self.due.iter().enumerate() {
            if *due <= now.0 {
                self.concerned.add(slot);
            }
        }
        self.concerned.spread(&self.grouped)
    }

    /// Takes out the first slot, from one on, that has to be decided again.
    pub fn take_slot(&mut self, from: usize) -> Option<usize> {
        self.concerned.take(from).filter(|slot| *slot < self.due.len())
    }

    /// Says when time alone can change a slot next.
    pub fn set_due(&mut self, slot: usize, at: Option<Timestamp>) {
        if let Some(due) = self.due.get_mut(slot) {
            *due = at.map_or(NEVER, |at| at.0);
        }
    }

    /// The next instant at which time alone can change a slot.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let next = self.due.iter().copied().min()?;
        (next != NEVER).then_some(Timestamp(next))
    }
}

/// Adds for every leaf of the condition that the code begins with the pairs of what it reads and the slot.
fn collect(code: &mut Code<'_>, slot: u32, depth: usize, pairs: &mut Vec<(u32, u32)>) {
    let tag = code.byte();
    let mut parts = match tag {
        0 | 1 => code.sized(),
        5 => {
            let mut reads = code.leaf_reads();
            while !reads.is_empty() {
                pairs.push((reads.number() as u32, slot));
            }
            return;
        }
        // The compiler writes no leaf in place where a slot's rule holds by state.
        2 => *code,
        _ => return,
    };
    while depth > 0 && !parts.is_empty() {
        collect(&mut parts, slot, depth - 1, pairs);
        if tag == 2 {
            *code = parts;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hostile::{naming, reading};
    use super::*;
    use crate::limits::{MAX_NAMED_BYTES, READ_BYTES};

    #[test]
    fn what_is_kept_for_names_of_leaves_is_bounded() {
        let reads = 400;
        let times = MAX_NAMED_BYTES as usize / (40 * reads);
        let rules = RuleTable::open(&naming(&reading(reads), times)).unwrap();
        let watch = Watch::new(&rules, &SignalTable::default());
        let kept = watch.slots_of.items().len();
        assert_eq!(kept, reads * times);
        assert!(kept * READ_BYTES <= MAX_NAMED_BYTES as usize);
    }
}
