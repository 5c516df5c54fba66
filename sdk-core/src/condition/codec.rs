//! The binary form of conditions.

use super::{Condition, Literal, Moment, Packer, Path, Root, Test, Unpacker};
use crate::limits::MAX_CONDITION_DEPTH;
use crate::time::Timestamp;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Appends a condition.
pub fn encode_condition(condition: &Condition, packer: &mut Packer) {
    let many = |tag: u8, parts: &[Condition], packer: &mut Packer| {
        packer.out.u8(tag);
        packer.out.len(parts.len());
        parts.iter().for_each(|part| encode_condition(part, packer));
    };
    match condition {
        Condition::All(parts) => many(0, parts, packer),
        Condition::Any(parts) => many(1, parts, packer),
        Condition::Not(inner) => {
            packer.out.u8(2);
            encode_condition(inner, packer);
        }
        Condition::Path { path, test } => {
            packer.out.u8(3);
            encode_path(path, packer);
            encode_test(test, packer);
        }
        Condition::Signal { signal, key, test } => {
            packer.out.u8(4);
            packer.id(*signal);
            packer.out.bool(key.is_some());
            if let Some(literal) = key {
                encode_literal(literal, packer);
            }
            encode_test(test, packer);
        }
    }
}

/// Reads a condition; bytes that are none, and nesting beyond [`MAX_CONDITION_DEPTH`], fail the source.
pub fn decode_condition(source: &mut Unpacker<'_>) -> Condition {
    condition_within(source, MAX_CONDITION_DEPTH)
}

/// Appends a path.
pub fn encode_path(path: &Path, packer: &mut Packer) {
    packer.out.u8(path.root as u8);
    packer.text(&path.rest);
}

/// Reads a path; bytes that are none fail the source.
pub fn decode_path(source: &mut Unpacker<'_>) -> Path {
    let root = match source.byte() {
        0 => Root::Traits,
        1 => Root::Signals,
        2 => Root::Context,
        3 => Root::Event,
        4 => Root::Bare,
        _ => {
            source.fail();
            Root::Bare
        }
    };
    Path { root, rest: source.text() }
}

fn condition_within(source: &mut Unpacker<'_>, depth: usize) -> Condition {
    // At depth 0 nothing may follow; the tag that no condition has says so.
    let tag = if depth == 0 { u8::MAX } else { source.byte() };
    let inner = depth.saturating_sub(1);
    match tag {
        0 => Condition::All(source.list(|part| condition_within(part, inner))),
        1 => Condition::Any(source.list(|part| condition_within(part, inner))),
        2 => Condition::Not(Box::new(condition_within(source, inner))),
        3 => Condition::Path { path: decode_path(source), test: test_within(source, inner) },
        4 => Condition::Signal {
            signal: source.id(),
            key: source.option(|source| literal_within(source, inner)),
            test: test_within(source, inner),
        },
        _ => {
            source.fail();
            Condition::Any(Vec::new())
        }
    }
}

fn encode_test(test: &Test, packer: &mut Packer) {
    let mut one = |tag: u8, literal: &Literal| {
        packer.out.u8(tag);
        encode_literal(literal, packer);
    };
    match test {
        Test::Is(literal) => one(2, literal),
        Test::Eq(literal) => one(3, literal),
        Test::Ne(literal) => one(4, literal),
        Test::In(literal) => one(5, literal),
        Test::Nin(literal) => one(6, literal),
        Test::Gt(literal) => one(7, literal),
        Test::Gte(literal) => one(8, literal),
        Test::Lt(literal) => one(9, literal),
        Test::Lte(literal) => one(10, literal),
        Test::All(tests) => {
            packer.out.u8(0);
            packer.out.len(tests.len());
            tests.iter().for_each(|test| encode_test(test, packer));
        }
        Test::Not(inner) => {
            packer.out.u8(1);
            encode_test(inner, packer);
        }
        Test::Exists(expected) => packer.out.u8(11 + u8::from(*expected)),
        Test::Before(moment) => encode_moment(13, moment, packer),
        Test::After(moment) => encode_moment(16, moment, packer),
    }
}

fn test_within(source: &mut Unpacker<'_>, depth: usize) -> Test {
    let tag = if depth == 0 { u8::MAX } else { source.byte() };
    let inner = depth.saturating_sub(1);
    let wrap = match tag {
        0 => return Test::All(source.list(|test| test_within(test, inner))),
        1 => return Test::Not(Box::new(test_within(source, inner))),
        11 | 12 => return Test::Exists(tag == 12),
        13..=15 => return Test::Before(decode_moment(tag - 13, source)),
        16..=18 => return Test::After(decode_moment(tag - 16, source)),
        2 => Test::Is,
        3 => Test::Eq,
        4 => Test::Ne,
        5 => Test::In,
        6 => Test::Nin,
        7 => Test::Gt,
        8 => Test::Gte,
        9 => Test::Lt,
        10 => Test::Lte,
        _ => {
            source.fail();
            return Test::Exists(false);
        }
    };
    wrap(literal_within(source, inner))
}

fn encode_moment(base: u8, moment: &Moment, packer: &mut Packer) {
    match moment {
        Moment::Relative(ms) | Moment::Fixed(Timestamp(ms)) => {
            packer.out.u8(base + u8::from(matches!(moment, Moment::Fixed(_))));
            packer.out.i64(*ms);
        }
        Moment::Path(path) => {
            packer.out.u8(base + 2);
            encode_path(path, packer);
        }
    }
}

fn decode_moment(kind: u8, source: &mut Unpacker<'_>) -> Moment {
    match kind {
        0 => Moment::Relative(source.signed()),
        1 => Moment::Fixed(Timestamp(source.signed())),
        _ => Moment::Path(decode_path(source)),
    }
}

fn encode_literal(literal: &Literal, packer: &mut Packer) {
    match literal {
        Literal::Value(Value::String(text)) => {
            packer.out.u8(0);
            packer.text(text);
        }
        Literal::Value(value) => {
            packer.out.u8(1);
            value.encode(&mut packer.out);
        }
        Literal::Path(path) => {
            packer.out.u8(2);
            encode_path(path, packer);
        }
        Literal::List(items) => {
            packer.out.u8(3);
            packer.out.len(items.len());
            items.iter().for_each(|item| encode_literal(item, packer));
        }
    }
}

fn literal_within(source: &mut Unpacker<'_>, depth: usize) -> Literal {
    let tag = if depth == 0 { u8::MAX } else { source.byte() };
    match tag {
        0 => Literal::Value(Value::String(source.text())),
        1 => Literal::Value(source.read(Value::Null, Value::decode)),
        2 => Literal::Path(decode_path(source)),
        3 => Literal::List(source.list(|item| literal_within(item, depth.saturating_sub(1)))),
        _ => {
            source.fail();
            Literal::Value(Value::Null)
        }
    }
}
