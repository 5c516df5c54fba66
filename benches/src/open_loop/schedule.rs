//! When each request is due.

use crate::chance::Chance;
use std::time::Duration;

/// The same for every run, so that two builds of a server meet the same bursts.
const SEED: u64 = 0x0a77;

/// The instants at which `count` requests arrive at `rate` a second, from the beginning on: a Poisson process, or all at
/// once where there is no rate.
pub fn arrivals(count: usize, rate: Option<f64>) -> Vec<Duration> {
    let Some(rate) = rate else { return vec![Duration::ZERO; count] };
    let (mut chance, mut at) = (Chance::new(SEED), 0.0);
    let mut next = || {
        at -= chance.share().ln() / rate;
        Duration::from_secs_f64(at)
    };
    (0..count).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_come_at_their_rate_and_not_evenly() {
        let due = arrivals(20_000, Some(1_000.0));
        let last = due.last().unwrap().as_secs_f64();
        assert!((19.0..21.0).contains(&last), "{last}");
        let gaps: Vec<f64> = due.windows(2).map(|two| (two[1] - two[0]).as_secs_f64() * 1e3).collect();
        // Of exponential gaps, 1 - 1/e are shorter than their mean.
        let short = gaps.iter().filter(|gap| **gap < 1.0).count() as f64 / gaps.len() as f64;
        assert!((0.61..0.65).contains(&short), "{short}");
        assert_eq!(arrivals(2, None), [Duration::ZERO; 2]);
    }
}
