//! The visitor as conditions see it: traits, live signals, context, variations and, while one is judged, the event.

use crate::condition::{Consent, Document, Matcher, Outlook, PathRef, Pattern, Purpose, Reading, Root};
use crate::experiment::Assigned;
use crate::id::{MemberId, ModelId, SessionId, SignalId};
use crate::model::ModelTable;
use crate::profile::{EventDocument, SignalRef, SignalTable, Tiles, Traits, Viewpoint, Warming, Zone};
use crate::time::{Clocks, Timestamp};
use crate::value::ValueRef;
use alloc::string::String;
use core::cell::{Cell, RefCell};
use core::fmt;

/// Whoever knows a visitor's clocks. Few rules ask for them.
pub trait VisitorClocks: Zone {
    /// The clocks.
    fn clocks(&self) -> Clocks;
}

impl VisitorClocks for Clocks {
    fn clocks(&self) -> Clocks {
        *self
    }
}

impl fmt::Debug for dyn VisitorClocks + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitorClocks")
    }
}

/// Everything a rule can read, borrowed from whoever keeps it.
#[derive(Clone, Copy, Debug)]
pub struct VisitorDocument<'a> {
    /// Traits of the profile.
    pub traits: &'a Traits,
    /// Definitions of the bundle in effect.
    pub signals: &'a SignalTable,
    /// Models of the bundle in effect; absent while one of them is asked, so that scores cannot ask each other.
    pub models: Option<&'a ModelTable>,
    /// The tiles that add up to the live values: base, others, overlay.
    pub parts: &'a [&'a Tiles],
    /// The variations of the visitor.
    pub experiments: &'a Assigned<'a>,
    /// Whose document this is, for experiments: the member and, where it is linked, the user.
    pub unit: (&'a MemberId, Option<&'a str>),
    /// The page's context object.
    pub context: ValueRef<'a>,
    /// The event just tracked, while event rules are judged.
    pub event: Option<&'a EventDocument>,
    /// The instant of judgement.
    pub now: Timestamp,
    /// The visitor's current session.
    pub session: Option<SessionId>,
    /// What the visitor has agreed to.
    pub consent: Consent,
    /// The visitor's clocks, for calendar windows and local time; [`Clocks::UTC`] where none are known.
    pub zone: &'a dyn VisitorClocks,
    /// Who matches regular expressions; without anybody they stay unknown.
    pub matcher: Option<&'a dyn Matcher>,
    /// Who notes what is read of the context, if anybody wants to know.
    pub reads: Option<&'a Reads>,
}

/// What has been read that is the page's own, so that somebody can tell later whether an answer still holds.
#[derive(Debug, Default)]
pub struct Reads {
    /// Paths below `context`, each with a line's end behind it, in the order in which they have been read.
    context: RefCell<String>,
    experiments: Cell<bool>,
}

impl Reads {
    /// The paths below `context` that have been read, each in a line, and whether variations have; both are forgotten.
    pub fn take(&self) -> (String, bool) {
        (self.context.take(), self.experiments.take())
    }

    fn note(&self, path: PathRef<'_>) {
        match path.root {
            Root::Experiments => self.experiments.set(true),
            Root::Context => {
                if let Ok(mut known) = self.context.try_borrow_mut() {
                    known.push_str(path.rest);
                    known.push('\n');
                }
            }
            _ => {}
        }
    }
}

impl Document for VisitorDocument<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        self.reads.iter().for_each(|reads| reads.note(path));
        let found = match path.root {
            Root::Traits => self.traits.at(path.rest),
            Root::Context if path.rest.is_empty() => Some(self.context),
            Root::Context => self.context.at(path.rest),
            Root::Event => self.event.map(|event| event.field(path.rest)),
            Root::Experiments => Some(self.experiments.read(path.rest)),
            Root::Bare => match path.rest {
                "anonymous_id" => Some(ValueRef::Text(&self.unit.0.0)),
                "user_id" => self.unit.1.map(ValueRef::Text),
                _ => None,
            },
            Root::Signals => None,
        };
        found.unwrap_or(ValueRef::Null)
    }

    fn address(&self) -> ValueRef<'_> {
        // Of the address, a variation depends on the query alone.
        self.reads.iter().for_each(|reads| reads.note(PathRef { root: Root::Context, rest: "page.search" }));
        self.context.at("page.url").unwrap_or(ValueRef::Null)
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        self.signal_decayed(signal, key, 0)
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        self.reading(self.signals.by_name(name), key)
    }

    fn signal_decayed(&self, signal: SignalId, key: &str, half_life_ms: i64) -> Reading<'_> {
        self.read_decayed(signal, key, half_life_ms)
    }

    fn score(&self, model: ModelId, outlook: &mut Outlook) -> Reading<'_> {
        match self.models.and_then(|models| models.by_id(model)) {
            Some(model) => model.score(&Self { models: None, ..*self }, outlook),
            None => Reading::Missing,
        }
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

    fn clocks(&self) -> Option<Clocks> {
        Some(self.zone.clocks())
    }

    fn grants(&self, purpose: Purpose) -> bool {
        self.consent.grants(purpose)
    }
}

impl<'a> VisitorDocument<'a> {
    /// The value of a signal, decayed by a half-life unless that is 0; it does not depend on this document's place.
    pub fn read_decayed(&self, signal: SignalId, key: &str, half_life_ms: i64) -> Reading<'a> {
        match self.signals.by_id(signal) {
            Some(signal) => Tiles::read_decayed(self.parts, &signal, key, half_life_ms, self.viewpoint()),
            None => Reading::Missing,
        }
    }

    /// Whether the window of a signal reaches back to before its events were counted: for whoever explains its value.
    pub fn warming(&self, signal: SignalId) -> Option<Warming> {
        Tiles::warming(self.parts, &self.signals.by_id(signal)?, self.viewpoint())
    }

    const fn viewpoint(&self) -> Viewpoint<'a> {
        Viewpoint { now: self.now, session: self.session, zone: self.zone }
    }

    /// Whether what is missing of a signal stays so until it counts again.
    pub(crate) fn is_settled(&self, signal: SignalId) -> bool {
        let signal = self.signals.by_id(signal);
        signal.is_none_or(|signal| Tiles::is_settled(self.parts, &signal, self.viewpoint()))
    }

    fn reading(&self, signal: Option<SignalRef<'_>>, key: &str) -> Reading<'a> {
        match signal {
            Some(signal) => Tiles::read(self.parts, &signal, key, self.viewpoint()),
            None => Reading::Missing,
        }
    }
}
