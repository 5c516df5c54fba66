//! Whole-system truth: browsers and a collector made of the product's own core, joined by a network that loses and
//! repeats, on a virtual clock.

mod browser;
mod collector;
mod rules;

pub use browser::{Browser, Network, Page, Wish};
pub use collector::Collector;
pub use rules::{bundle, bundle_of};

pub use attune_core::queue::Outcome;
use attune_core::time::{Monotonic, Now, Timestamp};

/// The clock of a simulation, in steps of one millisecond.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    now_ms: i64,
}

impl Clock {
    /// A clock at a fixed instant, so that every run sees the same times.
    pub const fn new() -> Self {
        Self { now_ms: 1_790_000_000_000 }
    }

    /// Moves the clock.
    pub const fn advance(&mut self, ms: i64) {
        self.now_ms += ms;
    }

    /// What both clocks of a host say.
    pub const fn now(&self) -> Now {
        Now { wall: Timestamp(self.now_ms), monotonic: Monotonic(self.now_ms as u64) }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
