//! How deeply a condition is nested.

use super::inspect::literal_of;
use super::{Condition, Literal, Test};

/// How deeply the compiled condition is nested, in the count that decoding bounds.
pub fn depth(condition: &Condition) -> usize {
    1 + match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().map(depth).max().unwrap_or(0),
        Condition::Not(inner) => depth(inner),
        Condition::Bucket(_) | Condition::Calendar(_) => 0,
        Condition::Path { test, .. }
        | Condition::Score { test, .. }
        | Condition::Item { test, .. }
        | Condition::Keys { test, .. } => test_depth(test),
        Condition::Truth { of, test } => depth(of).max(test_depth(test)),
        Condition::Signal { key, test, .. } => test_depth(test).max(key.as_ref().map_or(0, literal_depth)),
    }
}

fn test_depth(test: &Test) -> usize {
    1 + match test {
        Test::All(tests) => tests.iter().map(test_depth).max().unwrap_or(0),
        Test::Not(inner) | Test::Some(inner) | Test::SomeValue(inner) | Test::Size(inner) => {
            test_depth(inner)
        }
        Test::Of(condition) => depth(condition),
        _ => literal_of(test).map_or(0, literal_depth),
    }
}

fn literal_depth(literal: &Literal) -> usize {
    match literal {
        Literal::List(items) => 1 + items.iter().map(literal_depth).max().unwrap_or(0),
        Literal::Value(_) | Literal::Path(_) | Literal::Caseless { .. } => 1,
    }
}
