//! What a condition consists of: the paths it reads and how many leaves must hold.

use super::{Bucket, Calendar, Condition, Literal, Moment, Path, Root, Test};

/// Shows every path that the condition reads, `$path` literals included.
pub fn visit_paths(condition: &Condition, visit: &mut dyn FnMut(&Path)) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| visit_paths(part, visit))
        }
        Condition::Not(inner) => visit_paths(inner, visit),
        Condition::Path { path, test } => {
            visit(path);
            visit_test(test, visit);
        }
        Condition::Signal { key, test, .. } => {
            key.iter().for_each(|literal| visit_literal(literal, visit));
            visit_test(test, visit);
        }
        Condition::Bucket(Bucket { by, .. }) => visit(by),
        Condition::Calendar(Calendar { zone, .. }) => {
            if zone.is_none() {
                visit(&Path { root: Root::Context, rest: "time".into() });
            }
        }
        Condition::Score { test, .. } => visit_test(test, visit),
    }
}

/// The least number of leaf tests that decide when the condition holds; the tie-breaker between equal priorities.
pub fn specificity(condition: &Condition) -> u32 {
    leaves(condition, true)
}

/// Of an `All` that must hold every part counts, of an `Any` the cheapest one; under a negation they change places.
fn leaves(condition: &Condition, expected: bool) -> u32 {
    match (condition, expected) {
        (Condition::All(parts), true) | (Condition::Any(parts), false) => {
            parts.iter().map(|part| leaves(part, expected)).sum()
        }
        (Condition::All(parts), false) | (Condition::Any(parts), true) => {
            parts.iter().map(|part| leaves(part, expected)).min().unwrap_or(0)
        }
        (Condition::Not(inner), _) => leaves(inner, !expected),
        (Condition::Bucket(_) | Condition::Calendar(_), _) => 1,
        (
            Condition::Path { test, .. } | Condition::Signal { test, .. } | Condition::Score { test, .. },
            _,
        ) => test_leaves(test, expected),
    }
}

fn test_leaves(test: &Test, expected: bool) -> u32 {
    match (test, expected) {
        (Test::All(tests), true) => tests.iter().map(|test| test_leaves(test, true)).sum(),
        (Test::All(tests), false) => tests.iter().map(|test| test_leaves(test, false)).min().unwrap_or(0),
        (Test::Not(inner), _) => test_leaves(inner, !expected),
        _ => 1,
    }
}

fn visit_test(test: &Test, visit: &mut dyn FnMut(&Path)) {
    match test {
        Test::All(tests) => tests.iter().for_each(|test| visit_test(test, visit)),
        Test::Not(inner) => visit_test(inner, visit),
        Test::Before(Moment::Path(path)) | Test::After(Moment::Path(path)) => visit(path),
        _ => literal_of(test).into_iter().for_each(|literal| visit_literal(literal, visit)),
    }
}

fn visit_literal(literal: &Literal, visit: &mut dyn FnMut(&Path)) {
    match literal {
        Literal::Value(_) => {}
        Literal::Path(path) => visit(path),
        Literal::List(items) => items.iter().for_each(|item| visit_literal(item, visit)),
    }
}

pub(super) fn literal_of(test: &Test) -> Option<&Literal> {
    match test {
        Test::Is(literal)
        | Test::Eq(literal)
        | Test::Ne(literal)
        | Test::In(literal)
        | Test::Nin(literal) => Some(literal),
        Test::Gt(literal) | Test::Gte(literal) | Test::Lt(literal) | Test::Lte(literal) => Some(literal),
        Test::All(_) | Test::Not(_) | Test::Exists(_) | Test::Before(_) | Test::After(_) => None,
    }
}
