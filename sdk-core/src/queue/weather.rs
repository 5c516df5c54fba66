//! What the silence of a collector means: it may be down, or something on this side keeps requests from it.

use crate::limits::BLOCKED_AFTER;

/// What has been heard of the collector since the page began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    /// It has answered before, whatever the answer was: what is silent now is down.
    Answered,
    /// It has not been heard yet, after so many requests.
    Silent(u32),
    /// Requests do not get through; one that does lifts it.
    Blocked,
}

impl Weather {
    /// Takes the collector's word for granted from now on.
    pub const fn answered(&mut self) {
        *self = Self::Answered;
    }

    /// Another request has got no answer while the browser was online. Returns whether requests are blocked.
    pub const fn silent(&mut self) -> bool {
        if let Self::Silent(count) = *self {
            let count = count.saturating_add(1);
            *self = if count < BLOCKED_AFTER { Self::Silent(count) } else { Self::Blocked };
        }
        self.is_blocked()
    }

    /// Another page of this browser has found requests blocked: one more that is silent is enough here.
    pub const fn warn(&mut self) {
        if let Self::Silent(_) = *self {
            *self = Self::Silent(BLOCKED_AFTER - 1);
        }
    }

    /// Whether requests are blocked.
    pub const fn is_blocked(&self) -> bool {
        matches!(self, Self::Blocked)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{PAGE, Rig, events};
    use super::super::{News, Outcome, Poll};
    use crate::limits::PROBE_MS;
    use crate::time::Monotonic;

    fn silence(rig: &mut Rig) {
        let request = rig.sent();
        rig.settle(request.id, Outcome::Network);
    }

    #[test]
    fn three_silent_requests_in_a_row_mean_blocked_and_then_one_small_probe_at_a_time() {
        let mut rig = Rig::new(PAGE);
        rig.random = 0;
        rig.push_all(1..=50);
        for blocked in [false, false, true] {
            silence(&mut rig);
            assert_eq!(rig.queue.status().blocked, blocked);
        }
        assert_eq!(rig.poll(), Poll::WaitUntil(Monotonic(PROBE_MS)));
        rig.pass(PROBE_MS);
        assert_eq!(events(&rig.deliver().0.body).len(), 10);
        assert!(!rig.queue.status().blocked);
    }

    #[test]
    fn a_page_that_is_warned_probes_once() {
        let mut rig = Rig::new(PAGE);
        rig.queue.handle_news(News::Blocked, rig.now, 0);
        rig.push_all(1..=1);
        silence(&mut rig);
        assert!(rig.queue.status().blocked);
        assert_eq!(rig.poll(), Poll::WaitUntil(Monotonic(PROBE_MS)));
    }

    #[test]
    fn a_collector_that_has_answered_is_down_and_not_blocked() {
        let mut rig = Rig::new(PAGE);
        rig.random = 0;
        rig.push_all(1..=2);
        rig.answer(503);
        (0..9).for_each(|_| silence(&mut rig));
        assert!(!rig.queue.status().blocked);
    }

    #[test]
    fn a_collector_that_answers_anything_is_down_when_it_is_silent() {
        let mut rig = Rig::new(PAGE);
        rig.random = 0;
        rig.push_all(1..=2);
        rig.queue.handle_news(News::Answer, rig.now, 0);
        (0..9).for_each(|_| silence(&mut rig));
        assert!(!rig.queue.status().blocked);
        let mut blocked = Rig::new(PAGE);
        blocked.random = 0;
        blocked.push_all(1..=2);
        (0..3).for_each(|_| silence(&mut blocked));
        blocked.queue.handle_news(News::Answer, blocked.now, 0);
        assert_eq!((blocked.queue.status().blocked, blocked.poll()), (false, Poll::Send));
    }

    #[test]
    fn what_is_not_sent_because_the_browser_is_offline_says_nothing_of_the_collector() {
        let mut rig = Rig::new(PAGE);
        rig.random = 0;
        rig.push_all(1..=1);
        for _ in 0..9 {
            let request = rig.sent();
            rig.settle(request.id, Outcome::Offline);
        }
        assert!(!rig.queue.status().blocked);
    }
}
