//! One pending timeout that can be set again.

use gloo::timers::callback::Timeout;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Longest delay that browsers keep; a longer one would fire at once.
const MAX_DELAY_MS: u64 = 0x7fff_ffff;

/// At most one pending callback. Dropping the timer cancels it.
#[derive(Default)]
pub struct Timer {
    pending: RefCell<Option<Timeout>>,
    is_set: Rc<Cell<bool>>,
}

impl Timer {
    /// Calls back after a delay, in place of what was pending.
    pub fn set(&self, delay_ms: u64, callback: impl FnOnce() + 'static) {
        let is_set = Rc::clone(&self.is_set);
        is_set.set(true);
        let delay = delay_ms.min(MAX_DELAY_MS) as u32;
        let timeout = Timeout::new(delay, move || {
            is_set.set(false);
            callback();
        });
        self.pending.replace(Some(timeout));
    }

    /// Cancels what is pending.
    pub fn clear(&self) {
        self.is_set.set(false);
        self.pending.replace(None);
    }

    /// Whether a callback is pending.
    pub fn is_set(&self) -> bool {
        self.is_set.get()
    }
}
