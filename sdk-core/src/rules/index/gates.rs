//! Conjunctions with counters: what is above a leaf that turns.

use super::Edge;
use crate::condition::Truth;
use alloc::vec::Vec;

/// The conjunctions of all rules; those of the rules themselves come first, in order of place.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    /// How many gates are rules.
    pub rules: usize,
    /// Of each other gate the one it is part of.
    pub parents: Vec<Edge>,
    /// Counters while every leaf is as it usually is.
    pub start: Vec<Counters>,
}

/// How many parts of a gate are false, and how many unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    falses: u32,
    unknowns: u32,
}

impl Counters {
    /// Whether all parts hold.
    pub const fn truth(self) -> Truth {
        match self {
            Self { falses: 0, unknowns: 0 } => Some(true),
            Self { falses: 0, .. } => None,
            _ => Some(false),
        }
    }

    /// Counts a part in.
    pub const fn count(&mut self, truth: Truth) {
        match truth {
            Some(false) => self.falses = self.falses.wrapping_add(1),
            None => self.unknowns = self.unknowns.wrapping_add(1),
            Some(true) => {}
        }
    }

    /// Takes a part out again.
    const fn discount(&mut self, truth: Truth) {
        match truth {
            Some(false) => self.falses = self.falses.wrapping_sub(1),
            None => self.unknowns = self.unknowns.wrapping_sub(1),
            Some(true) => {}
        }
    }
}

impl Gates {
    /// Lets a part turn from one truth into another; gives the rule that turned with it, and what it is now.
    pub fn turn(
        &self,
        counters: &mut [Counters],
        edge: Edge,
        from: Truth,
        to: Truth,
    ) -> Option<(usize, bool)> {
        let (mut edge, mut from, mut to) = (edge, from, to);
        loop {
            let gate = counters.get_mut(edge.to())?;
            let before = gate.truth();
            gate.discount(seen(from, edge));
            gate.count(seen(to, edge));
            let after = gate.truth();
            if before == after {
                return None;
            }
            match edge.to().checked_sub(self.rules) {
                None => {
                    let holds = after == Some(true);
                    return (holds != (before == Some(true))).then_some((edge.to(), holds));
                }
                Some(inner) => (edge, from, to) = (*self.parents.get(inner)?, before, after),
            }
        }
    }
}

/// A part's truth as the gate above sees it.
pub fn seen(truth: Truth, edge: Edge) -> Truth {
    truth.map(|truth| truth != edge.is_negated())
}
