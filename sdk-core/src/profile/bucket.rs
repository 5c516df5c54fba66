//! The fixed pieces of time that tiles are kept for, and how long each is kept.

use super::Window;
use crate::codec::{Source, Writer};
use crate::id::{SessionId, Uuid};
use crate::limits::{SESSION_KEEP_MS, SESSION_MAX_MS};
use crate::time::Timestamp;
use crate::wire::Event;

/// A fixed piece of time that tiles are kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// All time.
    Lifetime,
    /// The bucket of this index: from index × g to (index + 1) × g of event time.
    Time(i64),
    /// One session.
    Session(SessionId),
}

/// Times of the first and last event of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub first: Timestamp,
    pub last: Timestamp,
}

/// How far back the buckets of a window count at an event time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Horizon {
    time: Timestamp,
    /// The latest bucket of time that counts no more; all of them where the window has none.
    passed: i64,
}

/// Whether a bucket still counts at a given event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// It may be read.
    Whole,
    /// A session that is over: its tiles go, its name stays, so that a straggler does not begin it anew.
    Name,
    /// It is forgotten.
    Nothing,
}

impl Bucket {
    /// The bucket of an event, and the horizon at the latest time of its member; nothing for a session signal and an event
    /// without session.
    pub(super) fn of_event(window: Window, event: &Event, time: Timestamp) -> Option<(Self, Horizon)> {
        let buckets = window.buckets_at(event.timestamp);
        let bucket = match window {
            Window::Lifetime => Self::Lifetime,
            Window::Session => Self::Session(event.session?),
            Window::Sliding { .. } | Window::Calendar(_) => Self::Time(buckets?.0),
        };
        // Most events are the latest, and a division takes as long as all else here.
        let newest = if time == event.timestamp { buckets } else { window.buckets_at(time) };
        Some((bucket, Horizon::of(time, newest)))
    }

    pub(super) fn encode(self, out: &mut Writer) {
        match self {
            Self::Lifetime => out.u8(0),
            Self::Time(index) => {
                out.u8(1);
                out.i64(index);
            }
            Self::Session(session) => {
                out.u8(2);
                out.raw(session.0.as_bytes());
            }
        }
    }

    pub(super) fn decode(source: &mut Source<'_>) -> Self {
        match source.u8() {
            0 => Self::Lifetime,
            1 => Self::Time(source.i64()),
            2 => Self::Session(SessionId(Uuid::from_bytes(source.array()))),
            _ => {
                source.fail();
                Self::Lifetime
            }
        }
    }
}

impl Horizon {
    /// The horizon at `time`, the latest event time of a member.
    pub fn new(window: Window, time: Timestamp) -> Self {
        Self::of(time, window.buckets_at(time))
    }

    /// The horizon at `time`, given what [`Window::buckets_at`] says of it.
    fn of(time: Timestamp, buckets: Option<(i64, i64)>) -> Self {
        let passed = buckets.map_or(i64::MAX, |(newest, length)| newest.saturating_sub(length));
        Self { time, passed }
    }

    /// Whether a bucket still counts.
    ///
    /// A session lasts [`SESSION_MAX_MS`] at most, so every event of it is within that time of `span`. Both instants
    /// below follow from the events alone, hence the answer is the same in whatever order they came.
    pub const fn keep(self, bucket: Bucket, span: Span) -> Keep {
        match bucket {
            Bucket::Time(index) if index > self.passed => Keep::Whole,
            Bucket::Time(_) => Keep::Nothing,
            Bucket::Session(_) if self.time.since(span.last) > SESSION_KEEP_MS + 2 * SESSION_MAX_MS => {
                Keep::Nothing
            }
            Bucket::Session(_) if self.time.since(span.first) > SESSION_KEEP_MS + SESSION_MAX_MS => {
                Keep::Name
            }
            Bucket::Session(_) | Bucket::Lifetime => Keep::Whole,
        }
    }
}

impl Span {
    /// The span of one event; only a session's says more than its bucket does.
    pub(super) const fn of_event(bucket: Bucket, at: Timestamp) -> Self {
        match bucket {
            Bucket::Session(_) => Self { first: at, last: at },
            Bucket::Lifetime | Bucket::Time(_) => Self { first: Timestamp(0), last: Timestamp(0) },
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}
