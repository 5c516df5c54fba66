//! A visitor's document as a host gives it: values by part, signals as their readings.

use super::below;
use crate::answer::Fault;
use attune_core::condition::{Document, KnownSignal, Matcher, PathRef, Pattern, Reading, Root};
use attune_core::id::{SessionId, SignalId};
use attune_core::time::Timestamp;
use attune_core::value::ValueRef;
use std::collections::BTreeMap;

/// The parts that are objects of values by name.
const PARTS: [&str; 4] = ["traits", "context", "event", "experiments"];

/// A document; nothing is kept of it beyond the call that gives it.
pub(super) struct Told<'a> {
    document: ValueRef<'a>,
    now: Timestamp,
    /// Numbers of the signals, by name: their ids within this document.
    numbers: BTreeMap<&'a str, usize>,
    signals: Vec<Signal<'a>>,
    matcher: &'a dyn Matcher,
}

/// What is said of a signal.
enum Signal<'a> {
    /// The one value of a signal without `by`.
    Plain(Reading<'a>),
    /// A value for each key.
    Keyed { readings: BTreeMap<&'a str, Reading<'a>>, is_complete: bool },
}

impl<'a> Told<'a> {
    /// Reads `{"traits":{…},"context":{…},"event":{…},"experiments":{…},"signals":{…},"now":"…"}`, each of which may be
    /// left out.
    ///
    /// # Errors
    /// What is of another form, and where.
    pub fn open(document: ValueRef<'a>, matcher: &'a dyn Matcher) -> Result<Self, Fault> {
        if !is_object(document) {
            return Err(Fault::unreadable("/document", "a JSON object"));
        }
        let part = |name: &str| document.field(name).filter(|part| !part.is_null());
        for name in PARTS.into_iter().chain(["signals"]) {
            if part(name).is_some_and(|part| !is_object(part)) {
                return Err(Fault::unreadable(&format!("/document/{name}"), "an object"));
            }
        }
        let now = part("now").map(|now| instant(now, || String::from("/document/now"))).transpose()?;
        let (mut numbers, mut signals) = (BTreeMap::new(), Vec::new());
        for (name, told) in part("signals").unwrap_or(ValueRef::Null).entries() {
            numbers.insert(name, signals.len());
            signals.push(Signal::open(told, || below("/document/signals", name))?);
        }
        Ok(Self { document, now: now.unwrap_or_default(), numbers, signals, matcher })
    }

    /// The signal of a name.
    pub fn known(&self, name: &str) -> Option<KnownSignal> {
        let number = *self.numbers.get(name)?;
        let keyed = matches!(self.signals.get(number)?, Signal::Keyed { .. });
        Some(KnownSignal { id: SignalId(number as u64), keyed })
    }

    fn told(&self, signal: SignalId) -> Option<&Signal<'a>> {
        self.signals.get(usize::try_from(signal.0).ok()?)
    }
}

impl<'a> Signal<'a> {
    fn open(told: ValueRef<'a>, at: impl Fn() -> String) -> Result<Self, Fault> {
        let Some(keys) = told.field("keys") else { return reading(told, at).map(Self::Plain) };
        if !is_object(keys) {
            return Err(Fault::unreadable(&below(&at(), "keys"), "an object of readings by key"));
        }
        let each = |(key, told)| Ok((key, reading(told, || below(&below(&at(), "keys"), key))?));
        let readings = keys.entries().map(each).collect::<Result<_, Fault>>()?;
        Ok(Self::Keyed { readings, is_complete: !is_true(told, "dropped") })
    }
}

/// Reads `{"value":…,"until":…}`, `{"truncated":true}`, or an object with neither value nor mark: a signal that is missing.
fn reading(told: ValueRef<'_>, at: impl Fn() -> String) -> Result<Reading<'_>, Fault> {
    if !is_object(told) {
        return Err(Fault::unreadable(&at(), "a reading: an object with value and until"));
    }
    let until = told.field("until").filter(|until| !until.is_null());
    let until = until.map(|until| instant(until, || below(&at(), "until"))).transpose()?;
    Ok(match told.field("value") {
        _ if is_true(told, "truncated") => Reading::Truncated,
        Some(value) if !value.is_null() => Reading::Value(value, until),
        _ => Reading::Missing,
    })
}

fn instant(value: ValueRef<'_>, at: impl Fn() -> String) -> Result<Timestamp, Fault> {
    let found = value.as_str().and_then(Timestamp::parse);
    found.ok_or_else(|| Fault::unreadable(&at(), "an instant such as 2026-11-20T10:00:02.120Z"))
}

fn is_object(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Object(_))
}

fn is_true(value: ValueRef<'_>, name: &str) -> bool {
    value.field(name) == Some(ValueRef::Bool(true))
}

impl Document for Told<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        let part = match path.root {
            Root::Traits => "traits",
            Root::Context => "context",
            Root::Event => "event",
            Root::Experiments => "experiments",
            Root::Signals | Root::Bare => return ValueRef::Null,
        };
        self.document.field(part).and_then(|part| part.at(path.rest)).unwrap_or(ValueRef::Null)
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        match self.told(signal) {
            Some(Signal::Plain(reading)) => *reading,
            Some(Signal::Keyed { readings, .. }) => readings.get(key).copied().unwrap_or(Reading::Missing),
            None => Reading::Missing,
        }
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.known(name).map_or(Reading::Missing, |signal| self.signal(signal.id, key))
    }

    fn each_key(&self, signal: SignalId, see: &mut dyn FnMut(&str)) -> bool {
        let Some(Signal::Keyed { readings, is_complete }) = self.told(signal) else { return true };
        readings.keys().for_each(|key| see(key));
        *is_complete
    }

    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        self.matcher.matches(pattern, text)
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}
