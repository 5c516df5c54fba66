//! Exclusion groups: of the rules of a group one holds a slot, whichever slots they are for.

use super::index::Marks;
use super::{RuleRef, RuleTable};
use core::cmp::Reverse;

/// The place of a rule among all: greater wins, by priority, then specificity, then the lower id.
type Rank = (i32, u32, Reverse<usize>);

impl RuleRef<'_> {
    /// Its rank over all slots.
    pub(super) fn rank(&self) -> Rank {
        let head = self.head();
        (head.priority, head.specificity, Reverse(self.index))
    }
}

/// The rules, by index, that have to leave their slots to others, because a rule of their group with a higher rank takes
/// a slot: all rules are gone through by rank, and each that holds takes its slot if slot and group are free. `ranked`
/// are those that may hold, with their places in the ranking; `holds` says of a slot and a rule of it, at a place of the
/// ranking, whether the rule would take it.
pub(super) fn excluded<'a>(
    rules: &'a RuleTable,
    ranked: impl Iterator<Item = (usize, RuleRef<'a>)>,
    holds: &mut dyn FnMut(usize, &str, &RuleRef<'_>) -> bool,
) -> Marks {
    let mut slots = Marks::none(rules.slot_count());
    let mut groups = Marks::none(rules.form().text_count());
    let mut excluded = Marks::none(rules.len());
    for (place, rule) in ranked {
        let name = rule.head().slot.unwrap_or_default();
        let (slot, group) = (rules.slot_named(name).unwrap_or(usize::MAX), rule.terms().group_number);
        if slots.has(slot) {
            continue;
        }
        if group.is_some_and(|group| groups.has(group)) {
            excluded.add(rule.index);
        } else if holds(place, name, &rule) {
            slots.add(slot);
            group.into_iter().for_each(|group| groups.add(group));
        }
    }
    excluded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Condition;
    use crate::rules::{Mode, Rule, Terms};
    use alloc::format;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn rule(index: usize, (slot, group, priority, specificity): (u8, u8, i32, u32)) -> Rule {
        let group = (group > 0).then(|| format!("{group}").into_boxed_str());
        Rule {
            id: format!("{index:02}").into_boxed_str(),
            slot: Some(format!("{slot}").into_boxed_str()),
            priority,
            specificity,
            when: Condition::All(Vec::new()),
            mode: Mode::Level,
            key: None,
            cap: None,
            terms: Terms { group, ..Terms::default() },
            actions: Vec::new(),
            fire_on_publish: false,
            inactive: None,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn slots_are_filled_as_by_going_through_all_rules_by_rank(
            given in proptest::collection::vec(((0_u8..5, 0_u8..4, 0_i32..3, 0_u32..2), any::<bool>()), 0..20),
        ) {
            let rules: Vec<Rule> = given.iter().enumerate().map(|(index, (given, _))| rule(index, *given)).collect();
            let holding = |index: usize| given[index].1;
            let mut by_rank: Vec<usize> = (0..rules.len()).filter(|index| holding(*index)).collect();
            by_rank.sort_by_key(|index| Reverse((rules[*index].priority, rules[*index].specificity, Reverse(*index))));
            let mut expected: Vec<usize> = Vec::new();
            for index in by_rank {
                let is_free = |taken: &usize| {
                    let (own, other) = (&rules[index], &rules[*taken]);
                    own.slot != other.slot && (own.terms.group.is_none() || own.terms.group != other.terms.group)
                };
                if expected.iter().all(is_free) {
                    expected.push(index);
                }
            }
            expected.sort_unstable();

            let table = RuleTable::open(&RuleTable::pack(&rules)).unwrap();
            let mut asked = vec![0; rules.len()];
            let excluded = excluded(&table, table.ranked().enumerate(), &mut |_, slot, rule| {
                assert_eq!(rule.head().slot, Some(slot));
                asked[rule.index] += 1;
                holding(rule.index)
            });
            // Each rule costs one evaluation at most.
            prop_assert!(asked.iter().all(|times| *times <= 1));
            let holders = (0..table.slot_count()).filter_map(|slot| table.slot(slot));
            let mut found: Vec<usize> = holders
                .filter_map(|(_, mut ranking)| {
                    ranking.find(|rule| holding(rule.index) && !excluded.has(rule.index))
                })
                .map(|rule| rule.index)
                .collect();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
