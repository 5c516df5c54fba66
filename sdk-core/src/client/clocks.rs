//! The visitor's clocks, as the context says.

use super::Client;
use crate::condition::context_clocks;
use crate::profile::Zone;
use crate::rules::VisitorClocks;
use crate::time::{Clocks, Timestamp};
use crate::value::ValueRef;
use core::cell::Cell;

/// The clocks that a context says. They are read when something first asks: every page tells them, and few rules do.
pub(super) struct ContextClocks<'a> {
    context: ValueRef<'a>,
    known: &'a Cell<Option<Clocks>>,
}

impl Client {
    pub(super) fn clocks(&self) -> ContextClocks<'_> {
        ContextClocks { context: self.context.get(), known: &self.clocks }
    }
}

impl VisitorClocks for ContextClocks<'_> {
    fn clocks(&self) -> Clocks {
        let clocks = self.known.get().unwrap_or_else(|| context_clocks(self.context));
        self.known.set(Some(clocks));
        clocks
    }
}

impl Zone for ContextClocks<'_> {
    fn ahead_ms(&self, at: Timestamp) -> i64 {
        self.clocks().ahead_ms(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientOptions;
    use crate::id::{LaneId, MemberId, SessionId, Uuid};
    use crate::queue::QueueOptions;
    use crate::time::{Monotonic, Now};
    use crate::value::parse;
    use alloc::boxed::Box;

    #[test]
    fn clocks_are_those_of_the_context_as_it_is_now() {
        let now = Now { wall: Timestamp(0), monotonic: Monotonic(0) };
        let options = ClientOptions {
            member: MemberId(Box::from("m")),
            lane: LaneId(Uuid::nil()),
            session: SessionId(Uuid::nil()),
            queue: QueueOptions { max_batch_events: 1, max_batch_bytes: 1, max_queue_bytes: 1 },
        };
        let mut client = Client::new(options, now);
        assert_eq!(client.clocks().clocks(), Clocks::UTC);
        let rome = r#"{"time":{"utc_offset_minutes":120,"changes_at":"1970-01-01T01:00:00Z","next_utc_offset_minutes":60}}"#;
        for (context, early, late) in [(rome, 120, 60), (r#"{"time":{"utc_offset_minutes":-90}}"#, -90, -90)]
        {
            client.handle_context(parse(context).unwrap(), 1, now);
            for _ in 0..2 {
                let ahead = [0, 3_600_000].map(|at| client.clocks().ahead_ms(Timestamp(at)) / 60_000);
                assert_eq!(ahead, [early, late], "{context}");
            }
        }
    }
}
