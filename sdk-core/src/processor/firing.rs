//! One run of a trigger, under an id that a replay repeats.

use super::caps::Period;
use super::state::ProfileState;
use crate::id::{EventId, MemberId, ProfileId, SessionId, Uuid, derived_uuid, write_uuid};
use crate::rules::{Actions, RuleRef};
use crate::time::Timestamp;
use crate::wire::Event;
use alloc::boxed::Box;
use alloc::string::String;

/// One run of a trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    /// Derived from rule, profile, key, cap period and cause; an outbox deduplicates on it.
    pub id: Uuid,
    /// The rule.
    pub rule: Box<str>,
    /// The profile.
    pub profile: ProfileId,
    /// The member whose event it was, or, where time alone made it fire, the one with the latest event.
    pub member: MemberId,
    /// The key it was judged under, where the rule has one.
    pub key: Option<Box<str>>,
    /// Profile time at which it fired.
    pub at: Timestamp,
    /// What made it fire.
    pub cause: Cause,
    /// Revision of the bundle that has the rule.
    pub revision: u64,
    /// Whether the visitor's browser asks not to sell or share what it sends, so that no third party may hear of it.
    pub opted_out: bool,
    /// What it does.
    pub actions: Actions,
}

/// What made a trigger fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// This event.
    Event(EventId),
    /// Time alone, due at this instant.
    Due(Timestamp),
}

/// When a trigger fires, and through what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    pub at: Timestamp,
    pub cause: Cause,
    pub member: &'a MemberId,
    /// The session in which its cap counts.
    pub session: Option<SessionId>,
    /// Revision of the bundle by which it is judged.
    pub revision: u64,
}

impl<'a> Moment<'a> {
    /// The moment at which an event is judged by a bundle.
    pub(super) const fn of_event(event: &'a Event, at: Timestamp, revision: u64) -> Self {
        let (cause, member) = (Cause::Event(event.event_id), &event.member);
        Self { at, cause, member, session: event.session, revision }
    }
}

impl ProfileState {
    /// Fires a trigger if its cap leaves room.
    pub(super) fn fire(
        &mut self,
        rule: &RuleRef<'_>,
        key: Option<Box<str>>,
        moment: Moment<'_>,
    ) -> Option<Firing> {
        let mut period_name = String::new();
        if let Some(cap) = rule.head().cap {
            // Where there is no session its cap cannot be known, which counts as reached.
            let period = Period::of(&cap, moment.session)?;
            if !self.caps.take((rule.id, period), &cap, key.as_deref().unwrap_or_default(), moment.at) {
                return None;
            }
            period_name = period.name();
        }
        self.firings += 1;
        Some(Firing {
            id: firing_id(
                [rule.id, &self.profile.0, key.as_deref().unwrap_or_default(), &period_name],
                moment.cause,
            ),
            rule: Box::from(rule.id),
            profile: self.profile.clone(),
            member: moment.member.clone(),
            key,
            at: moment.at,
            cause: moment.cause,
            revision: moment.revision,
            opted_out: self.traits().opts_out(),
            actions: rule.written_actions(),
        })
    }
}

/// The id of a firing from rule, profile, key, cap period and cause, each part with its length before it.
fn firing_id(parts: [&str; 4], cause: Cause) -> Uuid {
    let mut name = String::from("firing");
    for part in parts {
        name.push(' ');
        push_decimal(&mut name, part.len());
        name.push(':');
        name.push_str(part);
    }
    name.push(' ');
    match cause {
        Cause::Event(event_id) => write_uuid(event_id.0, &mut name),
        Cause::Due(at) => at.write(&mut name),
    }
    derived_uuid(&name)
}

fn push_decimal(out: &mut String, number: usize) {
    if number >= 10 {
        push_decimal(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_run_into_each_other() {
        let cause = Cause::Due(Timestamp(0));
        let id = |parts| firing_id(parts, cause);
        assert_eq!(id(["a", "b", "c", "d"]), id(["a", "b", "c", "d"]));
        assert_ne!(id(["a 1:b", "", "c", "d"]), id(["a", "b", "c", "d"]));
        assert_ne!(firing_id(["a", "b", "c", "d"], Cause::Due(Timestamp(1))), id(["a", "b", "c", "d"]));
    }
}
