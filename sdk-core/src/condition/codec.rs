//! Conditions as trees: to their packed form and, for tools, back.

use super::calendar::{decode_calendar, encode_calendar};
use super::{
    Bucket, Code, Condition, Kind, Literal, Moment, Network, Over, Packer, Path, PathRef, Place, Test,
};
use crate::time::Timestamp;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Appends a condition.
pub fn encode_condition(condition: &Condition, packer: &mut Packer) {
    if packer.has_leaves()
        && let Some(number) = packer.leaf(&leaf_key(condition))
    {
        packer.out.u8(5);
        return packer.out.len(number);
    }
    let many = |tag: u8, parts: &[Condition], packer: &mut Packer| {
        packer.out.u8(tag);
        packer.group(parts, encode_condition);
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
        Condition::Bucket(Bucket { by, seed, version, ranges }) => {
            packer.out.u8(7);
            encode_path(by, packer);
            packer.text(seed);
            packer.out.u8(*version);
            packer.list(ranges, |(from, to), packer| {
                packer.out.u64(u64::from(*from));
                packer.out.u64(u64::from(*to));
            });
        }
        Condition::Calendar(calendar) => {
            packer.out.u8(9);
            encode_calendar(calendar, packer);
        }
        Condition::Score { model, test } => {
            packer.out.u8(6);
            packer.model(*model);
            encode_test(test, packer);
        }
        Condition::Item { path, test } => {
            packer.out.u8(10);
            packer.text(path);
            encode_test(test, packer);
        }
        Condition::Truth { of, test } => {
            packer.out.u8(11);
            encode_condition(of, packer);
            encode_test(test, packer);
        }
        Condition::Keys { signal, over, test } => {
            packer.out.u8(12 + *over as u8);
            packer.id(*signal);
            encode_test(test, packer);
        }
    }
}

/// Equal for equal leaves.
pub fn leaf_key(leaf: &Condition) -> Vec<u8> {
    let mut packer = Packer::canonical();
    encode_condition(leaf, &mut packer);
    packer.finish()
}

/// Reads a condition that has been checked, as a tree.
pub fn decode_condition(code: &mut Code<'_>) -> Condition {
    match code.byte() {
        0 => Condition::All(list(code, decode_condition)),
        1 => Condition::Any(list(code, decode_condition)),
        2 => Condition::Not(Box::new(decode_condition(code))),
        3 => Condition::Path { path: code.path().to_path(), test: decode_test(code) },
        5 => decode_condition(&mut code.leaf()),
        7 => Condition::Bucket(Bucket {
            by: code.path().to_path(),
            seed: Box::from(code.text()),
            version: code.byte(),
            ranges: (0..code.count()).map(|_| (code.number() as u32, code.number() as u32)).collect(),
        }),
        9 => Condition::Calendar(decode_calendar(code)),
        6 => Condition::Score { model: code.model(), test: decode_test(code) },
        10 => Condition::Item { path: Box::from(code.text()), test: decode_test(code) },
        11 => Condition::Truth { of: Box::new(decode_condition(code)), test: decode_test(code) },
        12 => Condition::Keys { signal: code.id(), over: Over::Any, test: decode_test(code) },
        13 => Condition::Keys { signal: code.id(), over: Over::Max, test: decode_test(code) },
        _ => Condition::Signal {
            signal: code.id(),
            key: (code.byte() == 1).then(|| decode_literal(code)),
            test: decode_test(code),
        },
    }
}

/// Appends a path.
pub fn encode_path(path: &Path, packer: &mut Packer) {
    let PathRef { root, rest } = path.lent();
    packer.out.u8(root as u8);
    packer.text(rest);
}

fn list<T>(code: &mut Code<'_>, read: fn(&mut Code<'_>) -> T) -> Vec<T> {
    let (mut group, mut parts) = (code.sized(), Vec::new());
    while !group.is_empty() {
        parts.push(read(&mut group));
    }
    parts
}

fn encode_test(test: &Test, packer: &mut Packer) {
    let inner = |tag: u8, inner: &Test, packer: &mut Packer| {
        packer.out.u8(tag);
        encode_test(inner, packer);
    };
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
            packer.group(tests, encode_test);
        }
        Test::Not(test) => inner(1, test, packer),
        Test::Some(test) => inner(19, test, packer),
        Test::SomeValue(test) => inner(20, test, packer),
        Test::Of(condition) => {
            packer.out.u8(21);
            encode_condition(condition, packer);
        }
        Test::Size(test) => inner(22, test, packer),
        Test::Type(kind) => {
            packer.out.u8(23);
            packer.out.u8(*kind as u8);
        }
        Test::VersionIs(literal) => one(24, literal),
        Test::VersionAbove(literal) => one(25, literal),
        Test::VersionBelow(literal) => one(26, literal),
        Test::StartsWith(literal) => one(27, literal),
        Test::EndsWith(literal) => one(28, literal),
        Test::Contains(literal) => one(29, literal),
        Test::Mod { divisor, remainder } => {
            packer.out.u8(30);
            packer.out.i64(*divisor);
            packer.out.i64(*remainder);
        }
        Test::Matches { pattern, flags } => {
            packer.out.u8(31);
            packer.text(pattern);
            packer.text(flags);
        }
        Test::Cidr(networks) => {
            packer.out.u8(32);
            packer.group(networks, |network, packer| {
                packer.out.u8(network.bits);
                packer.out.raw(&network.address);
            });
        }
        Test::InCircle { centre, reach } => {
            packer.out.u8(33);
            encode_place(centre, packer);
            packer.out.f64(*reach);
        }
        Test::InPolygon(corners) => {
            packer.out.u8(34);
            packer.group(corners, encode_place);
        }
        Test::Exists(expected) => packer.out.u8(11 + u8::from(*expected)),
        Test::Before(moment) => encode_moment(13, moment, packer),
        Test::After(moment) => encode_moment(16, moment, packer),
    }
}

fn decode_test(code: &mut Code<'_>) -> Test {
    let tag = code.byte();
    let wrap = match tag {
        0 => return Test::All(list(code, decode_test)),
        1 => return Test::Not(Box::new(decode_test(code))),
        11 | 12 => return Test::Exists(tag == 12),
        13..=15 => return Test::Before(decode_moment(tag - 13, code)),
        16..=18 => return Test::After(decode_moment(tag - 16, code)),
        19 => return Test::Some(Box::new(decode_test(code))),
        20 => return Test::SomeValue(Box::new(decode_test(code))),
        21 => return Test::Of(Box::new(decode_condition(code))),
        22 => return Test::Size(Box::new(decode_test(code))),
        23 => return Test::Type(KINDS.get(usize::from(code.byte())).copied().unwrap_or(Kind::Null)),
        30 => return Test::Mod { divisor: code.signed(), remainder: code.signed() },
        31 => return Test::Matches { pattern: Box::from(code.text()), flags: Box::from(code.text()) },
        32 => return Test::Cidr(list(code, decode_network)),
        33 => return Test::InCircle { centre: decode_place(code), reach: code.double() },
        34 => return Test::InPolygon(list(code, decode_place)),
        24 => Test::VersionIs,
        25 => Test::VersionAbove,
        26 => Test::VersionBelow,
        27 => Test::StartsWith,
        28 => Test::EndsWith,
        29 => Test::Contains,
        2 => Test::Is,
        3 => Test::Eq,
        4 => Test::Ne,
        5 => Test::In,
        6 => Test::Nin,
        7 => Test::Gt,
        8 => Test::Gte,
        9 => Test::Lt,
        _ => Test::Lte,
    };
    wrap(decode_literal(code))
}

const KINDS: [Kind; 6] = [Kind::Null, Kind::Boolean, Kind::Number, Kind::String, Kind::Array, Kind::Object];

fn encode_place(place: &Place, packer: &mut Packer) {
    packer.out.f64(place.lat);
    packer.out.f64(place.lon);
}

fn decode_place(code: &mut Code<'_>) -> Place {
    Place { lat: code.double(), lon: code.double() }
}

fn decode_network(code: &mut Code<'_>) -> Network {
    let bits = code.byte();
    Network { bits, address: [(); 16].map(|()| code.byte()) }
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

fn decode_moment(kind: u8, code: &mut Code<'_>) -> Moment {
    match kind {
        0 => Moment::Relative(code.signed()),
        1 => Moment::Fixed(Timestamp(code.signed())),
        _ => Moment::Path(code.path().to_path()),
    }
}

fn encode_literal(literal: &Literal, packer: &mut Packer) {
    match literal {
        Literal::Value(Value::String(text)) => {
            packer.out.u8(0);
            packer.text(text);
        }
        Literal::Value(Value::Number(number)) if packer.packs_whole(*number) => {
            packer.out.u8(5);
            packer.out.i64(*number as i64);
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
            packer.group(items, encode_literal);
        }
        Literal::Caseless { lower, other } => {
            packer.out.u8(4);
            packer.text(lower);
            packer.text(other);
        }
    }
}

fn decode_literal(code: &mut Code<'_>) -> Literal {
    match code.byte() {
        0 => Literal::Value(Value::string(code.text())),
        1 => Literal::Value(code.value(false).to_tree()),
        2 => Literal::Path(code.path().to_path()),
        4 => Literal::Caseless { lower: Box::from(code.text()), other: Box::from(code.text()) },
        5 => Literal::Value(Value::Number(code.signed() as f64)),
        _ => Literal::List(list(code, decode_literal)),
    }
}
