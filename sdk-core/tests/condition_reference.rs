//! Packed conditions give what the trees they come from mean: a plain evaluator of trees beside the one over bytes.
#![cfg(feature = "author")]
#![allow(clippy::unwrap_used, reason = "a test that cannot read what it wrote has failed")]

#[path = "reference/coercion.rs"]
mod coercion;
#[path = "reference/draw.rs"]
mod draw;

mod calendar_reference;

use attune_core::condition::{
    Calendar, Condition, Document, Form, Kind, Literal, Moment, Outlook, Over, Packer, Path, PathRef,
    Pattern, Reading, Root, Test, encode_condition, evaluate,
};
use attune_core::id::{ModelId, SessionId, SignalId};
use attune_core::time::Timestamp;
use attune_core::value::{Packed, Value, ValueRef};
use calendar_reference::{MINUTE_MS, offsets, spans};
use coercion::{geo, instant, is, js_text, order, plain_text, same_letters, strictly_equal, version};
use draw::{condition, pair, value};
use proptest::prelude::*;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};

const NOW: Timestamp = Timestamp(1_000_000);
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// The keys of every signal, the value of the last of which is not known.
const KEYS: [&str; 3] = ["x", "y", "truncated"];

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

    fn each_key(&self, signal: SignalId, see: &mut dyn FnMut(&str)) -> bool {
        KEYS.iter().for_each(|key| see(key));
        signal.0 != 2
    }

    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        matches(pattern.source, pattern.flags, text)
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

/// A matcher that knows one kind of pattern, a plain text, and leaves another open.
fn matches(source: &str, flags: &str, text: &str) -> Option<bool> {
    (source != "?").then(|| text.contains(source) || flags == "i" && text.contains(&source.to_uppercase()))
}

/// A text that is an instant's own is handed out as the instant, as the signals of last times are.
fn as_instant(value: ValueRef<'_>) -> ValueRef<'_> {
    match value.as_str().and_then(Timestamp::parse) {
        Some(at) if ValueRef::Instant(at) == value => ValueRef::Instant(at),
        _ => value,
    }
}

/// Asks both evaluators the same.
fn compare(
    condition: &Condition,
    trees: Vec<Value>,
    until: Option<i64>,
    clocks: Option<(i64, i64, i64)>,
) -> Result<(), TestCaseError> {
    let packed = trees.iter().map(Value::to_packed).collect();
    let given = Given { trees, packed, until: until.map(Timestamp), clocks };
    let mut packer = Packer::new();
    encode_condition(condition, &mut packer);
    let form = Form::open(&packer.finish()).unwrap();
    let (mut outlook, mut expected) = (Outlook::default(), Outlook::default());
    let holds = evaluate(form.at(0), &given, &mut outlook);
    let should =
        Scene { document: &given, item: None, outlook: &mut expected }.condition(condition) == Some(true);
    prop_assert_eq!((holds, outlook), (should, expected));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12_000))]

    #[test]
    fn a_packed_test_gives_what_its_tree_means((test, value) in pair(), is_negated: bool, in_list: bool) {
        let test = if in_list { Test::SomeValue(Box::new(test)) } else { test };
        let test = if is_negated { Test::Not(Box::new(test)) } else { test };
        let value = if in_list { Value::Array(vec![Value::Null, value]) } else { value };
        let path = Path::parse("traits.a").unwrap();
        compare(&Condition::Path { path, test }, vec![value, Value::Number(3.0), Value::string("a"), Value::Null], None, None)?;
    }
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
        compare(&condition, trees, until, clocks)?;
    }
}

/// True, false, or nothing where it cannot be known (Kleene's strong three-valued logic).
type Truth = Option<bool>;

struct Scene<'a, 'o> {
    document: &'a Given,
    item: Option<Value>,
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
            Condition::Score { model, test } => {
                let value = self.signal(SignalId(model.0), "")?;
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
            Condition::Item { path, test } => {
                let item = self.item.clone().unwrap();
                // A list knows its length, as JavaScript's do.
                let value = match path.as_ref() {
                    "length" => match &item {
                        Value::Array(items) => Value::Number(items.len() as f64),
                        other => other.at("length").cloned().unwrap_or(Value::Null),
                    },
                    path => item.at(path).cloned().unwrap_or(Value::Null),
                };
                self.test(test, &value)
            }
            Condition::Truth { of, test } => {
                let truth = self.condition(of)?;
                self.test(test, &Value::Bool(truth))
            }
            Condition::Keys { signal, over, test } => {
                let values: Vec<_> = KEYS.iter().map(|key| self.signal(*signal, key)).collect();
                let is_complete = signal.0 != 2;
                match over {
                    Over::Any => {
                        let mut truths: Vec<Truth> =
                            values.iter().map(|value| self.test(test, value.as_ref()?)).collect();
                        truths.extend((!is_complete).then_some(None));
                        // All are asked, so that the outlook knows of each.
                        if truths.contains(&Some(true)) {
                            Some(true)
                        } else if truths.contains(&None) {
                            None
                        } else {
                            Some(false)
                        }
                    }
                    Over::Max => {
                        let mut largest = Value::Null;
                        for value in values {
                            let value = value?.into_owned();
                            if largest == Value::Null || order(&value, &largest) == Some(Ordering::Greater) {
                                largest = value;
                            }
                        }
                        self.test(test, &largest).filter(|_| is_complete)
                    }
                }
            }
        }
    }

    fn test(&mut self, test: &Test, value: &Value) -> Truth {
        Some(match test {
            Test::All(tests) => return until(false, tests, |test| self.test(test, value)),
            Test::Not(inner) => !self.test(inner, value)?,
            Test::Is(Literal::Caseless { lower, other }) => same_letters(&js_text(value), lower, other),
            Test::Eq(Literal::Caseless { lower, other }) => {
                value.as_str().is_some_and(|text| same_letters(text, lower, other))
            }
            Test::Is(literal) => is(value, &*self.literal(literal)?),
            Test::Eq(literal) => strictly_equal(value, &*self.literal(literal)?),
            Test::Ne(literal) => !strictly_equal(value, &*self.literal(literal)?),
            Test::In(list) => self.contains(list, value)?,
            Test::Nin(list) => !self.contains(list, value)?,
            Test::Gt(literal) => self.order(value, literal)? == Some(Ordering::Greater),
            Test::Gte(literal) => self.order(value, literal)?.is_some_and(Ordering::is_ge),
            Test::Lt(literal) => self.order(value, literal)? == Some(Ordering::Less),
            Test::Lte(literal) => self.order(value, literal)?.is_some_and(Ordering::is_le),
            Test::Exists(expected) => (*value != Value::Null) == *expected,
            Test::Before(moment) => self.distance(value, moment, true)?,
            Test::After(moment) => self.distance(value, moment, false)?,
            Test::Some(test) => return self.some(value, test, false),
            Test::SomeValue(test) => return self.some(value, test, true),
            Test::Of(condition) => {
                let outer = self.item.replace(value.clone());
                let truth = self.condition(condition);
                self.item = outer;
                return truth;
            }
            Test::Size(test) => match value {
                Value::Array(items) => return self.test(test, &Value::Number(items.len() as f64)),
                _ => false,
            },
            Test::Type(kind) => {
                *kind
                    == match value {
                        Value::Null => Kind::Null,
                        Value::Bool(_) => Kind::Boolean,
                        Value::Number(_) => Kind::Number,
                        Value::String(_) => Kind::String,
                        Value::Array(_) => Kind::Array,
                        Value::Object(_) => Kind::Object,
                    }
            }
            Test::VersionIs(literal) => version(value) == version(&*self.literal(literal)?),
            Test::VersionAbove(literal) => version(value) > version(&*self.literal(literal)?),
            Test::VersionBelow(literal) => version(value) < version(&*self.literal(literal)?),
            Test::StartsWith(literal) => {
                self.sought(value, literal, |text, at, length| at == 0 && length <= text)?
            }
            Test::EndsWith(literal) => self.sought(value, literal, |text, at, length| at + length == text)?,
            Test::Contains(literal) => self.sought(value, literal, |_, _, _| true)?,
            Test::Mod { divisor, remainder } => match value {
                Value::Number(number) => number.trunc() as i64 % divisor == *remainder,
                _ => false,
            },
            Test::Matches { pattern, flags } => matches(pattern, flags, &js_text(value))?,
            Test::Cidr(networks) => match value.as_str().and_then(|text| text.parse::<IpAddr>().ok()) {
                Some(address) => {
                    let address = match address {
                        IpAddr::V4(four) => u128::from(four.to_ipv6_mapped()),
                        IpAddr::V6(six) => u128::from(six),
                    };
                    let rest = |bits: u8| u128::MAX.checked_shr(bits.into()).unwrap_or(0);
                    networks.iter().any(|net| {
                        address | rest(net.bits) == u128::from(Ipv6Addr::from(net.address)) | rest(net.bits)
                    })
                }
                None => false,
            },
            Test::InCircle { centre, reach } => geo(value).is_some_and(|(lat, lon)| {
                let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
                let width = lat.to_radians().cos() * centre.lat.to_radians().cos();
                half(lat, centre.lat) + width * half(lon, centre.lon) <= *reach
            }),
            Test::InPolygon(corners) => geo(value).is_some_and(|(lat, lon)| {
                let crossings = corners.iter().zip(corners.iter().cycle().skip(1)).filter(|(from, to)| {
                    let (west, east) = if from.lon < to.lon { (from, to) } else { (to, from) };
                    west.lon <= lon
                        && lon < east.lon
                        && (lat - west.lat) * (east.lon - west.lon) > (east.lat - west.lat) * (lon - west.lon)
                });
                crossings.count() % 2 == 1
            }),
        })
    }

    fn order(&mut self, value: &Value, literal: &Literal) -> Option<Option<Ordering>> {
        Some(order(value, &*self.literal(literal)?))
    }

    fn some(&mut self, value: &Value, test: &Test, of_values: bool) -> Truth {
        let Value::Array(items) = value else { return Some(false) };
        let asked: Vec<&Value> = items.iter().filter(|item| !of_values || **item != Value::Null).collect();
        until(true, &asked, |item| self.test(test, item))
    }

    /// Whether the sought text stands in the value's at a place that `fits`, which gets their numbers of characters.
    fn sought(
        &mut self,
        value: &Value,
        literal: &Literal,
        fits: impl Fn(usize, usize, usize) -> bool,
    ) -> Truth {
        let (lower, other) = match literal {
            Literal::Caseless { lower, other } => (Some(lower.to_string()), other.to_string()),
            literal => {
                let found = self.literal(literal)?;
                let text = plain_text(&found).map(Cow::into_owned);
                (text.clone(), text.unwrap_or_default())
            }
        };
        let (Some(lower), Some(text)) = (lower, plain_text(value)) else { return Some(false) };
        let text: Vec<char> = text.chars().collect();
        let length = lower.chars().count();
        let windows = (0..=text.len()).filter_map(|at| Some((at, text.get(at..at + length)?)));
        Some(windows.into_iter().any(|(at, window)| {
            same_letters(&window.iter().collect::<String>(), &lower, &other) && fits(text.len(), at, length)
        }))
    }

    /// Whether the value, or one of its elements, is in the list.
    fn contains(&mut self, list: &Literal, value: &Value) -> Truth {
        let wanted = match value {
            Value::Array(elements) => elements.as_slice(),
            single => core::slice::from_ref(single),
        };
        let is_wanted = |item: &Value| wanted.iter().any(|wanted| strictly_equal(wanted, item));
        if let Literal::List(items) = list {
            return until(true, items, |item| match item {
                Literal::Caseless { lower, other } => {
                    let mut texts = wanted.iter().filter_map(Value::as_str);
                    Some(texts.any(|text| same_letters(text, lower, other)))
                }
                item => Some(is_wanted(&*self.literal(item)?)),
            });
        }
        Some(match &*self.literal(list)? {
            Value::Array(items) => items.iter().any(is_wanted),
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
            Literal::Caseless { lower, .. } => Some(Cow::Owned(Value::string(lower))),
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
