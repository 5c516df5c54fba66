//! One member's page with everything it knows: tiles, traits, latches, and what its slots show.

use attune_core::bundle::Bundle;
use attune_core::condition::{Consent, Document, Engine, Outlook, context_clocks};
use attune_core::experiment::{Assigned, Exposed};
use attune_core::id::{MemberId, SessionId};
use attune_core::profile::{EventDocument, Latch, ProfileView, Tiles, Traits};
use attune_core::rules::{Decision, RuleRef, Standing, VisitorDocument, decide, explain, judge, latch};
use attune_core::time::Timestamp;
use attune_core::value::{Packed, Value};
use attune_core::wire::Event;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The page.
pub struct Page {
    bundle: Rc<Bundle>,
    member: MemberId,
    /// Its own events.
    tiles: Tiles,
    /// What the other members of its profile have done.
    others: Tiles,
    traits: Traits,
    user_id: Option<Box<str>>,
    context: Packed,
    latches: Vec<Latch>,
    /// Rules latched until the next holder, which has come, with the time of the latch.
    ended: BTreeMap<Box<str>, Timestamp>,
    current: BTreeMap<Box<str>, Decision>,
    wake_at: Option<Timestamp>,
    engine: Engine,
    /// Its session.
    pub session: SessionId,
    /// What its visitor has agreed to.
    pub consent: Consent,
}

/// What deciding has made known: an event that is to be tracked.
pub enum Notice {
    /// A rule with a cap has newly taken its slot.
    Shown {
        /// The rule.
        rule: Box<str>,
        /// The key it is shown under, where it has one.
        key: Option<Box<str>>,
    },
    /// A rule has read a variation of the visitor's.
    Exposed {
        /// The experiment.
        experiment: Box<str>,
        /// The variation's key.
        variation: Box<str>,
        /// The experiment's bucket version.
        bucket_version: u64,
    },
}

impl Page {
    /// A page that knows nothing yet.
    pub fn new(bundle: Rc<Bundle>, member: MemberId, session: SessionId) -> Self {
        Self {
            bundle,
            member,
            tiles: Tiles::default(),
            others: Tiles::default(),
            traits: Traits::default(),
            user_id: None,
            context: Value::Object(Vec::new()).to_packed(),
            latches: Vec::new(),
            ended: BTreeMap::new(),
            current: BTreeMap::new(),
            wake_at: None,
            engine: Engine::default(),
            session,
            consent: Consent::default(),
        }
    }

    /// Takes another bundle; what it shows is decided anew.
    pub fn publish(&mut self, bundle: Rc<Bundle>) {
        self.bundle = bundle;
    }

    /// Takes in what the collector has of the profile.
    pub fn follow(&mut self, view: ProfileView) {
        self.others = view.others;
        self.traits = view.traits;
        self.user_id = view.user_id;
        let ended = &self.ended;
        let goes_on = |latch: &Latch| ended.get(&latch.rule).is_none_or(|at| latch.at > *at);
        view.latches.into_iter().filter(goes_on).for_each(|latch| latch.join(&mut self.latches));
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
        set.into_iter().for_each(|latch| latch.join(&mut self.latches));
    }

    /// Decides every slot anew and says what is to be tracked.
    pub fn decide(&mut self, now: Timestamp) -> Vec<Notice> {
        let current: Vec<Decision> = self.current.values().cloned().collect();
        let (decided, exposed, wake_at) = self.look_assigned(None, now, |document, assigned, outlook| {
            let decided = decide(&self.bundle.rules, document, &self.latches, &current);
            decided.wake_at.into_iter().for_each(|at| outlook.note(at));
            (decided, assigned.exposed(document), outlook.next)
        });
        self.wake_at = wake_at;
        let ended = &mut self.ended;
        self.latches.retain(|latch| {
            let goes_on = !decided.ended.contains(&latch.rule);
            if !goes_on {
                ended.insert(latch.rule.clone(), latch.at);
            }
            goes_on
        });
        let exposed = exposed.into_iter().map(|Exposed { experiment, variation, bucket_version, .. }| {
            Notice::Exposed { experiment, variation, bucket_version: u64::from(bucket_version) }
        });
        let mut notices: Vec<Notice> = exposed.collect();
        for change in decided.changes {
            if let (true, Some(decision)) = (change.is_shown, &change.decision) {
                notices.push(Notice::Shown { rule: decision.rule.clone(), key: decision.key.clone() });
            }
            match change.decision {
                Some(decision) => self.current.insert(change.slot, decision),
                None => self.current.remove(&change.slot),
            };
        }
        notices
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
        self.look_assigned(event, now, |document, _, outlook| look(document, outlook))
    }

    /// The same with the variations that the visitor has.
    fn look_assigned<T>(
        &self,
        event: Option<&EventDocument>,
        now: Timestamp,
        look: impl FnOnce(&VisitorDocument<'_>, &Assigned<'_>, &mut Outlook) -> T,
    ) -> T {
        let (assigned, mut outlook) = (Assigned::new(&self.bundle.experiments), Outlook::default());
        let zone = context_clocks(self.context.get());
        let document = VisitorDocument {
            traits: &self.traits,
            signals: &self.bundle.signals,
            models: Some(&self.bundle.models),
            parts: &[&self.tiles, &self.others],
            experiments: &assigned,
            unit: (&self.member, self.user_id.as_deref()),
            context: self.context.get(),
            event,
            now,
            session: Some(self.session),
            consent: self.consent,
            zone: &zone,
            matcher: Some(&self.engine),
            reads: None,
        };
        assigned.assign(&document, &mut outlook);
        look(&document, &assigned, &mut outlook)
    }
}
