//! Predicates over the visitor document: their compiled form and their evaluation.

mod codec;
mod coerce;
mod evaluate;
#[cfg(feature = "author")]
mod inspect;
mod pack;
#[cfg(feature = "author")]
mod parse;
#[cfg(feature = "author")]
mod problem;

use crate::id::{SessionId, SignalId};
use crate::time::Timestamp;
use crate::value::{Value, split_at_byte};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

pub use codec::{decode_condition, decode_path, encode_condition, encode_path};
pub use coerce::{instant, plain_text};
pub use evaluate::{evaluate, resolve};
#[cfg(feature = "author")]
pub use inspect::{specificity, visit_paths};
pub use pack::{Packer, Unpacker};
#[cfg(feature = "author")]
pub use parse::{ConditionScope, KnownSignal, parse_condition, parse_path};
#[cfg(feature = "author")]
pub use problem::{ConditionError, ConditionErrorKind};

/// A compiled predicate.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Holds when all hold; empty holds.
    All(Vec<Condition>),
    /// Holds when one holds; empty holds, as in GrowthBook.
    Any(Vec<Condition>),
    /// Holds when the inner one does not.
    Not(Box<Condition>),
    /// A test of the value at a path.
    Path {
        /// Where.
        path: Path,
        /// What must hold.
        test: Test,
    },
    /// A test of a signal's value under a key.
    Signal {
        /// Which signal.
        signal: SignalId,
        /// Under which key; absent for signals without `by`.
        key: Option<Literal>,
        /// What must hold.
        test: Test,
    },
}

/// A dotted path into the document, split at its root.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The part of the document.
    pub root: Root,
    /// The rest of the path, dotted; empty for the root itself.
    pub rest: Box<str>,
}

/// The parts of the visitor document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `traits.*`
    Traits,
    /// `signals.*`
    Signals,
    /// `context.*`
    Context,
    /// `event.*`: `event.event_type`, `event.timestamp`, `event.metadata.*`
    Event,
    /// A bare path, for `where` of a signal: fields of the event itself.
    Bare,
}

impl Path {
    /// Reads a dotted path that starts with `traits`, `signals`, `context` or `event`.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, rest) = split_at_byte(text, b'.').unwrap_or((text, ""));
        let root = match first {
            "traits" => Root::Traits,
            "signals" => Root::Signals,
            "context" => Root::Context,
            "event" => Root::Event,
            _ => return None,
        };
        Some(Self { root, rest: Box::from(rest) })
    }
}

/// A literal, or the value found at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A fixed value.
    Value(Value),
    /// `{"$path": "…"}`
    Path(Path),
    /// An array of which an element is a `$path`; only in `$in` and `$nin`.
    List(Vec<Literal>),
}

/// What must hold of one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// All of several operators under one path.
    All(Vec<Test>),
    /// `$not` under a path.
    Not(Box<Test>),
    /// A bare literal: equality after GrowthBook's coercion to the literal's type.
    Is(Literal),
    /// `$eq`: same type, same value.
    Eq(Literal),
    /// `$ne`
    Ne(Literal),
    /// `$in`
    In(Literal),
    /// `$nin`
    Nin(Literal),
    /// `$gt`
    Gt(Literal),
    /// `$gte`
    Gte(Literal),
    /// `$lt`
    Lt(Literal),
    /// `$lte`
    Lte(Literal),
    /// `$exists`
    Exists(bool),
    /// `$before`
    Before(Moment),
    /// `$after`
    After(Moment),
}

/// An instant to compare with.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    /// Relative to now, in milliseconds; `"-30m"` is −1,800,000.
    Relative(i64),
    /// Fixed.
    Fixed(Timestamp),
    /// Found at a path.
    Path(Path),
}

/// A signal's value as read at an instant.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A value; `until` is the first later instant at which time alone changes it.
    Value(Value, Option<Timestamp>),
    /// No value, such as `last_at` of nothing.
    Missing,
    /// The key was dropped from a truncated tile.
    Truncated,
}

/// What conditions are asked about.
pub trait Document {
    /// The value at a path that is no signal.
    fn value(&self, path: &Path) -> Option<Cow<'_, Value>>;
    /// The value of a signal; `key` is empty for signals without `by`.
    fn signal(&self, signal: SignalId, key: &str) -> Reading;
    /// The signal of a name, for `signals.<name>` and `signals.<name>.<key>` paths.
    fn signal_named(&self, name: &str) -> Option<SignalId>;
    /// The instant of judgement.
    fn now(&self) -> Timestamp;
    /// The visitor's current session.
    fn session(&self) -> Option<SessionId>;
}

/// The first later instant at which time alone can change what has been evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// That instant, if any.
    pub next: Option<Timestamp>,
}

impl Outlook {
    /// Takes an instant into account.
    pub fn note(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}
