//! Definitions of signals and the identity that follows from them.

use super::CalendarUnit;
use crate::codec::{Source, Writer};
use crate::condition::{
    Code, Condition, Form, Packer, Path, PathNumber, decode_condition, encode_condition, encode_path,
    pass_condition,
};
use crate::hash::key_hash;
use crate::id::SignalId;
use crate::limits::{CALENDAR_BUCKET_MS, DAY_SLACK_MS, MAX_WINDOW_BUCKETS, MAX_WINDOW_MS};
use crate::time::Timestamp;
use alloc::boxed::Box;
use core::ops::Deref;

/// A named windowed aggregate over events, as its author has defined it.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Hash of the canonical definition (everything below but the name); tiles are kept under it.
    pub id: SignalId,
    /// The name that conditions use.
    pub name: Box<str>,
    /// The event type it looks at; `*` for all.
    pub on: Box<str>,
    /// Which of those events count.
    pub filter: Option<Condition>,
    /// Where the key is found, for one value per key.
    pub by: Option<Path>,
    /// Where the value is found, for the aggregates of values.
    pub of: Option<Path>,
    /// How events are folded.
    pub aggregate: Aggregate,
    /// Over which time.
    pub window: Window,
    /// Whether past events are to be counted when it is published: what a host does, and no part of the identity.
    pub backfill: bool,
}

/// A signal of a bundle: its numbers as they were read when the bundle was opened, its texts in place.
#[derive(Clone, Copy, Debug)]
pub struct SignalRef<'a> {
    form: &'a Form,
    head: &'a SignalHead,
}

/// What is known of a signal without looking at a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignalHead {
    /// Hash of the canonical definition; tiles are kept under it.
    pub id: SignalId,
    /// How events are folded.
    pub aggregate: Aggregate,
    /// Over which time.
    pub window: Window,
    /// Whether past events are to be counted when it is published.
    pub backfill: bool,
    /// Where the key is found, for one value per key.
    pub by: Option<PathNumber>,
    /// Where the value is found, for the aggregates of values.
    pub of: Option<PathNumber>,
    /// The numbers of its name and of the event type it looks at.
    texts: (u32, u32),
    /// Where the condition stands that says which of those events count.
    filter: Option<u32>,
}

/// How events are folded into one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Number of events.
    Count,
    /// Sum of `of`, in micro-units.
    Sum,
    /// Time of the latest event.
    LastAt,
    /// Time of the earliest event.
    FirstAt,
    /// The smallest number at `of`.
    Min,
    /// The largest number at `of`.
    Max,
    /// The mean of the numbers at `of`: their sum in micro-units over their count.
    Mean,
    /// The value at `of` of the earliest event.
    First,
    /// The value at `of` of the latest event.
    Last,
    /// How many different values there are at `of`.
    Distinct,
}

/// Set in the byte of an aggregate where the signal is to be backfilled.
const BACKFILL: u8 = 0x80;

impl Aggregate {
    /// All of them, in order of their tags.
    pub const ALL: [Self; 10] = [
        Self::Count,
        Self::Sum,
        Self::LastAt,
        Self::FirstAt,
        Self::Min,
        Self::Max,
        Self::Mean,
        Self::First,
        Self::Last,
        Self::Distinct,
    ];

    /// Whether it folds values, and not events.
    pub const fn takes_values(self) -> bool {
        !matches!(self, Self::Count | Self::LastAt | Self::FirstAt)
    }

    /// Whether it is zero where there is nothing to fold; the others are missing then.
    pub const fn starts_at_zero(self) -> bool {
        matches!(self, Self::Count | Self::Sum | Self::Distinct)
    }
}

/// The time a signal looks back over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The buckets (⌊now/g⌋ − W/g, ⌊now/g⌋] of event time.
    Sliding {
        /// W, in milliseconds; a multiple of `bucket_ms`.
        window_ms: i64,
        /// g, in milliseconds.
        bucket_ms: i64,
    },
    /// The current session.
    Session,
    /// All time.
    Lifetime,
    /// The visitor's current day, week or month so far, in buckets of [`CALENDAR_BUCKET_MS`].
    Calendar(CalendarUnit),
}

/// The identity of a definition: the hash of its canonical form without id and name.
pub fn signal_id(signal: &Signal) -> SignalId {
    let mut packer = Packer::canonical();
    packer.text(&signal.on);
    packer.option(signal.filter.as_ref(), encode_condition);
    packer.option(signal.by.as_ref(), encode_path);
    packer.option(signal.of.as_ref(), encode_path);
    packer.out.u8(signal.aggregate as u8);
    signal.window.encode(&mut packer.out);
    SignalId(key_hash(&packer.finish()))
}

/// Appends a signal's packed form, its id included, so that a page need not hash.
pub(super) fn encode_signal(signal: &Signal, packer: &mut Packer) {
    packer.id(signal.id);
    packer.out.u8(signal.aggregate as u8 | if signal.backfill { BACKFILL } else { 0 });
    packer.out.u8(signal.window.kind());
    if let Window::Sliding { window_ms, bucket_ms } = signal.window {
        packer.out.i64(window_ms);
        packer.out.i64(bucket_ms);
    }
    packer.text(&signal.name);
    packer.text(&signal.on);
    packer.option(signal.by.as_ref(), encode_path);
    packer.option(signal.of.as_ref(), encode_path);
    packer.option(signal.filter.as_ref(), encode_condition);
}

impl SignalHead {
    /// Reads the signal the code begins with and moves behind it; unknown kinds and windows out of bounds make the code
    /// unsound.
    pub(super) fn read(code: &mut Code<'_>) -> Self {
        let id = code.id();
        let byte = code.byte();
        let aggregate = Aggregate::ALL.get(usize::from(byte & !BACKFILL)).copied().unwrap_or_else(|| {
            code.fail();
            Aggregate::Count
        });
        let head = Self {
            id,
            aggregate,
            backfill: byte >= BACKFILL,
            window: Window::read(code),
            texts: (code.text_number(), code.text_number()),
            by: optional_path(code),
            of: optional_path(code),
            filter: (code.byte() == 1).then(|| code.place()),
        };
        if head.filter.is_some() {
            pass_condition(code);
        }
        head
    }
}

fn optional_path(code: &mut Code<'_>) -> Option<PathNumber> {
    (code.byte() == 1).then(|| code.path_number())
}

impl Deref for SignalRef<'_> {
    type Target = SignalHead;

    fn deref(&self) -> &SignalHead {
        self.head
    }
}

impl<'a> SignalRef<'a> {
    pub(super) const fn new(head: &'a SignalHead, form: &'a Form) -> Self {
        Self { form, head }
    }

    /// The name that conditions use.
    pub fn name(&self) -> &'a str {
        self.text(self.texts.0)
    }

    /// The event type it looks at; `*` for all.
    pub fn on(&self) -> &'a str {
        self.text(self.texts.1)
    }

    /// Which of those events count: a condition.
    pub fn filter(&self) -> Option<Code<'a>> {
        self.head.filter.map(|place| self.form.at(place))
    }

    /// The definition as its author has written it, for tools.
    pub fn to_signal(self) -> Signal {
        let path = |path: PathNumber| self.form.path(path).to_path();
        Signal {
            id: self.id,
            name: Box::from(self.name()),
            on: Box::from(self.on()),
            filter: self.filter().map(|mut code| decode_condition(&mut code)),
            by: self.by.map(path),
            of: self.of.map(path),
            aggregate: self.aggregate,
            window: self.window,
            backfill: self.backfill,
        }
    }

    fn text(&self, number: u32) -> &'a str {
        self.form.text(number as usize).unwrap_or_default()
    }
}

impl Window {
    /// The newest bucket of a window at an instant and the number of buckets that are kept; of session and lifetime
    /// none. Calendar windows keep what the longest day, week or month of any zone has.
    pub(crate) fn buckets_at(self, at: Timestamp) -> Option<(i64, i64)> {
        let (window_ms, bucket_ms) = match self {
            Self::Sliding { window_ms, bucket_ms } => (window_ms, bucket_ms),
            Self::Calendar(unit) => (unit.days() * 24 * 3_600_000 + DAY_SLACK_MS, CALENDAR_BUCKET_MS),
            Self::Session | Self::Lifetime => return None,
        };
        Some((at.0.checked_div_euclid(bucket_ms)?, window_ms.checked_div(bucket_ms)?))
    }

    /// The tag of its kind.
    const fn kind(self) -> u8 {
        match self {
            Self::Lifetime => 0,
            Self::Session => 1,
            Self::Sliding { .. } => 2,
            Self::Calendar(CalendarUnit::Day) => 3,
            Self::Calendar(CalendarUnit::Week) => 4,
            Self::Calendar(CalendarUnit::Month) => 5,
        }
    }

    /// The window of a kind; `times` reads window and bucket of a sliding one.
    fn of_kind(kind: u8, times: impl FnOnce() -> (i64, i64)) -> Option<Self> {
        match kind {
            0 => Some(Self::Lifetime),
            1 => Some(Self::Session),
            2 => Self::sliding(times()),
            3 => Some(Self::Calendar(CalendarUnit::Day)),
            4 => Some(Self::Calendar(CalendarUnit::Week)),
            5 => Some(Self::Calendar(CalendarUnit::Month)),
            _ => None,
        }
    }

    /// A sliding window, if it is a multiple of its bucket and within its bounds.
    const fn sliding((window_ms, bucket_ms): (i64, i64)) -> Option<Self> {
        let is_sound = bucket_ms > 0 && window_ms >= bucket_ms && window_ms <= MAX_WINDOW_MS;
        if is_sound && window_ms % bucket_ms == 0 && window_ms / bucket_ms <= MAX_WINDOW_BUCKETS {
            Some(Self::Sliding { window_ms, bucket_ms })
        } else {
            None
        }
    }

    fn read(code: &mut Code<'_>) -> Self {
        let window = Self::of_kind(code.byte(), || (code.signed(), code.signed()));
        if window.is_none() {
            code.fail();
        }
        window.unwrap_or(Self::Lifetime)
    }

    /// Appends the binary form.
    pub fn encode(self, out: &mut Writer) {
        out.u8(self.kind());
        if let Self::Sliding { window_ms, bucket_ms } = self {
            out.i64(window_ms);
            out.i64(bucket_ms);
        }
    }

    /// Reads the binary form; other bytes fail the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        Self::of_kind(source.u8(), || (source.i64(), source.i64())).unwrap_or_else(|| {
            source.fail();
            Self::Lifetime
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Literal, Root, Test};
    use crate::value::Value;

    fn signal() -> Signal {
        let mut signal = Signal {
            id: SignalId(0),
            name: Box::from("views"),
            on: Box::from("page_view"),
            filter: None,
            by: Some(Path { root: Root::Bare, rest: Box::from("metadata.category") }),
            of: None,
            aggregate: Aggregate::Count,
            window: Window::Sliding { window_ms: 300_000, bucket_ms: 10_000 },
            backfill: false,
        };
        signal.id = signal_id(&signal);
        signal
    }

    #[test]
    fn identity_follows_the_definition_and_not_the_name() {
        let renamed = Signal { name: Box::from("other"), ..signal() };
        let longer = Signal { window: Window::Session, ..signal() };
        assert_eq!(signal_id(&renamed), signal().id);
        assert_ne!(signal_id(&longer), signal().id);
        assert_eq!(signal_id(&Signal { backfill: true, ..signal() }), signal().id);
        for (tag, aggregate) in Aggregate::ALL.into_iter().enumerate() {
            assert_eq!(aggregate as usize, tag);
        }
    }

    #[test]
    fn identities_of_earlier_versions_stay() {
        assert_eq!(signal().id, SignalId(0xcc47_88fc_e522_06a7));
        let path = |rest: &str| Path { root: Root::Bare, rest: Box::from(rest) };
        let listed = Value::Array(alloc::vec![Value::string("a"), Value::Number(1.5)]);
        let test = Test::In(Literal::Value(listed));
        let filtered = Signal {
            filter: Some(Condition::Path { path: path("metadata.category"), test }),
            of: Some(path("metadata.price")),
            aggregate: Aggregate::Sum,
            window: Window::Session,
            ..signal()
        };
        assert_eq!(signal_id(&filtered), SignalId(0xcb3a_865e_e4d3_74f8));
    }

    #[test]
    fn windows_without_buckets_and_with_too_many_are_refused() {
        let mut out = Writer::new();
        Window::Sliding { window_ms: 10, bucket_ms: 0 }.encode(&mut out);
        let bytes = out.into_bytes();
        let mut source = Source::new(&bytes);
        Window::decode(&mut source);
        assert!(!source.is_sound());
        let sliding = |buckets: i64| Window::sliding((buckets * 10, 10)).is_some();
        assert!(sliding(MAX_WINDOW_BUCKETS) && !sliding(MAX_WINDOW_BUCKETS + 1));
    }
}
