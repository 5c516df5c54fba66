//! Whether a request may leave: pauses after failures, and a single probe after many.

use crate::limits::BREAKER_FAILURES;
use crate::time::Monotonic;

/// The breaker and the pause it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaker {
    /// Batches may leave once the pause of the last failure is over.
    Closed {
        /// Failures in a row.
        failures: u32,
        /// The pause of the last one.
        pause: Option<Pause>,
    },
    /// Nothing leaves until the pause is over.
    Open {
        /// Failures in a row.
        failures: u32,
        /// The pause.
        pause: Pause,
    },
    /// One small batch may leave; its outcome closes or opens the breaker.
    HalfOpen {
        /// Failures in a row.
        failures: u32,
    },
}

/// A time of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    /// Its end.
    pub until: Monotonic,
    /// Who wants it.
    pub reason: PauseReason,
}

/// Who wants a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PauseReason {
    /// This side, after a failure; news of the network may end it.
    Backoff,
    /// The collector, by `Retry-After`; it is kept whatever the network does.
    Asked,
}

/// What may leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// A batch of any size.
    Batch,
    /// One small batch.
    Probe,
    /// Nothing before this instant.
    Wait(Monotonic),
}

impl Breaker {
    /// A breaker that has seen no failure.
    pub const fn new() -> Self {
        Self::Closed { failures: 0, pause: None }
    }

    /// What may leave now; an open breaker whose pause is over becomes half open.
    pub fn pass(&mut self, now: Monotonic) -> Pass {
        match *self {
            Self::Closed { pause: Some(pause), .. } | Self::Open { pause, .. } if now < pause.until => {
                Pass::Wait(pause.until)
            }
            Self::Closed { .. } => Pass::Batch,
            Self::Open { failures, .. } | Self::HalfOpen { failures } => {
                *self = Self::HalfOpen { failures };
                Pass::Probe
            }
        }
    }

    /// The collector has answered for a batch.
    pub const fn close(&mut self) {
        *self = Self::new();
    }

    /// A request has failed and another may follow after the pause.
    pub const fn fail(&mut self, pause: Pause) {
        let failures = self.failures().saturating_add(1);
        *self = match self {
            Self::Closed { .. } if failures < BREAKER_FAILURES => {
                Self::Closed { failures, pause: Some(pause) }
            }
            _ => Self::Open { failures, pause },
        };
    }

    /// A request has been refused: nothing but a probe may follow.
    pub const fn open(&mut self, pause: Pause) {
        *self = Self::Open { failures: self.failures().saturating_add(1), pause };
    }

    /// Ends a pause that this side has taken.
    pub const fn nudge(&mut self) {
        match *self {
            Self::Closed { failures, pause: Some(Pause { reason: PauseReason::Backoff, .. }) } => {
                *self = Self::Closed { failures, pause: None };
            }
            Self::Open { failures, pause: Pause { reason: PauseReason::Backoff, .. } } => {
                *self = Self::HalfOpen { failures };
            }
            _ => {}
        }
    }

    /// Failures in a row.
    pub const fn failures(&self) -> u32 {
        match self {
            Self::Closed { failures, .. } | Self::Open { failures, .. } | Self::HalfOpen { failures } => {
                *failures
            }
        }
    }

    /// Whether only a probe may leave, now or later.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn pause(until: u64, reason: PauseReason) -> Pause {
        Pause { until: Monotonic(until), reason }
    }

    #[test]
    fn opens_after_many_failures_and_probes_once_its_pause_is_over() {
        let mut breaker = Breaker::new();
        for failure in 1..BREAKER_FAILURES {
            breaker.fail(pause(10, PauseReason::Backoff));
            assert_eq!((breaker.failures(), breaker.is_open()), (failure, false));
            assert_eq!(breaker.pass(Monotonic(9)), Pass::Wait(Monotonic(10)));
            assert_eq!(breaker.pass(Monotonic(10)), Pass::Batch);
        }
        breaker.fail(pause(50, PauseReason::Backoff));
        assert!(breaker.is_open());
        assert_eq!(breaker.pass(Monotonic(49)), Pass::Wait(Monotonic(50)));
        assert_eq!(breaker.pass(Monotonic(50)), Pass::Probe);
        breaker.fail(pause(90, PauseReason::Backoff));
        assert_eq!(breaker.pass(Monotonic(51)), Pass::Wait(Monotonic(90)));
        breaker.close();
        assert_eq!(breaker, Breaker::new());
    }

    #[test]
    fn news_of_the_network_ends_only_a_pause_of_ones_own() {
        let mut breaker = Breaker::new();
        breaker.fail(pause(10, PauseReason::Backoff));
        breaker.nudge();
        assert_eq!(breaker.pass(Monotonic(0)), Pass::Batch);
        breaker.fail(pause(10, PauseReason::Asked));
        breaker.nudge();
        assert_eq!(breaker.pass(Monotonic(0)), Pass::Wait(Monotonic(10)));
        breaker.open(pause(20, PauseReason::Backoff));
        breaker.nudge();
        assert_eq!(breaker.pass(Monotonic(0)), Pass::Probe);
    }
}
