//! The compiler's part of the index: which leaves the rules of slots consist of, what each reads, and which slots a value
//! touches besides.

use super::Rule;
use super::index::{ALL_KEYS, ANYTHING, NOTHING, ONE_KEY};
use super::settle::Before;
use crate::condition::{
    Condition, Literal, Packer, Path, Reads, Test, each_leaf, encode_condition, leaf_key, reads_of,
    visit_paths,
};
use crate::value::Value;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Appends what is read and the leaves, and makes the packer write leaves as their numbers from here on.
///
/// What is read comes first, each with the slots that show it or are counted by it: the numbers of their names, since those
/// of slots change with every slot that comes or goes, as differences to the one before; then the leaves, with their numbers before them in runs, each with the
/// numbers of what it reads. What was there `before` keeps its number. Leaves of one subject stand together, those that
/// compare with a number in the order in which a growing (or, for upper bounds, a falling) number meets them.
pub(super) fn pack_leaves(
    rules: &[Rule],
    slots: &[(&str, Vec<usize>)],
    before: &Before,
    packer: &mut Packer,
) {
    let mut leaves: BTreeMap<(Vec<Reads>, Rank, Vec<u8>), &Condition> = BTreeMap::new();
    let mut touched: BTreeMap<Reads, BTreeSet<usize>> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.is_indexed()) {
        each_leaf(&rule.when, &mut |leaf| {
            leaves.insert((reads_of(leaf), rank(leaf), leaf_key(leaf)), leaf);
        });
    }
    for reads in leaves.keys().flat_map(|(reads, ..)| reads) {
        touched.entry(reads.clone()).or_default();
    }
    for (number, (_, indexes)) in slots.iter().enumerate() {
        for rule in indexes.iter().filter_map(|index| rules.get(*index)) {
            for reads in shown_by(rule) {
                touched.entry(reads).or_default().insert(number);
            }
        }
    }
    let subjects = pack_subjects(touched, slots, before, packer);
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
fn pack_subjects(
    touched: BTreeMap<Reads, BTreeSet<usize>>,
    slots: &[(&str, Vec<usize>)],
    before: &Before,
    packer: &mut Packer,
) -> BTreeMap<Reads, usize> {
    let settled = before.subject_numbers(touched.keys());
    let mut in_order: Vec<_> = settled.numbers.iter().copied().zip(touched.iter().map(Some)).collect();
    in_order.extend(settled.gaps().into_iter().map(|gap| (gap, None)));
    in_order.sort_unstable_by_key(|(number, _)| *number);
    let mut last = 0;
    packer.list(&in_order, |(_, known), packer| {
        match known {
            Some((reads, _)) => encode_reads(reads, packer),
            None => packer.out.u8(NOTHING),
        }
        let names = known.iter().flat_map(|(_, touched)| touched.iter()).filter_map(|slot| slots.get(*slot));
        packer.group(&names.collect::<Vec<_>>(), |(name, _), packer| {
            let name = packer.number(name);
            packer.difference(&mut last, name);
        });
    });
    touched.into_keys().zip(settled.numbers).collect()
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
