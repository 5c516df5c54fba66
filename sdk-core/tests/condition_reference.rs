//! Packed conditions give what the trees they come from mean: a plain evaluator of trees beside the one over bytes.
#![allow(clippy::unwrap_used, reason = "a test that cannot read what it wrote has failed")]

mod calendar_reference;

use attune_core::condition::{
    Bucket, Calendar, Condition, Document, Form, Literal, Moment, Outlook, Packer, Path, PathRef, Reading,
    Root, Test, encode_condition, evaluate,
};
use attune_core::id::{ModelId, SessionId, SignalId};
use attune_core::time::Timestamp;
use attune_core::value::{Packed, Value, ValueRef, number_text, parse_number};
use calendar_reference::{MINUTE_MS, calendar, offsets, spans};
use proptest::prelude::*;
use std::borrow::Cow;
use std::cmp::Ordering;

const NOW: Timestamp = Timestamp(1_000_000);
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A document in both forms: fields `a` to `d` under every root, signals 0 to 3 of the same names.
#[derive(Debug)]
struct Given {
    trees: Vec<Value>,
    packed: Vec<Packed>,
    until: Option<Timestamp>,
    /// The visitor's offset, when it changes, and what it is then, in minutes; nothing where the context says nothing.
    clocks: Option<(i64, i64, i64)>,
}

impl Given {
    const TRUNCATED: (&'static Value, Option<Timestamp>) = (&Value::Null, Some(Timestamp(i64::MIN)));

    /// The last signal is truncated; the others have the values of the fields, whatever their key.
    fn reading(&self, signal: SignalId, key: &str) -> (&Value, Option<Timestamp>) {
        match self.trees.get(signal.0 as usize) {
            _ if signal.0 == 3 || key == "truncated" => Self::TRUNCATED,
            Some(value) => (value, self.until),
            None => (&Value::Null, None),
        }
    }

    fn tree(&self, path: &Path) -> Option<&Value> {
        let (name, rest) = path.rest.split_once('.').map_or((&*path.rest, None), |(a, b)| (a, Some(b)));
        let value = self.trees.get(self.id_of(name)?.0 as usize)?;
        rest.map_or(Some(value), |rest| value.at(rest))
    }

    fn id_of(&self, name: &str) -> Option<SignalId> {
        NAMES.iter().position(|known| *known == name).map(|place| SignalId(place as u64))
    }
}

impl Document for Given {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        let clock = self.clocks.and_then(|(offset, changes_at, next)| match path.rest {
            "time.utc_offset_minutes" => Some(ValueRef::Number(offset as f64)),
            "time.changes_at" => Some(ValueRef::Instant(Timestamp(changes_at * MINUTE_MS))),
            "time.next_utc_offset_minutes" => Some(ValueRef::Number(next as f64)),
            _ => None,
        });
        if let (Some(clock), Root::Context) = (clock, path.root) {
            return clock;
        }
        let (name, rest) = path.rest.split_once('.').map_or((path.rest, None), |(a, b)| (a, Some(b)));
        let value = self.id_of(name).and_then(|id| self.packed.get(id.0 as usize)).map(Packed::get);
        let found = value.and_then(|value| rest.map_or(Some(value), |rest| value.at(rest)));
        found.unwrap_or(ValueRef::Null)
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        match self.reading(signal, key) {
            Self::TRUNCATED => Reading::Truncated,
            (_, until) => match self.packed.get(signal.0 as usize) {
                Some(value) => Reading::Value(as_instant(value.get()), until),
                None => Reading::Missing,
            },
        }
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.id_of(name).map_or(Reading::Missing, |id| self.signal(id, key))
    }

    /// Models read as the signals of the same number do.
    fn score(&self, model: ModelId, _outlook: &mut Outlook) -> Reading<'_> {
        self.signal(SignalId(model.0), "")
    }

    fn now(&self) -> Timestamp {
        NOW
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

/// A text that is an instant's own is handed out as the instant, as the signals of last times are.
fn as_instant(value: ValueRef<'_>) -> ValueRef<'_> {
    match value.as_str().and_then(Timestamp::parse) {
        Some(at) if ValueRef::Instant(at) == value => ValueRef::Instant(at),
        _ => value,
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![Just(0.0), Just(-0.0), Just(3.0), Just(2.5), Just(999_990.0), Just(1e300)]
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
            "truncated"
        ]
        .prop_map(|text| Value::string(&text)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let fields = proptest::collection::vec(("[ab]", inner.clone()), 0..3);
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Value::Array),
            fields.prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.into_boxed_str(), value)).collect()
            )),
        ]
    })
}

fn path() -> impl Strategy<Value = Path> {
    let root = prop_oneof![Just(Root::Traits), Just(Root::Signals), Just(Root::Context), Just(Root::Event)];
    (root, prop_oneof!["[a-e]", "[a-d]\\.[ab01]", "a\\.truncated"])
        .prop_map(|(root, rest)| Path { root, rest: rest.into_boxed_str() })
}

fn literal() -> impl Strategy<Value = Literal> {
    let one = prop_oneof![value().prop_map(Literal::Value), path().prop_map(Literal::Path)];
    one.prop_recursive(1, 4, 3, |inner| proptest::collection::vec(inner, 0..3).prop_map(Literal::List))
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        (-20_i64..20).prop_map(Moment::Relative),
        (999_980_i64..1_000_020).prop_map(|at| Moment::Fixed(Timestamp(at))),
        path().prop_map(Moment::Path),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let leaf = prop_oneof![
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
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Test::All),
            inner.prop_map(|inner| Test::Not(Box::new(inner))),
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

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        (path(), test()).prop_map(|(path, test)| Condition::Path { path, test }),
        (0_u64..5, test()).prop_map(|(model, test)| Condition::Score { model: ModelId(model), test }),
        (0_u64..5, proptest::option::of(literal()), test())
            .prop_map(|(signal, key, test)| Condition::Signal { signal: SignalId(signal), key, test }),
        bucket().prop_map(Condition::Bucket),
        calendar().prop_map(Condition::Calendar),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn packed_conditions_give_what_their_trees_mean(
        condition in condition(),
        trees in proptest::collection::vec(value(), 4),
        until in proptest::option::of(999_990_i64..1_000_010),
        clocks in proptest::option::of((-800_i64..800, 0_i64..100, -800_i64..800)),
    ) {
        let packed = trees.iter().map(Value::to_packed).collect();
        let given = Given { trees, packed, until: until.map(Timestamp), clocks };
        let mut packer = Packer::new();
        encode_condition(&condition, &mut packer);
        let form = Form::open(&packer.finish()).unwrap();
        let (mut outlook, mut expected) = (Outlook::default(), Outlook::default());
        let holds = evaluate(form.at(0), &given, &mut outlook);
        let should = Scene { document: &given, outlook: &mut expected }.condition(&condition) == Some(true);
        prop_assert_eq!((holds, outlook), (should, expected));
    }
}

/// True, false, or nothing where it cannot be known (Kleene's strong three-valued logic).
type Truth = Option<bool>;

struct Scene<'a, 'o> {
    document: &'a Given,
    outlook: &'o mut Outlook,
}

impl<'a> Scene<'a, '_> {
    fn condition(&mut self, condition: &Condition) -> Truth {
        match condition {
            Condition::All(parts) => until(false, parts, |part| self.condition(part)),
            Condition::Any(parts) if parts.is_empty() => Some(true),
            Condition::Any(parts) => until(true, parts, |part| self.condition(part)),
            Condition::Not(inner) => self.condition(inner).map(|truth| !truth),
            Condition::Path { path, test } => {
                let value = self.path(path)?;
                self.test(test, &value)
            }
            Condition::Score { model, test } => {
                let value = self.signal(SignalId(model.0), "")?;
                self.test(test, &value)
            }
            Condition::Signal { signal, key, test } => {
                let value = match key {
                    None => self.signal(*signal, "")?,
                    Some(literal) => {
                        let found = self.literal(literal)?;
                        plain_text(&found)
                            .map_or(Some(Cow::Owned(Value::Null)), |key| self.signal(*signal, &key))?
                    }
                };
                self.test(test, &value)
            }
            Condition::Bucket(bucket) => {
                let unit = self.path(&bucket.by)?;
                let unit = plain_text(&unit).unwrap_or_default();
                let hash = |text: &str| {
                    text.encode_utf16().fold(0x811c_9dc5_u64, |hash, unit| {
                        ((hash ^ u64::from(unit)) * 0x0100_0193) & 0xffff_ffff
                    })
                };
                let place = match bucket.version {
                    1 => hash(&format!("{unit}{}", bucket.seed)) % 1_000,
                    2 => hash(&hash(&format!("{}{unit}", bucket.seed)).to_string()) % 10_000,
                    _ => return Some(false),
                };
                let is_in = |(from, to): &(u32, u32)| (u64::from(*from)..u64::from(*to)).contains(&place);
                Some(!unit.is_empty() && bucket.ranges.iter().any(is_in))
            }
            Condition::Calendar(Calendar { span, zone }) => {
                let offsets = match zone {
                    Some(table) => offsets(table),
                    None => self.document.clocks.map_or((0, Vec::new()), |(offset, changes_at, next)| {
                        (offset, vec![(changes_at, next)])
                    }),
                };
                let (holds, next) = spans(span, &offsets, NOW);
                next.into_iter().for_each(|at| self.note(at));
                Some(holds)
            }
        }
    }

    fn test(&mut self, test: &Test, value: &Value) -> Truth {
        Some(match test {
            Test::All(tests) => return until(false, tests, |test| self.test(test, value)),
            Test::Not(inner) => !self.test(inner, value)?,
            Test::Is(literal) => is(value, &*self.literal(literal)?),
            Test::Eq(literal) => *value == *self.literal(literal)?,
            Test::Ne(literal) => *value != *self.literal(literal)?,
            Test::In(list) => self.contains(list, value)?,
            Test::Nin(list) => !self.contains(list, value)?,
            Test::Gt(literal) => self.order(value, literal)? == Some(Ordering::Greater),
            Test::Gte(literal) => self.order(value, literal)?.is_some_and(Ordering::is_ge),
            Test::Lt(literal) => self.order(value, literal)? == Some(Ordering::Less),
            Test::Lte(literal) => self.order(value, literal)?.is_some_and(Ordering::is_le),
            Test::Exists(expected) => (*value != Value::Null) == *expected,
            Test::Before(moment) => self.distance(value, moment, true)?,
            Test::After(moment) => self.distance(value, moment, false)?,
        })
    }

    fn order(&mut self, value: &Value, literal: &Literal) -> Option<Option<Ordering>> {
        Some(order(value, &*self.literal(literal)?))
    }

    /// Whether the value, or one of its elements, is in the list.
    fn contains(&mut self, list: &Literal, value: &Value) -> Truth {
        let wanted = match value {
            Value::Array(elements) => elements.as_slice(),
            single => core::slice::from_ref(single),
        };
        if let Literal::List(items) = list {
            return until(true, items, |item| Some(wanted.contains(&*self.literal(item)?)));
        }
        Some(match &*self.literal(list)? {
            Value::Array(items) => items.iter().any(|item| wanted.contains(item)),
            _ => false,
        })
    }

    /// Whether the value's instant lies strictly before (or after) the moment; notes when time alone flips that.
    fn distance(&mut self, value: &Value, moment: &Moment, before: bool) -> Truth {
        let Some(at) = instant(value) else { return Some(false) };
        let other = match moment {
            Moment::Fixed(fixed) => *fixed,
            Moment::Relative(ms) => {
                // With every passing millisecond the moment moves on, so "before" becomes true and "after" false.
                self.note(at.plus(ms.saturating_neg()).plus(i64::from(before)));
                NOW.plus(*ms)
            }
            Moment::Path(path) => match instant(&*self.path(path)?) {
                Some(found) => found,
                None => return Some(false),
            },
        };
        Some(if before { at < other } else { at > other })
    }

    fn literal<'l>(&mut self, literal: &'l Literal) -> Option<Cow<'l, Value>>
    where
        'a: 'l,
    {
        match literal {
            Literal::Value(value) => Some(Cow::Borrowed(value)),
            Literal::Path(path) => self.path(path),
            Literal::List(_) => Some(Cow::Owned(Value::Null)),
        }
    }

    fn path(&mut self, path: &Path) -> Option<Cow<'a, Value>> {
        if path.root != Root::Signals {
            return Some(self.document.tree(path).map(Cow::Borrowed).unwrap_or(Cow::Owned(Value::Null)));
        }
        let (name, key) = path.rest.split_once('.').unwrap_or((&path.rest, ""));
        match self.document.id_of(name) {
            Some(signal) => self.signal(signal, key),
            None => Some(Cow::Owned(Value::Null)),
        }
    }

    fn signal(&mut self, signal: SignalId, key: &str) -> Option<Cow<'a, Value>> {
        match self.document.reading(signal, key) {
            Given::TRUNCATED => None,
            (value, until) => {
                until.into_iter().for_each(|at| self.note(at));
                Some(Cow::Borrowed(value))
            }
        }
    }

    fn note(&mut self, at: Timestamp) {
        if at > NOW {
            self.outlook.note(at);
        }
    }
}

/// Asks the parts in turn until one gives `decisive`; an unknown part leaves the whole unknown unless one does.
fn until<T>(decisive: bool, parts: &[T], mut ask: impl FnMut(&T) -> Truth) -> Truth {
    let mut whole = Some(!decisive);
    for part in parts {
        match ask(part) {
            Some(truth) if truth == decisive => return Some(decisive),
            Some(_) => {}
            None => whole = None,
        }
    }
    whole
}

/// A value as plain text: strings as they are, numbers as people read them; nothing for null, arrays and objects.
fn plain_text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Owned(number_text(*number)),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Equality with a bare literal: the value is brought to the literal's type first.
fn is(value: &Value, literal: &Value) -> bool {
    match literal {
        Value::String(text) => plain_text(value).is_some_and(|found| *found == **text),
        Value::Number(number) => to_number(value) == *number,
        Value::Bool(expected) => *value != Value::Null && truthy(value) == *expected,
        Value::Null | Value::Array(_) | Value::Object(_) => value == literal,
    }
}

/// Order of two values: texts by UTF-16 code units, all else as numbers, where a missing value is 0.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Value::String(left), Value::String(right)) = (left, right) {
        return Some(left.encode_utf16().cmp(right.encode_utf16()));
    }
    to_number(left).partial_cmp(&to_number(right))
}

/// The instant a value names: milliseconds, or an RFC 3339 text.
fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(ms) => Some(Timestamp(*ms as i64)),
        Value::String(text) => Timestamp::parse(text),
        _ => None,
    }
}

fn to_number(value: &Value) -> f64 {
    match value {
        Value::Null | Value::Bool(false) => 0.0,
        Value::Bool(true) => 1.0,
        Value::Number(number) => *number,
        Value::String(text) => text_to_number(text.trim_ascii()),
        Value::Array(_) | Value::Object(_) => f64::NAN,
    }
}

/// Reads the decimal forms people write: an empty text is 0, leading zeros and a plus sign are allowed.
fn text_to_number(text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    let (negative, mut digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    while let Some(rest) =
        digits.strip_prefix('0').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        digits = rest;
    }
    match parse_number(digits) {
        Some(magnitude) if !digits.starts_with('-') => {
            if negative {
                -magnitude
            } else {
                magnitude
            }
        }
        _ => f64::NAN,
    }
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => true,
    }
}
