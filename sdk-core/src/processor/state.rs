//! A profile's state: its members' parts as absolute values, and what rules remember between records.

use super::agenda::Agenda;
use super::caps::Caps;
use super::edge::{Edge, Key};
use crate::bundle::Bundle;
use crate::condition::{Consent, Matcher, Outlook, told_clocks};
use crate::experiment::Assigned;
use crate::id::{MemberId, ProfileId, SessionId};
use crate::limits::{MAX_LATCHES, SESSION_KEEP_MS, SESSION_MAX_MS};
use crate::profile::sorted::SortedMap;
use crate::profile::{
    Change, EventDocument, Lanes, Latch, ProfileView, SignalRef, SignalTable, TileChanges, Tiles, Traits,
    Viewpoint, Warming,
};
use crate::rules::{RuleRef, VisitorDocument};
use crate::time::{Clocks, Timestamp};
use crate::value::ValueRef;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What is known of a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileState {
    pub(super) profile: ProfileId,
    pub(super) version: u64,
    /// Profile time: the latest event time (no later than its receipt) or wake-up.
    pub(super) time: Timestamp,
    pub(super) session: Option<(Timestamp, SessionId)>,
    pub(super) parts: SortedMap<MemberId, Part>,
    /// Members that have moved on, with the version of the change by which they did.
    pub(super) departed: SortedMap<MemberId, u64>,
    /// The traits of all parts together.
    pub(super) traits: Traits,
    /// The clocks of the member with the latest event among those of whom any are known.
    pub(super) clocks: Clocks,
    pub(super) latches: Vec<Latch>,
    pub(super) edges: Vec<Edge>,
    pub(super) caps: Caps,
    /// Revision of the bundle whose triggers are armed.
    pub(super) armed_revision: Option<u64>,
    /// Identities of the triggers that are armed, in ascending order.
    pub(super) armed: Vec<u64>,
    /// Identities of those that were armed while it stood by the other bundle of a rollout, in ascending order.
    pub(super) laid_down: Vec<u64>,
    pub(super) wake: Option<Timestamp>,
    pub(super) firings: u64,
    /// When level triggers have to be judged again; not kept.
    pub(super) agenda: Agenda,
}

/// One member's share.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub version: u64,
    pub time: Timestamp,
    pub events: u64,
    pub lanes: Lanes,
    pub tiles: Tiles,
    pub traits: Traits,
    pub clocks: Option<Clocks>,
}

/// What a profile is read with.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub bundle: &'a Bundle,
    pub now: Timestamp,
    /// The event being judged.
    pub event: Option<&'a EventDocument>,
    pub context: ValueRef<'a>,
    pub matcher: Option<&'a dyn Matcher>,
}

/// Time is looked at for pruning whenever another of these has begun, in milliseconds.
const PRUNE_EVERY_MS: i64 = 3_600_000;

impl Default for ProfileState {
    fn default() -> Self {
        Self {
            profile: ProfileId(Box::default()),
            version: 0,
            time: Timestamp(0),
            session: None,
            parts: SortedMap::default(),
            departed: SortedMap::default(),
            traits: Traits::default(),
            clocks: Clocks::UTC,
            latches: Vec::new(),
            edges: Vec::new(),
            caps: Caps::default(),
            armed_revision: None,
            armed: Vec::new(),
            laid_down: Vec::new(),
            wake: None,
            firings: 0,
            agenda: Agenda::default(),
        }
    }
}

impl ProfileState {
    /// The profile; empty before the first change.
    pub const fn profile(&self) -> &ProfileId {
        &self.profile
    }

    /// Grows with every change.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Profile time.
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// The session of the latest event that has one.
    pub fn session(&self) -> Option<SessionId> {
        self.session.map(|(_, session)| session)
    }

    /// Its members, in order.
    pub fn members(&self) -> impl Iterator<Item = &MemberId> {
        self.parts.iter().map(|(member, _)| member)
    }

    /// Number of events of its members.
    pub fn events(&self) -> u64 {
        self.parts.iter().fold(0, |sum, (_, part)| part.events.saturating_add(sum))
    }

    /// Number of firings.
    pub const fn firings(&self) -> u64 {
        self.firings
    }

    /// The next instant at which time alone can change a trigger.
    pub const fn wake_at(&self) -> Option<Timestamp> {
        self.wake
    }

    /// Whether every member has moved on.
    pub fn is_vacant(&self) -> bool {
        self.parts.is_empty()
    }

    /// The members' tiles, which add up to the values of signals.
    pub fn tiles(&self) -> Vec<&Tiles> {
        self.parts.iter().map(|(_, part)| &part.tiles).collect()
    }

    /// From where its signals are read at profile time.
    pub fn viewpoint(&self) -> Viewpoint<'_> {
        Viewpoint { now: self.time, session: self.session(), zone: &self.clocks }
    }

    /// The signals of a bundle whose windows reach back to before their events were counted, as of profile time.
    pub fn warming<'a>(&self, signals: &'a SignalTable) -> Vec<(&'a str, Warming)> {
        let parts = self.tiles();
        let warming = |signal: &SignalRef<'_>| Tiles::warming(&parts, signal, self.viewpoint());
        let named = signals.iter().filter(|signal| !signal.name().starts_with("attune."));
        named.filter_map(|signal| Some((signal.name(), warming(&signal)?))).collect()
    }

    /// Traits of the whole profile.
    pub const fn traits(&self) -> &Traits {
        &self.traits
    }

    /// Event rules in effect.
    pub fn latches(&self) -> &[Latch] {
        &self.latches
    }

    /// The profile as one member's page is to see it; empty for a member that is not part of it.
    pub fn view(&self, member: &MemberId) -> ProfileView {
        let Some(part) = self.parts.get(member) else { return ProfileView::default() };
        let mut others = Tiles::default();
        for (_, other) in self.parts.iter().filter(|(other, _)| *other != member) {
            others.merge(&other.tiles);
        }
        let mut own = part.tiles.clone();
        own.expire(part.time);
        ProfileView {
            version: self.version,
            lanes: part.lanes.clone(),
            own,
            others,
            traits: self.traits.clone(),
            latches: self.latches.clone(),
            user_id: self.profile.0.strip_prefix("user:").map(Box::from),
        }
    }

    /// The member with the latest event, by whose bundle the profile stands; nobody where there is none.
    pub fn latest_member(&self) -> Option<&MemberId> {
        self.parts.iter().max_by_key(|(_, part)| part.time).map(|(member, _)| member)
    }

    /// The same once a change is in.
    pub(super) fn latest_member_after<'a>(&'a self, change: &'a Change) -> &'a MemberId {
        let others = self.parts.iter().filter(|(member, _)| **member != change.member);
        let others = others.map(|(member, part)| (part.time, member));
        others.chain([(change.time, &change.member)]).max().map_or(&change.member, |(_, member)| member)
    }

    /// The member of a moment that is nobody's own: the one with the latest event.
    pub(super) fn spokesman(&self) -> MemberId {
        self.latest_member().cloned().unwrap_or_else(|| MemberId(Box::default()))
    }

    /// The clocks of the member with the latest event among those of whom any are known.
    pub(super) fn latest_clocks(&self) -> Clocks {
        let known = self.parts.iter().filter_map(|(_, part)| Some((part.time, part.clocks?)));
        known.max_by_key(|(time, _)| *time).map_or(Clocks::UTC, |(_, clocks)| clocks)
    }

    /// Version of the last change taken of a member.
    pub(super) fn version_of(&self, member: &MemberId) -> u64 {
        let part = self.parts.get(member).map(|part| part.version);
        part.or_else(|| self.departed.get(member).copied()).unwrap_or(0)
    }

    /// Shows the profile as a document. `outlook` receives the instant at which time alone can change a variation.
    pub(super) fn read<T>(
        &self,
        scene: Scene<'_>,
        outlook: &mut Outlook,
        ask: impl FnOnce(&VisitorDocument<'_>, &mut Outlook) -> T,
    ) -> T {
        let Scene { bundle, now, event, context, matcher } = scene;
        let session = event.map_or(self.session(), |document| document.event().session);
        let (one, many);
        let mut parts = self.parts.iter().map(|(_, part)| &part.tiles);
        let parts: &[&Tiles] = match (parts.next(), self.parts.len()) {
            (Some(only), 1) => {
                one = [only];
                &one
            }
            _ => {
                many = self.tiles();
                &many
            }
        };
        let assigned = Assigned::new(&bundle.experiments);
        let nobody = MemberId(Box::default());
        let speaking = || self.latest_member().unwrap_or(&nobody);
        let member = event.map_or_else(speaking, |document| &document.event().member);
        // An event is judged by the clocks of its own member, as that member's page judges it.
        let own = event.and_then(|document| self.parts.get(&document.event().member)?.clocks);
        let clocks = told_clocks(context).or(own).unwrap_or(self.clocks);
        let document = VisitorDocument {
            traits: &self.traits,
            signals: &bundle.signals,
            models: Some(&bundle.models),
            parts,
            experiments: &assigned,
            unit: (member, self.profile.0.strip_prefix("user:")),
            context,
            event,
            now,
            session,
            consent: Consent::default(),
            zone: &clocks,
            matcher,
            reads: None,
        };
        assigned.assign(&document, outlook);
        ask(&document, outlook)
    }

    /// Puts a change's absolute values in place.
    pub(super) fn apply(&mut self, change: &Change, table: &SignalTable) {
        if self.parts.get(&change.member).is_none() {
            self.parts.insert(change.member.clone(), Part::default());
            self.departed.remove(&change.member);
            self.agenda.forget();
        }
        let Some(part) = self.parts.get_mut(&change.member) else { return };
        let period = |at: Timestamp| at.0.div_euclid(PRUNE_EVERY_MS);
        let due = period(part.time) != period(change.time);
        part.version = change.version;
        part.time = change.time;
        part.clocks = change.clocks.or(part.clocks);
        for (lane, state) in &change.lanes {
            part.lanes.set(*lane, state.clone());
        }
        match &change.tiles {
            TileChanges::Touched(changes) => changes.iter().for_each(|tile| part.tiles.set(table, tile)),
            TileChanges::Whole(tiles) => part.tiles = tiles.clone(),
        }
        if due {
            part.tiles.prune(table, change.time);
            part.lanes.prune(change.time);
            self.agenda.forget();
        }
        if !change.traits.is_empty() {
            part.traits.merge(&change.traits);
            self.traits.merge(&change.traits);
        }
        if let Some(document) = &change.event {
            part.events = part.events.saturating_add(1);
            let at = document.event().timestamp.min(change.received_at.unwrap_or(change.time));
            self.session = self.session.max(document.event().session.map(|session| (at, session)));
        }
        self.clocks = self.latest_clocks();
        if due {
            self.prune();
        }
    }

    /// Notes under which key a level trigger holds now; returns the key if that is an edge from false to true.
    pub(super) fn cross_edge(&mut self, rule: &RuleRef<'_>, held: Option<Key>) -> Option<Key> {
        let crossed = match &held {
            Some(key) => !self.edges.iter().any(|edge| *edge.rule == *rule.id && edge.key == *key),
            None => false,
        };
        self.edges.retain(|edge| *edge.rule != *rule.id || held.as_ref() == Some(&edge.key));
        let key = held.filter(|_| crossed)?;
        self.edges.push(Edge { rule: Box::from(rule.id), key: key.clone() });
        Some(key)
    }

    /// Sets a latch.
    pub(super) fn latch(&mut self, latch: Latch) {
        latch.join(&mut self.latches);
        if self.latches.len() > MAX_LATCHES {
            self.prune();
        }
    }

    /// Ends the latches of rules whose next holder has come.
    pub fn end_latches(&mut self, rules: &[Box<str>]) {
        self.latches.retain(|latch| !rules.contains(&latch.rule));
    }

    /// Forgets what is over at profile time and what is above its bound.
    pub(super) fn prune(&mut self) {
        let now = self.time;
        self.caps.prune(now);
        self.latches.retain(|latch| {
            let in_session =
                latch.session.is_none() || now.since(latch.at) <= SESSION_KEEP_MS + SESSION_MAX_MS;
            in_session && latch.until.is_none_or(|until| now.since(until) <= PRUNE_EVERY_MS)
        });
        let surplus = self.latches.len().saturating_sub(MAX_LATCHES);
        if surplus > 0 {
            self.latches.sort_by_key(|latch| (latch.at, latch.event_id));
            self.latches.drain(..surplus);
        }
    }
}
