//! Decisions of one visitor, brought up to date by what has changed instead of made anew.

use super::decide::{Decision, Found, Holding, Reason, Visit, fill, holds, within_cap};
use super::group::excluded;
use super::index::{Index, Live, Marks};
use super::{RuleTable, Succession, rule_key};
use crate::condition::{Document, Outlook, Purpose, Root};
use crate::id::SignalId;
use crate::profile::{Latch, SignalTable};
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Decides the slots of one visitor. It is told what may have changed, and looks at nothing else.
#[derive(Clone, Debug, Default)]
pub struct Decider {
    index: Index,
    live: Live,
    /// By slot, what fills it.
    held: Vec<Held>,
    /// Places of the rules that had a latch when last asked.
    latched: Vec<usize>,
    now: Timestamp,
    /// Whether the purpose that rules have unless they name another is granted.
    is_usual: bool,
    /// Slots whose picks are those of before, and what they show is not known to be in effect.
    unsure: Marks,
    /// Slots whose picks are those of before, and what they show is as it was.
    shown: Marks,
    /// See [`Self::moves`].
    moves: Option<Vec<u32>>,
}

/// Stands for the rule of a pick that has been taken over, where the bundle lacks it.
const GONE: u32 = u32::MAX - 1;

/// The rule that fills a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// Its index; no index at all before the first decision, where the bundle lacks a rule that was in effect.
    pub rule: usize,
    /// The key it holds the slot under, where it has one.
    pub key: Option<Box<str>>,
    /// Why it holds.
    pub reason: Reason,
    /// Since when it holds the slot.
    pub since: Timestamp,
}

/// A pick in little room: most have no key and are no latch.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    /// The rule's index, [`GONE`] or [`NOTHING`].
    rule: u32,
    since: Timestamp,
    more: More,
}

/// Under which key and why a rule holds, where that is not without a key and by state.
type More = Option<Box<Found>>;

/// Stands for the rule of a slot that is empty.
const NOTHING: u32 = u32::MAX;

impl Held {
    const EMPTY: Self = Self { rule: NOTHING, since: Timestamp(0), more: None };

    fn rule(&self) -> Option<usize> {
        (self.rule != NOTHING).then_some(self.rule as usize)
    }

    fn pick(&self) -> Option<Pick> {
        let (key, reason) = self.more.as_deref().cloned().unwrap_or((None, Reason::Level));
        Some(Pick { rule: self.rule()?, key, reason, since: self.since })
    }

    fn key(&self) -> Option<&str> {
        key(&self.more)
    }
}

fn more(found: Found) -> More {
    (found != (None, Reason::Level)).then(|| Box::new(found))
}

fn key(more: &More) -> Option<&str> {
    more.as_deref()?.0.as_deref()
}

/// What may have changed since the slots were decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Anything.
    All,
    /// Values below a root.
    Root(Root),
    /// A signal, under whatever key.
    Signal(SignalId),
    /// One subject of the index.
    Subject(usize),
}

impl Decider {
    /// A decider over a bundle, before the first decision. `current` are decisions already in effect: the first decision
    /// shows each of their slots that the bundle has, since its rule may say something else now, or be gone.
    pub fn new(rules: &RuleTable, signals: &SignalTable, current: &[Decision]) -> Self {
        let index = Index::new(rules, signals);
        let taken = |slot: usize| {
            let (name, _) = rules.slot(slot)?;
            let Holding { rule, key, reason, since } =
                current.iter().find(|held| *held.slot == *name).map(Decision::holding)?;
            let rule = rules.by_id(rule).map_or(GONE, |rule| rule.index as u32);
            Some(Held { rule, more: more((key.map(Box::from), reason)), since })
        };
        let held = (0..rules.slot_count()).map(|slot| taken(slot).unwrap_or(Held::EMPTY)).collect();
        let mut decider = Self { live: Live::new(&index), index, held, ..Self::default() };
        decider.take_over(&|_| false);
        decider
    }

    /// Goes over to the bundle that follows, with the picks made over the one before, `before`, and an index brought up to
    /// date by what `succession` says; the next decision shows each of their slots as with [`Self::new`], unless its rule is
    /// the same. The slots that the bundle lacks are the host's to empty; latches are to be told anew. It answers how many
    /// subjects of the index, from the first on, are those that they were, or nothing.
    pub fn renew(
        &mut self,
        before: &RuleTable,
        rules: &RuleTable,
        signals: &SignalTable,
        succession: &Succession,
    ) -> usize {
        let mut known = self.index.subject_count();
        if !self.index.follow(before, rules, signals, succession) {
            self.index = Index::new(rules, signals);
            known = 0;
        }
        // What no decision has seen is not known to be in effect.
        let is_decided = self.unsure.next(0).is_none() && !self.live.has_changed();
        self.live = Live::new(&self.index);
        self.latched.clear();
        self.move_slots(before, rules, succession);
        let rules_now = succession.rules_now(before.len());
        let mut kept = Marks::none(self.held.len());
        for (slot, held) in self.held.iter_mut().enumerate().filter(|(_, held)| held.rule != NOTHING) {
            let rule = held.rule as usize;
            let now = rules_now.get(rule).copied().filter(|now| *now != u32::MAX);
            kept.set(slot, is_decided && now.is_some());
            let by_id = || rules.by_id(before.get(rule)?.id).map(|rule| rule.index as u32);
            held.rule = now.or_else(by_id).unwrap_or(GONE);
        }
        self.take_over(&|slot| kept.has(slot));
        self.shown = if succession.shows_alike() { kept } else { Marks::default() };
        known
    }

    /// Gives each slot of the rules that follow what has filled the one of its name.
    fn move_slots(&mut self, before: &RuleTable, rules: &RuleTable, succession: &Succession) {
        self.moves = None;
        let (then, now) = (before.slot_names(), rules.slot_names());
        if succession.is_known() && then.iter().eq(now) {
            return;
        }
        let mut slot_then = Vec::new();
        if succession.is_known() {
            slot_then = vec![u32::MAX; rules.form().text_count()];
            for (slot, name) in then.iter().enumerate() {
                if let Some(then) = slot_then.get_mut(*name as usize) {
                    *then = slot as u32;
                }
            }
        }
        let (mut held, mut moves) = (core::mem::take(&mut self.held), Vec::new());
        for (slot, name) in now.iter().enumerate() {
            let then = match succession.is_known() {
                true => slot_then.get(*name as usize).map(|slot| *slot as usize),
                false => rules.slot(slot).and_then(|(name, _)| before.slot_named(name)),
            };
            let taken = then.and_then(|then| held.get_mut(then));
            self.held.push(taken.map_or(Held::EMPTY, |held| core::mem::replace(held, Held::EMPTY)));
            moves.push(then.map_or(0, |then| then.wrapping_add(1) as u32));
        }
        let have_kept = then.len() == now.len() && (1..).zip(&moves).all(|(now, then)| now == *then);
        self.moves = Some(moves).filter(|_| !have_kept);
    }

    /// Of each slot the number that the one of its name had before [`Self::renew`], counted from 1, or 0 where there was
    /// none; nothing where all slots have kept their numbers.
    pub fn moves(&self) -> Option<&[u32]> {
        self.moves.as_deref()
    }

    /// Has the slots that are filled decided again, and shown unless what fills them is as it was.
    fn take_over(&mut self, is_kept: &dyn Fn(usize) -> bool) {
        self.unsure = Marks::none(self.held.len());
        for (slot, _) in self.held.iter().enumerate().filter(|(_, held)| held.rule != NOTHING) {
            self.live.touch_slot(slot);
            self.unsure.set(slot, !is_kept(slot));
        }
    }

    /// A decider over the same bundle for another visitor, of whom nothing is known.
    #[must_use]
    pub fn restarted(self) -> Self {
        let Self { index, live, mut held, moves, .. } = self;
        // The next one takes its room.
        drop(live);
        held.fill_with(|| Held::EMPTY);
        Self { live: Live::new(&index), index, held, moves, ..Self::default() }
    }

    /// The index it decides over.
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// Notes that something may have changed.
    pub fn touch(&mut self, touched: Touched, rules: &RuleTable) {
        self.live.touch_anything(&self.index);
        self.shown = Marks::default();
        match touched {
            Touched::All => self.live.touch_all(&self.index),
            Touched::Root(root) => self.live.touch_root(root, &self.index, rules),
            Touched::Signal(signal) => self.live.touch_signal(signal, &self.index),
            Touched::Subject(subject) => self.live.touch(subject),
        }
    }

    /// Notes that latches have come, gone or changed.
    pub fn touch_latches(&mut self, rules: &RuleTable, latches: &[Latch]) {
        let before = core::mem::take(&mut self.latched);
        let of = |latch: &Latch| {
            self.index.place_of(rules.by_id(&latch.rule).filter(|rule| !rule.is_level())?.index)
        };
        self.latched = latches.iter().filter_map(of).collect();
        for place in before.iter().chain(&self.latched) {
            self.live.touch_latch(*place, self.latched.contains(place), &self.index);
        }
    }

    /// What fills a slot.
    pub fn pick(&self, slot: usize) -> Option<Pick> {
        self.held.get(slot)?.pick()
    }

    /// The next instant at which time alone can change a decision.
    pub fn wake_at(&mut self) -> Option<Timestamp> {
        self.live.wake_at()
    }

    /// Decides the slots that what was touched can have changed, and shows each that another rule fills now, or the same
    /// rule whose shown values may differ, with the index of that rule; see [`Self::pick`] for more.
    pub fn decide(
        &mut self,
        rules: &RuleTable,
        document: &dyn Document,
        latches: &[Latch],
        see: &mut dyn FnMut(usize, Option<usize>),
    ) {
        if document.now() < self.now {
            // What is due has been taken out, so a clock that goes back has everything looked at.
            self.live.touch_all(&self.index);
        }
        let mut shown = core::mem::take(&mut self.shown);
        if document.now() != self.now {
            shown = Marks::default();
        }
        self.now = document.now();
        self.live.update(&self.index, rules, document);
        let visit = Visit { rules, document, latches };
        self.is_usual = document.grants(Purpose::default());
        let mut left_out = Marks::default();
        if self.live.spread(&self.index) {
            let may_hold = |(ranked, _): &(usize, &u32)| {
                self.index.place_ranked(*ranked).is_some_and(|place| self.live.may_hold(place))
            };
            let ranked = rules.ranked_indexes().iter().enumerate().filter(may_hold);
            let ranked: Vec<_> =
                ranked.filter_map(|(place, rule)| Some((place, rules.get(*rule as usize)?))).collect();
            left_out = excluded(rules, ranked.into_iter(), &mut |ranked, _, _| {
                self.index.place_ranked(ranked).is_some_and(|place| {
                    let slot = self.index.slot_of(place);
                    self.candidate(slot, place, visit, &mut Outlook::default()).is_some()
                })
            });
        }
        let unsure = core::mem::take(&mut self.unsure);
        let mut slots = self.live.take_slots();
        slots.drain(|slot| {
            let mut outlook = Outlook::default();
            let next = self.choose(slot, visit, &left_out, &mut outlook);
            self.live.revisit(slot, outlook.next, &self.index);
            let Some(held) = self.held.get_mut(slot) else { return };
            let may_show_another = self.index.is_filled(next.rule as usize) && !shown.has(slot);
            if unsure.has(slot) || *held != next || may_show_another {
                *held = next;
                see(slot, held.rule());
            }
        });
        self.live.give_slots(slots);
    }

    /// The rule that is to fill a slot.
    fn choose(&mut self, slot: usize, visit: Visit<'_>, left_out: &Marks, outlook: &mut Outlook) -> Held {
        let mut places = self.index.places(slot);
        while let Some(place) = self.live.next_holding(places.clone()) {
            places.start = place + 1;
            let rule = self.index.rule(place);
            if left_out.has(rule) {
                continue;
            }
            if let Some(more) = self.candidate(slot, place, visit, outlook) {
                let is_same = |held: &&Held| held.rule as usize == rule && held.key() == key(&more);
                let same = self.held.get(slot).filter(is_same);
                let since = same.map_or(self.now, |held| held.since);
                return Held { rule: rule as u32, since, more };
            }
        }
        Held::EMPTY
    }

    /// How the rule at a place, which may hold, would fill its slot.
    fn candidate(
        &mut self,
        slot: usize,
        place: usize,
        visit: Visit<'_>,
        outlook: &mut Outlook,
    ) -> Option<More> {
        let Visit { rules, document, latches } = visit;
        if self.index.is_plain(place) {
            let holds = self.is_usual && self.live.holds_late(place, &self.index, rules, document);
            return holds.then_some(None);
        }
        let rule = rules.get(self.index.rule(place))?;
        let found = if !rule.is_level() {
            holds(&rule, document, latches, outlook)?
        } else if rule.is_granted(document) && self.live.holds_late(place, &self.index, rules, document) {
            (rule_key(&rule, document), Reason::Level)
        } else {
            return None;
        };
        let holding = self.held.get(slot).and_then(|held| holding(held, rules));
        within_cap(&rule, found, holding, document, outlook).map(more)
    }
}

fn holding<'a>(held: &'a Held, rules: &'a RuleTable) -> Option<Holding<'a>> {
    let rule = rules.get(held.rule as usize)?.id;
    let reason = held.more.as_deref().map_or(Reason::Level, |(_, reason)| *reason);
    Some(Holding { rule, key: held.key(), reason, since: held.since })
}

impl Pick {
    /// The decision in full, with every place of its texts filled in.
    pub fn decision(
        &self,
        slot: &str,
        rules: &RuleTable,
        document: &dyn Document,
        outlook: &mut Outlook,
    ) -> Option<Decision> {
        let rule = rules.get(self.rule)?;
        let (key, reason, since) = (self.key.as_deref(), self.reason, self.since);
        let holding = Holding { rule: rule.id, key, reason, since };
        Some(fill(slot, &rule, (self.key.clone(), reason), Some(holding), document, outlook))
    }
}
