//! The visitor as conditions see it: traits, live signals, context and, while one is judged, the event.

use crate::condition::{Document, PathRef, Reading, Root};
use crate::id::{SessionId, SignalId};
use crate::profile::{EventDocument, SignalRef, SignalTable, Tiles, Traits, Viewpoint, Warming, Zone};
use crate::time::Timestamp;
use crate::value::ValueRef;

/// Everything a rule can read, borrowed from whoever keeps it.
#[derive(Clone, Copy, Debug)]
pub struct VisitorDocument<'a> {
    /// Traits of the profile.
    pub traits: &'a Traits,
    /// Definitions of the bundle in effect.
    pub signals: &'a SignalTable,
    /// The tiles that add up to the live values: base, others, overlay.
    pub parts: &'a [&'a Tiles],
    /// The page's context object.
    pub context: ValueRef<'a>,
    /// The event just tracked, while event rules are judged.
    pub event: Option<&'a EventDocument>,
    /// The instant of judgement.
    pub now: Timestamp,
    /// The visitor's current session.
    pub session: Option<SessionId>,
    /// The visitor's clocks, for calendar windows; [`Utc`](crate::profile::Utc) where none are known.
    pub zone: &'a dyn Zone,
}

impl Document for VisitorDocument<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        let found = match path.root {
            Root::Traits => self.traits.at(path.rest),
            Root::Context if path.rest.is_empty() => Some(self.context),
            Root::Context => self.context.at(path.rest),
            Root::Event => self.event.map(|event| event.field(path.rest)),
            Root::Signals | Root::Bare => None,
        };
        found.unwrap_or(ValueRef::Null)
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        self.reading(self.signals.by_id(signal), key)
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.reading(self.signals.by_name(name), key)
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn session(&self) -> Option<SessionId> {
        self.session
    }
}

impl VisitorDocument<'_> {
    /// Whether the window of a signal reaches back to before its events were counted: for whoever explains its value.
    pub fn warming(&self, signal: SignalId) -> Option<Warming> {
        Tiles::warming(self.parts, &self.signals.by_id(signal)?, self.viewpoint())
    }

    const fn viewpoint(&self) -> Viewpoint<'_> {
        Viewpoint { now: self.now, session: self.session, zone: self.zone }
    }

    fn reading(&self, signal: Option<SignalRef<'_>>, key: &str) -> Reading<'_> {
        match signal {
            Some(signal) => Tiles::read(self.parts, &signal, key, self.viewpoint()),
            None => Reading::Missing,
        }
    }
}
