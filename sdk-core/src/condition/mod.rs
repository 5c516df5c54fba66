//! Predicates over the visitor document: trees for those who write them, packed code for those who ask them.

#[cfg(feature = "patterns")]
mod ambiguity;
mod calendar;
#[cfg(feature = "author")]
mod calendar_source;
#[cfg(feature = "author")]
mod clause;
mod codec;
mod coerce;
mod consent;
#[cfg(test)]
mod damage;
#[cfg(feature = "author")]
mod depth;
#[cfg(feature = "patterns")]
mod engine;
mod evaluate;
mod form;
mod geo;
mod inspect;
mod leaf;
mod lists;
mod matcher;
#[cfg(feature = "author")]
mod nearest;
mod network;
#[cfg(feature = "author")]
mod operator;
#[cfg(feature = "author")]
mod operators;
mod pack;
#[cfg(feature = "author")]
mod parse;
#[cfg(feature = "patterns")]
mod pattern;
#[cfg(feature = "author")]
mod plain;
mod postings;
#[cfg(feature = "author")]
mod problem;
mod settle;
#[cfg(feature = "patterns")]
mod syntax;
mod text;
mod version;

use crate::id::{ModelId, SessionId, SignalId};
use crate::time::{Clocks, Timestamp};
use crate::value::{Value, ValueRef, cut};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

pub use calendar::{Calendar, context_clocks, time_clocks, told_clocks, visitor_clocks};
#[cfg(feature = "author")]
pub use calendar_source::{VISITOR, parse_days, parse_zone};
pub use codec::{decode_condition, encode_condition, encode_path, leaf_key};
pub use coerce::{instant, plain_text, to_number};
pub use consent::{Consent, Purpose};
#[cfg(feature = "author")]
pub use depth::depth;
#[cfg(feature = "patterns")]
pub use engine::Engine;
pub use evaluate::{Truth, evaluate, pass_condition, pass_literal, resolve, taken, truth, value_at};
pub use form::{Code, Form, PathNumber};
pub use geo::Place;
#[cfg(feature = "author")]
pub use geo::metres;
pub use inspect::{specificity, visit_paths};
pub use leaf::{Reads, each_leaf, reads_of, split};
pub use lists::Lists;
pub use matcher::Matcher;
#[cfg(feature = "author")]
pub use nearest::{listed, nearest, suggestion};
pub use network::Network;
pub(crate) use network::address;
#[cfg(feature = "author")]
pub use operators::OperatorPlace;
#[cfg(feature = "author")]
pub(crate) use operators::TESTS as TEST_OPERATORS;
pub use pack::Packer;
#[cfg(feature = "author")]
pub use parse::{
    ConditionScope, KnownModels, KnownSignal, Names, parse_condition, parse_path, parse_scored_condition,
};
#[cfg(feature = "patterns")]
pub use pattern::{PatternError, check_pattern};
#[cfg(feature = "author")]
pub use plain::{Plain, holds};
pub use postings::{ANY, Postings, place_of};
#[cfg(feature = "author")]
pub use problem::{ConditionError, ConditionErrorKind};
pub use settle::{NO_ID, NO_TEXT, Numbers, Settled, pack_like};

/// A predicate as a tree, for compilers and tools.
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
    /// A share of all units: where the value at a path falls must lie in one of the ranges.
    Bucket(Bucket),
    /// `$tod`, `$dow`, or the schedule of a rule.
    Calendar(Calendar),
    /// A test of the score that a model gives the visitor.
    Score {
        /// Which model.
        model: ModelId,
        /// What must hold.
        test: Test,
    },
    /// A test of the value at a path of the element that [`Test::Of`] looks at; nowhere else.
    Item {
        /// Where in the element, dotted.
        path: Box<str>,
        /// What must hold.
        test: Test,
    },
    /// A test of whether a condition holds, true or false: a segment read by its path.
    Truth {
        /// The condition.
        of: Box<Condition>,
        /// What must hold of its truth.
        test: Test,
    },
    /// A test over the values that a signal has under all its keys.
    Keys {
        /// Which signal.
        signal: SignalId,
        /// How many values become one.
        over: Over,
        /// What must hold.
        test: Test,
    },
}

/// Which share of all units is meant; see [`crate::hash::bucket`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Where the unit is named.
    pub by: Path,
    /// Makes this division independent of others.
    pub seed: Box<str>,
    /// Version of the hash, 1 or 2.
    pub version: u8,
    /// From (inclusive) and to (exclusive), in steps of the version; see [`crate::hash::bucket_steps`].
    pub ranges: Vec<(u32, u32)>,
}

/// How the values under all keys of a signal are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The test holds for the value of a key.
    Any,
    /// The test holds for the largest value; that of no keys is missing.
    Max,
}

/// A dotted path into the document, split at its root, that lies somewhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathRef<'a> {
    /// The part of the document.
    pub root: Root,
    /// The rest of the path, dotted; empty for the root itself.
    pub rest: &'a str,
}

/// A dotted path of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// `experiments.<id>`: the key of the variation, null outside of the experiment.
    Experiments,
}

impl Root {
    const fn of_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0 => Self::Traits,
            1 => Self::Signals,
            2 => Self::Context,
            3 => Self::Event,
            4 => Self::Bare,
            5 => Self::Experiments,
            _ => return None,
        })
    }
}

impl<'a> PathRef<'a> {
    /// Reads a dotted path that starts with `traits`, `signals`, `context`, `event` or `experiments`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (first, rest) = cut(text, b'.');
        let root = match first {
            "traits" => Root::Traits,
            "signals" => Root::Signals,
            "context" => Root::Context,
            "event" => Root::Event,
            "experiments" => Root::Experiments,
            _ => return None,
        };
        Some(Self { root, rest: rest.unwrap_or_default() })
    }

    /// The path as one of its own.
    pub fn to_path(self) -> Path {
        Path { root: self.root, rest: Box::from(self.rest) }
    }
}

impl Path {
    /// Reads a dotted path that starts with `traits`, `signals`, `context`, `event` or `experiments`.
    pub fn parse(text: &str) -> Option<Self> {
        PathRef::parse(text).map(PathRef::to_path)
    }

    /// The path, lent.
    pub fn lent(&self) -> PathRef<'_> {
        PathRef { root: self.root, rest: &self.rest }
    }
}

impl fmt::Display for Path {
    /// Writes the path as rules do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = match self.root {
            Root::Traits => "traits",
            Root::Signals => "signals",
            Root::Context => "context",
            Root::Event => "event",
            Root::Experiments => "experiments",
            Root::Bare => return f.write_str(&self.rest),
        };
        f.write_str(root)?;
        if self.rest.is_empty() { Ok(()) } else { write!(f, ".{}", self.rest) }
    }
}

/// A literal, or the value found at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A fixed value.
    Value(Value),
    /// `{"$path": "…"}`
    Path(Path),
    /// An array of which an element is a `$path` or a text without regard to case; only in `$in` and `$nin`.
    List(Vec<Literal>),
    /// A text without regard to case: each of its characters in both cases, in equal number.
    Caseless {
        /// In lower case.
        lower: Box<str>,
        /// In the other case.
        other: Box<str>,
    },
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
    /// Some element of a list passes; of `$all`.
    Some(Box<Test>),
    /// Some element of a list that is not null passes; of `$elemMatch`.
    SomeValue(Box<Test>),
    /// A condition holds of the value itself, whose fields are [`Condition::Item`]s; of `$elemMatch`.
    Of(Box<Condition>),
    /// `$size`: the number of elements of a list passes.
    Size(Box<Test>),
    /// `$type`
    Type(Kind),
    /// `$veq`
    VersionIs(Literal),
    /// `$vgt`
    VersionAbove(Literal),
    /// `$vlt`
    VersionBelow(Literal),
    /// `$startsWith`
    StartsWith(Literal),
    /// `$endsWith`
    EndsWith(Literal),
    /// `$contains`
    Contains(Literal),
    /// `$mod`: the whole part of a number divided leaves the remainder, which has the number's sign.
    Mod {
        /// What it is divided by, never 0.
        divisor: i64,
        /// What is left.
        remainder: i64,
    },
    /// `$regex`: the text has a match of the pattern in it.
    Matches {
        /// An ECMAScript pattern.
        pattern: Box<str>,
        /// Its flags.
        flags: Box<str>,
    },
    /// `$cidr`: the text is an address in one of the networks.
    Cidr(Vec<Network>),
    /// `$geoWithin` of a circle.
    InCircle {
        /// Its centre.
        centre: Place,
        /// The haversine of its radius' angle.
        reach: f64,
    },
    /// `$geoWithin` of a polygon, by its corners.
    InPolygon(Vec<Place>),
}

/// The kinds of values that `$type` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `"null"`, also of what is missing.
    Null,
    /// `"boolean"`
    Boolean,
    /// `"number"`
    Number,
    /// `"string"`
    String,
    /// `"array"`
    Array,
    /// `"object"`
    Object,
}

/// A regular expression of ECMAScript, to be asked of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern<'a> {
    /// Its source, as `RegExp` takes it.
    pub source: &'a str,
    /// Its flags, as `RegExp` takes them.
    pub flags: &'a str,
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading<'a> {
    /// A value; `until` is the first later instant at which time alone changes it.
    Value(ValueRef<'a>, Option<Timestamp>),
    /// No value, such as `last_at` of nothing.
    Missing,
    /// The key was dropped from a truncated tile.
    Truncated,
}

/// What conditions are asked about.
pub trait Document {
    /// The value at a path that is no signal; null where there is none.
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_>;
    /// The address of the page, of which only the query is looked at.
    fn address(&self) -> ValueRef<'_> {
        self.value(PathRef { root: Root::Context, rest: "page.url" })
    }
    /// The value of a signal; `key` is empty for signals without `by`.
    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_>;
    /// The value of the signal of a name, for `signals.<name>` and `signals.<name>.<key>` paths.
    fn signal_named(&self, name: &str, key: &str) -> Reading<'_>;
    /// The value of a counting or summing signal of which each bucket has lost half of its weight for every `half_life_ms`
    /// milliseconds between its beginning and that of the current bucket; its plain value where there are none. Missing
    /// where signals have no tiles.
    fn signal_decayed(&self, _signal: SignalId, _key: &str, _half_life_ms: i64) -> Reading<'_> {
        Reading::Missing
    }
    /// The score that a model gives, where the document has models. `outlook` receives the first later instant at which
    /// time alone can change it.
    fn score(&self, _model: ModelId, _outlook: &mut Outlook) -> Reading<'_> {
        Reading::Missing
    }
    /// Shows the keys under which a signal has values, some several times; returns whether none is left out.
    fn each_key(&self, _signal: SignalId, _see: &mut dyn FnMut(&str)) -> bool {
        true
    }
    /// Whether a text has a match of a pattern in it; nothing while the host has not answered.
    fn matches(&self, _pattern: Pattern<'_>, _text: &str) -> Option<bool> {
        None
    }
    /// The instant of judgement.
    fn now(&self) -> Timestamp;
    /// The visitor's current session.
    fn session(&self) -> Option<SessionId>;
    /// The visitor's clocks, where the host keeps them otherwise than in the context.
    fn clocks(&self) -> Option<Clocks> {
        None
    }
    /// Whether the visitor has agreed to a purpose.
    fn grants(&self, _purpose: Purpose) -> bool {
        true
    }
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

    fn note_after(&mut self, now: Timestamp, at: Timestamp) {
        if at > now {
            self.note(at);
        }
    }
}
