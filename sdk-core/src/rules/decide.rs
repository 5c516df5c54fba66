//! The winner of every slot: level rules that hold and event rules that are latched, by rank, within their caps.

use super::judge::in_effect;
use super::{Action, Mode, Rule, Slot, cap_allows, rule_key};
use crate::condition::{Document, Outlook, Path, evaluate, plain_text, resolve};
use crate::profile::Latch;
use crate::time::Timestamp;
use crate::value::Value;
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
    pub actions: Vec<Action>,
}

impl Decision {
    /// The variables it gives to app code.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.actions.iter().filter_map(|action| match action {
            Action::Variable { name, value } => Some((&**name, value)),
            _ => None,
        })
    }
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
    /// Metadata of the `attune.shown` to track, when a rule with a cap has newly taken the slot.
    pub shown: Option<Shown>,
}

/// Decides every slot anew. `current` are the decisions in effect on this page load: their rules keep their slots
/// whatever their caps say, unless a rule of higher rank holds.
///
/// A rule that is capped under a new key goes on holding its slot under the old one.
pub fn decide(
    rules: &[Rule],
    slots: &[Slot],
    document: &dyn Document,
    latches: &[Latch],
    current: &[Decision],
) -> Decided {
    let mut decided = Decided::default();
    let mut outlook = Outlook::default();
    for slot in slots {
        let held = current.iter().find(|decision| decision.slot == slot.name);
        let mut scene = Scene { document, latches, held, outlook: &mut outlook };
        let winner =
            slot.rules.iter().filter_map(|index| rules.get(*index)).find_map(|rule| scene.candidate(rule));
        let rule_changed = |held: &Decision| winner.as_ref().is_none_or(|winner| winner.rule.id != held.rule);
        if let Some(held) = held.filter(|held| winner.is_some() && rule_changed(held))
            && latches
                .iter()
                .any(|latch| latch.rule == held.rule && latch.until.is_none() && latch.session.is_none())
        {
            decided.ended.push(held.rule.clone());
        }
        let next = winner.map(|winner| scene.decision(slot, winner));
        let newly =
            |next: &Decision| held.is_none_or(|held| (&held.rule, &held.key) != (&next.rule, &next.key));
        let shown = next.as_ref().filter(|(decision, capped)| *capped && newly(decision));
        let shown = shown.map(|(decision, _)| Shown {
            rule: decision.rule.clone(),
            key: decision.key.clone().unwrap_or_default(),
        });
        let next = next.map(|(decision, _)| decision);
        if next.as_ref() != held {
            decided.changes.push(SlotChange { slot: slot.name.clone(), decision: next, shown });
        }
    }
    for gone in current.iter().filter(|held| slots.iter().all(|slot| slot.name != held.slot)) {
        decided.changes.push(SlotChange { slot: gone.slot.clone(), decision: None, shown: None });
    }
    decided.wake_at = outlook.next;
    decided
}

/// A capped rule shown to the visitor, to be tracked as [`crate::wire::SHOWN`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The rule.
    pub rule: Box<str>,
    /// The key it is shown under; empty where the rule has none, so that a keyed count sees the showing as well.
    pub key: Box<str>,
}

struct Scene<'a> {
    document: &'a dyn Document,
    latches: &'a [Latch],
    held: Option<&'a Decision>,
    outlook: &'a mut Outlook,
}

struct Winner<'a> {
    rule: &'a Rule,
    key: Option<Box<str>>,
    reason: Reason,
}

impl Scene<'_> {
    /// The rule as a winner, if it holds and its cap lets it.
    fn candidate<'r>(&mut self, rule: &'r Rule) -> Option<Winner<'r>> {
        let (key, reason) = holds(rule, self.document, self.latches, self.outlook)?;
        let held = self.held.filter(|held| held.rule == rule.id);
        let kept = held.is_some_and(|held| held.key == key);
        let allowed = |outlook: &mut Outlook| {
            // An event rule's cap was asked when it latched.
            let cap = rule.cap.as_ref().filter(|_| rule.mode == Mode::Level);
            cap.is_none_or(|cap| cap_allows(cap, key.as_deref().unwrap_or_default(), self.document, outlook))
        };
        if kept || allowed(self.outlook) {
            return Some(Winner { rule, key, reason });
        }
        held.map(|held| Winner { rule, key: held.key.clone(), reason: held.reason })
    }

    /// The winner's decision, and whether its showings are counted.
    fn decision(&mut self, slot: &Slot, winner: Winner<'_>) -> (Decision, bool) {
        let Winner { rule, key, reason } = winner;
        let held = self.held.filter(|held| held.rule == rule.id && held.key == key);
        let mut lookup = |path: &str| {
            if path == "key" {
                return key.as_deref().map(String::from);
            }
            let value = resolve(&Path::parse(path)?, self.document, self.outlook)?;
            plain_text(&value).map(|text| text.into_owned())
        };
        let actions = rule.actions.iter().filter_map(|action| action.filled(&mut lookup)).collect();
        let since = held.map_or(self.document.now(), |held| held.since);
        (
            Decision { slot: slot.name.clone(), rule: rule.id.clone(), key, reason, since, actions },
            rule.cap.is_some(),
        )
    }
}

/// Under which key and why a slot rule holds, whatever its cap says.
pub(super) fn holds(
    rule: &Rule,
    document: &dyn Document,
    latches: &[Latch],
    outlook: &mut Outlook,
) -> Option<(Option<Box<str>>, Reason)> {
    match rule.mode {
        Mode::Level => {
            evaluate(&rule.when, document, outlook).then(|| (rule_key(rule, document), Reason::Level))
        }
        Mode::Event { .. } => {
            let latch = latches.iter().find(|latch| latch.rule == rule.id)?;
            let reason = Reason::Latched { at: latch.at, until: latch.until };
            in_effect(latch, document, outlook).then(|| (latch.key.clone(), reason))
        }
    }
}
