//! The winner of every slot: level rules that hold and event rules that are latched, by rank, within their caps.

use super::actions::take_actions;
use super::group::excluded;
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

/// Decides every slot anew; of the rules of an exclusion group the one of the highest rank takes its slot. `current` are the decisions in effect on this page load: their rules keep their slots
/// whatever their caps say, unless a rule of higher rank holds.
///
/// A rule that is capped under a new key goes on holding its slot under the old one.
pub fn decide(
    rules: &RuleTable,
    document: &dyn Document,
    latches: &[Latch],
    current: &[Decision],
) -> Decided {
    let mut decided = Decided::default();
    let mut outlook = Outlook::default();
    let held_in = |slot: &str| current.iter().find(|decision| *decision.slot == *slot);
    let excluded = excluded(rules, &mut |slot, rule| {
        Scene { document, latches, held: held_in(slot), outlook: &mut outlook }.candidate(rule).is_some()
    });
    for slot in 0..rules.slot_count() {
        let Some((slot, ranking)) = rules.slot(slot) else { continue };
        let held = held_in(slot);
        let mut scene = Scene { document, latches, held, outlook: &mut outlook };
        let (mut next, mut is_capped) = (None, false);
        for rule in ranking {
            if !excluded.contains(&rule.index)
                && let Some((key, reason)) = scene.candidate(&rule)
            {
                next = Some(scene.decision(slot, &rule, key, reason));
                is_capped = rule.head().cap.is_some();
                break;
            }
        }
        if next.as_ref() == held {
            continue;
        }
        let mut is_shown = false;
        if let Some(next) = &next {
            is_shown = is_capped && held.is_none_or(|held| held.rule != next.rule || held.key != next.key);
            if let Some(held) = held.filter(|held| held.rule != next.rule)
                && latches
                    .iter()
                    .any(|latch| latch.rule == held.rule && latch.until.is_none() && latch.session.is_none())
            {
                decided.ended.push(held.rule.clone());
            }
        }
        decided.changes.push(SlotChange { slot: Box::from(slot), decision: next, is_shown });
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

struct Scene<'a, 'o> {
    document: &'a dyn Document,
    latches: &'a [Latch],
    held: Option<&'a Decision>,
    outlook: &'o mut Outlook,
}

/// Under which key and why a rule holds.
type Holding = (Option<Box<str>>, Reason);

impl Scene<'_, '_> {
    /// How the rule holds its slot, if it holds and its cap lets it.
    fn candidate(&mut self, rule: &RuleRef<'_>) -> Option<Holding> {
        let (key, reason) = holds(rule, self.document, self.latches, self.outlook)?;
        let held = self.held.filter(|held| *held.rule == *rule.id);
        // An event rule's cap was asked when it latched.
        if rule.is_level()
            && let Some(cap) = &rule.head().cap
            && held.is_none_or(|held| held.key != key)
            && !cap_allows(cap, key.as_deref().unwrap_or_default(), self.document, self.outlook)
        {
            return held.map(|held| (held.key.clone(), held.reason));
        }
        Some((key, reason))
    }

    fn decision(
        &mut self,
        slot: &str,
        rule: &RuleRef<'_>,
        key: Option<Box<str>>,
        reason: Reason,
    ) -> Decision {
        let held = self.held.filter(|held| *held.rule == *rule.id && held.key == key);
        let mut lookup = |path: &str, out: &mut String| {
            if path == "key" {
                out.push_str(key.as_deref().unwrap_or_default());
            } else if let Some(path) = PathRef::parse(path)
                && let Some(value) = resolve(path, self.document, self.outlook)
            {
                out.push_str(plain_text(value, &mut [0; 40]).unwrap_or_default());
            }
        };
        let actions = take_actions(&mut { rule.actions }, Some(&mut lookup));
        let since = held.map_or(self.document.now(), |held| held.since);
        Decision { slot: Box::from(slot), rule: Box::from(rule.id), key, reason, since, actions }
    }
}

/// Under which key and why a slot rule holds, whatever its cap and its group say.
pub(super) fn holds(
    rule: &RuleRef<'_>,
    document: &dyn Document,
    latches: &[Latch],
    outlook: &mut Outlook,
) -> Option<Holding> {
    if !rule.is_granted(document) {
        return None;
    }
    if rule.is_level() {
        return evaluate(rule.when, document, outlook).then(|| (rule_key(rule, document), Reason::Level));
    }
    let latch = latches.iter().find(|latch| *latch.rule == *rule.id)?;
    let reason = Reason::Latched { at: latch.at, until: latch.until };
    let holds = in_effect(latch, document, outlook) && rule.is_on(document, outlook);
    holds.then(|| (latch.key.clone(), reason))
}
