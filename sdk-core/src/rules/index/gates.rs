//! Conjunctions with counters: what is above a leaf that turns.

use super::Edge;
use crate::condition::Truth;
use crate::limits::MAX_CONDITION_TESTS;
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

/// How many parts of a gate are false, and how many unknown: the lower and the upper half of one number, so that a part
/// that turns is one addition and a gate that holds is 0. A condition has fewer parts than a half can count; whoever
/// made a bundle by hand that has more gets a rule that holds at the wrong time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters(u32);

const FALSE: u32 = 1;
const UNKNOWN: u32 = 1 << 16;
const _: () = assert!(MAX_CONDITION_TESTS < UNKNOWN as usize);

impl Counters {
    /// Whether all parts hold.
    pub const fn truth(self) -> Truth {
        match self.0 {
            0 => Some(true),
            counts if counts % UNKNOWN == 0 => None,
            _ => Some(false),
        }
    }

    /// Counts a part in.
    pub const fn count(&mut self, truth: Truth) {
        self.0 = self.0.wrapping_add(weight(truth));
    }
}

/// What a part counts.
const fn weight(truth: Truth) -> u32 {
    match truth {
        Some(true) => 0,
        Some(false) => FALSE,
        None => UNKNOWN,
    }
}

/// What the counters of a gate grow by, with wrapping, when a part of it turns.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// By whether the gate sees the part negated.
    growth: [u32; 2],
}

impl Turn {
    /// A part that turns from one truth into another.
    pub const fn new(from: Truth, to: Truth) -> Self {
        let plain = weight(to).wrapping_sub(weight(from));
        let negated = weight(negated(to)).wrapping_sub(weight(negated(from)));
        Self { growth: [plain, negated] }
    }
}

impl Gates {
    /// Lets a part turn; gives the rule that turned with it.
    #[inline]
    pub fn turn(&self, counters: &mut [Counters], edge: Edge, turn: Turn) -> Option<usize> {
        let Counters(counts) = counters.get_mut(edge.to())?;
        let before = *counts;
        *counts = before.wrapping_add(turn.growth[usize::from(edge.is_negated())]);
        if edge.to() < self.rules {
            return ((*counts == 0) != (before == 0)).then_some(edge.to());
        }
        let (from, to) = (Counters(before).truth(), Counters(*counts).truth());
        if from == to { None } else { self.turn_above(counters, edge.to(), Turn::new(from, to)) }
    }

    /// Lets the gates above an inner one turn with it.
    #[inline(never)]
    fn turn_above(&self, counters: &mut [Counters], gate: usize, turn: Turn) -> Option<usize> {
        let (mut gate, mut turn) = (gate, turn);
        loop {
            let edge = *self.parents.get(gate.checked_sub(self.rules)?)?;
            let counts = counters.get_mut(edge.to())?;
            let before = *counts;
            counts.0 = before.0.wrapping_add(turn.growth[usize::from(edge.is_negated())]);
            let (from, to) = (before.truth(), counts.truth());
            if edge.to() < self.rules {
                return ((to == Some(true)) != (from == Some(true))).then_some(edge.to());
            }
            if from == to {
                return None;
            }
            (gate, turn) = (edge.to(), Turn::new(from, to));
        }
    }
}

/// A part's truth as the gate above sees it.
pub const fn seen(truth: Truth, edge: Edge) -> Truth {
    if edge.is_negated() { negated(truth) } else { truth }
}

const fn negated(truth: Truth) -> Truth {
    match truth {
        Some(truth) => Some(!truth),
        None => None,
    }
}
