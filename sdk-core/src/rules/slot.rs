//! Slots and the order in which their rules are asked.

use super::Rule;
use crate::profile::order::places_in_order;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// A named place that one rule at a time may fill, as it is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Its name.
    pub name: Box<str>,
    /// Its active rules as indexes, the one that wins over all others first.
    pub rules: Vec<usize>,
}

/// The slots of the rules in order of name; in each, priority decides, then specificity, then the lower id.
pub(super) fn slots_of(rules: &[Rule]) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    for index in places_in_order(rules.len(), &|a, b| rank(&rules[a]).cmp(&rank(&rules[b]))) {
        let rule = &rules[index];
        let Some(name) = &rule.slot else { continue };
        if slots.last().is_none_or(|slot| slot.name != *name) {
            slots.push(Slot { name: name.clone(), rules: Vec::new() });
        }
        if let (Some(slot), None) = (slots.last_mut(), &rule.inactive) {
            slot.rules.push(index);
        }
    }
    slots
}

/// By slot; within it by priority and specificity, higher first, then by id.
fn rank(rule: &Rule) -> (Option<&str>, Reverse<(i32, u32)>, &str) {
    (rule.slot.as_deref(), Reverse((rule.priority, rule.specificity)), &rule.id)
}
