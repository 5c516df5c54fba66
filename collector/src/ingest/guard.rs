//! The bundle's filter policy in front of the log: the same answers as in the page, for whatever has not asked there.

use attune_core::filter::{Asking, Policy, RateState, Reason, Sender, Verdict, is_bot};
use attune_core::time::{Monotonic, Now, Timestamp};
use attune_core::value::{Packed, parse};
use attune_core::wire::Event;

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
        let asking = Asking {
            event_type: &event.event_type,
            member: &event.member,
            metadata: metadata.get(),
            sender: if is_bot(self.user_agent) { Sender::Bot } else { Sender::Person },
            now: Now { wall: Timestamp::default(), monotonic: Monotonic::default() },
        };
        match self.policy.judge(&asking, &mut RateState::default()) {
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
}

fn text_of(metadata: &Packed) -> Box<str> {
    let mut text = String::new();
    metadata.get().to_tree().write(&mut text);
    text.into_boxed_str()
}
