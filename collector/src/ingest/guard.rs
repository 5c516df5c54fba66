//! The bundle's filter policy in front of the log: the same answers as in the page, for whatever has not asked there.

use crate::limits::MAX_AGENT_BYTES;
use attune_core::filter::{Asking, Policy, RateState, Reason, Sender, Verdict, is_bot};
use attune_core::id::MemberId;
use attune_core::time::{Monotonic, Now, Timestamp};
use attune_core::value::{Packed, ValueRef, parse};
use attune_core::wire::Event;
use std::borrow::Cow;

/// A policy, and who sends what it judges.
#[derive(Clone, Copy, Debug)]
pub struct Guard<'a> {
    /// The policy of the bundle in effect.
    pub policy: &'a Policy,
    /// What the request says of itself.
    pub user_agent: &'a str,
}

impl Guard<'_> {
    /// Leaves of an event what may be kept.
    ///
    /// Rates are the page's: they count one visitor's events, and here all come together.
    ///
    /// # Errors
    /// Why it may not be kept.
    pub fn judge(&self, event: &mut Event) -> Result<(), Reason> {
        // What is no JSON has been refused before.
        let metadata = event.metadata.as_deref().and_then(|text| parse(text).ok()).unwrap_or_default();
        match self.ask(&event.event_type, &event.member, metadata.get()) {
            Verdict::Drop(reason) => Err(reason),
            Verdict::Keep(kept) => {
                // A text that loses nothing stays as it was sent, to the last digit.
                if event.metadata.is_some() && kept.metadata != metadata {
                    event.metadata = Some(text_of(&kept.metadata));
                }
                Ok(())
            }
        }
    }

    /// Whether events of a type and member may be kept at all, whatever they say.
    pub fn lets_in(&self, event_type: &str, member: &MemberId) -> bool {
        match self.ask(event_type, member, Packed::default().get()) {
            Verdict::Keep(_) | Verdict::Drop(Reason::SchemaMismatch { .. }) => true,
            Verdict::Drop(_) => false,
        }
    }

    /// What may be kept of the metadata of an event that is refused; nothing where it cannot be read.
    pub fn strip<'t>(&self, event_type: &str, metadata: &'t str) -> Option<Cow<'t, str>> {
        let parsed = parse(metadata).ok()?;
        let kept = self.policy.strip_only(event_type, parsed.get());
        Some(if kept == parsed { Cow::Borrowed(metadata) } else { Cow::Owned(text_of(&kept).into()) })
    }

    fn ask(&self, event_type: &str, member: &MemberId, metadata: ValueRef<'_>) -> Verdict {
        // It is looked at for each event, and may be as long as a head.
        let user_agent = &self.user_agent[..self.user_agent.floor_char_boundary(MAX_AGENT_BYTES)];
        let sender = if is_bot(user_agent) { Sender::Bot } else { Sender::Person };
        let now = Now { wall: Timestamp::default(), monotonic: Monotonic::default() };
        let asking = Asking { event_type, member, metadata, sender, now };
        self.policy.judge(&asking, &mut RateState::default())
    }
}

fn text_of(metadata: &Packed) -> Box<str> {
    let mut text = String::new();
    metadata.get().to_tree().write(&mut text);
    text.into_boxed_str()
}
