//! The compiler's part of the index: which leaves the rules of slots consist of, what each reads, and which slots a value
//! touches besides.

use super::Rule;
use super::index::{ALL_KEYS, ANYTHING, ONE_KEY};
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
/// What is read comes first, each with the numbers of the slots that show it or are counted by it; then the leaves, with
/// their numbers before them in runs, each with the numbers of what it reads. `numbered` may ask for the number of a leaf.
/// Leaves of one subject stand together, those that compare with a number in the order in which a growing (or, for upper
/// bounds, a falling) number meets them.
pub(super) fn pack_leaves(
    rules: &[Rule],
    slots: &[(&str, Vec<usize>)],
    numbered: &dyn Fn(&[u8]) -> Option<usize>,
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
    let touched: Vec<(Reads, Vec<usize>)> =
        touched.into_iter().map(|(reads, slots)| (reads, slots.into_iter().collect())).collect();
    packer.list(&touched, |(reads, slots), packer| {
        encode_reads(reads, packer);
        packer.group(slots, |slot, packer| packer.out.len(*slot));
    });
    let number = |reads: &Reads| touched.partition_point(|(known, _)| known < reads);
    let mut numbers = BTreeMap::new();
    let mut settled = settle(leaves.keys().map(|(_, _, key)| numbered(key)).collect());
    let gaps = gaps_of(&settled);
    packer.out.len(leaves.len() + gaps.len());
    settled.extend(&gaps);
    let mut before = 0;
    let runs: Vec<&[usize]> = settled.chunk_by(|one, next| one + 1 == *next).collect();
    packer.group(&runs, |run, packer| {
        packer.difference(&mut before, run.first().copied().unwrap_or_default());
        packer.out.len(run.len());
    });
    for (((reads, _, key), leaf), at) in leaves.into_iter().zip(settled.iter().copied()) {
        packer.group(&reads, |reads, packer| packer.out.len(number(reads)));
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

/// One gap is kept for so many numbers.
const GAPS_PART: usize = 8;

/// Numbers for so many things: each has the one it asks for, and the others take what is free in their order. Where some
/// have gone there are gaps, so that nobody else's number changes for that; once too many have gathered, all are closed.
pub(super) fn settle(asked: Vec<Option<usize>>) -> Vec<usize> {
    let taken: BTreeSet<usize> = asked.iter().flatten().copied().collect();
    let mut free = (0..).filter(|number| !taken.contains(number));
    let number = |asked: &Option<usize>| asked.or_else(|| free.next()).unwrap_or_default();
    let apart: Vec<usize> = asked.iter().map(number).collect();
    if gaps_of(&apart).len() <= asked.len() / GAPS_PART { apart } else { settle_close(asked) }
}

/// The same without gaps: whoever asks for a number above how many there are takes what is free, too.
pub(super) fn settle_close(asked: Vec<Option<usize>>) -> Vec<usize> {
    let count = asked.len();
    let taken: BTreeSet<usize> = asked.iter().flatten().copied().filter(|number| *number < count).collect();
    let mut free = (0..count).filter(|number| !taken.contains(number));
    let number = |asked: Option<usize>| asked.filter(|number| *number < count).or_else(|| free.next());
    asked.into_iter().map(number).map(Option::unwrap_or_default).collect()
}

/// The numbers below the highest that are nobody's.
fn gaps_of(numbers: &[usize]) -> Vec<usize> {
    let taken: BTreeSet<usize> = numbers.iter().copied().collect();
    let count = taken.last().map_or(0, |last| last + 1);
    (0..count).filter(|number| !taken.contains(number)).collect()
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
