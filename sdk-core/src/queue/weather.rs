//! What the silence of a collector means: it may be down, or something on this side keeps requests from it.

use super::{Poll, Reachability};
use crate::limits::{BLOCKED_AFTER, PROBE_MS};
use crate::time::Monotonic;

/// What has been heard of the collector since the page began, and the question that is left where nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weather {
    heard: Heard,
    /// When a page that may not send asks; nothing where it has asked.
    probe_at: Option<Monotonic>,
    /// Before this instant no look at the page makes it ask again.
    rests_until: Monotonic,
}

/// What has been heard of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// It has answered before, whatever the answer was: what is silent now is down.
    Answer,
    /// Nothing yet, after so many requests.
    Silence(u32),
    /// Nothing yet, and an earlier page has found requests blocked: one question is asked before anything else leaves.
    Warning,
    /// Nothing, for so long that requests are blocked; an answer lifts it.
    Blocked,
}

impl Weather {
    /// Nothing has been asked.
    pub const fn new() -> Self {
        Self { heard: Heard::Silence(0), probe_at: None, rests_until: Monotonic(0) }
    }

    /// Takes the collector's word for granted from now on.
    pub const fn answered(&mut self) {
        self.heard = Heard::Answer;
    }

    /// Another request has got no answer while the browser was online. Returns whether requests are blocked.
    pub fn silent(&mut self, now: Monotonic) -> bool {
        match self.heard {
            Heard::Silence(count) if count + 1 < BLOCKED_AFTER => {
                self.heard = Heard::Silence(count + 1);
                self.probe_at = None;
            }
            // Whoever has wanted an answer since the silence before gets the question at once: this request may be older.
            Heard::Silence(_) => self.block(Some(self.probe_at.unwrap_or_else(|| now.plus(PROBE_MS)))),
            Heard::Warning => self.block(None),
            Heard::Answer | Heard::Blocked => {}
        }
        self.heard == Heard::Blocked
    }

    /// Another page of this browser has found requests blocked: one silent request is enough here, also where it lies
    /// behind.
    pub const fn warn(&mut self) {
        match self.heard {
            Heard::Silence(0) => {
                self.heard = Heard::Warning;
                self.probe_at = Some(Monotonic(0));
            }
            Heard::Silence(_) => self.block(None),
            _ => {}
        }
    }

    /// Has a page that may not send ask once, at once.
    pub const fn nudge(&mut self) {
        self.probe_at = Some(Monotonic(0));
    }

    /// The same for a page that is seen again: people look more often than is worth a request.
    pub fn see(&mut self, now: Monotonic) {
        if self.reachability() != Reachability::Open && now >= self.rests_until {
            self.rests_until = now.plus(PROBE_MS);
            self.nudge();
        }
    }

    /// What a page may do that may not send; nothing where it may.
    pub fn poll(&mut self, now: Monotonic) -> Option<Poll> {
        match self.probe_at {
            _ if self.reachability() == Reachability::Open => None,
            Some(at) if now < at => Some(Poll::WaitUntil(at)),
            Some(_) => {
                self.probe_at = None;
                Some(Poll::Probe)
            }
            None => Some(Poll::Idle),
        }
    }

    /// Whether requests get through, as far as that is known.
    pub const fn reachability(&self) -> Reachability {
        match self.heard {
            Heard::Answer | Heard::Silence(_) => Reachability::Open,
            Heard::Warning => Reachability::Doubtful,
            Heard::Blocked => Reachability::Blocked,
        }
    }

    const fn block(&mut self, probe_at: Option<Monotonic>) {
        self.heard = Heard::Blocked;
        self.probe_at = probe_at;
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::{PAGE, Rig, events};
    use super::*;
    use crate::queue::{News, Outcome};
    use std::vec::Vec;

    const MINUTE_MS: u64 = 60_000;

    fn silence(rig: &mut Rig) {
        let request = rig.sent();
        rig.settle(request.id, Outcome::Network);
    }

    fn hear(rig: &mut Rig, news: News) {
        rig.queue.handle_news(news, rig.now, 0);
    }

    fn state(rig: &Rig) -> Reachability {
        rig.queue.reachability()
    }

    /// A page with 50 events whose requests are blocked as of now.
    fn blocked() -> Rig {
        blocked_after(|_| {})
    }

    fn blocked_after(act: impl FnOnce(&mut Rig)) -> Rig {
        let mut rig = Rig::new(PAGE);
        act(&mut rig);
        rig.random = 0;
        rig.push_all(1..=50);
        (0..3).for_each(|_| silence(&mut rig));
        assert_eq!(state(&rig), Reachability::Blocked);
        rig
    }

    /// Lets minutes pass, polls in each of them until there is nothing to do, and answers probes with silence; gives the
    /// minutes of the probes.
    fn probes(rig: &mut Rig, minutes: u64) -> Vec<u64> {
        let mut probes = Vec::new();
        for minute in 0..=minutes {
            loop {
                match rig.poll() {
                    Poll::Probe => probes.push(minute),
                    Poll::Send => panic!("a batch leaves in minute {minute}"),
                    Poll::WaitUntil(_) | Poll::Idle => break,
                }
                assert!(probes.len() < 100, "probes never end");
                hear(rig, News::NoAnswer);
            }
            rig.pass(MINUTE_MS);
        }
        probes
    }

    #[test]
    fn what_is_wanted_while_the_third_request_is_out_is_asked_at_once() {
        let mut rig = Rig::new(PAGE);
        rig.random = 0;
        rig.push_all(1..=50);
        (0..2).for_each(|_| silence(&mut rig));
        let request = rig.sent();
        rig.queue.nudge();
        rig.settle(request.id, Outcome::Network);
        assert_eq!(state(&rig), Reachability::Blocked);
        assert_eq!(probes(&mut rig, 60), [0]);
    }

    #[test]
    fn three_silent_requests_in_a_row_mean_blocked() {
        let mut rig = Rig::new(PAGE);
        rig.random = 0;
        rig.push_all(1..=1);
        for expected in [Reachability::Open, Reachability::Open, Reachability::Blocked] {
            silence(&mut rig);
            assert_eq!(state(&rig), expected);
        }
        assert_eq!(rig.poll(), Poll::WaitUntil(Monotonic(PROBE_MS)));
    }

    #[test]
    fn the_silence_of_any_question_counts_and_delays_no_batch() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=1);
        hear(&mut rig, News::NoAnswer);
        hear(&mut rig, News::NoAnswer);
        let request = rig.sent();
        hear(&mut rig, News::NoAnswer);
        assert_eq!(state(&rig), Reachability::Blocked);
        rig.settle(request.id, Outcome::Network);
        assert_eq!(probes(&mut rig, 60), [5]);
    }

    #[test]
    fn an_hour_of_blocked_has_exactly_one_probe() {
        assert_eq!(probes(&mut blocked(), 60), [5]);
        let mut rig = Rig::new(PAGE);
        (0..3).for_each(|_| hear(&mut rig, News::NoAnswer));
        assert_eq!(probes(&mut rig, 60), [5], "a page with nothing to send probes as well");
    }

    #[test]
    fn a_blocked_page_asks_once_when_the_browser_is_online_or_somebody_wants_it_to() {
        let mut rig = blocked();
        assert_eq!(probes(&mut rig, 10), [5]);
        for _ in 0..3 {
            rig.queue.nudge();
            rig.queue.nudge();
            assert_eq!(probes(&mut rig, 60), [0]);
        }
    }

    #[test]
    fn asking_earlier_takes_the_place_of_the_probe() {
        let mut rig = blocked();
        rig.queue.nudge();
        assert_eq!(probes(&mut rig, 60), [0]);
    }

    #[test]
    fn a_blocked_page_that_is_seen_again_asks_every_five_minutes_at_most() {
        let mut rig = blocked();
        assert_eq!(probes(&mut rig, 10), [5]);
        let mut asked = Vec::new();
        for minute in 0..12 {
            rig.queue.see(rig.now);
            asked.extend(probes(&mut rig, 0).iter().map(|_| minute));
        }
        assert_eq!(asked, [0, 5, 10]);
        rig.queue.nudge();
        assert_eq!(probes(&mut rig, 60), [0], "whoever asks does not wait for that");
    }

    #[test]
    fn a_page_that_is_seen_asks_nothing_where_requests_get_through() {
        let mut rig = Rig::new(PAGE);
        rig.push_all(1..=1);
        rig.answer(503);
        let poll = rig.poll();
        rig.queue.see(rig.now);
        assert_eq!(rig.poll(), poll);
        let mut rig = blocked_after(|rig| rig.queue.see(rig.now));
        rig.queue.see(rig.now);
        assert_eq!(probes(&mut rig, 60), [0]);
    }

    #[test]
    fn an_answer_of_any_kind_ends_it() {
        let status = News::Status { status: 400, retry_after_ms: None };
        for news in [News::Answer, News::Receipt, status] {
            let mut rig = blocked();
            rig.pass(PROBE_MS);
            assert_eq!(rig.poll(), Poll::Probe);
            hear(&mut rig, news);
            assert_eq!(state(&rig), Reachability::Open);
            assert_eq!(events(&rig.deliver().0.body).len(), 50);
            rig.push_all(51..=51);
            (0..9).for_each(|_| silence(&mut rig));
            assert_eq!(state(&rig), Reachability::Open, "what has answered is down when it is silent");
        }
    }

    #[test]
    fn a_page_that_is_warned_asks_once_before_anything_leaves() {
        let mut rig = Rig::new(PAGE);
        hear(&mut rig, News::Blocked);
        rig.push_all(1..=1);
        assert_eq!(state(&rig), Reachability::Doubtful);
        assert_eq!((rig.poll(), rig.poll()), (Poll::Probe, Poll::Idle));
        hear(&mut rig, News::NoAnswer);
        assert_eq!(state(&rig), Reachability::Blocked);
        assert_eq!(probes(&mut rig, 60), [0; 0]);
    }

    #[test]
    fn a_page_that_is_warned_and_has_asked_in_vain_asks_no_more() {
        for first in [News::Blocked, News::NoAnswer] {
            let mut rig = Rig::new(PAGE);
            hear(&mut rig, first);
            hear(&mut rig, if first == News::Blocked { News::NoAnswer } else { News::Blocked });
            assert_eq!(state(&rig), Reachability::Blocked);
            assert_eq!(probes(&mut rig, 60), [0; 0]);
        }
    }

    #[test]
    fn a_page_that_is_warned_in_vain_sends() {
        let mut rig = Rig::new(PAGE);
        hear(&mut rig, News::Blocked);
        rig.push_all(1..=1);
        hear(&mut rig, News::Answer);
        assert_eq!((state(&rig), rig.poll()), (Reachability::Open, Poll::Send));
    }

    #[test]
    fn a_collector_that_has_answered_is_down_and_not_blocked() {
        let mut rig = Rig::new(PAGE);
        rig.random = 0;
        rig.push_all(1..=2);
        rig.answer(503);
        (0..9).for_each(|_| silence(&mut rig));
        hear(&mut rig, News::NoAnswer);
        assert_eq!(state(&rig), Reachability::Open);
    }

    #[test]
    fn a_collector_that_answers_anything_is_down_when_it_is_silent() {
        let mut rig = Rig::new(PAGE);
        rig.random = 0;
        rig.push_all(1..=2);
        hear(&mut rig, News::Answer);
        (0..9).for_each(|_| silence(&mut rig));
        assert_eq!(state(&rig), Reachability::Open);
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
        assert_eq!(state(&rig), Reachability::Open);
    }
}
