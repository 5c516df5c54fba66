//! The visitor as conditions see it: traits, live signals, context and, while one is judged, the event.

use crate::condition::{Document, Matcher, PathRef, Pattern, Reading, Root};
use crate::id::{SessionId, SignalId};
use crate::profile::{EventDocument, SignalRef, SignalTable, Tiles, Traits};
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
    /// Who matches regular expressions; without anybody they stay unknown.
    pub matcher: Option<&'a dyn Matcher>,
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

    fn each_key(&self, signal: SignalId, see: &mut dyn FnMut(&str)) -> bool {
        let mut is_complete = true;
        for part in self.parts {
            is_complete &= part.each_key(signal, see);
        }
        is_complete
    }

    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        self.matcher?.matches(pattern, text)
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn session(&self) -> Option<SessionId> {
        self.session
    }
}

impl VisitorDocument<'_> {
    fn reading(&self, signal: Option<SignalRef<'_>>, key: &str) -> Reading<'static> {
        match signal {
            Some(signal) => Tiles::read(self.parts, &signal, key, self.now, self.session),
            None => Reading::Missing,
        }
    }
}
