//! Leaves of conditions: the smallest parts that hold or not, which an index asks one by one.

use super::{Condition, Literal, Path, Test, plain_text, visit_paths};
use crate::id::SignalId;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What a leaf reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// The value at a path: the tag of its root and the rest.
    Path(u8, Box<str>),
    /// The value of a signal under one key.
    Signal(SignalId, Box<str>),
    /// A signal under keys that are not known beforehand.
    Keys(SignalId),
    /// Whatever there is: a score reads what its model reads.
    Anything,
}

impl Reads {
    /// What reading a path reads.
    pub fn path(path: &Path) -> Self {
        Self::Path(path.root as u8, path.rest.clone())
    }
}

/// The same condition with every test alone under its path, and negations above paths instead of below.
pub fn split(condition: Condition) -> Condition {
    let all = |parts: Vec<Condition>| parts.into_iter().map(split).collect();
    match condition {
        Condition::All(parts) => Condition::All(all(parts)),
        Condition::Any(parts) => Condition::Any(all(parts)),
        Condition::Not(inner) => Condition::Not(Box::new(split(*inner))),
        Condition::Path { path, test } => {
            split_test(test, &|test| Condition::Path { path: path.clone(), test })
        }
        Condition::Signal { signal, key, test } => {
            split_test(test, &|test| Condition::Signal { signal, key: key.clone(), test })
        }
        Condition::Score { model, test } => split_test(test, &|test| Condition::Score { model, test }),
        Condition::Keys { signal, over, test } => {
            split_test(test, &|test| Condition::Keys { signal, over, test })
        }
        leaf @ (Condition::Bucket(_)
        | Condition::Calendar(_)
        | Condition::Truth { .. }
        | Condition::Item { .. }) => leaf,
    }
}

fn split_test(test: Test, under: &dyn Fn(Test) -> Condition) -> Condition {
    match test {
        // Of an unknown value an empty list of tests is unknown, so it stays a leaf.
        Test::All(tests) if !tests.is_empty() => {
            Condition::All(tests.into_iter().map(|test| split_test(test, under)).collect())
        }
        Test::Not(inner) => Condition::Not(Box::new(split_test(*inner, under))),
        Test::In(list) => under(Test::In(one_by_one(list))),
        Test::Nin(list) => under(Test::Nin(one_by_one(list))),
        test => under(test),
    }
}

/// A list whose literals stand one by one, so that texts stand in the table and each is found by itself.
fn one_by_one(list: Literal) -> Literal {
    match list {
        Literal::Value(Value::Array(items)) => Literal::List(items.into_iter().map(Literal::Value).collect()),
        list => list,
    }
}

/// Shows every leaf.
pub fn each_leaf<'a>(condition: &'a Condition, see: &mut dyn FnMut(&'a Condition)) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| each_leaf(part, see));
        }
        Condition::Not(inner) => each_leaf(inner, see),
        leaf => see(leaf),
    }
}

/// What a leaf reads, its subject first.
pub fn reads_of(leaf: &Condition) -> Vec<Reads> {
    let mut reads = Vec::new();
    let mut add = |read: Reads| {
        if !reads.contains(&read) {
            reads.push(read);
        }
    };
    match leaf {
        Condition::Signal { signal, key, .. } => add(match key {
            None => Reads::Signal(*signal, Box::default()),
            Some(Literal::Value(value)) => {
                let packed = value.to_packed();
                match plain_text(packed.get(), &mut [0; 40]) {
                    Some(key) => Reads::Signal(*signal, Box::from(key)),
                    None => Reads::Keys(*signal),
                }
            }
            Some(_) => Reads::Keys(*signal),
        }),
        Condition::Keys { signal, .. } => add(Reads::Keys(*signal)),
        Condition::Score { .. } => add(Reads::Anything),
        Condition::Truth { of, .. } => {
            each_leaf(of, &mut |inner| reads_of(inner).into_iter().for_each(&mut add));
        }
        _ => {}
    }
    visit_paths(leaf, &mut |path| add(Reads::path(path)));
    reads
}
