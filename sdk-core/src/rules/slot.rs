//! Slots and the order in which their rules are asked.

use super::Rule;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// The slots of the rules in order of name, each with the indexes of its active rules, the one that wins over all
/// others first: priority decides, then specificity, then the lower id.
pub(super) fn slots_of(rules: &[Rule]) -> Vec<(&str, Vec<usize>)> {
    let mut slots: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let Some(name) = &rule.slot else { continue };
        let slot = slots.entry(name).or_default();
        if rule.inactive.is_none() {
            slot.push(index);
        }
    }
    for slot in slots.values_mut() {
        slot.sort_by_key(|index| rules.get(*index).map(|rule| Reverse((rule.priority, rule.specificity))));
    }
    slots.into_iter().collect()
}

/// The active rules of all slots that a rule of a group is for, the one of the highest rank first.
pub(super) fn ranked_of(rules: &[Rule]) -> Vec<usize> {
    let active =
        || rules.iter().enumerate().filter(|(_, rule)| rule.inactive.is_none() && rule.slot.is_some());
    let grouped: BTreeSet<_> =
        active().filter(|(_, rule)| rule.terms.group.is_some()).map(|(_, rule)| &rule.slot).collect();
    let mut ranked: Vec<(usize, &Rule)> = active().filter(|(_, rule)| grouped.contains(&rule.slot)).collect();
    ranked.sort_by_key(|(_, rule)| Reverse((rule.priority, rule.specificity)));
    ranked.into_iter().map(|(index, _)| index).collect()
}
