//! What is proven of conditions, held against evaluation on random visitors.

use super::reach::{Signals, always_holds, never_holds};
use super::review::needs_of;
use crate::condition::{
    Condition, Document, Form, Literal, Moment, Outlook, Packer, Path, PathRef, Reading, Root, Test,
    encode_condition, evaluate,
};
use crate::id::{SessionId, SignalId};
use crate::time::Timestamp;
use crate::value::{Packed, Value, ValueRef};
use alloc::boxed::Box;
use alloc::vec;
use proptest::prelude::*;

/// Signal 1, `views`, counts; signal 2, `at`, does not.
struct Two;

impl Signals for Two {
    fn counts(&self, name: &str) -> Option<bool> {
        (name == "views").then_some(false)
    }

    fn name(&self, id: SignalId) -> Option<&str> {
        Some(if id.0 == 1 { "views" } else { "at" })
    }
}

#[derive(Debug)]
struct Visitor {
    traits: [Packed; 2],
    /// The count; absent where it cannot be known.
    views: Option<u32>,
    at: Option<i64>,
    now: Timestamp,
}

impl Visitor {
    fn count(&self) -> Reading<'_> {
        self.views.map_or(Reading::Truncated, |views| Reading::Value(ValueRef::Number(views.into()), None))
    }
}

impl Document for Visitor {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        self.traits[usize::from(path.rest == "b")].get()
    }

    fn signal(&self, signal: SignalId, _key: &str) -> Reading<'_> {
        match (signal.0, self.at) {
            (1, _) => self.count(),
            (_, Some(at)) => Reading::Value(ValueRef::Instant(Timestamp(at)), None),
            (_, None) => Reading::Missing,
        }
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.signal(SignalId(if name == "views" { 1 } else { 2 }), key)
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

fn holds(condition: &Condition, visitor: &Visitor) -> bool {
    let mut packer = Packer::new();
    encode_condition(condition, &mut packer);
    let form = Form::open(&packer.finish()).unwrap();
    evaluate(form.at(0), visitor, &mut Outlook::default())
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop::sample::select(vec![-1.0, 0.0, 1.0, 2.0, 5.0]).prop_map(Value::Number),
        prop::sample::select(vec!["", "0", "1", "a", "b", "true", "1970-01-01T00:00:00.002Z"])
            .prop_map(Value::string),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![4 => scalar(), 1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::Array)]
}

fn path() -> impl Strategy<Value = Path> {
    let paths = ["traits.a", "traits.a", "traits.b", "signals.views", "signals.at"];
    prop::sample::select(paths.to_vec()).prop_map(|text| Path::parse(text).unwrap())
}

fn test() -> impl Strategy<Value = Test> {
    let literal = || {
        prop_oneof![
            6 => value().prop_map(Literal::Value),
            1 => Just(Literal::Path(Path { root: Root::Traits, rest: Box::from("b") })),
        ]
    };
    let list = || prop::collection::vec(scalar(), 0..3).prop_map(|items| Literal::Value(Value::Array(items)));
    let moment = || {
        prop_oneof![
            (-3_i64..4).prop_map(Moment::Relative),
            (-3_i64..4).prop_map(|at| Moment::Fixed(Timestamp(at))),
        ]
    };
    let leaf = prop_oneof![
        3 => literal().prop_map(Test::Is),
        3 => literal().prop_map(Test::Eq),
        1 => literal().prop_map(Test::Ne),
        2 => list().prop_map(Test::In),
        1 => Just(Test::In(Literal::Value(Value::Null))),
        1 => list().prop_map(Test::Nin),
        1 => literal().prop_map(Test::Gt),
        1 => literal().prop_map(Test::Gte),
        1 => literal().prop_map(Test::Lt),
        1 => literal().prop_map(Test::Lte),
        1 => any::<bool>().prop_map(Test::Exists),
        1 => moment().prop_map(Test::Before),
        1 => moment().prop_map(Test::After),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Test::All),
            inner.prop_map(|test| Test::Not(Box::new(test))),
        ]
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        4 => (path(), test()).prop_map(|(path, test)| Condition::Path { path, test }),
        1 => (1_u64..3, test()).prop_map(|(id, test)| Condition::Signal {
            signal: SignalId(id),
            key: None,
            test
        }),
    ];
    leaf.prop_recursive(3, 10, 4, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 0..5).prop_map(Condition::All),
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
            1 => inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

/// Conditions over a few leaves, of which many need what others need.
fn small() -> impl Strategy<Value = Condition> {
    let leaf = (prop::sample::select(vec!["traits.a", "traits.b", "signals.views"]), any::<bool>()).prop_map(
        |(path, is_one)| {
            let one = Literal::Value(Value::Number(1.0));
            let test = if is_one { Test::Is(one) } else { Test::Exists(true) };
            Condition::Path { path: Path::parse(path).unwrap(), test }
        },
    );
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            2 => prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::Any),
            1 => inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn visitor() -> impl Strategy<Value = Visitor> {
    let views = prop::option::weighted(0.9, 0_u32..4);
    (value(), value(), views, prop::option::of(-3_i64..4), 0_i64..3).prop_map(|(a, b, views, at, now)| {
        Visitor { traits: [a.to_packed(), b.to_packed()], views, at, now: Timestamp(now) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_never_or_always_holds_does_so_for_every_visitor(
        condition in condition(), visitors in prop::collection::vec(visitor(), 24),
    ) {
        let (never, always) = (never_holds(&condition, &Two), always_holds(&condition));
        prop_assert!(never.is_none() || !always);
        for visitor in &visitors {
            let holds = holds(&condition, visitor);
            prop_assert!(!holds || never.is_none(), "{:?}", never);
            prop_assert!(holds || !always);
        }
    }

    #[test]
    fn a_condition_that_needs_less_holds_whenever_the_other_does(
        one in small(), other in small(), visitors in prop::collection::vec(visitor(), 16),
    ) {
        if needs_of(&one).is_subset(&needs_of(&other)) {
            for visitor in &visitors {
                prop_assert!(!holds(&other, visitor) || holds(&one, visitor));
            }
        }
    }
}
