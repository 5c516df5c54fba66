//! Which rule fills which slot on this page, which event rules are latched, and what has to be told of it.

use super::{Client, Entry};
use crate::condition::{Outlook, Root};
use crate::experiment::{Assigned, Exposed};
use crate::id::{EventId, SessionId};
use crate::limits::BUNDLE_GRACE_MS;
use crate::profile::{EventDocument, Latch, ProfileView};
use crate::rules::index::Marks;
use crate::rules::{
    Decided, Decision, Reads, Reason, RuleTable, SlotChange, Touched, Visit, VisitorDocument, Watch, judge,
    latch,
};
use crate::time::{Now, Timestamp};
use crate::wire::IDENTIFY;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Decisions in effect and what the host has not polled yet.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    watch: Watch,
    /// What [`Assigned::found`] said when the slots were decided.
    variations: Vec<u32>,
    current: Vec<Decision>,
    latches: Vec<Latch>,
    changes: Vec<SlotChange>,
    /// The exposures of this page load, and how many of them the host has been told of.
    exposures: Vec<Exposed>,
    told: usize,
    wake_at: Option<Timestamp>,
    /// Whether a capped rule takes a slot by its condition only when it is the host's turn.
    takes_turns: bool,
    /// Whether one waits for that, of which the host has not been told.
    awaits_turn: bool,
}

impl Decisions {
    /// The decision of a slot.
    pub fn of_slot(&self, slot: &str) -> Option<&Decision> {
        let at = self.current.partition_point(|held| *held.slot < *slot);
        self.current.get(at).filter(|held| *held.slot == *slot)
    }

    /// Every decision in effect, in order of slot.
    pub fn all(&self) -> &[Decision] {
        &self.current
    }

    pub fn take_changes(&mut self) -> Vec<SlotChange> {
        core::mem::take(&mut self.changes)
    }

    pub fn take_exposures(&mut self) -> &[Exposed] {
        let told = core::mem::replace(&mut self.told, self.exposures.len());
        self.exposures.get(told..).unwrap_or_default()
    }

    pub const fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    /// Joins latches in: of two latches of one rule the later stays, and one that has ended stays ended.
    pub fn join_latches(&mut self, brought: impl IntoIterator<Item = Latch>) -> bool {
        let mut changed = false;
        for latch in brought {
            match self.latches.iter_mut().find(|known| known.rule == latch.rule) {
                Some(known) if (known.at, known.event_id) >= (latch.at, latch.event_id) => continue,
                Some(known) => *known = latch,
                None => self.latches.push(latch),
            }
            changed = true;
        }
        changed
    }

    pub fn forget_latches(&mut self) {
        self.latches.clear();
    }

    fn end_latch(&mut self, rule: &str, at: Timestamp) {
        for latch in self.latches.iter_mut().filter(|latch| &*latch.rule == rule) {
            latch.until = Some(at);
        }
    }

    /// Has the slots of capped rules that hold by their conditions held by no rule: what they show stays until it is known
    /// whether it has room for the visitor who has come.
    #[inline(never)]
    pub fn let_go_of_capped(&mut self, rules: &RuleTable) {
        for held in &mut self.current {
            let is_capped = rules.by_id(&held.rule).is_some_and(|rule| rule.head().cap.is_some());
            if is_capped && held.reason == Reason::Level {
                held.rule = Box::default();
            }
        }
    }

    fn set(&mut self, slot: &str, decision: Option<Decision>) {
        self.current.retain(|held| *held.slot != *slot);
        if let Some(decision) = decision {
            let at = self.current.partition_point(|held| *held.slot < *slot);
            self.current.insert(at, decision);
        }
    }
}

/// What is asked about the visitor.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub event: Option<&'a EventDocument>,
    pub now: Timestamp,
    pub session: SessionId,
    pub reads: Option<&'a Reads>,
}

impl Client {
    /// Judges the event rules at an own event that is counted already.
    pub(super) fn judge(&mut self, event_id: EventId, now: Now) {
        if self.is_over(now) {
            return;
        }
        let Some(newest) = self.overlay.newest().filter(|newest| newest.event().event_id == event_id) else {
            return;
        };
        let (event, rules, mut set) = (newest.event(), &self.bundle.rules, Vec::new());
        let asking = Asking { event: Some(newest), ..self.asking(now) };
        let exposed = self.ask(asking, &mut Outlook::default(), &mut |document, _| {
            for found in judge(rules, document, event) {
                set.extend(rules.get(found.rule).and_then(|rule| latch(&rule, found.key, event)));
            }
        });
        self.note_exposures(exposed);
        if self.decisions.join_latches(set) {
            self.keep_latches();
        }
    }

    /// Notes that something the rules may read has changed.
    pub(super) fn touch(&mut self, touched: Touched) {
        self.decisions.watch.touch(touched, &self.bundle.rules);
    }

    /// Notes that the signals that look at an event type may have changed, and traits if it carries some.
    pub(super) fn touch_event(&mut self, event_type: &str) {
        let Self { decisions, bundle, .. } = self;
        bundle.signals.each_for_type(event_type, &mut |_, signal| {
            decisions.watch.touch(Touched::Signal(signal.id), &bundle.rules);
        });
        if event_type == IDENTIFY {
            self.touch(Touched::Root(Root::Traits));
        }
    }

    /// Begins to decide by another bundle; slots that it does not have are empty from now on.
    #[inline(never)]
    pub(super) fn renew_watch(&mut self) {
        let Self { decisions, bundle, .. } = self;
        decisions.watch = Watch::new(&bundle.rules, &bundle.signals);
        decisions.current.retain(|held| {
            let is_there = bundle.rules.slot_named(&held.slot).is_some();
            if !is_there {
                let slot = held.slot.clone();
                decisions.changes.push(SlotChange { slot, decision: None, is_shown: false });
            }
            is_there
        });
    }

    /// The first instant at which the bundle is followed no more.
    pub(super) fn bundle_end(&self) -> Option<Timestamp> {
        self.bundle.expires.map(|at| at.plus(BUNDLE_GRACE_MS + 1))
    }

    /// Whether the bundle's time and its grace are over, so that no rule of it holds; signals are still counted, so that
    /// the bundle that follows finds them.
    fn is_over(&mut self, now: Now) -> bool {
        let is_over = self.bundle_end().is_some_and(|end| self.instant(now) >= end);
        if is_over != self.was_over {
            self.was_over = is_over;
            self.has_expired = is_over;
            self.touch(Touched::All);
        }
        is_over
    }

    /// What event rules have set.
    pub(super) fn latches(&self) -> &[Latch] {
        &self.decisions.latches
    }

    /// Has capped rules wait for [`Client::handle_turn`] before they newly take a slot by their conditions, so that of
    /// several pages of a visitor only as many show one as its cap has room for.
    pub const fn take_turns(&mut self) {
        self.decisions.takes_turns = true;
    }

    /// Whether the host is to take its turn, as it was not when this was asked before. Ask after every input.
    pub fn wants_turn(&mut self) -> bool {
        core::mem::take(&mut self.decisions.awaits_turn)
    }

    /// Says that it is this page's turn: what other pages have shown has been given, and none shows anything capped
    /// until what this one shows now has been stored.
    #[inline(never)]
    pub fn handle_turn(&mut self, now: Now) {
        self.decisions.takes_turns = false;
        self.touch(Touched::All);
        self.decide(now);
        self.decisions.takes_turns = true;
    }

    /// Decides the slots that what was touched may have changed, and queues what has.
    pub(super) fn decide(&mut self, now: Now) {
        let is_over = self.is_over(now);
        let mut watch = core::mem::take(&mut self.decisions.watch);
        let (mut outlook, mut decided, mut found) = (Outlook::default(), Decided::default(), Vec::new());
        let mut awaits_turn = false;
        let exposed = self.ask(self.asking(now), &mut outlook, &mut |document, _| {
            let (rules, latches) = (&self.bundle.rules, &self.decisions.latches);
            found = document.experiments.found();
            if found != self.decisions.variations {
                watch.touch(Touched::Root(Root::Experiments), rules);
            }
            let visit = Visit { rules, document, latches };
            let mut excluded = Marks::default();
            if watch.begin(document.now) {
                excluded = visit.excluded(&|slot| self.decisions.of_slot(slot));
            }
            let mut from = 0;
            while let Some(slot) = watch.take_slot(from) {
                from = slot;
                let Some((name, _)) = rules.slot(slot) else { continue };
                let (held, mut outlook) = (self.decisions.of_slot(name), Outlook::default());
                let next =
                    if is_over { None } else { visit.decide_slot(slot, held, &excluded, &mut outlook) };
                watch.set_due(slot, outlook.next);
                let is_shown = next.as_ref().is_some_and(|next| next.is_new_under_cap(held, rules));
                // Of an event rule the cap was asked when it latched.
                if is_shown
                    && self.decisions.takes_turns
                    && next.as_ref().is_some_and(|next| next.reason == Reason::Level)
                {
                    awaits_turn = true;
                    continue;
                }
                decided.take(name, held, next, is_shown, latches);
            }
        });
        self.note_exposures(exposed);
        watch
            .wake_at()
            .into_iter()
            .chain(self.bundle_end().filter(|_| !is_over))
            .for_each(|at| outlook.note(at));
        self.decisions.wake_at = outlook.next;
        self.decisions.variations = found;
        self.decisions.watch = watch;
        self.decisions.awaits_turn |= awaits_turn;
        for change in decided.changes {
            let seen_alike = alike(self.decisions.of_slot(&change.slot), change.decision.as_ref());
            self.decisions.set(&change.slot, change.decision.clone());
            // What is shown newly is never like what was there.
            if !seen_alike {
                self.decisions.changes.push(change);
            }
        }
        if !decided.ended.is_empty() {
            let at = self.instant(now);
            decided.ended.iter().for_each(|rule| self.decisions.end_latch(rule, at));
            self.keep_latches();
        }
    }

    /// The question about the visitor as of now.
    fn asking(&self, now: Now) -> Asking<'static> {
        Asking { event: None, now: self.instant(now), session: self.session, reads: None }
    }

    /// Asks about the visitor; returns the variations that the answer has read.
    pub(super) fn ask(
        &self,
        asking: Asking<'_>,
        outlook: &mut Outlook,
        ask: &mut dyn FnMut(&VisitorDocument<'_>, &mut Outlook),
    ) -> Vec<Exposed> {
        let assigned = Assigned::new(&self.bundle.experiments);
        let document = VisitorDocument {
            traits: self.overlay.traits(),
            signals: &self.bundle.signals,
            models: Some(&self.bundle.models),
            parts: &self.overlay.parts(),
            experiments: &assigned,
            unit: (&self.member, self.user_id.as_deref()),
            context: self.context.get(),
            event: asking.event,
            now: asking.now,
            session: Some(asking.session),
            consent: self.consent,
            zone: &self.clocks(),
            matcher: Some(&self.answers),
            reads: asking.reads,
        };
        assigned.assign(&document, outlook);
        ask(&document, outlook);
        assigned.exposed(&document)
    }

    /// Keeps what this page load has not seen yet.
    fn note_exposures(&mut self, found: Vec<Exposed>) {
        for exposed in found {
            if !self.decisions.exposures.iter().any(|known| known.event_id == exposed.event_id) {
                self.decisions.exposures.push(exposed);
            }
        }
    }

    /// Stores the latches, which have changed, and has their slots decided again.
    pub(super) fn keep_latches(&mut self) {
        let rules = &self.bundle.rules;
        for latch in &self.decisions.latches {
            let slot = rules.by_id(&latch.rule).and_then(|rule| rules.slot_named(rule.head().slot?));
            slot.into_iter().for_each(|slot| self.decisions.watch.touch_slot(slot));
        }
        let mut view = ProfileView::default();
        core::mem::swap(&mut view.latches, &mut self.decisions.latches);
        self.put(Entry::Latches, view.encode());
        core::mem::swap(&mut view.latches, &mut self.decisions.latches);
    }
}

/// Whether a page could not tell two decisions apart: an event rule may latch again without changing anything.
fn alike(before: Option<&Decision>, after: Option<&Decision>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    before.rule == after.rule
        && before.key == after.key
        && before.since == after.since
        && before.actions == after.actions
}
