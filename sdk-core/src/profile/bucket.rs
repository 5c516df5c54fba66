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
    /// The bucket of an event; nothing for a session signal and an event without session.
    pub fn of_event(window: Window, event: &Event) -> Option<Self> {
        match window {
            Window::Lifetime => Some(Self::Lifetime),
            Window::Session => event.session.map(Self::Session),
            Window::Sliding { .. } | Window::Calendar(_) => {
                window.buckets_at(event.timestamp).map(|(index, _)| Self::Time(index))
            }
        }
    }

    /// Whether the bucket still counts at `time`, the latest event time of its member.
    ///
    /// A session lasts [`SESSION_MAX_MS`] at most, so every event of it is within that time of `span`. Both instants
    /// below follow from the events alone, hence the answer is the same in whatever order they came.
    pub(super) fn keep(self, window: Window, span: Span, time: Timestamp) -> Keep {
        match self {
            Self::Time(index) => match window.buckets_at(time) {
                Some((newest, length)) if index > newest.saturating_sub(length) => Keep::Whole,
                _ => Keep::Nothing,
            },
            Self::Session(_) if time.since(span.last) > SESSION_KEEP_MS + 2 * SESSION_MAX_MS => Keep::Nothing,
            Self::Session(_) if time.since(span.first) > SESSION_KEEP_MS + SESSION_MAX_MS => Keep::Name,
            Self::Session(_) | Self::Lifetime => Keep::Whole,
        }
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
