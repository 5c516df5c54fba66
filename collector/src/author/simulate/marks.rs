//! What a simulation remembers of a visitor: which rules held, how its slots went on, what fired here alone.

use attune_core::hash::key_hash;
use attune_core::rules::Decision;
use attune_core::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What is compared of one visitor.
#[derive(Debug, Default)]
pub struct Marks {
    /// Slot rules that have held.
    pub held: BTreeSet<Box<str>>,
    /// For each slot a hash over all its changes in order; equal for visitors that saw the same at the same time:
    /// the same rule under the same key with the same actions.
    pub trails: BTreeMap<Box<str>, u64>,
    /// How often each trigger fired.
    pub fired: BTreeMap<Box<str>, u64>,
    /// How often each trigger fired here and not in the other world.
    pub fired_alone: BTreeMap<Box<str>, u64>,
}

impl Marks {
    /// Notes that a slot has another decision from an instant on.
    pub fn note_change(&mut self, slot: &str, decision: Option<&Decision>, at: Timestamp) {
        let (rule, key) = decision
            .map_or(("", ""), |decision| (&*decision.rule, decision.key.as_deref().unwrap_or_default()));
        if !rule.is_empty() {
            self.held.insert(Box::from(rule));
        }
        let trail = self.trails.entry(Box::from(slot)).or_default();
        let mut step = trail.to_le_bytes().to_vec();
        step.extend_from_slice(&at.0.to_le_bytes());
        step.extend_from_slice(rule.as_bytes());
        step.push(0);
        step.extend_from_slice(key.as_bytes());
        step.push(0);
        step.extend_from_slice(decision.map_or(&[], |decision| decision.actions.as_bytes()));
        *trail = key_hash(&step);
    }

    /// Takes over what is known of a visitor that turned out to be this one.
    pub fn join(&mut self, other: Self) {
        self.held.extend(other.held);
        for (slot, trail) in other.trails {
            let own = self.trails.entry(slot).or_default();
            *own = key_hash(&[own.to_le_bytes(), trail.to_le_bytes()].concat());
        }
        for (sums, others) in [(&mut self.fired, other.fired), (&mut self.fired_alone, other.fired_alone)] {
            others.into_iter().for_each(|(rule, count)| *sums.entry(rule).or_default() += count);
        }
    }
}
