//! The compiler's part of the index: which leaves the rules of slots consist of, what each reads, and which slots a value
//! touches besides.

use super::Rule;
use super::index::{ALL_KEYS, ANYTHING, ONE_KEY};
use super::settle::Before;
use crate::condition::{
    Condition, Literal, NO_ID, Packer, Path, Reads, Test, each_leaf, encode_condition, leaf_key, reads_of,
    visit_paths,
};
use crate::value::Value;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Appends what is read and the leaves, and makes the packer write leaves as their numbers from here on.
///
/// What is read comes first; then for each slot that shows something, or is counted by it, how far it is from the one
/// before, and what that is; then the leaves, with their numbers before them in runs, each with the numbers of what it reads. What was there `before` keeps its
/// number. Leaves of one subject stand together, those that compare with a number in the order in which a growing (or,
/// for upper bounds, a falling) number meets them.
pub(super) fn pack_leaves(
    rules: &[Rule],
    slots: &[(&str, Vec<usize>)],
    before: &Before,
    packer: &mut Packer,
) {
    let mut leaves: BTreeMap<(Vec<Reads>, Rank, Vec<u8>), &Condition> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.is_indexed()) {
        each_leaf(&rule.when, &mut |leaf| {
            leaves.insert((reads_of(leaf), rank(leaf), leaf_key(leaf)), leaf);
        });
    }
    let shown: Vec<BTreeSet<Reads>> = slots
        .iter()
        .map(|(_, indexes)| indexes.iter().filter_map(|index| rules.get(*index)).flat_map(shown_by).collect())
        .collect();
    let read = leaves.keys().flat_map(|(reads, ..)| reads).chain(shown.iter().flatten()).cloned();
    let subjects = pack_subjects(&read.collect(), before, packer);
    let number = |reads: &Reads| subjects.get(reads).copied().unwrap_or_default();
    let (mut slot_before, shown) = (0, shown.iter().enumerate().filter(|(_, shown)| !shown.is_empty()));
    packer.group(&shown.collect::<Vec<_>>(), |(slot, shown), packer| {
        packer.out.len(slot - slot_before);
        slot_before = *slot;
        packer.group(&shown.iter().collect::<Vec<_>>(), |reads, packer| packer.out.len(number(reads)));
    });
    let settled = before.leaf_numbers(leaves.keys().map(|(_, _, key)| &key[..]));
    let gaps = settled.gaps();
    packer.out.len(settled.count);
    let in_order: Vec<usize> = settled.numbers.into_iter().chain(gaps.iter().copied()).collect();
    let mut last = 0;
    let runs: Vec<&[usize]> = in_order.chunk_by(|one, next| one + 1 == *next).collect();
    packer.group(&runs, |run, packer| {
        packer.difference(&mut last, run.first().copied().unwrap_or_default());
        packer.out.len(run.len());
    });
    let mut numbers = BTreeMap::new();
    for (((reads, _, key), leaf), at) in leaves.into_iter().zip(in_order.iter().copied()) {
        packer
            .group(&reads, |reads, packer| packer.out.len(subjects.get(reads).copied().unwrap_or_default()));
        encode_condition(leaf, packer);
        numbers.insert(key, at);
    }
    // What reads nothing and is nobody's holds the place of a leaf that has gone.
    for _ in gaps {
        packer.group::<()>(&[], |(), _| {});
        encode_condition(&Condition::All(Vec::new()), packer);
    }
    packer.set_leaves(numbers);
}

/// Appends what is read; the number of each.
fn pack_subjects(read: &BTreeSet<Reads>, before: &Before, packer: &mut Packer) -> BTreeMap<Reads, usize> {
    let settled = before.subject_numbers(read.iter());
    let nothing = Reads::Keys(NO_ID);
    let mut in_order = vec![&nothing; settled.count];
    for (number, reads) in settled.numbers.iter().zip(read) {
        if let Some(place) = in_order.get_mut(*number) {
            *place = reads;
        }
    }
    packer.list(&in_order, |reads, packer| encode_reads(reads, packer));
    read.iter().cloned().zip(settled.numbers).collect()
}

/// Where a leaf stands among those of its subject: kind, then bound.
type Rank = (u8, u64, Reverse<u64>, bool);

fn rank(leaf: &Condition) -> Rank {
    let (Condition::Path { test, .. } | Condition::Signal { test, .. }) = leaf else {
        return (0, 0, Reverse(0), false);
    };
    match test {
        Test::Gte(Literal::Value(Value::Number(at))) => (1, ordered(*at), Reverse(0), false),
        Test::Gt(Literal::Value(Value::Number(at))) => (1, ordered(*at), Reverse(0), true),
        Test::Lte(Literal::Value(Value::Number(at))) => (2, 0, Reverse(ordered(*at)), false),
        Test::Lt(Literal::Value(Value::Number(at))) => (2, 0, Reverse(ordered(*at)), true),
        _ => (0, 0, Reverse(0), false),
    }
}

/// Bits that are ordered as the numbers are.
fn ordered(number: f64) -> u64 {
    let bits = number.to_bits();
    if number < 0.0 { !bits } else { bits | (1 << 63) }
}

/// What a slot rule reads when it is shown: the places of its texts, its key, the counts of its cap.
fn shown_by(rule: &Rule) -> BTreeSet<Reads> {
    let mut reads = BTreeSet::new();
    let mut read_path = |path: &Path| {
        reads.insert(Reads::path(path));
    };
    rule.key.iter().for_each(&mut read_path);
    if let (Condition::All(parts), true) = (&rule.when, rule.terms.is_scheduled) {
        // A latched rule has no leaf to say so.
        parts.last().into_iter().for_each(|schedule| visit_paths(schedule, &mut read_path));
    }
    for action in &rule.actions {
        action.each_place(&mut |path| Path::parse(path).iter().for_each(&mut read_path));
    }
    let counted = rule.cap.iter().flat_map(|cap| [cap.shown, cap.shown_at]).flatten();
    reads.extend(counted.map(Reads::Keys));
    reads
}

fn encode_reads(reads: &Reads, packer: &mut Packer) {
    match reads {
        Reads::Path(root, rest) => {
            packer.out.u8(*root);
            packer.text(rest);
        }
        Reads::Signal(signal, key) => {
            packer.out.u8(ONE_KEY);
            packer.id(*signal);
            packer.text(key);
        }
        Reads::Keys(signal) => {
            packer.out.u8(ALL_KEYS);
            packer.id(*signal);
        }
        Reads::Anything => packer.out.u8(ANYTHING),
    }
}
