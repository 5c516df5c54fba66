//! What a bundle costs: its rules, leaves, signals and bytes, and which rules cost most.

use super::Compiled;
use crate::condition::{Reads, each_leaf, leaf_key, reads_of};
use crate::rules::{Rule, RuleRef, RuleTable};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// What a bundle costs, in numbers that do not depend on the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Rules that fill slots.
    pub rules: usize,
    /// Triggers.
    pub triggers: usize,
    /// Rules and triggers that take no part.
    pub inactive: usize,
    /// Slots.
    pub slots: usize,
    /// Leaf conditions of all rules; equal ones of different rules each count.
    pub leaves: usize,
    /// Different leaf conditions, of which each is asked once.
    pub distinct_leaves: usize,
    /// Signals as their authors have defined them.
    pub signals: usize,
    /// Signals that count the showings of capped rules and the exposures of experiments.
    pub hidden_signals: usize,
    /// Bytes of the compiled body.
    pub body_bytes: usize,
    /// Every rule and trigger, the most expensive first: by leaves, then bytes, then id.
    pub by_rule: Vec<RuleCost>,
}

/// What one rule or trigger costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCost {
    /// Its id.
    pub id: Box<str>,
    /// Its slot; absent for triggers, and for a rule that takes no part for want of one.
    pub slot: Option<Box<str>>,
    /// Whether it is a trigger.
    pub is_trigger: bool,
    /// Its leaf conditions.
    pub leaves: usize,
    /// Different values that it reads.
    pub reads: usize,
    /// Bytes of a bundle of this rule alone, without its signals.
    pub bytes: usize,
}

/// Counts what compiled rule files cost.
pub fn cost(compiled: &Compiled) -> Cost {
    let bundle = &compiled.bundle;
    let rules: Vec<Rule> = bundle.rules.iter().map(RuleRef::to_rule).collect();
    let mut distinct = BTreeSet::new();
    let mut by_rule: Vec<RuleCost> =
        rules.iter().map(|rule| of_rule(rule, compiled, &mut distinct)).collect();
    by_rule.sort_by(|a, b| (b.leaves, b.bytes, &a.id).cmp(&(a.leaves, a.bytes, &b.id)));
    let triggers = by_rule.iter().filter(|rule| rule.is_trigger).count();
    let hidden_signals = bundle.signals.iter().filter(|signal| signal.name().contains('.')).count();
    Cost {
        rules: rules.len() - triggers,
        triggers,
        inactive: rules.iter().filter(|rule| rule.inactive.is_some()).count(),
        slots: bundle.rules.slot_count(),
        leaves: by_rule.iter().map(|rule| rule.leaves).sum(),
        distinct_leaves: distinct.len(),
        signals: bundle.signals.len() - hidden_signals,
        hidden_signals,
        body_bytes: compiled.body.len(),
        by_rule,
    }
}

fn of_rule(rule: &Rule, compiled: &Compiled, distinct: &mut BTreeSet<Vec<u8>>) -> RuleCost {
    let (mut leaves, mut reads) = (0, BTreeSet::<Reads>::new());
    // A condition that negates nothing stands in place of one that was not understood.
    if rule.inactive.is_none() {
        each_leaf(&rule.when, &mut |leaf| {
            leaves += 1;
            distinct.insert(leaf_key(leaf));
            reads.extend(reads_of(leaf));
        });
    }
    let bytes = RuleTable::pack(core::slice::from_ref(rule)).len();
    let is_trigger = rule.slot.is_none() && !compiled.slotless.contains(&rule.id);
    let (id, slot, reads) = (rule.id.clone(), rule.slot.clone(), reads.len());
    RuleCost { id, slot, is_trigger, leaves, reads, bytes }
}
