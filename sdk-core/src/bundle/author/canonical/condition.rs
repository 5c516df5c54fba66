//! Conditions as rule files write them.

use super::test::{literal, takes_more};
use super::{Names, Object, one, schedule, shown};
use crate::condition::{Bucket, Condition, Over};
use crate::hash::bucket_steps;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

type Clause = (Box<str>, Value);

impl Names<'_> {
    /// A condition; one that always holds is an empty object.
    pub(super) fn condition(&self, condition: &Condition) -> Value {
        match condition {
            Condition::All(parts) => all(parts, self),
            other => Value::Object(Vec::from([clause(other, self)])),
        }
    }
}

/// Side by side where their names differ, as tests of one path where that is what they are, else as an `$and`.
fn all(parts: &[Condition], names: &Names<'_>) -> Value {
    let mut clauses: Vec<Clause> = Vec::new();
    for (name, value) in parts.iter().map(|part| clause(part, names)) {
        match clauses.iter_mut().find(|(known, _)| *known == name) {
            None => clauses.push((name, value)),
            Some((_, known)) => match (known, value) {
                (Value::Object(tests), Value::Object(more)) if fit(tests, &more) => join(tests, more),
                _ => return and(parts, names),
            },
        }
    }
    Value::Object(clauses)
}

/// Whether both are operators that can stand side by side.
fn fit(tests: &[Clause], more: &[Clause]) -> bool {
    let are_tests = |tests: &[Clause]| {
        let is_test = |(name, _): &Clause| name.starts_with('$') && **name != *"$path";
        !tests.is_empty() && tests.iter().all(is_test)
    };
    let is_free = |name: &str| takes_more(name) || tests.iter().all(|(known, _)| **known != *name);
    are_tests(tests) && are_tests(more) && more.iter().all(|(name, _)| is_free(name))
}

fn join(tests: &mut Vec<Clause>, more: Vec<Clause>) {
    for (name, value) in more {
        match (tests.iter_mut().find(|(known, _)| *known == name), value) {
            (Some((_, Value::Array(items))), Value::Array(more)) => items.extend(more),
            (_, value) => tests.push((name, value)),
        }
    }
}

fn and(parts: &[Condition], names: &Names<'_>) -> Value {
    one("$and", sources(parts, names))
}

fn sources(parts: &[Condition], names: &Names<'_>) -> Value {
    Value::Array(parts.iter().map(|part| names.condition(part)).collect())
}

fn clause(condition: &Condition, names: &Names<'_>) -> Clause {
    let (name, value) = match condition {
        Condition::All(parts) => return nested(parts, names),
        Condition::Any(parts) => ("$or", sources(parts, names)),
        Condition::Not(inner) => match &**inner {
            Condition::Any(parts) => ("$nor", sources(parts, names)),
            other => ("$not", names.condition(other)),
        },
        Condition::Path { path, test: of } => return (path.to_string().into(), names.test(of)),
        Condition::Item { path, test: of } => return (path.clone(), names.test(of)),
        Condition::Signal { signal, key, test: of } => {
            let mut fields = Object::default();
            fields.add("name", names.signal(*signal)).some("key", key.as_ref(), literal);
            ("$signal", fields.add("is", names.test(of)).finish())
        }
        Condition::Keys { signal, over, test: of } => {
            let over = match over {
                Over::Any => "any",
                Over::Max => "max",
            };
            let mut fields = Object::default();
            fields.add("name", names.signal(*signal)).add("key", one(over, Value::Bool(true)));
            ("$signal", fields.add("is", names.test(of)).finish())
        }
        Condition::Score { model, test: of } => {
            let mut fields = Object::default();
            ("$score", fields.add("name", names.model(*model)).add("is", names.test(of)).finish())
        }
        Condition::Bucket(share) => ("$bucket", bucket(share)),
        Condition::Calendar(calendar) => schedule::clause(calendar),
        // Its name is gone: a segment that is read as a value stands by what it is.
        Condition::Truth { of, test: is } => {
            let mut fields = Object::default();
            ("$segment", fields.add("when", names.condition(of)).add("is", names.test(is)).finish())
        }
    };
    (Box::from(name), value)
}

/// Several tests of one path are one clause, as they are in files.
fn nested(parts: &[Condition], names: &Names<'_>) -> Clause {
    match all(parts, names) {
        Value::Object(mut clauses) if clauses.len() == 1 && !parts.is_empty() => {
            clauses.pop().unwrap_or_else(|| (Box::from("$and"), Value::Null))
        }
        _ => (Box::from("$and"), sources(parts, names)),
    }
}

fn bucket(share: &Bucket) -> Value {
    let steps = f64::from(bucket_steps(share.version).unwrap_or(1));
    let end = |step: u32| Value::Number(f64::from(step) / steps);
    let range = |(from, to): &(u32, u32)| Value::Array(Vec::from([end(*from), end(*to)]));
    let mut fields = Object::default();
    fields.add("by", shown(&share.by)).text("seed", &share.seed).number("version", share.version.into());
    fields.add("in", Value::Array(share.ranges.iter().map(range).collect())).finish()
}
