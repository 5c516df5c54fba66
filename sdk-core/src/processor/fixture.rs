//! A small shop's bundle and a driver of both steps, shared by the tests of this room.

use super::{Firing, Outcome, Processor, ProfileState, Rollout};
use crate::bundle::Bundle;
use crate::condition::{Condition, Literal, Moment, Path, Root, Test};
use crate::experiment::TrialTable;
use crate::id::{EventId, LaneId, MemberId, ProfileId, SessionId, Uuid};
use crate::model::ModelTable;
use crate::profile::fixture::{event, signal, table};
use crate::profile::{Absorbed, Aggregate, MemberState, SignalRef, Window};
use crate::rules::{Action, Cap, CapPeriod, Hold, Mode, Rule, RuleTable, Terms};
use crate::time::Timestamp;
use crate::value::Value;
use crate::wire::{Event, Facts, IDENTIFY, LaneSeq, Record};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// Latest instant of any test.
pub(super) const RECEIVED: Timestamp = Timestamp(30 * 86_400_000);
const MINUTE_MS: i64 = 60_000;

fn path(root: Root, rest: &str) -> Path {
    Path { root, rest: Box::from(rest) }
}

fn rule(id: &str, mode: Mode, when: Condition) -> Rule {
    Rule {
        id: Box::from(id),
        slot: None,
        priority: 0,
        specificity: 1,
        when,
        mode,
        key: None,
        cap: None,
        terms: Terms::default(),
        actions: vec![Action::Call { to: Box::from("https://example.com/") }],
        fire_on_publish: false,
        inactive: None,
    }
}

/// `third-view`: an event trigger, at the third view of a category in a session, once per session and category.
/// `banner`: the same as a slot rule. `rescue`: a level trigger, 30 minutes after something went into the cart.
pub(super) fn shop(revision: u64) -> Bundle {
    changed_shop(revision, |_| {})
}

/// The same with other rules.
pub(super) fn changed_shop(revision: u64, change: impl FnOnce(&mut Vec<Rule>)) -> Bundle {
    let category = || path(Root::Event, "metadata.category");
    let signals = vec![
        signal("views", Aggregate::Count, Window::Session, Some("metadata.category")),
        crate::profile::Signal {
            on: Box::from("add_to_cart"),
            ..signal("cart_at", Aggregate::LastAt, Window::Lifetime, None)
        },
    ];
    let signals = signals.into_iter().map(|mut signal| {
        signal.id = crate::profile::signal_id(&signal);
        signal
    });
    let signals = table(signals.collect());
    let third = Condition::Signal {
        signal: signals.by_name("views").unwrap().id,
        key: Some(Literal::Path(category())),
        test: Test::Gte(Literal::Value(Value::Number(3.0))),
    };
    let waiting = Condition::Signal {
        signal: signals.by_name("cart_at").unwrap().id,
        key: None,
        test: Test::Before(Moment::Relative(-30 * MINUTE_MS)),
    };
    let on_view = || Mode::Event { on: Box::from("page_view"), hold: Hold::Session };
    let once = Cap { per: CapPeriod::Session, count: 1, min_gap_ms: None, shown: None, shown_at: None };
    let mut rules = vec![
        Rule {
            slot: Some(Box::from("hero")),
            actions: Vec::new(),
            key: Some(category()),
            ..rule("banner", on_view(), third.clone())
        },
        rule("rescue", Mode::Level, waiting),
        Rule { key: Some(category()), cap: Some(once), ..rule("third-view", on_view(), third) },
    ];
    change(&mut rules);
    let rules = RuleTable::open(&RuleTable::pack(&rules)).unwrap();
    let (experiments, models) = (TrialTable::default(), ModelTable::default());
    Bundle { revision, signals, experiments, models, rules, ..Bundle::default() }
}

/// Another shop: `rescue` waits for ten minutes, `third-view` is for two views, a level trigger `ready` fires for those in
/// whose cart there is something when it is published, another one, `empty`, for those who come without, and a signal of its
/// own is counted.
pub(super) fn candidate(revision: u64) -> Bundle {
    let current = shop(revision);
    let variety = signal("variety", Aggregate::Count, Window::Lifetime, None);
    let variety = crate::profile::Signal { id: crate::profile::signal_id(&variety), ..variety };
    let signals: Vec<_> = current.signals.iter().map(SignalRef::to_signal).chain([variety]).collect();
    let bundle = changed_shop(revision, |rules| {
        let Condition::Signal { signal, .. } = rules[1].when.clone() else { panic!("no signal") };
        let since =
            |ms: i64| Condition::Signal { signal, key: None, test: Test::Before(Moment::Relative(-ms)) };
        rules[1].when = since(10 * MINUTE_MS);
        let Condition::Signal { test, .. } = &mut rules[2].when else { panic!("no signal") };
        *test = Test::Gte(Literal::Value(Value::Number(2.0)));
        let empty = Condition::Signal { signal, key: None, test: Test::Exists(false) };
        let ready = Rule { fire_on_publish: true, ..rule("ready", Mode::Level, since(0)) };
        rules.splice(1..1, [rule("empty", Mode::Level, empty), ready]);
    });
    Bundle { signals: table(signals), ..bundle }
}

/// Divides them so.
pub(super) const SEED: &str = "half-5";

/// For half of all members: `b`, and neither `a` nor `c`.
pub(super) fn halved(bundle: Bundle) -> Rollout {
    Rollout { bundle, share: 5_000, seed: Box::from(SEED) }
}

/// The members and profiles of one worker.
#[derive(Debug, Default)]
pub(super) struct World {
    pub processor: Processor,
    pub members: BTreeMap<MemberId, MemberState>,
    pub profiles: BTreeMap<ProfileId, ProfileState>,
    pub firings: Vec<Firing>,
}

impl World {
    pub fn new() -> Self {
        let mut world = Self::default();
        world.processor.set_bundle(shop(1), Timestamp(0));
        world
    }

    /// Takes an event in, and repeats its change, which must be refused.
    pub fn track(&mut self, event: Event) -> Outcome {
        self.track_with(event, None)
    }

    /// The same, with what has been found out about where the event comes from.
    pub fn track_with(&mut self, event: Event, facts: Option<Facts>) -> Outcome {
        let member = event.member.clone();
        let state = self.members.entry(member.clone()).or_insert_with(|| MemberState::new(member));
        let record = Record::Event { event, received_at: RECEIVED, proven: true, facts };
        let Absorbed::Change(change) = self.processor.absorb(state, &record) else {
            return Outcome::default();
        };
        let mut left = change.moved_from.as_ref().and_then(|from| self.profiles.remove(from));
        let profile = self.profiles.entry(change.profile.clone()).or_default();
        let outcome = self.processor.combine(profile, &change, left.as_mut());
        let repeated = self.processor.combine(profile, &change, left.as_mut());
        assert_eq!((repeated.firings.len(), repeated.changed), (0, false));
        let snapshot = profile.encode();
        let restored = ProfileState::decode(&snapshot).unwrap();
        let mut kept = profile.clone();
        // What no window reads any more stays in memory until its signal counts again; a snapshot leaves it out.
        kept.parts.retain(|_, part| {
            part.tiles.expire(part.time);
            true
        });
        assert_eq!((&restored, restored.encode()), (&kept, snapshot));
        if let (Some(from), Some(left)) = (change.moved_from, left) {
            self.profiles.insert(from, left);
        }
        self.firings.extend(outcome.firings.clone());
        outcome
    }

    pub fn wake(&mut self, profile: &str, at: i64) -> Outcome {
        let outcome = self
            .processor
            .wake(self.profiles.get_mut(&ProfileId(Box::from(profile))).unwrap(), Timestamp(at));
        self.firings.extend(outcome.firings.clone());
        outcome
    }

    pub fn profile(&self, id: &str) -> &ProfileState {
        self.profiles.get(&ProfileId(Box::from(id))).unwrap()
    }

    /// Rule, key and instant of every firing, in order of these.
    pub fn fired(&self) -> Vec<(&str, &str, i64)> {
        let fired = self
            .firings
            .iter()
            .map(|firing| (&*firing.rule, firing.key.as_deref().unwrap_or_default(), firing.at.0));
        let mut fired: Vec<_> = fired.collect();
        fired.sort_unstable();
        fired
    }
}

fn from(member: &str, seq: u64, mut event: Event) -> Event {
    let number = crate::id::derived_uuid(member).as_u128();
    event.member = MemberId(Box::from(member));
    event.event_id = EventId(Uuid::from_u128(number.wrapping_add(u128::from(seq))));
    event.lane = Some(LaneSeq { lane: LaneId(Uuid::from_u128(number)), seq });
    event
}

/// A view of a category by a member, in a session.
pub(super) fn view(member: &str, seq: u64, at_minutes: i64, session: u128, category: &str) -> Event {
    let metadata = format!(r#"{{"category":"{category}"}}"#);
    let mut event = event(at_minutes * MINUTE_MS, "page_view", &metadata).into_event();
    event.session = Some(SessionId(Uuid::from_u128(session)));
    from(member, seq, event)
}

/// Something goes into the cart of a member.
pub(super) fn cart(member: &str, seq: u64, at_minutes: i64) -> Event {
    from(member, seq, event(at_minutes * MINUTE_MS, "add_to_cart", "{}").into_event())
}

/// A member logs in.
pub(super) fn login(member: &str, seq: u64, at_minutes: i64, user: &str) -> Event {
    let mut event = event(at_minutes * MINUTE_MS, IDENTIFY, r#"{"traits":{"plan":"pro"}}"#).into_event();
    event.user_id = Some(Box::from(user));
    from(member, seq, event)
}
