//! Writing a table of rules, also with the numbers that an earlier one has, so that a delta between the two is small.

use super::codec::encode_rule;
use super::leaves::pack_leaves;
use super::settle::Before;
use super::slot::{ranked_of, slots_of};
use super::{Mode, Rule, RuleTable};
use crate::condition::{ANY, Packer, Postings, pack_like};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

impl RuleTable {
    /// Writes the packed form; the rules are in order of id, without repeats.
    pub fn pack(rules: &[Rule]) -> Vec<u8> {
        pack_in(Packer::new(), rules, &Before::default())
    }

    /// Writes the packed form with the numbers that an earlier one has for texts, ids, leaves and what these read, so that
    /// what is equal in both is written alike.
    pub fn pack_like(before: &Self, rules: &[Rule]) -> Vec<u8> {
        let numbers = Before::new(before);
        pack_like(before.form(), &|packer| pack_in(packer, rules, &numbers))
    }
}

fn pack_in(mut packer: Packer, rules: &[Rule], before: &Before) -> Vec<u8> {
    let rules: Vec<Rule> = rules.iter().map(Rule::indexed).collect();
    let (rules, slots) = (&rules[..], slots_of(&rules));
    // Neighbours in the list of ids then have neighbouring numbers, which compresses well.
    for rule in rules {
        packer.number(&rule.id);
    }
    pack_leaves(rules, &slots, before, &mut packer);
    let mut id_before = 0;
    packer.list(rules, |rule, packer| {
        let id = packer.number(&rule.id);
        packer.difference(&mut id_before, id);
    });
    rules.iter().for_each(|rule| encode_rule(rule, &mut packer));
    pack_lists(&by_type(rules), &slots, &ranked_of(rules), &mut packer);
    packer.finish()
}

/// Appends what belongs to each event type and to each slot, and the ranking of those whom exclusion groups concern.
pub(super) fn pack_lists(
    by_type: &[(&str, Vec<usize>)],
    slots: &[(&str, Vec<usize>)],
    ranked: &[usize],
    packer: &mut Packer,
) {
    Postings::pack(by_type, packer);
    Postings::pack(slots, packer);
    let mut before = 0;
    packer.group(ranked, |index, packer| packer.difference(&mut before, *index));
}

/// For each event type the active rules that are judged at it, those for every type included.
fn by_type(rules: &[Rule]) -> Vec<(&str, Vec<usize>)> {
    let mut types: BTreeMap<&str, Vec<usize>> = BTreeMap::from([(ANY, Vec::new())]);
    for (on, index) in rules.iter().enumerate().filter_map(judged_at) {
        types.entry(on).or_default().push(index);
    }
    let any = types.get(ANY).cloned().unwrap_or_default();
    for (on, indexes) in &mut types {
        if *on != ANY {
            indexes.extend(&any);
            indexes.sort_unstable();
        }
    }
    types.into_iter().collect()
}

/// The event type at which an active rule is judged, and its index.
fn judged_at((index, rule): (usize, &Rule)) -> Option<(&str, usize)> {
    match (&rule.inactive, &rule.mode) {
        (None, Mode::Event { on, .. }) => Some((on, index)),
        _ => None,
    }
}
