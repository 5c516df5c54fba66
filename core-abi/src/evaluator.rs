//! The core over a stream of events: members and profiles in memory, changed decisions and firings out.

mod given;
mod identity;
mod publish;
mod unknown;

use crate::answer::{
    Answer, assignments, explanation, exposures, failure, is_fixed, names, rule_ids, totals, variables,
};
use crate::attributes::read_value;
use crate::cut::elements;
use crate::event::{peek_event_id, read_event};
use crate::visitor::Visitor;
use attune_core::bundle::{Bundle, BundleError};
use attune_core::condition::{Consent, Engine, Outlook};
use attune_core::experiment::Assignment;
use attune_core::id::{MemberId, ProfileId};
use attune_core::processor::{Processor, ProfileState};
use attune_core::profile::{Absorbed, MemberState};
use attune_core::rules::{Decided, Decision, Standing, filled};
use attune_core::time::Timestamp;
use attune_core::value::{Packed, ValueRef};
use attune_core::wire::{Event, Record};
use std::collections::{BTreeMap, BTreeSet};
use unknown::{path_unknown, rule_unknown};

/// Evaluates a bundle over events, without a clock: time is what the events say.
///
/// A `user_id` counts as proven, since whoever feeds events here is trusted with them.
#[derive(Debug)]
pub struct Evaluator {
    processor: Processor,
    members: BTreeMap<MemberId, MemberState>,
    profiles: BTreeMap<ProfileId, Profile>,
    firings: u64,
    visitor: Visitor,
    /// The state of a visitor without events.
    nobody: ProfileState,
}

#[derive(Debug, Default)]
struct Profile {
    state: ProfileState,
    decisions: Vec<Decision>,
}

impl Profile {
    /// Takes in what has been decided, and tells it.
    fn follow(&mut self, id: &ProfileId, decided: Decided, answer: &mut Answer) {
        for change in decided.changes {
            answer.decision(id, &change);
            self.decisions.retain(|decision| decision.slot != change.slot);
            self.decisions.extend(change.decision);
        }
    }
}

impl Evaluator {
    /// An evaluator of a bundle, with nobody known.
    ///
    /// # Errors
    /// Bytes that are no bundle envelope of this version.
    pub fn new(bundle: impl AsRef<[u8]>) -> Result<Self, BundleError> {
        let mut processor = Processor::asking(Box::new(Engine::default()));
        processor.set_bundle(Bundle::open(bundle.as_ref())?, Timestamp(0));
        // The index takes the room of the bytes.
        drop(bundle);
        Ok(Self {
            visitor: Visitor::new(MemberId(VISITOR.into()), &processor),
            processor,
            members: BTreeMap::new(),
            profiles: BTreeMap::new(),
            firings: 0,
            nobody: ProfileState::default(),
        })
    }

    /// The number under which the value at a path is changed: a dotted path below `traits` or `context` of at most 1,024
    /// bytes and 32 names, one of 10,000 at most.
    ///
    /// # Errors
    /// Any other path, as an object with `error` and `message`.
    pub fn path(&mut self, path: &str) -> Result<usize, String> {
        self.visitor.path(path, &self.processor).ok_or_else(|| path_unknown(path))
    }

    /// Replaces one value of the visitor, JSON text or packed, and returns how many slots differ.
    ///
    /// # Errors
    /// As [`Evaluator::set`]; or a number that is no path's.
    pub fn change(&mut self, path: usize, value: &[u8]) -> Result<usize, String> {
        let value = read(value)?;
        self.change_to(path, value.get())
    }

    /// Replaces one value of the visitor by a number, and returns how many slots differ.
    ///
    /// # Errors
    /// A number that is no path's.
    pub fn change_number(&mut self, path: usize, value: f64) -> Result<usize, String> {
        self.change_to(path, ValueRef::Number(value))
    }

    fn change_to(&mut self, path: usize, value: ValueRef<'_>) -> Result<usize, String> {
        let changed = self.with_visitor(|visitor, state, processor| {
            visitor.change(path, value, processor).then(|| visitor.decide(state, processor))
        });
        changed.ok_or_else(|| failure("path_unknown", &format!("no path has the number {path}")))
    }

    /// The next instant at which time alone can change a decision of the visitor, in milliseconds since 1970; not a number
    /// where there is none.
    pub fn wake_at(&mut self) -> f64 {
        self.visitor.wake_at().map_or(f64::NAN, |at| at.0 as f64)
    }

    /// Takes in which purposes the visitor has granted, by bits: 1 functional, 2 analytics, 4 personalization; returns how
    /// many slots differ. Before, all are.
    pub fn set_consent(&mut self, granted: u8) -> usize {
        self.with_visitor(|visitor, state, processor| {
            visitor.set_consent(Consent::of_bits(granted), processor);
            visitor.decide(state, processor)
        })
    }

    /// The slots that the last call about the visitor has changed: pairs of a slot's number and of its rule's number
    /// counted from 1, 0 where the slot is empty now. A slot whose texts show changed values is among them.
    pub fn changes(&self) -> &[u32] {
        self.visitor.changes()
    }

    /// The slots by number, and for each rule by number whether a decision for it is the same for everybody:
    /// `{"slots":["hero"],"fixed":"10"}`.
    pub fn names(&self) -> String {
        names(&self.processor.bundle().rules)
    }

    /// Whether a decision for the rule of a number is the same for everybody.
    pub fn is_fixed(&self, rule: usize) -> bool {
        self.processor.bundle().rules.get(rule).is_some_and(is_fixed)
    }

    /// Of each slot the number it had before a bundle was last published, counted from 1, or 0 where there was none of its
    /// name; nothing where all slots have kept their numbers.
    pub fn moves(&self) -> Option<&[u32]> {
        self.visitor.moves()
    }

    /// The ids of the rules by number, as a JSON array.
    pub fn rules(&self) -> String {
        rule_ids(&self.processor.bundle().rules)
    }

    /// The variables that rules of slots may give, as a JSON array of names.
    pub fn variables(&self) -> String {
        variables(&self.processor.bundle().rules)
    }

    /// The visitor's decision for the slot of a number, as a JSON object; `null` where it is empty.
    pub fn decision(&self, slot: usize) -> String {
        let state = state_of(&self.visitor, &self.members, &self.profiles, &self.nobody);
        match self.visitor.decision(slot, state, &self.processor) {
            Some(decision) => crate::answer::decision(&decision),
            None => "null".into(),
        }
    }

    /// Why a rule holds or not for the visitor, as a JSON object; an object with `error` for a rule that does not exist.
    pub fn explain(&self, rule: &str) -> String {
        let rules = &self.processor.bundle().rules;
        let Some(index) = rules.by_id(rule).map(|rule| rule.index) else {
            return rule_unknown(rules, rule);
        };
        let state = state_of(&self.visitor, &self.members, &self.profiles, &self.nobody);
        let tell = |standing: &Standing, read: &[Assignment<'_>]| explanation(rule, standing, read);
        self.visitor.explain(index, state, &self.processor, tell).unwrap_or_else(|| "null".into())
    }

    /// What a rule would do for the visitor, whether it holds or not, as a decision without key and reason; `null` for a
    /// trigger, an object with `error` for a rule that does not exist.
    pub fn preview(&self, rule: &str) -> String {
        let rules = &self.processor.bundle().rules;
        let Some(rule) = rules.by_id(rule) else { return rule_unknown(rules, rule) };
        let Some(slot) = rule.head().slot else { return "null".into() };
        let state = state_of(&self.visitor, &self.members, &self.profiles, &self.nobody);
        self.visitor.look(state, &self.processor, |document| {
            crate::answer::preview(slot, rule.id, &filled(&rule, None, document, &mut Outlook::default()))
        })
    }

    /// How the visitor stands to every experiment of the bundle, as a JSON array:
    /// `[{"experiment":…,"variation":…,"origin":"hashed"}]`. To ask is no exposure.
    pub fn assignments(&self) -> String {
        let state = state_of(&self.visitor, &self.members, &self.profiles, &self.nobody);
        self.visitor.look(state, &self.processor, |document| assignments(document.assignments()))
    }

    /// The variations that the visitor's decisions in effect have had to read and that are to be tracked, each once in a
    /// session: `[{"event_id":…,"experiment":…,"variation":…,"bucket_version":0}]`.
    pub fn take_exposures(&mut self) -> String {
        exposures(&self.with_visitor(|visitor, state, processor| visitor.take_exposures(state, processor)))
    }

    fn with_visitor<T>(&mut self, work: impl FnOnce(&mut Visitor, &ProfileState, &Processor) -> T) -> T {
        let Self { visitor, members, profiles, nobody, processor, .. } = self;
        let done = work(visitor, state_of(visitor, members, profiles, nobody), processor);
        let ended = visitor.take_ended();
        if !ended.is_empty()
            && let Some(own) = members.get(visitor.member())
            && let Some(profile) = profiles.get_mut(own.profile())
        {
            profile.state.end_latches(&ended);
            visitor.touch_latches(&profile.state, processor);
        }
        done
    }

    /// Takes a JSON array of events in, in their order, and answers with what it changed:
    /// `{"accepted":2,"duplicates":0,"decisions":[…],"firings":[…],"errors":[…]}`.
    ///
    /// Decisions are those that differ after the last event, a null `rule` standing for a slot that is empty now.
    /// Events that cannot be taken in are listed in `errors` by index; the others go on.
    pub fn absorb(&mut self, events: &str) -> String {
        let mut answer = Answer::default();
        let Some(events) = elements(events) else {
            answer.unreadable("events");
            return answer.finish();
        };
        let mut touched = BTreeSet::new();
        for (index, text) in events.into_iter().enumerate() {
            match read_event(text) {
                Ok(event) => match self.take(event, &mut answer, &mut touched) {
                    Absorbed::Change(_) => answer.accepted += 1,
                    Absorbed::Duplicate => answer.duplicates += 1,
                    Absorbed::Conflict => answer.refuse_lane(index, peek_event_id(text), false),
                    Absorbed::LaneFull => answer.refuse_lane(index, peek_event_id(text), true),
                    Absorbed::Ignored => {}
                },
                Err(error) => {
                    answer.refuse(index, peek_event_id(text), error.code(), error.field(), &error.message());
                }
            }
        }
        if let Some(own) = self.members.get(self.visitor.member()).map(|state| state.profile().clone())
            && touched.contains(&own)
        {
            self.with_visitor(|visitor, state, processor| {
                visitor.touch_events(state, processor);
                visitor.decide(state, processor)
            });
        }
        for id in touched {
            let Some(profile) = self.profiles.get_mut(&id) else { continue };
            let decided = self.processor.decide(&mut profile.state, ValueRef::Null, &profile.decisions);
            profile.follow(&id, decided, &mut answer);
        }
        answer.finish()
    }

    /// The decisions in effect for a member, as a JSON array in order of slot.
    pub fn decisions(&self, member: &str) -> String {
        let profile =
            self.members.get(&MemberId(member.into())).and_then(|state| self.profiles.get(state.profile()));
        let mut decisions: Vec<&Decision> = profile.iter().flat_map(|profile| &profile.decisions).collect();
        decisions.sort_by(|a, b| a.slot.cmp(&b.slot));
        crate::answer::decisions(&decisions)
    }

    /// Totals over everybody: `{"profiles":2,"events":9,"firings":1,"signals":{"views":9}}`. A signal's total adds the
    /// values that counts and sums have at each profile's own time.
    pub fn summary(&self) -> String {
        let live = || self.profiles.values().map(|profile| &profile.state).filter(|state| !state.is_vacant());
        let events = live().map(ProfileState::events).sum();
        totals([live().count() as u64, events, self.firings], &self.processor.bundle().signals, live())
    }

    fn take(&mut self, event: Event, answer: &mut Answer, touched: &mut BTreeSet<ProfileId>) -> Absorbed {
        let member = event.member.clone();
        let received_at = event.timestamp;
        let record = Record::Event { event, received_at, proven: true, facts: None };
        let state = self.members.entry(member.clone()).or_insert_with(|| MemberState::new(member));
        let absorbed = self.processor.absorb(state, &record);
        let Absorbed::Change(change) = &absorbed else { return absorbed };
        let mut left = change.moved_from.as_ref().and_then(|from| self.profiles.remove(from));
        let profile = self.profiles.entry(change.profile.clone()).or_default();
        let left_state = left.as_mut().map(|left| &mut left.state);
        let is_visitor = change.member == *self.visitor.member();
        let granted = if is_visitor { self.visitor.consent() } else { Consent::default() };
        let outcome = self.processor.combine_granted(&mut profile.state, change, granted, left_state);
        if let (Some(from), Some(left)) = (&change.moved_from, left)
            && !left.state.is_vacant()
        {
            touched.insert(from.clone());
            self.profiles.insert(from.clone(), left);
        }
        self.firings += outcome.firings.len() as u64;
        outcome.firings.iter().for_each(|firing| answer.firing(firing));
        if self.processor.bundle().rules.slot_count() > 0 && !touched.contains(&change.profile) {
            touched.insert(change.profile.clone());
        }
        absorbed
    }
}

/// Who the visitor is before the host says so.
const VISITOR: &str = "visitor";

fn state_of<'a>(
    visitor: &Visitor,
    members: &BTreeMap<MemberId, MemberState>,
    profiles: &'a BTreeMap<ProfileId, Profile>,
    nobody: &'a ProfileState,
) -> &'a ProfileState {
    let profile = members.get(visitor.member()).and_then(|member| profiles.get(member.profile()));
    profile.map_or(nobody, |profile| &profile.state)
}

fn read(bytes: &[u8]) -> Result<Packed, String> {
    read_value(bytes).map_err(|error| failure(error.code(), &error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::bundle::{Header, attach_signature, seal_envelope};
    use attune_core::value::{Value, parse};
    use proptest::prelude::*;

    const RULES: &str = r##"{
        "signals":[{"name":"clicks","on":"click","by":"metadata.category","aggregate":"count","window":"session"}],
        "rules":[{"id":"banner","slot":"hero","priority":1,"on":"click",
            "when":{"$signal":{"name":"clicks","key":{"$path":"event.metadata.category"},"is":{"$gte":2}}},
            "actions":[{"kind":"text","target":"#hero","value":"Hello"}]}],
        "triggers":[{"id":"third-click","on":"click",
            "when":{"$signal":{"name":"clicks","key":{"$path":"event.metadata.category"},"is":{"$gte":3}}},
            "cap":{"per":"session","key":"event.metadata.category","count":1},"actions":[]},
            {"id":"green","on":"search","when":{"event.metadata.words":{"$regexi":"^grün"}},"actions":[]}]
    }"##;

    fn evaluator() -> Evaluator {
        evaluator_of(RULES)
    }

    fn evaluator_of(rules: &str) -> Evaluator {
        let compiled = compile(&[SourceFile { name: "rules.json".into(), text: rules.into() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "shop", revision: 1, ..Header::default() };
        let envelope = attach_signature(seal_envelope(&header, &compiled.body), &[0; 64]);
        Evaluator::new(&envelope).unwrap()
    }

    fn click(number: u32, category: &str) -> String {
        format!(
            r#"{{"event_id":"e{number}","event_type":"click","timestamp":"2026-11-20T10:00:{number:02}Z","anonymous_id":"a",
            "lane":"l","seq":{number},"session_id":"s","metadata":{{"category":"{category}"}}}}"#
        )
    }

    fn absorb(evaluator: &mut Evaluator, events: &[String]) -> Value {
        Value::parse(&evaluator.absorb(&format!("[{}]", events.join(",")))).unwrap()
    }

    fn number(value: &Value, path: &str) -> f64 {
        value.at(path).and_then(Value::as_number).unwrap()
    }

    #[test]
    fn answers_with_what_the_events_changed() {
        let mut evaluator = evaluator();
        let first = absorb(&mut evaluator, &[click(1, "shoes"), click(2, "shoes")]);
        assert_eq!((number(&first, "accepted"), first.at("firings.0")), (2.0, None));
        assert_eq!(first.at("decisions.0.rule"), Some(&Value::string("banner")));
        assert_eq!(first.at("decisions.0.actions.0.value"), Some(&Value::string("Hello")));
        let second = absorb(&mut evaluator, &[click(3, "shoes"), click(4, "shoes")]);
        assert_eq!(second.at("firings.0.rule"), Some(&Value::string("third-click")));
        assert_eq!(second.at("firings.0.key"), Some(&Value::string("shoes")));
        assert_eq!(second.at("firings.1"), None);
        assert_eq!(
            Value::parse(&evaluator.decisions("a")).unwrap().at("0.slot"),
            Some(&Value::string("hero"))
        );
        assert_eq!(evaluator.decisions("nobody"), "[]");
        let summary = Value::parse(&evaluator.summary()).unwrap();
        assert_eq!((number(&summary, "profiles"), number(&summary, "events")), (1.0, 4.0));
        assert_eq!((number(&summary, "firings"), number(&summary, "signals.clicks")), (1.0, 4.0));
    }

    #[test]
    fn a_trigger_with_a_regular_expression_fires_where_it_matches() {
        let search = |seq: u32, words: &str| {
            format!(
                r#"{{"event_id":"s{seq}","event_type":"search","timestamp":"2026-11-20T10:00:0{seq}Z","anonymous_id":"a","metadata":{{"words":"{words}"}}}}"#
            )
        };
        let answer = absorb(&mut evaluator(), &[search(1, "grau"), search(2, "GRÜNE Hüte")]);
        assert_eq!(answer.at("firings.0.rule"), Some(&Value::string("green")));
        assert_eq!((number(&answer, "accepted"), answer.at("firings.1")), (2.0, None));
    }

    #[test]
    fn a_malformed_event_leaves_its_neighbours_alone() {
        let bad = r#"{"event_id":"bad","event_type":"click","timestamp":"2026-11-20T10:00:01Z","metadata":{"a":1e400}}"#;
        let events = [click(1, "shoes"), bad.into(), "oops".into(), click(1, "shoes"), click(2, "shoes")];
        let answer = absorb(&mut evaluator(), &events);
        assert_eq!((number(&answer, "accepted"), number(&answer, "duplicates")), (2.0, 1.0));
        assert_eq!((number(&answer, "errors.0.index"), number(&answer, "errors.1.index")), (1.0, 2.0));
        assert_eq!(answer.at("errors.0.event_id"), Some(&Value::string("bad")));
        assert_eq!(answer.at("errors.1.code"), Some(&Value::string("event_not_an_object")));
    }

    #[test]
    fn a_lane_number_with_another_event_is_an_error_and_no_duplicate() {
        let other = click(1, "shoes").replace("\"e1\"", "\"other\"");
        let answer = absorb(&mut evaluator(), &[click(1, "shoes"), other]);
        assert_eq!(answer.at("errors.0.code"), Some(&Value::string("lane_conflict")));
        assert_eq!(number(&answer, "duplicates"), 0.0);
    }

    #[test]
    fn a_score_follows_the_attributes_that_only_its_model_reads() {
        let rules = r#"{"models":[{"name":"m","kind":"plan","items":[{"when":{"context.a":1},"points":10}]}],
            "rules":[{"id":"ten","slot":"hero","when":{"$score":{"name":"m","is":{"$eq":10}}},"actions":[]}]}"#;
        let mut evaluator = evaluator_of(rules);
        assert_eq!(evaluator.set(br#"{"context":{"b":1}}"#), Ok(0));
        assert_eq!(evaluator.set(br#"{"context":{"a":1}}"#), Ok(1));
        assert_eq!(evaluator.changes(), [0, 1]);
        let path = evaluator.path("context.a").unwrap();
        assert_eq!(evaluator.change_number(path, 2.0), Ok(1));
        assert_eq!(evaluator.changes(), [0, 0]);
    }

    #[test]
    fn a_rule_without_the_visitors_consent_leaves_its_slot_and_says_which_purpose_is_missing() {
        let rules = r#"{"rules":[{"id":"mine","slot":"hero","priority":1,"actions":[]},
            {"id":"all","slot":"hero","consent":"functional","actions":[]}]}"#;
        let mut evaluator = evaluator_of(rules);
        assert_eq!(evaluator.set(b"{}"), Ok(1));
        let rule = |evaluator: &Evaluator| {
            Value::parse(&evaluator.decision(0)).unwrap().at("rule").and_then(Value::as_str).map(String::from)
        };
        assert_eq!(rule(&evaluator).as_deref(), Some("mine"));
        assert_eq!((evaluator.set_consent(0b011), rule(&evaluator).as_deref()), (1, Some("all")));
        let why = Value::parse(&evaluator.explain("mine")).unwrap();
        assert_eq!(why.at("purpose"), Some(&Value::string("personalization")));
        assert_eq!((evaluator.set_consent(0), rule(&evaluator)), (1, None));
        assert_eq!((evaluator.set_consent(0xff), rule(&evaluator).as_deref()), (1, Some("mine")));
        evaluator.set_consent(0);
        evaluator.set_visitor("another");
        assert_eq!((evaluator.set(b"{}"), rule(&evaluator).as_deref()), (Ok(1), Some("mine")));
    }

    #[test]
    fn paths_and_attributes_beyond_their_bounds_are_refused() {
        let mut evaluator = evaluator();
        assert_eq!(evaluator.path(&format!("traits{}", ".a".repeat(31))), Ok(0));
        assert!(evaluator.path(&format!("traits{}", ".a".repeat(32))).is_err());
        assert!(evaluator.path(&format!("traits.{}", "a".repeat(1_024))).is_err());
        assert!((1..10_000).all(|number| evaluator.path(&format!("traits.{number}")) == Ok(number)));
        assert!(evaluator.path("traits.more").is_err() && evaluator.path("traits.7") == Ok(7));
        let given = |count: usize| {
            let fields: Vec<String> = (0..count).map(|name| format!("\"{name}\":1")).collect();
            format!("{{\"context\":{{{}}}}}", fields.join(","))
        };
        assert_eq!(evaluator.set(given(10_000).as_bytes()), Ok(0));
        assert!(evaluator.set(given(10_001).as_bytes()).unwrap_err().contains("attributes_too_many"));
        assert_eq!(evaluator.set(br#"{"context":{"other":1}}"#), Ok(0));
    }

    #[test]
    fn bytes_that_are_no_bundle_are_refused() {
        assert!(Evaluator::new(b"").is_err() && Evaluator::new([1; 300]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_is_answered_in_json(text in r#"\[?[\[\]{}",:\\a1]{0,40}\]?"#, bytes: Vec<u8>) {
            prop_assert!(parse(&evaluator().absorb(&text)).is_ok());
            prop_assert!(Evaluator::new(&bytes).is_err());
        }
    }
}
