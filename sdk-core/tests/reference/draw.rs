//! Random conditions and the values they are about.

use attune_core::condition::{
    Bucket, Condition, Kind, Literal, Moment, Network, Over, Path, Place, Root, Test,
};
use attune_core::id::{ModelId, SignalId};
use attune_core::time::Timestamp;
use attune_core::value::Value;
use proptest::prelude::*;

pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![
            Just(0.0),
            Just(-0.0),
            Just(1.2),
            Just(-7.5),
            Just(12.0),
            Just(3.0),
            Just(2.5),
            Just(999_990.0),
            Just(1e300)
        ]
        .prop_map(Value::Number),
        prop_oneof![
            "",
            "a",
            "3",
            " 2.50",
            "-0",
            "1e300",
            "ü",
            "\u{e000}",
            "😀",
            "true",
            "1970-01-01T00:16:39.990Z",
            "1970-01-01T00:16:40Z",
            "truncated",
            "0x1f",
            "-Infinity",
            "\\.5e1",
            "v1\\.2\\.3-b",
            "1\\.2\\.3",
            "10\\.0\\.0\\.7",
            "2001:db8::1",
            "Straße"
        ]
        .prop_map(|text| Value::string(&text)),
    ];
    let spot = (place(), any::<bool>()).prop_map(|(place, is_list)| {
        let (lat, lon) = (Value::Number(place.lat + 0.5), Value::Number(place.lon + 0.5));
        if is_list {
            Value::Array(vec![lat, lon])
        } else {
            Value::Object(vec![("lat".into(), lat), ("lon".into(), lon)])
        }
    });
    prop_oneof![5 => leaf, 1 => spot].prop_recursive(2, 8, 3, |inner| {
        let fields = proptest::collection::vec((prop_oneof!["[ab]", "lat", "lon"], inner.clone()), 0..3);
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Value::Array),
            fields.prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.into_boxed_str(), value)).collect()
            )),
        ]
    })
}

pub fn path() -> impl Strategy<Value = Path> {
    let root = prop_oneof![Just(Root::Traits), Just(Root::Signals), Just(Root::Context), Just(Root::Event)];
    (root, prop_oneof!["[a-e]", "[a-d]\\.[ab01]", "a\\.truncated"])
        .prop_map(|(root, rest)| Path { root, rest: rest.into_boxed_str() })
}

pub fn literal() -> impl Strategy<Value = Literal> {
    let one = prop_oneof![value().prop_map(Literal::Value), path().prop_map(Literal::Path)];
    one.prop_recursive(1, 4, 3, |inner| proptest::collection::vec(inner, 0..3).prop_map(Literal::List))
}

pub fn single() -> impl Strategy<Value = Literal> {
    prop_oneof![
        value().prop_map(Literal::Value),
        path().prop_map(Literal::Path),
        prop_oneof![Just(("a", "A")), Just(("straße", "STRAßE")), Just(("1", "1")), Just(("", ""))]
            .prop_map(|(lower, other)| Literal::Caseless { lower: lower.into(), other: other.into() }),
    ]
}

pub fn place() -> impl Strategy<Value = Place> {
    (-3_i32..4, -3_i32..4).prop_map(|(lat, lon)| Place { lat: f64::from(lat), lon: f64::from(lon) })
}

pub fn network() -> impl Strategy<Value = Network> {
    (prop_oneof![
        "10\\.0\\.0\\.0/29",
        "10\\.0\\.0\\.7",
        "0\\.0\\.0\\.0/0",
        "2001:db8::/32",
        "::/0",
        "2001:db8::1/127"
    ])
    .prop_map(|text| Network::parse(&text).unwrap())
}

pub fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        (-20_i64..20).prop_map(Moment::Relative),
        (999_980_i64..1_000_020).prop_map(|at| Moment::Fixed(Timestamp(at))),
        path().prop_map(Moment::Path),
    ]
}

/// A test without another in it and a value; half of them are made for each other.
pub fn pair() -> impl Strategy<Value = (Test, Value)> {
    let version = || {
        let texts = ["1.2.3", "v1.2.3", "1.2.3-b", "1.2", "1.10.0", "1.9.0-ü", "2", "", "1.2.3+b"];
        proptest::sample::select(texts.to_vec()).prop_map(Value::string)
    };
    let order = proptest::sample::select(vec![Test::VersionIs, Test::VersionAbove, Test::VersionBelow]);
    let versions =
        (order, version(), version()).prop_map(|(wrap, one, value)| (wrap(Literal::Value(one)), value));
    let texts = ["10.0.0.6", "10.0.0.7", "10.0.0.8", "2001:db8::", "2001:db8::2", "2001:db9::1", "::1", "x"];
    let address = proptest::sample::select(texts.to_vec()).prop_map(Value::string);
    let networks = (proptest::collection::vec(network(), 0..3).prop_map(Test::Cidr), address);
    prop_oneof![2 => (leaf_test(), value()), 1 => versions, 1 => networks]
}

/// A test without another in it.
pub fn leaf_test() -> impl Strategy<Value = Test> {
    prop_oneof![
        literal().prop_map(Test::Is),
        literal().prop_map(Test::Eq),
        literal().prop_map(Test::Ne),
        literal().prop_map(Test::In),
        literal().prop_map(Test::Nin),
        literal().prop_map(Test::Gt),
        literal().prop_map(Test::Gte),
        literal().prop_map(Test::Lt),
        literal().prop_map(Test::Lte),
        any::<bool>().prop_map(Test::Exists),
        moment().prop_map(Test::Before),
        moment().prop_map(Test::After),
        prop_oneof![
            single().prop_map(Test::VersionIs),
            single().prop_map(Test::VersionAbove),
            single().prop_map(Test::VersionBelow),
            single().prop_map(Test::StartsWith),
            single().prop_map(Test::EndsWith),
            single().prop_map(Test::Contains),
            single().prop_map(Test::Is),
            single().prop_map(Test::Eq),
            proptest::collection::vec(single(), 0..3).prop_map(|items| Test::In(Literal::List(items))),
        ],
        prop_oneof![
            prop_oneof![
                Just(Kind::Null),
                Just(Kind::Boolean),
                Just(Kind::Number),
                Just(Kind::String),
                Just(Kind::Array),
                Just(Kind::Object)
            ]
            .prop_map(Test::Type),
            (1_i64..5, -3_i64..4).prop_map(|(divisor, remainder)| Test::Mod { divisor, remainder }),
            (prop_oneof!["a", "1", "ü", "\\?", ",", "null"], prop_oneof!["", "i"])
                .prop_map(|(pattern, flags)| Test::Matches { pattern: pattern.into(), flags: flags.into() }),
            proptest::collection::vec(network(), 0..3).prop_map(Test::Cidr),
            (place(), 0.0..0.01).prop_map(|(centre, reach)| Test::InCircle { centre, reach }),
            proptest::collection::vec(place(), 0..6).prop_map(Test::InPolygon),
        ],
    ]
}

pub fn test() -> impl Strategy<Value = Test> {
    leaf_test().prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Test::All),
            inner.clone().prop_map(|inner| Test::Not(Box::new(inner))),
            inner.clone().prop_map(|inner| Test::Some(Box::new(inner))),
            inner.clone().prop_map(|inner| Test::SomeValue(Box::new(inner))),
            inner.clone().prop_map(|inner| Test::Size(Box::new(inner))),
            (element(inner), any::<bool>()).prop_map(|(of, in_list)| {
                let of = Test::Of(Box::new(of));
                if in_list { Test::SomeValue(Box::new(of)) } else { of }
            }),
        ]
    })
}

/// A condition about an element.
pub fn element(test: impl Strategy<Value = Test> + Clone + 'static) -> impl Strategy<Value = Condition> {
    let item = (prop_oneof!["[ab]", "[ab]\\.[ab01]", "length", "0"], test)
        .prop_map(|(path, test)| Condition::Item { path: path.into_boxed_str(), test });
    item.prop_recursive(1, 4, 2, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Condition::Any),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn bucket() -> impl Strategy<Value = Bucket> {
    let range = (0_u32..10_000, 0_u32..10_000);
    let ranges = proptest::collection::vec(range, 0..3);
    (path(), "[aü]", 1_u8..4, ranges).prop_map(|(by, seed, version, ranges)| Bucket {
        by,
        seed: seed.into_boxed_str(),
        version,
        ranges,
    })
}

pub fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        (path(), test()).prop_map(|(path, test)| Condition::Path { path, test }),
        (0_u64..5, proptest::option::of(literal()), test())
            .prop_map(|(signal, key, test)| Condition::Signal { signal: SignalId(signal), key, test }),
        (0_u64..4, prop_oneof![Just(Over::Any), Just(Over::Max)], test())
            .prop_map(|(signal, over, test)| Condition::Keys { signal: SignalId(signal), over, test }),
        (0_u64..5, test()).prop_map(|(model, test)| Condition::Score { model: ModelId(model), test }),
        bucket().prop_map(Condition::Bucket),
        crate::calendar_reference::calendar().prop_map(Condition::Calendar),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            (inner, test()).prop_map(|(of, test)| Condition::Truth { of: Box::new(of), test }),
        ]
    })
}
