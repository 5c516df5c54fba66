//! One visitor whose attributes the host sets, with decisions brought up to date by what changes.

mod exposures;

use crate::attributes::{Attributes, MAX_ATTRIBUTES};
use attune_core::bundle::Bundle;
use attune_core::condition::{
    Consent, Document, Outlook, PathRef, Pattern, Purpose, Reading, Root, time_clocks, visit_paths,
};
use attune_core::experiment::{Assigned, Assignment};
use attune_core::id::{MemberId, ModelId, SessionId, SignalId};
use attune_core::limits::MAX_JSON_DEPTH;
use attune_core::model::ModelTable;
use attune_core::processor::{Processor, ProfileState};
use attune_core::rules::index::{Index, Subject};
use attune_core::rules::{
    Decider, Decision, Pick, RuleTable, Standing, Succession, Touched, VisitorDocument, explain,
};
use attune_core::time::{Clocks, Timestamp};
use attune_core::value::ValueRef;
use exposures::Told;

/// Longest path that a host changes, in bytes, and most names in it: what a value nests at most, so that the way down
/// to one is short.
const MAX_PATH_BYTES: usize = 1_024;
const MAX_PATH_NAMES: usize = MAX_JSON_DEPTH;
/// Most paths that a host changes.
const MAX_PATHS: usize = 10_000;

/// A visitor that the host describes itself, beside what the visitor's events say.
#[derive(Debug)]
pub(crate) struct Visitor {
    member: MemberId,
    attributes: [Attributes; 2],
    /// What the host has said; what events say counts only where it has said nothing.
    session: Option<SessionId>,
    now: Timestamp,
    consent: Consent,
    decider: Decider,
    /// By which the slots were decided.
    clocks: Clocks,
    /// What [`Assigned::found`] said when the slots were decided.
    variations: Vec<u32>,
    /// When time alone may next give another variation.
    reassigned_at: Option<Timestamp>,
    paths: Vec<KnownPath>,
    /// Room for subjects while attributes are replaced.
    touched: Vec<usize>,
    /// The slots that differ since the last call, each with its rule counted from 1, or 0 where it is empty.
    changes: Vec<u32>,
    /// Rules that were latched until the next holder, which has come.
    ended: Vec<Box<str>>,
    told: Told,
}

/// A path that the host changes, and what of the index depends on it.
#[derive(Debug)]
struct KnownPath {
    part: usize,
    rest: Box<str>,
    subjects: Vec<usize>,
}

impl Visitor {
    /// A visitor of whom nothing is known.
    pub fn new(member: MemberId, processor: &Processor) -> Self {
        let bundle = processor.bundle();
        Self::with(member, Decider::new(&bundle.rules, &bundle.signals, &[]))
    }

    /// Another visitor of whom nothing is known, over the same index.
    pub fn followed_by(&mut self, member: MemberId) {
        *self = Self::with(member, core::mem::take(&mut self.decider).restarted());
    }

    /// Another visitor of whom the host says the same.
    pub fn identify(&mut self, member: MemberId) {
        self.member = member;
        self.told = Told::default();
    }

    fn with(member: MemberId, decider: Decider) -> Self {
        Self {
            member,
            attributes: Default::default(),
            session: None,
            now: Timestamp(0),
            consent: Consent::default(),
            decider,
            clocks: Clocks::UTC,
            variations: Vec::new(),
            reassigned_at: None,
            paths: Vec::new(),
            touched: Vec::new(),
            changes: Vec::new(),
            ended: Vec::new(),
            told: Told::default(),
        }
    }

    /// Whose events are this visitor's.
    pub const fn member(&self) -> &MemberId {
        &self.member
    }

    /// Goes over to the bundle that follows, `before` being the rules up to now; the slots are to be decided anew.
    pub fn renew(&mut self, before: &RuleTable, bundle: &Bundle, succession: &Succession) {
        let Bundle { rules, signals, .. } = bundle;
        let known = self.decider.renew(before, rules, signals, succession);
        self.variations.clear();
        let index = self.decider.index();
        let relate = |root: Root, name: &str, subjects: &mut Vec<usize>| {
            if known == 0 {
                subjects.clear();
            }
            subjects.extend(subjects_from(known, index, rules, root, name));
        };
        for (part, (root, _)) in self.attributes.iter_mut().zip(PARTS) {
            part.relate(&|name, subjects| relate(root, name, subjects));
        }
        for known in &mut self.paths {
            let Some((root, _)) = PARTS.get(known.part) else { continue };
            relate(*root, &known.rest, &mut known.subjects);
        }
    }

    /// Replaces all attributes by those of an object: `{"traits":{…},"context":{…}}`; whether they are few enough.
    pub fn set(&mut self, attributes: ValueRef<'_>, processor: &Processor) -> bool {
        let count = |name: &str| attributes.field(name).map_or(0, |object| object.entries().count());
        if PARTS.iter().any(|(_, name)| count(name) > MAX_ATTRIBUTES) {
            return false;
        }
        let rules = &processor.bundle().rules;
        let mut touched = core::mem::take(&mut self.touched);
        for (part, (root, name)) in self.attributes.iter_mut().zip(PARTS) {
            let depends = |name: &str| subjects_at(self.decider.index(), rules, root, name);
            let object = attributes.field(name).unwrap_or(ValueRef::Null);
            part.replace(object, &depends, &mut |subject| touched.push(subject));
        }
        touched.drain(..).for_each(|subject| self.decider.touch(Touched::Subject(subject), rules));
        self.touched = touched;
        true
    }

    /// The number under which a path below `traits` or `context` is changed; nothing for any other, or for one too long
    /// or too many.
    pub fn path(&mut self, text: &str, processor: &Processor) -> Option<usize> {
        if text.len() > MAX_PATH_BYTES || text.split('.').count() > MAX_PATH_NAMES {
            return None;
        }
        let path = PathRef::parse(text)?;
        let part = PARTS.iter().position(|(root, _)| *root == path.root).filter(|_| !path.rest.is_empty())?;
        if let Some(known) =
            self.paths.iter().position(|known| known.part == part && *known.rest == *path.rest)
        {
            return Some(known);
        }
        if self.paths.len() == MAX_PATHS {
            return None;
        }
        let subjects = subjects_at(self.decider.index(), &processor.bundle().rules, path.root, path.rest);
        self.paths.push(KnownPath { part, rest: path.rest.into(), subjects });
        Some(self.paths.len() - 1)
    }

    /// Replaces the value at a path of a number; whether there is such a path.
    pub fn change(&mut self, path: usize, value: ValueRef<'_>, processor: &Processor) -> bool {
        let rules = &processor.bundle().rules;
        let Some(known) = self.paths.get(path) else { return false };
        if let Some((part, (root, _))) = self.attributes.get_mut(known.part).zip(PARTS.get(known.part)) {
            part.set(&known.rest, value, &|name| subjects_at(self.decider.index(), rules, *root, name));
        }
        for subject in &known.subjects {
            self.decider.touch(Touched::Subject(*subject), rules);
        }
        true
    }

    /// Moves the visitor's clock.
    pub fn set_time(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Says which session the visitor is in; nothing leaves that to events.
    pub fn set_session(&mut self, session: Option<SessionId>, processor: &Processor) {
        self.session = session;
        self.decider.touch(Touched::All, &processor.bundle().rules);
    }

    /// Takes in to which purposes the visitor has agreed.
    pub fn set_consent(&mut self, consent: Consent, processor: &Processor) {
        self.consent = consent;
        self.decider.touch(Touched::All, &processor.bundle().rules);
    }

    /// To which purposes the visitor has agreed.
    pub const fn consent(&self) -> Consent {
        self.consent
    }

    /// Takes in that the visitor's events have changed what is known.
    pub fn touch_events(&mut self, state: &ProfileState, processor: &Processor) {
        let rules = &processor.bundle().rules;
        self.decider.touch(Touched::All, rules);
        self.decider.touch_latches(rules, state.latches());
    }

    /// Brings the decisions up to date and returns how many slots differ; see [`Visitor::changes`].
    pub fn decide(&mut self, state: &ProfileState, processor: &Processor) -> usize {
        let rules = &processor.bundle().rules;
        let waiting = self.waiting(state, rules);
        let Self { member, attributes, session, now, consent, decider, changes, variations, clocks, .. } =
            self;
        let mut outlook = Outlook::default();
        changes.clear();
        processor.look(state, |visitor| {
            let assigned = Assigned::new(&processor.bundle().experiments);
            let given = (*now, *session, *consent);
            let document = Described::new(visitor, (member, attributes), given, &assigned);
            if document.clocks != *clocks {
                decider.touch(Touched::All, rules);
                *clocks = document.clocks;
            }
            assigned.assign(&document, &mut outlook);
            let found = assigned.found();
            if found != *variations {
                decider.touch(Touched::Root(Root::Experiments), rules);
                *variations = found;
            }
            decider.decide(rules, &document, state.latches(), &mut |slot, rule| {
                changes.extend([slot as u32, rule.map_or(0, |rule| rule as u32 + 1)]);
            });
        });
        self.reassigned_at = outlook.next;
        let taken = |(slot, rule): &(usize, usize)| {
            self.decider.pick(*slot).filter(|next| next.rule != *rule).and_then(|_| rules.get(*rule))
        };
        self.ended.extend(waiting.iter().filter_map(taken).map(|rule| Box::from(rule.id)));
        self.changes.len() / 2
    }

    /// The next instant at which time alone can change a decision.
    pub fn wake_at(&mut self) -> Option<Timestamp> {
        self.decider.wake_at().into_iter().chain(self.reassigned_at).min()
    }

    /// The slots that are held until the next holder, each with its rule.
    fn waiting(&self, state: &ProfileState, rules: &RuleTable) -> Vec<(usize, usize)> {
        let latches = state.latches().iter();
        let waiting = latches.filter(|latch| latch.until.is_none() && latch.session.is_none());
        let held = waiting.filter_map(|latch| {
            let rule = rules.by_id(&latch.rule)?;
            let slot = rules.slot_named(rule.head().slot?)?;
            self.decider.pick(slot).filter(|held| held.rule == rule.index).map(|_| (slot, rule.index))
        });
        held.collect()
    }

    /// The rules whose latches have ended since this was last asked: their next holder has come.
    pub fn take_ended(&mut self) -> Vec<Box<str>> {
        core::mem::take(&mut self.ended)
    }

    /// Takes in that latches have ended.
    pub fn touch_latches(&mut self, state: &ProfileState, processor: &Processor) {
        self.decider.touch_latches(&processor.bundle().rules, state.latches());
    }

    /// The slots that the last call has changed, or whose texts it may have changed: pairs of the slot's number and of
    /// its rule's number counted from 1, 0 where the slot is empty now.
    pub fn changes(&self) -> &[u32] {
        &self.changes
    }

    /// As [`Decider::moves`].
    pub fn moves(&self) -> Option<&[u32]> {
        self.decider.moves()
    }

    /// The decision in effect for a slot, in full.
    pub fn decision(&self, slot: usize, state: &ProfileState, processor: &Processor) -> Option<Decision> {
        let rules = &processor.bundle().rules;
        let (pick, (name, _)): (Pick, _) = self.decider.pick(slot).zip(rules.slot(slot))?;
        self.look(state, processor, |document| pick.decision(name, rules, document, &mut Outlook::default()))
    }

    /// How a rule stands for this visitor, and the visitor to the experiments that the rule reads.
    pub fn explain<T>(
        &self,
        rule: usize,
        state: &ProfileState,
        processor: &Processor,
        tell: impl FnOnce(&Standing, &[Assignment<'_>]) -> T,
    ) -> Option<T> {
        let rules = &processor.bundle().rules;
        let holder = |slot: &str| {
            let pick = self.decider.pick(rules.slot_named(slot)?)?;
            rules.get(pick.rule).map(|rule| Box::from(rule.id))
        };
        let mut read = Vec::new();
        visit_paths(&rules.get(rule)?.to_rule().when, &mut |path| {
            read.extend((path.root == Root::Experiments).then(|| path.rest.clone()));
        });
        self.look(state, processor, |document| {
            let standings = explain(rules, document, state.latches(), &holder);
            let assignments = document.assigned.assignments();
            let read = assignments.filter(|one| read.iter().any(|read| **read == *one.experiment));
            let standing = standings.iter().find(|standing| standing.rule == rule)?;
            Some(tell(standing, &read.collect::<Vec<_>>()))
        })
    }

    /// Shows the visitor as the decisions in effect have seen it.
    pub fn look<T>(
        &self,
        state: &ProfileState,
        processor: &Processor,
        look: impl FnOnce(&Described<'_>) -> T,
    ) -> T {
        processor.look(state, |visitor| {
            let assigned = Assigned::new(&processor.bundle().experiments);
            let given = (self.now, self.session, self.consent);
            let document = Described::new(visitor, (&self.member, &self.attributes), given, &assigned);
            assigned.assign(&document, &mut Outlook::default());
            look(&document)
        })
    }
}

/// The parts of the document that a host sets.
const PARTS: [(Root, &str); 2] = [(Root::Traits, "traits"), (Root::Context, "context")];

/// What of an index reads something at, above or below a path, or whatever there is, as scores do.
fn subjects_at(index: &Index, rules: &RuleTable, root: Root, path: &str) -> Vec<usize> {
    subjects_from(0, index, rules, root, path).collect()
}

/// The same of those from a number on.
fn subjects_from(
    from: usize,
    index: &Index,
    rules: &RuleTable,
    root: Root,
    path: &str,
) -> impl Iterator<Item = usize> {
    let depends = move |subject: &usize| match index.subject(*subject, rules) {
        Some(Subject::Path(read)) => read.root == root && overlap(read.rest, path),
        Some(Subject::Anything) => true,
        _ => false,
    };
    (from..index.subject_count()).filter(depends)
}

/// Whether one path leads to the other, or both to one place.
fn overlap(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short.is_empty() || long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A visitor with attributes beside it: an attribute hides a trait of its name.
#[derive(Clone, Copy)]
pub(crate) struct Described<'a> {
    visitor: &'a VisitorDocument<'a>,
    /// Absent while a model is asked, so that scores cannot ask each other.
    models: Option<&'a ModelTable>,
    assigned: &'a Assigned<'a>,
    member: &'a MemberId,
    attributes: &'a [Attributes; 2],
    now: Timestamp,
    session: Option<SessionId>,
    consent: Consent,
    /// Those of the context, or else those that events have told.
    clocks: Clocks,
}

impl<'a> Described<'a> {
    /// How the visitor stands to every experiment.
    pub fn assignments(&self) -> impl Iterator<Item = Assignment<'a>> {
        self.assigned.assignments()
    }

    fn new(
        visitor: &'a VisitorDocument<'a>,
        (member, attributes): (&'a MemberId, &'a [Attributes; 2]),
        (now, session, consent): (Timestamp, Option<SessionId>, Consent),
        assigned: &'a Assigned<'a>,
    ) -> Self {
        let (models, session) = (visitor.models, session.or(visitor.session));
        let [_, context] = attributes;
        let clocks = context.at("time").and_then(time_clocks).unwrap_or_else(|| visitor.zone.clocks());
        let now = visitor.now.max(now);
        Self { visitor, models, assigned, member, attributes, now, session, consent, clocks }
    }
}

impl Document for Described<'_> {
    fn value(&self, path: PathRef<'_>) -> ValueRef<'_> {
        match (path.root, path.rest) {
            (Root::Experiments, experiment) => return self.assigned.read(experiment),
            (Root::Bare, "anonymous_id") => return ValueRef::Text(&self.member.0),
            _ => {}
        }
        let part = PARTS.iter().zip(self.attributes).find(|((root, _), _)| *root == path.root);
        match part.and_then(|(_, part)| part.at(path.rest)) {
            Some(found) => found,
            None => self.visitor.value(path),
        }
    }

    fn signal(&self, signal: SignalId, key: &str) -> Reading<'_> {
        self.signal_decayed(signal, key, 0)
    }

    fn signal_decayed(&self, signal: SignalId, key: &str, half_life_ms: i64) -> Reading<'_> {
        let own =
            VisitorDocument { now: self.now, session: self.session, zone: &self.clocks, ..*self.visitor };
        own.read_decayed(signal, key, half_life_ms)
    }

    fn score(&self, model: ModelId, outlook: &mut Outlook) -> Reading<'_> {
        match self.models.and_then(|models| models.by_id(model)) {
            Some(model) => model.score(&Self { models: None, ..*self }, outlook),
            None => Reading::Missing,
        }
    }

    fn each_key(&self, signal: SignalId, see: &mut dyn FnMut(&str)) -> bool {
        self.visitor.each_key(signal, see)
    }

    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        self.visitor.matches(pattern, text)
    }

    fn grants(&self, purpose: Purpose) -> bool {
        self.consent.grants(purpose)
    }

    fn signal_named(&self, name: &str, key: &str) -> Reading<'_> {
        match self.visitor.signals.by_name(name) {
            Some(signal) => self.signal(signal.id, key),
            None => Reading::Missing,
        }
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn session(&self) -> Option<SessionId> {
        self.session
    }

    fn clocks(&self) -> Option<Clocks> {
        Some(self.clocks)
    }
}

#[cfg(test)]
mod tests {
    use crate::Evaluator;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::bundle::{Header, attach_signature, seal_envelope};

    const RULES: &str = r#"{"signals":[{"name":"today","on":"click","aggregate":"count","window":"today"}],
        "rules":[{"id":"busy","slot":"hero","when":{"signals.today":{"$gte":1}},"actions":[]}]}"#;
    const CLICK: &str =
        r#"[{"event_id":"e","event_type":"click","timestamp":"2026-11-20T22:30:00Z","anonymous_id":"ann"}]"#;
    /// 2026-11-20T23:30:00Z
    const LATER_MS: f64 = 1_795_217_400_000.0;

    #[test]
    fn windows_of_signals_go_by_the_clocks_that_the_context_says_also_when_it_says_others() {
        let compiled = compile(&[SourceFile { name: "rules.json".into(), text: RULES.into() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "shop", revision: 1, ..Header::default() };
        let bundle = attach_signature(seal_envelope(&header, &compiled.body), &[0; 64]);
        let mut evaluator = Evaluator::new(bundle).unwrap();
        evaluator.set_visitor("ann");
        evaluator.absorb(CLICK);
        evaluator.set_time(LATER_MS).unwrap();
        assert_eq!(evaluator.set(b"{}"), Ok(0));
        assert_ne!(evaluator.decision(0), "null", "without a word the day is that of UTC");
        let ahead = br#"{"context":{"time":{"utc_offset_minutes":60}}}"#;
        assert_eq!(
            (evaluator.set(ahead), evaluator.changes()),
            (Ok(1), &[0, 0][..]),
            "a day has begun since"
        );
        let path = evaluator.path("context.time.utc_offset_minutes").unwrap();
        assert_eq!((evaluator.change_number(path, -60.0), evaluator.changes()), (Ok(1), &[0, 1][..]));
        assert_eq!(evaluator.wake_at(), LATER_MS + 90.0 * 60_000.0);
    }
}
