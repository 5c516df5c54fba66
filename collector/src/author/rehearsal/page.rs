//! One page with everything it knows: tiles, traits, latches, and what its slots show.

use attune_core::bundle::Bundle;
use attune_core::condition::{Consent, Document, Engine, Outlook, context_clocks};
use attune_core::experiment::Assigned;
use attune_core::id::{MemberId, SessionId};
use attune_core::profile::{EventDocument, Latch, Tiles, Traits};
use attune_core::rules::{Decision, RuleRef, Standing, VisitorDocument, decide, explain, judge, latch};
use attune_core::time::Timestamp;
use attune_core::value::{Packed, Value};
use attune_core::wire::Event;
use std::collections::BTreeMap;

/// The page.
pub struct Page<'a> {
    bundle: &'a Bundle,
    tiles: Tiles,
    traits: Traits,
    context: Packed,
    latches: Vec<Latch>,
    current: BTreeMap<Box<str>, Decision>,
    wake_at: Option<Timestamp>,
    engine: Engine,
    /// Its session.
    pub session: SessionId,
}

/// A rule with a cap that has newly taken its slot.
pub struct Showing {
    /// The rule.
    pub rule: Box<str>,
    /// The key it is shown under, where it has one.
    pub key: Option<Box<str>>,
}

impl<'a> Page<'a> {
    /// A page that knows nothing yet.
    pub fn new(bundle: &'a Bundle, session: SessionId) -> Self {
        Self {
            bundle,
            tiles: Tiles::default(),
            traits: Traits::default(),
            context: Value::Object(Vec::new()).to_packed(),
            latches: Vec::new(),
            current: BTreeMap::new(),
            wake_at: None,
            engine: Engine::default(),
            session,
        }
    }

    /// Replaces the context.
    pub fn set_context(&mut self, context: &Value) {
        self.context = context.to_packed();
    }

    /// Loads the page anew: what has latched stays, what was shown does not.
    pub fn reload(&mut self) {
        self.current.clear();
    }

    /// Takes an event in, judges the event rules at it, and shows those it does not match, with the visitor as seen
    /// at the event.
    pub fn track(&mut self, event: &Event, miss: &mut dyn FnMut(&RuleRef<'_>, &dyn Document)) {
        let event = EventDocument::new(event.clone());
        let now = event.event().timestamp;
        self.tiles.apply(&self.bundle.signals, &event, now);
        self.traits.apply(&event);
        let rules = &self.bundle.rules;
        let matches = self.look(Some(&event), now, |document, _| {
            let matches = judge(rules, document, event.event());
            rules.each_for_type(&event.event().event_type, &mut |rule| {
                if !matches.iter().any(|found| found.rule == rule.index) {
                    miss(rule, document);
                }
            });
            matches
        });
        let set: Vec<Latch> = matches
            .into_iter()
            .filter_map(|found| latch(&rules.get(found.rule)?, found.key, event.event()))
            .collect();
        for latched in set {
            self.latches.retain(|known| known.rule != latched.rule);
            self.latches.push(latched);
        }
    }

    /// Decides every slot anew; whoever is newly shown under a cap is to be tracked.
    pub fn decide(&mut self, now: Timestamp) -> Vec<Showing> {
        let current: Vec<Decision> = self.current.values().cloned().collect();
        let (decided, wake_at) = self.look(None, now, |document, outlook| {
            let decided = decide(&self.bundle.rules, document, &self.latches, &current);
            decided.wake_at.into_iter().for_each(|at| outlook.note(at));
            (decided, outlook.next)
        });
        self.wake_at = wake_at;
        self.latches.retain(|latch| !decided.ended.contains(&latch.rule));
        let mut shown = Vec::new();
        for change in decided.changes {
            if let (true, Some(decision)) = (change.is_shown, &change.decision) {
                shown.push(Showing { rule: decision.rule.clone(), key: decision.key.clone() });
            }
            match change.decision {
                Some(decision) => self.current.insert(change.slot, decision),
                None => self.current.remove(&change.slot),
            };
        }
        shown
    }

    /// The next instant at which time alone can change a decision.
    pub const fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    /// The decision of a slot.
    pub fn decision(&self, slot: &str) -> Option<&Decision> {
        self.current.get(slot)
    }

    /// The value of a variable; null where no rule in effect sets it.
    pub fn variable(&self, name: &str) -> Value {
        let mut variables = self.current.values().flat_map(|decision| decision.actions.variables());
        variables.find(|(known, _)| *known == name).map_or(Value::Null, |(_, value)| value.to_tree())
    }

    /// How every rule stands, shown with the visitor as the page knows it.
    pub fn explain<T>(&self, now: Timestamp, tell: impl FnOnce(Vec<Standing>, &dyn Document) -> T) -> T {
        let holder = |slot: &str| self.current.get(slot).map(|decision| decision.rule.clone());
        self.look(None, now, |document, _| {
            tell(explain(&self.bundle.rules, document, &self.latches, &holder), document)
        })
    }

    /// Shows the visitor as of an instant.
    fn look<T>(
        &self,
        event: Option<&EventDocument>,
        now: Timestamp,
        look: impl FnOnce(&VisitorDocument<'_>, &mut Outlook) -> T,
    ) -> T {
        let (assigned, mut outlook) = (Assigned::new(&self.bundle.experiments), Outlook::default());
        let (member, zone) = (MemberId(Box::from(VISITOR)), context_clocks(self.context.get()));
        let document = VisitorDocument {
            traits: &self.traits,
            signals: &self.bundle.signals,
            models: Some(&self.bundle.models),
            parts: &[&self.tiles],
            experiments: &assigned,
            unit: (&member, None),
            context: self.context.get(),
            event,
            now,
            session: Some(self.session),
            consent: Consent::default(),
            zone: &zone,
            matcher: Some(&self.engine),
        };
        assigned.assign(&document, &mut outlook);
        look(&document, &mut outlook)
    }
}

/// The `anonymous_id` of a script's visitor.
const VISITOR: &str = "visitor";
