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
        self.set_boxed(delay_ms, Box::new(callback));
    }

    fn set_boxed(&self, delay_ms: u64, callback: Box<dyn FnOnce()>) {
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

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use crate::browser::promise::test::pause;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    async fn calls_back_once_for_the_last_that_was_set() {
        let timer = Timer::default();
        let called = Rc::new(RefCell::new(Vec::new()));
        for name in ["first", "second"] {
            let called = Rc::clone(&called);
            timer.set(5, move || called.borrow_mut().push(name));
        }
        assert!(timer.is_set());
        pause(40).await;
        assert_eq!(*called.borrow(), ["second"]);
        assert!(!timer.is_set());
    }

    #[wasm_bindgen_test]
    async fn can_be_set_again_by_its_own_callback_and_cleared() {
        let timer = Rc::new(Timer::default());
        let count = Rc::new(Cell::new(0));
        let (again, counted) = (Rc::clone(&timer), Rc::clone(&count));
        timer.set(0, move || {
            let count = Rc::clone(&counted);
            again.set(0, move || count.set(count.get() + 1));
        });
        pause(40).await;
        let counted = Rc::clone(&count);
        timer.set(0, move || counted.set(9));
        timer.clear();
        pause(20).await;
        assert_eq!(count.get(), 1);
    }
}
