//! What a run of the generator has shown.

use super::{Tally, Took};
use std::time::Duration;

/// Latency from which a request has met a stall.
const STALL: Duration = Duration::from_millis(50);
/// Share of a processor from which the generator is taken to have been the limit.
const LIMIT_SHARE: f64 = 0.9;

/// What became of the requests of one run.
#[derive(Debug)]
pub struct Figures {
    /// Latency of every request from when it was due, ascending.
    latencies: Vec<Duration>,
    /// How late the generator itself was, ascending.
    late: Vec<Duration>,
    /// Runs of requests, in the order of their arrival, that all waited longer than 50 ms.
    pub stalls: usize,
    /// Requests that were due and not answered when the last was due.
    pub backlog: usize,
    /// From the beginning to when the last request was due.
    pub offered_for: Duration,
    /// From the beginning to the last answer.
    pub answered_after: Duration,
    /// Processor time of the generator.
    pub cpu: Duration,
    /// What the answers say.
    pub tally: Tally,
}

impl Figures {
    pub(super) fn new(took: Took, due: &[Duration], cpu: Duration, tally: Tally) -> Self {
        let Took { answered, mut late } = took;
        let offered_for = due.last().copied().unwrap_or_default();
        let mut latencies: Vec<_> =
            answered.iter().zip(due).map(|(at, due)| at.saturating_sub(*due)).collect();
        let stalls = latencies.chunk_by(|one, next| (*one > STALL) == (*next > STALL));
        let stalls = stalls.filter(|run| run[0] > STALL).count();
        latencies.sort_unstable();
        late.sort_unstable();
        Self {
            stalls,
            backlog: answered.iter().filter(|at| **at > offered_for).count(),
            offered_for,
            answered_after: answered.iter().max().copied().unwrap_or_default(),
            latencies,
            late,
            cpu,
            tally,
        }
    }

    /// How many requests there were.
    pub const fn requests(&self) -> usize {
        self.latencies.len()
    }

    /// Latency that this share of the requests does not exceed, in milliseconds.
    pub fn latency_ms(&self, share: f64) -> f64 {
        at(&self.latencies, share)
    }

    /// How late the generator itself was with this share of the requests at most, in milliseconds.
    pub fn late_ms(&self, share: f64) -> f64 {
        at(&self.late, share)
    }

    /// Share of a processor that the generator took while answers were missing.
    pub fn generator_share(&self) -> f64 {
        self.cpu.as_secs_f64() / self.answered_after.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Whether the generator could hardly have offered more.
    pub fn generator_was_the_limit(&self) -> bool {
        self.generator_share() >= LIMIT_SHARE
    }
}

/// By the nearest rank, in milliseconds with three decimals.
fn at(ascending: &[Duration], share: f64) -> f64 {
    let rank = (ascending.len() as f64 * share).ceil() as usize;
    let found = ascending.get(rank.saturating_sub(1)).copied().unwrap_or_default();
    (found.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_when_a_request_was_due() {
        let ms = |all: &[u64]| all.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>();
        let took = Took { answered: ms(&[1, 70, 90, 31, 120]), late: ms(&[0]) };
        let figures = Figures::new(took, &ms(&[0, 10, 20, 30, 60]), Duration::ZERO, Tally::default());
        assert_eq!([0.2, 0.5, 1.0].map(|share| figures.latency_ms(share)), [1.0, 60.0, 70.0]);
        assert_eq!((figures.stalls, figures.backlog), (2, 3));
        assert_eq!(figures.answered_after, Duration::from_millis(120));
    }
}
