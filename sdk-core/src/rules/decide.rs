//! The winner of every slot: level rules that hold and event rules that are latched, by rank, within their caps.

use super::group::excluded;
use super::index::Marks;
use super::judge::in_effect;
use super::{Actions, RuleRef, RuleTable, cap_allows, rule_key};
use crate::condition::{Document, Outlook, PathRef, evaluate, plain_text, resolve};
use crate::profile::Latch;
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// What fills a slot, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The slot.
    pub slot: Box<str>,
    /// The rule that holds it.
    pub rule: Box<str>,
    /// The key it holds it under, where the rule has one.
    pub key: Option<Box<str>>,
    /// Why it holds.
    pub reason: Reason,
    /// Since when it holds the slot on this page load.
    pub since: Timestamp,
    /// Its changes to the page, variables included, with all places filled in.
    pub actions: Actions,
}

/// Why a rule holds a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its condition is true.
    Level,
    /// An event matched.
    Latched {
        /// Time of that event.
        at: Timestamp,
        /// When the latch ends, if by time.
        until: Option<Timestamp>,
    },
}

impl Reason {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Latched { .. } => "latched",
        }
    }
}

/// What has changed since the decisions in effect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decided {
    /// The slots whose decision differs, in order of slot.
    pub changes: Vec<SlotChange>,
    /// Rules latched until the next holder, which has come: their latches are over for good.
    pub ended: Vec<Box<str>>,
    /// The next instant at which time alone can change a decision.
    pub wake_at: Option<Timestamp>,
}

/// A slot with another decision than before.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotChange {
    /// The slot.
    pub slot: Box<str>,
    /// The new decision; absent when the slot is empty now.
    pub decision: Option<Decision>,
    /// Whether the showing is to be tracked as `attune.shown`, because a rule with a cap has newly taken the slot.
    pub is_shown: bool,
}

/// Who is decided for, and by which rules.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    /// The rules.
    pub rules: &'a RuleTable,
    /// The visitor.
    pub document: &'a dyn Document,
    /// Event rules in effect.
    pub latches: &'a [Latch],
}

/// Decides every slot anew; of the rules of an exclusion group the one of the highest rank takes its slot. `current` are
/// the decisions in effect on this page load: their rules keep their slots whatever their caps say, unless a rule of
/// higher rank holds.
///
/// A rule that is capped under a new key goes on holding its slot under the old one.
pub fn decide(
    rules: &RuleTable,
    document: &dyn Document,
    latches: &[Latch],
    current: &[Decision],
) -> Decided {
    let visit = Visit { rules, document, latches };
    let mut decided = Decided::default();
    let mut outlook = Outlook::default();
    let held_in = |slot: &str| current.iter().find(|decision| *decision.slot == *slot);
    let excluded = visit.excluded(&held_in);
    for slot in 0..rules.slot_count() {
        let Some((name, _)) = rules.slot(slot) else { continue };
        let held = held_in(name);
        let next = visit.decide_slot(slot, held, &excluded, &mut outlook);
        let is_shown = next.as_ref().is_some_and(|next| next.is_new_under_cap(held, rules));
        decided.take(name, held, next, is_shown, latches);
    }
    for gone in current {
        if !(0..rules.slot_count()).any(|slot| rules.slot(slot).is_some_and(|(slot, _)| *slot == *gone.slot))
        {
            decided.changes.push(SlotChange { slot: gone.slot.clone(), decision: None, is_shown: false });
        }
    }
    decided.wake_at = outlook.next;
    decided
}

impl<'a> Visit<'a> {
    /// The rules that have to leave their slots to others of their groups. What time alone changes about them, it
    /// changes about their slots, which say so when they are decided.
    #[inline(never)]
    pub fn excluded(self, held_in: &dyn Fn(&str) -> Option<&'a Decision>) -> Marks {
        excluded(self.rules, self.rules.ranked().enumerate(), &mut |_, slot, rule| {
            let holding = held_in(slot).map(Decision::holding);
            self.candidate(rule, holding, &mut Outlook::default()).is_some()
        })
    }

    /// What is to fill a slot, by asking its rules in order of rank until one holds; see [`decide`].
    pub fn decide_slot(
        self,
        slot: usize,
        held: Option<&Decision>,
        excluded: &Marks,
        outlook: &mut Outlook,
    ) -> Option<Decision> {
        let (name, mut ranking) = self.rules.slot(slot)?;
        let holding = held.map(Decision::holding);
        ranking.find_map(|rule| {
            if excluded.has(rule.index) {
                return None;
            }
            let found = self.candidate(&rule, holding, outlook)?;
            Some(fill(name, &rule, found, holding, self.document, outlook))
        })
    }

    /// How a rule would fill its slot.
    fn candidate(
        self,
        rule: &RuleRef<'_>,
        holding: Option<Holding<'_>>,
        outlook: &mut Outlook,
    ) -> Option<Found> {
        let found = holds(rule, self.document, self.latches, outlook)?;
        within_cap(rule, found, holding, self.document, outlook)
    }
}

/// Who holds a slot while it is decided anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding<'a> {
    pub rule: &'a str,
    pub key: Option<&'a str>,
    pub reason: Reason,
    pub since: Timestamp,
}

impl Decision {
    pub(super) fn holding(&self) -> Holding<'_> {
        Holding { rule: &self.rule, key: self.key.as_deref(), reason: self.reason, since: self.since }
    }

    /// Whether a rule with a cap takes its slot newly by it, under this key.
    pub fn is_new_under_cap(&self, held: Option<&Self>, rules: &RuleTable) -> bool {
        held.is_none_or(|held| held.rule != self.rule || held.key != self.key)
            && rules.by_id(&self.rule).is_some_and(|rule| rule.head().cap.is_some())
    }
}

impl Decided {
    /// Notes what a slot is given instead of what held it, if that is another thing.
    pub fn take(
        &mut self,
        slot: &str,
        held: Option<&Decision>,
        next: Option<Decision>,
        is_shown: bool,
        latches: &[Latch],
    ) {
        if next.as_ref() == held {
            return;
        }
        if let (Some(next), Some(held)) = (&next, held)
            && held.rule != next.rule
            && latches
                .iter()
                .any(|latch| latch.rule == held.rule && latch.until.is_none() && latch.session.is_none())
        {
            self.ended.push(held.rule.clone());
        }
        self.changes.push(SlotChange { slot: Box::from(slot), decision: next, is_shown });
    }
}

/// Under which key and why a rule holds.
pub(super) type Found = (Option<Box<str>>, Reason);

/// How a rule that holds may fill its slot, if its cap lets it; one that holds it already stays.
pub(super) fn within_cap(
    rule: &RuleRef<'_>,
    (key, reason): Found,
    held: Option<Holding<'_>>,
    document: &dyn Document,
    outlook: &mut Outlook,
) -> Option<Found> {
    let held = held.filter(|held| *held.rule == *rule.id);
    // An event rule's cap was asked when it latched.
    if rule.is_level()
        && let Some(cap) = &rule.head().cap
        && held.is_none_or(|held| held.key != key.as_deref())
        && !cap_allows(cap, key.as_deref().unwrap_or_default(), document, outlook)
    {
        return held.map(|held| (held.key.map(Box::from), held.reason));
    }
    Some((key, reason))
}

/// The decision for a slot, with every place of its texts filled in.
pub(super) fn fill(
    slot: &str,
    rule: &RuleRef<'_>,
    (key, reason): Found,
    held: Option<Holding<'_>>,
    document: &dyn Document,
    outlook: &mut Outlook,
) -> Decision {
    let held = held.filter(|held| *held.rule == *rule.id && held.key == key.as_deref());
    let actions = filled(rule, key.as_deref(), document, outlook);
    let since = held.map_or(document.now(), |held| held.since);
    Decision { slot: Box::from(slot), rule: Box::from(rule.id), key, reason, since, actions }
}

/// The actions of a slot rule with every place of their texts filled in, whether it holds or not.
pub fn filled(
    rule: &RuleRef<'_>,
    key: Option<&str>,
    document: &dyn Document,
    outlook: &mut Outlook,
) -> Actions {
    let mut lookup = |path: &str, out: &mut String| {
        if path == "key" {
            out.push_str(key.unwrap_or_default());
        } else if let Some(path) = PathRef::parse(path)
            && let Some(value) = resolve(path, document, outlook)
        {
            out.push_str(plain_text(value, &mut [0; 40]).unwrap_or_default());
        }
    };
    rule.take_actions(Some(&mut lookup))
}

/// Under which key and why a slot rule holds, whatever its cap and its group say.
pub(super) fn holds(
    rule: &RuleRef<'_>,
    document: &dyn Document,
    latches: &[Latch],
    outlook: &mut Outlook,
) -> Option<Found> {
    if !rule.is_granted(document) {
        return None;
    }
    if rule.is_level() {
        return evaluate(rule.when, document, outlook).then(|| (rule_key(rule, document), Reason::Level));
    }
    // A profile may have one for each key; the latest says what is shown.
    let mut latest: Option<&Latch> = None;
    for latch in latches.iter().filter(|latch| *latch.rule == *rule.id) {
        if in_effect(latch, document, outlook)
            && latest.is_none_or(|known| (known.at, known.event_id) <= (latch.at, latch.event_id))
        {
            latest = Some(latch);
        }
    }
    let latch = latest?;
    let reason = Reason::Latched { at: latch.at, until: latch.until };
    rule.is_on(document, outlook).then(|| (latch.key.clone(), reason))
}
