//! Event rules at an event: which match, under which key, and the latch that a match sets.

use super::{Hold, RuleRef, RuleTable, cap_allows};
use crate::condition::{Document, Outlook, evaluate, resolve};
use crate::profile::{Latch, key_text};
use crate::wire::Event;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// An event rule that an event has matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The rule's index.
    pub rule: usize,
    /// The key it was judged under, where the rule has one and the event gives it.
    pub key: Option<Box<str>>,
}

/// The active event rules, of slots and triggers alike, that this event matches, in order of index.
///
/// `document` holds the event and the signals with this event already counted. A slot rule that its cap keeps away
/// does not match, as little as one for a purpose that the visitor has not agreed to: the cap is asked once, here, so that what has latched stays over reloads. A trigger's cap applies
/// when it would fire.
pub fn judge(rules: &RuleTable, document: &dyn Document, event: &Event) -> Vec<Match> {
    let mut matches: Vec<Match> = Vec::new();
    rules.each_for_type(&event.event_type, &mut |rule| {
        if !rule.is_granted(document) || !evaluate(rule.when, document, &mut Outlook::default()) {
            return;
        }
        matches.extend(admit(rule, document));
    });
    matches
}

/// The match of an event rule whose condition holds, unless it is a slot rule that its cap keeps away.
#[inline]
pub fn admit(rule: &RuleRef<'_>, document: &dyn Document) -> Option<Match> {
    let key = rule_key(rule, document);
    let cap = if rule.has_slot() { rule.head().cap } else { None };
    if let Some(cap) = &cap
        && !cap_allows(cap, key.as_deref().unwrap_or_default(), document, &mut Outlook::default())
    {
        return None;
    }
    Some(Match { rule: rule.index, key })
}

/// The key under which a rule is judged, from the document.
pub fn rule_key(rule: &RuleRef<'_>, document: &dyn Document) -> Option<Box<str>> {
    let value = resolve(rule.head().key?, document, &mut Outlook::default())?;
    key_text(value, &mut [0; 40]).map(Box::from)
}

/// The latch that a match of a slot rule sets; nothing for triggers and level rules.
#[inline(never)]
pub fn latch(rule: &RuleRef<'_>, key: Option<Box<str>>, event: &Event) -> Option<Latch> {
    if !rule.has_slot() || rule.is_level() {
        return None;
    }
    let hold = rule.head().hold;
    Some(Latch {
        rule: Box::from(rule.id),
        key,
        at: event.timestamp,
        event_id: event.event_id,
        session: event.session.filter(|_| hold == Hold::Session),
        until: match hold {
            Hold::Duration(ms) => Some(event.timestamp.plus(ms)),
            // Without a session there is nothing to end with, so the latch ends at once.
            Hold::Session if event.session.is_none() => Some(event.timestamp),
            Hold::Session | Hold::UntilNextHolder => None,
        },
    })
}

/// Whether a latch holds for this document: its session is the current one and its time has not run out.
///
/// `outlook` receives the instant at which it ends.
#[inline(never)]
pub fn in_effect(latch: &Latch, document: &dyn Document, outlook: &mut Outlook) -> bool {
    let in_session = latch.session.is_none() || latch.session == document.session();
    let in_time = latch.until.is_none_or(|until| until > document.now());
    if let (true, true, Some(until)) = (in_session, in_time, latch.until) {
        outlook.note(until);
    }
    in_session && in_time
}
