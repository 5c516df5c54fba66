//! Tests: random and damaged code is evaluated to an end, and what passes the check means what its tree does.

use super::{
    Condition, Document, Form, Kind, Literal, Moment, Network, Outlook, Over, Packer, Path, PathRef, Pattern,
    Place, Reading, Test, encode_condition, evaluate, pass_condition,
};
use crate::id::{SessionId, SignalId};
use crate::limits::MAX_CONDITION_DEPTH;
use crate::time::Timestamp;
use crate::value::{Value, ValueRef};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

/// A document in which everything is a short list, and every signal a number that changes.
struct Anything;

impl Document for Anything {
    fn value(&self, _path: PathRef<'_>) -> ValueRef<'_> {
        ValueRef::List(&[2, 4, 1, b'a', 0])
    }

    fn signal(&self, _signal: SignalId, _key: &str) -> Reading<'_> {
        Reading::Value(ValueRef::Number(3.0), Some(Timestamp(9)))
    }

    fn signal_named(&self, _name: &str, _key: &str) -> Reading<'_> {
        Reading::Truncated
    }

    fn each_key(&self, _signal: SignalId, see: &mut dyn FnMut(&str)) -> bool {
        see("a");
        see("b");
        true
    }

    fn matches(&self, pattern: Pattern<'_>, _text: &str) -> Option<bool> {
        Some(pattern.source.len() > 1)
    }

    fn now(&self) -> Timestamp {
        Timestamp(1)
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

/// A condition with every kind of part in it.
fn everything() -> Condition {
    let path = |text: &str| Path::parse(text).unwrap();
    let value = |value: Value| Literal::Value(value);
    let tests = vec![
        Test::Is(value(Value::string("a"))),
        Test::Not(Box::new(Test::In(Literal::List(vec![
            Literal::Path(path("traits.a")),
            value(Value::Array(vec![Value::Number(1.0), Value::Null])),
        ])))),
        Test::Gte(Literal::Path(path("signals.b.c"))),
        Test::Exists(true),
        Test::Before(Moment::Relative(-5)),
        Test::After(Moment::Path(path("event.timestamp"))),
        Test::Some(Box::new(Test::SomeValue(Box::new(Test::Of(Box::new(Condition::Any(vec![
            Condition::Item { path: Box::from("a"), test: Test::Size(Box::new(Test::Exists(true))) },
            Condition::Item { path: Box::from("length"), test: Test::Type(Kind::Number) },
        ]))))))),
        Test::Not(Box::new(Test::VersionIs(value(Value::string("1.2"))))),
        Test::VersionAbove(value(Value::Number(1.0))),
        Test::VersionBelow(value(Value::string("b"))),
        Test::StartsWith(Literal::Caseless { lower: Box::from("a"), other: Box::from("A") }),
        Test::EndsWith(value(Value::string("a"))),
        Test::Contains(value(Value::string(""))),
        Test::Not(Box::new(Test::Mod { divisor: 3, remainder: -1 })),
        Test::Matches { pattern: Box::from("a|b"), flags: Box::from("i") },
        Test::Not(Box::new(Test::Cidr(vec![Network { address: [7; 16], bits: 30 }]))),
        Test::Not(Box::new(Test::InCircle { centre: Place { lat: 1.0, lon: 2.0 }, reach: 0.5 })),
        Test::Not(Box::new(Test::InPolygon(vec![
            Place { lat: 0.0, lon: 0.0 },
            Place { lat: 9.0, lon: 0.0 },
            Place { lat: 9.0, lon: 9.0 },
        ]))),
    ];
    let key = Some(value(Value::Number(2.0)));
    Condition::Any(vec![
        Condition::All(vec![Condition::Path { path: path("context.x"), test: Test::All(tests.clone()) }]),
        Condition::Truth {
            of: Box::new(Condition::Keys {
                signal: SignalId(8),
                over: Over::Any,
                test: Test::Gt(value(Value::Number(3.0))),
            }),
            test: Test::Eq(value(Value::Bool(false))),
        },
        Condition::Keys { signal: SignalId(9), over: Over::Max, test: Test::Lt(value(Value::Null)) },
        Condition::Not(Box::new(Condition::Signal { signal: SignalId(7), key, test: Test::All(tests) })),
    ])
}

fn packed(condition: &Condition) -> Vec<u8> {
    let mut packer = Packer::new();
    encode_condition(condition, &mut packer);
    packer.finish()
}

fn ask(bytes: &[u8]) {
    let Ok(form) = Form::open(bytes) else { return };
    let mut outlook = Outlook::default();
    evaluate(form.at(0), &Anything, &mut outlook);
    pass_condition(&mut form.at(0));
}

proptest! {
    #[test]
    fn random_and_damaged_code_is_evaluated_to_an_end(
        random: Vec<u8>, at: prop::sample::Index, byte: u8, cut: prop::sample::Index,
    ) {
        ask(&random);
        ask(&[[0, 0].as_slice(), &random].concat());
        let mut bytes = packed(&everything());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        ask(&bytes);
        ask(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn code_that_passes_the_check_holds_as_its_tree_does(
        at: prop::sample::Index, byte: u8,
    ) {
        let mut bytes = packed(&everything());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let Ok(form) = Form::open(&bytes) else { return Ok(()) };
        let mut code = form.at(0);
        pass_condition(&mut code);
        if code.is_whole() {
            // What is sound is a tree, and the tree is the same code.
            let tree = super::decode_condition(&mut form.at(0));
            let again = Form::open(&packed(&tree)).unwrap();
            let holds = |form: &Form| evaluate(form.at(0), &Anything, &mut Outlook::default());
            prop_assert_eq!(holds(&form), holds(&again));
        }
    }
}

#[test]
fn nesting_beyond_its_bound_is_unsound() {
    let nested = |depth: usize| {
        let leaf = Condition::Any(Vec::new());
        let condition = (1..depth).fold(leaf, |inner, _| Condition::Not(Box::new(inner)));
        let form = Form::open(&packed(&condition)).unwrap();
        let mut code = form.at(0);
        pass_condition(&mut code);
        code.is_whole()
    };
    assert!(nested(MAX_CONDITION_DEPTH));
    assert!(!nested(MAX_CONDITION_DEPTH + 1) && !nested(1_000));
}
