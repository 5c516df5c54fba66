//! Slots and the order in which their rules are asked.

use super::Rule;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// A named place that one rule at a time may fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: Box<str>,
    /// Its active rules as indexes, the one that wins over all others first.
    pub rules: Vec<usize>,
}

/// How a rule ranks within its slot: priority and specificity, higher first, then its id; and its index.
type Rank<'a> = (Reverse<(i32, u32)>, &'a str, usize);

/// The slots of the rules in order of name; in each, priority decides, then specificity, then the lower id.
pub fn slots_of(rules: &[Rule]) -> Vec<Slot> {
    let mut ranked: BTreeMap<&str, Vec<Rank<'_>>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let Some(slot) = &rule.slot else { continue };
        let here = ranked.entry(slot).or_default();
        if rule.inactive.is_none() {
            here.push((Reverse((rule.priority, rule.specificity)), &rule.id, index));
        }
    }
    let slots = ranked.into_iter().map(|(name, mut rules)| {
        rules.sort_unstable();
        Slot { name: Box::from(name), rules: rules.into_iter().map(|(_, _, index)| index).collect() }
    });
    slots.collect()
}
