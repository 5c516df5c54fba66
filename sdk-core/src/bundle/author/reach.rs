//! What can be proven of a condition without a visitor: that it never holds, or that it always does.

use super::contradiction::Contradiction;
use crate::condition::{
    Condition, Document, Form, Literal, Moment, Outlook, Packer, Path, PathRef, Reading, Root, Test,
    encode_condition, evaluate, visit_paths,
};
use crate::id::{SessionId, SignalId};
use crate::time::Timestamp;
use crate::value::{Packed, Value, ValueRef, parse_number};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// What the prover knows of signals: whether it is a count, by name and by id, and the name of an id.
pub(super) trait Signals {
    /// Whether the signal of a name counts, and whether it is read under a key.
    fn counts(&self, name: &str) -> Option<bool>;
    /// The name of a signal.
    fn name(&self, id: SignalId) -> Option<&str>;
}

/// Proves that a condition never holds, whatever the visitor is; nothing means that it may.
pub(super) fn never_holds(condition: &Condition, signals: &dyn Signals) -> Option<Contradiction> {
    let mut facts = BTreeMap::new();
    gather(condition, signals, &mut facts).or_else(|| facts.into_values().find_map(|facts| facts.refute()))
}

/// Whether a condition holds whatever the visitor is.
pub(super) fn always_holds(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(always_holds),
        Condition::Any(parts) => parts.is_empty() || parts.iter().any(always_holds),
        Condition::Not(inner) => is_always_false(inner),
        _ => false,
    }
}

/// Whether a condition is false, and not only unknown, whatever the visitor is.
fn is_always_false(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().any(is_always_false),
        Condition::Any(parts) => !parts.is_empty() && parts.iter().all(is_always_false),
        Condition::Not(inner) => always_holds(inner),
        _ => false,
    }
}

/// Gathers what must hold at the same time, by subject; ends at the first part that never holds by itself.
fn gather<'a>(
    condition: &'a Condition,
    signals: &dyn Signals,
    facts: &mut BTreeMap<String, Facts<'a>>,
) -> Option<Contradiction> {
    match condition {
        Condition::All(parts) => parts.iter().find_map(|part| gather(part, signals, facts)),
        Condition::Any(parts) => match parts.as_slice() {
            [] => None,
            [only] => gather(only, signals, facts),
            many => {
                let none = many.iter().all(|part| never_holds(part, signals).is_some());
                none.then_some(Contradiction::NoAlternative)
            }
        },
        Condition::Not(inner) => match &**inner {
            inner if always_holds(inner) => Some(Contradiction::NegatedTruth),
            Condition::Path { path, test } => {
                note(path_subject(path, signals), test, true, facts);
                None
            }
            Condition::Signal { signal, key, test } => {
                note(signal_subject(*signal, key.as_ref(), signals), test, true, facts);
                None
            }
            _ => None,
        },
        Condition::Path { path, test } => {
            note(path_subject(path, signals), test, false, facts);
            None
        }
        Condition::Signal { signal, key, test } => {
            note(signal_subject(*signal, key.as_ref(), signals), test, false, facts);
            None
        }
        _ => None,
    }
}

/// Whose value is tested, and whether it is a count.
type Subject = (String, bool);

fn path_subject(path: &Path, signals: &dyn Signals) -> Subject {
    let (name, key) = crate::value::cut(&path.rest, b'.');
    let counts = path.root == Root::Signals && signals.counts(name) == Some(key.is_some());
    (format!("{path}"), counts)
}

fn signal_subject(id: SignalId, key: Option<&Literal>, signals: &dyn Signals) -> Subject {
    let name = signals.name(id).unwrap_or_default();
    let text = match key {
        None => format!("signals.{name}"),
        Some(Literal::Value(Value::String(key))) => format!("signals.{name}.{key}"),
        Some(Literal::Path(path)) => format!("signals.{name} under {path}"),
        Some(other) => format!("signals.{name} under {other:?}"),
    };
    // A key that is not there gives a missing value, so only fixed ones make a count certain.
    let is_fixed = matches!(key, None | Some(Literal::Value(Value::String(_))));
    (text, is_fixed && signals.counts(name) == Some(key.is_some()))
}

fn note<'a>(
    (subject, counts): Subject,
    test: &'a Test,
    negated: bool,
    facts: &mut BTreeMap<String, Facts<'a>>,
) {
    let known = facts.entry(subject.clone()).or_insert_with(|| Facts { subject, counts, tests: Vec::new() });
    known.add(test, negated);
}

/// The tests that one value has to pass, each with whether it is negated.
struct Facts<'a> {
    subject: String,
    counts: bool,
    tests: Vec<(&'a Test, bool)>,
}

impl<'a> Facts<'a> {
    fn add(&mut self, test: &'a Test, negated: bool) {
        match test {
            Test::All(tests) if !negated => tests.iter().for_each(|test| self.add(test, false)),
            Test::Not(inner) => self.add(inner, !negated),
            test => self.tests.push((test, negated)),
        }
    }

    fn refute(self) -> Option<Contradiction> {
        let plain = || self.tests.iter().filter(|(_, negated)| !negated).map(|(test, _)| *test);
        if plain().any(is_empty_list) {
            return Some(Contradiction::EmptyList { subject: self.subject });
        }
        if plain().any(is_no_list) {
            return Some(Contradiction::NoList { subject: self.subject });
        }
        if let Some(text) = plain().find_map(words_compared).filter(|_| self.counts) {
            return Some(Contradiction::NoNumber { subject: self.subject, text: String::from(text) });
        }
        if self.counts && plain().any(is_below_any_count) {
            return Some(Contradiction::NoCount { subject: self.subject });
        }
        let candidates = plain().find_map(only_values);
        let pinned_out = candidates.is_some_and(|values| values.iter().all(|value| !self.admits(value)));
        let fixed = |pick: fn(&Test) -> Option<&Literal>| {
            let values: Vec<&Value> = plain().filter_map(pick).filter_map(constant).collect();
            values.iter().any(|one| values.iter().any(|other| same_kind(one, other) && one != other))
        };
        let two_at_once = fixed(|test| match test {
            Test::Is(literal) => Some(literal),
            _ => None,
        });
        let contradicts = pinned_out
            || two_at_once
            || is_empty_range(plain())
            || is_empty_span(plain())
            || plain().any(|test| matches!(test, Test::Exists(true)))
                && plain().any(|test| matches!(test, Test::Exists(false)));
        contradicts.then_some(Contradiction::NoValue { subject: self.subject })
    }

    /// Whether a value passes every test that needs nothing but the value, as evaluation itself says.
    fn admits(&self, value: &Value) -> bool {
        self.tests.iter().all(|(test, negated)| {
            let path = Path { root: Root::Bare, rest: Box::from("value") };
            let condition = Condition::Path { path, test: (*test).clone() };
            let mut paths = 0;
            visit_paths(&condition, &mut |_| paths += 1);
            if paths > 1 || reads_clock(test, value) {
                return true;
            }
            let mut packer = Packer::new();
            encode_condition(&condition, &mut packer);
            let Ok(form) = Form::open(&packer.finish()) else { return true };
            let document = Pinned(value.to_packed());
            evaluate(form.at(0), &document, &mut Outlook::default()) != *negated
        })
    }
}

/// A document in which every path has one value.
struct Pinned(Packed);

impl Document for Pinned {
    fn value(&self, _path: PathRef<'_>) -> ValueRef<'_> {
        self.0.get()
    }

    fn signal(&self, _signal: SignalId, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn signal_named(&self, _name: &str, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

/// All values that pass a test, where they can be listed.
fn only_values(test: &Test) -> Option<Vec<Value>> {
    match test {
        Test::Exists(false) => Some(vec![Value::Null]),
        Test::Eq(literal) => match constant(literal)? {
            Value::Array(_) | Value::Object(_) => None,
            // An instant passes for its text.
            Value::String(text) if Timestamp::parse(text).is_some() => None,
            value => Some(vec![value.clone()]),
        },
        // A text passes for lists as well, which become texts with commas.
        Test::Is(literal) => matches!(constant(literal)?, Value::Null).then(|| vec![Value::Null]),
        _ => None,
    }
}

fn constant(literal: &Literal) -> Option<&Value> {
    match literal {
        Literal::Value(value) => Some(value),
        _ => None,
    }
}

const fn same_kind(one: &Value, other: &Value) -> bool {
    matches!(
        (one, other),
        (Value::Bool(_), Value::Bool(_))
            | (Value::Number(_), Value::Number(_))
            | (Value::String(_), Value::String(_))
    )
}

fn is_empty_list(test: &Test) -> bool {
    match test {
        Test::In(Literal::List(items)) => items.is_empty(),
        Test::In(Literal::Value(Value::Array(items))) => items.is_empty(),
        _ => false,
    }
}

/// Whether the list of an `$in` is one value, or was.
fn is_no_list(test: &Test) -> bool {
    matches!(test, Test::In(Literal::Value(value)) if !matches!(value, Value::Array(_)))
}

/// The text that a value is compared with, where no number passes because of it.
fn words_compared(test: &Test) -> Option<&str> {
    let (Test::Gt(literal) | Test::Gte(literal) | Test::Lt(literal) | Test::Lte(literal) | Test::Is(literal)) =
        test
    else {
        return None;
    };
    let is_word = |text: &&str| {
        !text.trim().is_empty() && parse_number(text.trim()).is_none() && Timestamp::parse(text).is_none()
    };
    // JavaScript reads further texts as numbers, such as those of hexadecimal digits and Infinity.
    constant(literal)?
        .as_str()
        .filter(is_word)
        .filter(|text| !text.trim().starts_with(['0', '+', '-', '.', 'I']))
}

fn is_below_any_count(test: &Test) -> bool {
    let number = |literal: &Literal| constant(literal).and_then(Value::as_number);
    match test {
        Test::Exists(exists) => !exists,
        Test::Lt(literal) => number(literal).is_some_and(|bound| bound <= 0.0),
        Test::Lte(literal) | Test::Eq(literal) | Test::Is(literal) => {
            number(literal).is_some_and(|bound| bound < 0.0)
        }
        _ => false,
    }
}

/// Whether numeric bounds leave no number between them.
fn is_empty_range<'a>(tests: impl Iterator<Item = &'a Test>) -> bool {
    let (mut low, mut high) = ((f64::NEG_INFINITY, false), (f64::INFINITY, false));
    for test in tests {
        let (literal, from, to, is_open) = match test {
            Test::Gt(literal) => (literal, true, false, true),
            Test::Gte(literal) => (literal, true, false, false),
            Test::Lt(literal) => (literal, false, true, true),
            Test::Lte(literal) => (literal, false, true, false),
            Test::Is(literal) => (literal, true, true, false),
            _ => continue,
        };
        let Some(number) = constant(literal).and_then(Value::as_number) else { continue };
        if from && (number > low.0 || (number == low.0 && is_open)) {
            low = (number, is_open);
        }
        if to && (number < high.0 || (number == high.0 && is_open)) {
            high = (number, is_open);
        }
    }
    low.0 > high.0 || (low.0 == high.0 && (low.1 || high.1))
}

/// Whether bounds in time, all relative to now or all fixed, leave no instant between them.
fn is_empty_span<'a>(tests: impl Iterator<Item = &'a Test>) -> bool {
    let (mut after, mut before) = ([None::<i64>; 2], [None::<i64>; 2]);
    for test in tests {
        let (bounds, moment, is_after) = match test {
            Test::After(moment) => (&mut after, moment, true),
            Test::Before(moment) => (&mut before, moment, false),
            _ => continue,
        };
        let (kind, at) = match moment {
            Moment::Relative(ms) => (0, *ms),
            Moment::Fixed(at) => (1, at.0),
            _ => continue,
        };
        if let Some(bound) = bounds.get_mut(kind) {
            *bound = Some(match *bound {
                Some(known) if is_after => known.max(at),
                Some(known) => known.min(at),
                None => at,
            });
        }
    }
    // Both bounds are strict, and instants are whole milliseconds.
    after.iter().zip(before).any(|(after, before)| {
        after.zip(before).is_some_and(|(after, before)| after.saturating_add(1) >= before)
    })
}

/// Whether the answer for a value depends on when it is asked for: a missing value lies at no instant.
fn reads_clock(test: &Test, value: &Value) -> bool {
    *value != Value::Null
        && matches!(test, Test::Before(Moment::Relative(_)) | Test::After(Moment::Relative(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{ConditionScope, KnownSignal, parse_condition};

    struct One;

    impl Signals for One {
        fn counts(&self, name: &str) -> Option<bool> {
            match name {
                "views" => Some(false),
                "keyed" => Some(true),
                _ => None,
            }
        }

        fn name(&self, id: SignalId) -> Option<&str> {
            Some(if id.0 == 1 { "views" } else { "keyed" })
        }
    }

    fn condition(text: &str) -> Condition {
        let known = |name: &str| match name {
            "views" => Some(KnownSignal { id: SignalId(1), keyed: false }),
            "keyed" => Some(KnownSignal { id: SignalId(2), keyed: true }),
            "at" => Some(KnownSignal { id: SignalId(3), keyed: false }),
            _ => None,
        };
        parse_condition(&Value::parse(text).unwrap(), ConditionScope::Visitor(&known), "").unwrap()
    }

    fn code(text: &str) -> Option<&'static str> {
        never_holds(&condition(text), &One).map(|found| found.code())
    }

    #[test]
    fn what_can_never_hold_is_proven_with_its_reason() {
        for (text, expected) in [
            (r#"{"traits.a":{"$in":[]}}"#, "empty_list"),
            (r#"{"$and":[{"traits.a":{"$eq":"x"}},{"traits.a":{"$eq":"y"}}]}"#, "no_value"),
            (r#"{"$and":[{"traits.a":"x"},{"traits.a":"y"}]}"#, "no_value"),
            (r#"{"traits.a":{"$eq":"x","$in":["y","z"]}}"#, "no_value"),
            (r#"{"traits.a":{"$eq":"x","$ne":"x"}}"#, "no_value"),
            (r#"{"$and":[{"traits.a":null},{"traits.a":{"$not":{"$eq":null}}}]}"#, "no_value"),
            (r#"{"traits.a":{"$exists":false,"$eq":"x"}}"#, "no_value"),
            (r#"{"traits.a":{"$exists":false,"$gt":0}}"#, "no_value"),
            (r#"{"traits.a":{"$exists":false,"$before":"-5m"}}"#, "no_value"),
            (r#"{"$and":[{"traits.a":{"$exists":false}},{"traits.a":{"$exists":true}}]}"#, "no_value"),
            (r#"{"$nor":[]}"#, "negated_truth"),
            (r#"{"traits.a":{"$gt":5,"$lt":5}}"#, "no_value"),
            (r#"{"traits.a":{"$gte":6,"$lte":5}}"#, "no_value"),
            (r#"{"traits.a":{"$after":"-5m","$before":"-10m"}}"#, "no_value"),
            (r#"{"signals.views":{"$lt":0}}"#, "no_count"),
            (r#"{"signals.keyed.x":{"$exists":false}}"#, "no_count"),
            (r#"{"$signal":{"name":"views","is":{"$lte":-1}}}"#, "no_count"),
            (r#"{"$not":{}}"#, "negated_truth"),
            (r#"{"$or":[{"traits.a":{"$in":[]}},{"$not":{}}]}"#, "no_alternative"),
            (r#"{"traits.b":1,"$or":[{"traits.a":{"$in":[]}}]}"#, "empty_list"),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_may_hold_is_left_alone() {
        for text in [
            "{}",
            r#"{"$or":[]}"#,
            r#"{"traits.a":{"$exists":false,"$lt":5}}"#,
            r#"{"traits.a":{"$exists":false,"$ne":"x"}}"#,
            r#"{"traits.a":{"$in":["x"],"$nin":["y"]}}"#,
            r#"{"$and":[{"traits.a":{"$in":["x"]}},{"traits.a":{"$in":["y"]}}]}"#,
            r#"{"$and":[{"traits.a":"1"},{"traits.a":1}]}"#,
            r#"{"$and":[{"traits.a":""},{"traits.a":true}]}"#,
            r#"{"$and":[{"traits.a":"x"},{"traits.a":{"$not":{"$eq":"x"}}}]}"#,
            r#"{"$and":[{"traits.a":{"$eq":"x"}},{"traits.b":{"$eq":"y"}}]}"#,
            r#"{"$or":[{"traits.a":"x"},{"traits.a":"y"}]}"#,
            r#"{"traits.a":{"$eq":{"$path":"traits.b"},"$exists":true}}"#,
            r#"{"traits.a":{"$gt":5,"$lt":6}}"#,
            r#"{"traits.a":{"$after":"-10m","$before":"-5m"}}"#,
            r#"{"traits.a":{"$eq":"2026-01-01T00:00:00Z","$before":"-5m"}}"#,
            r#"{"signals.views":{"$lte":0}}"#,
            r#"{"signals.at":{"$exists":false}}"#,
            r#"{"$signal":{"name":"keyed","key":{"$path":"traits.a"},"is":{"$exists":false}}}"#,
            r#"{"traits.a":{"$lt":"0","$gt":"9"}}"#,
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn what_always_holds_is_told_apart() {
        for (text, expected) in [
            ("{}", true),
            (r#"{"$or":[]}"#, true),
            (r#"{"$or":[{"traits.a":1},{}]}"#, true),
            (r#"{"$not":{"$not":{}}}"#, true),
            (r#"{"traits.a":{"$exists":true}}"#, false),
            (r#"{"$not":{}}"#, false),
        ] {
            assert_eq!(always_holds(&condition(text)), expected, "{text}");
        }
    }
}
