//! Waiting for a promise with one callback.

use js_sys::Promise;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// What a promise ended with.
pub type Ending = Result<JsValue, JsValue>;

/// Calls back once when the promise ends.
pub fn when_settled(promise: &Promise, callback: impl FnOnce(Ending) + 'static) {
    settle(promise, Box::new(callback));
}

/// Both callbacks of the promise stay alive until one of them runs, then both go.
type Callbacks = Rc<RefCell<Option<[Closure<dyn FnMut(JsValue)>; 2]>>>;

fn settle(promise: &Promise, callback: Box<dyn FnOnce(Ending)>) {
    let kept: Callbacks = Rc::default();
    let callback = Rc::new(RefCell::new(Some(callback)));
    let one = |wrap: fn(JsValue) -> Ending| {
        let (kept, callback) = (Rc::clone(&kept), Rc::clone(&callback));
        Closure::<dyn FnMut(JsValue)>::new(move |value| {
            let callback = callback.borrow_mut().take();
            // Taken out of its cell first: a closure must not be dropped while the cell is borrowed.
            let finished = kept.borrow_mut().take();
            if let Some(callback) = callback {
                callback(wrap(value));
            }
            drop(finished);
        })
    };
    let (resolved, rejected) = (one(Ok), one(Err));
    let _ = promise.then2(&resolved, &rejected);
    kept.replace(Some([resolved, rejected]));
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
pub(crate) mod test {
    //! Waiting in tests.

    use super::*;
    use gloo::timers::callback::Timeout;
    use wasm_bindgen_futures::JsFuture;
    use wasm_bindgen_test::wasm_bindgen_test;

    /// Waits for some time.
    pub async fn pause(ms: u32) {
        let promise = Promise::new(&mut |resolve, _| {
            Timeout::new(ms, move || {
                let _ = resolve.call0(&JsValue::UNDEFINED);
            })
            .forget();
        });
        JsFuture::from(promise).await.unwrap();
    }

    /// Waits until something holds, for 5 s at most.
    pub async fn until(holds: impl Fn() -> bool) {
        for _ in 0..500 {
            if holds() {
                return;
            }
            pause(10).await;
        }
    }

    #[wasm_bindgen_test]
    async fn both_endings_are_heard_once() {
        let heard = Rc::new(RefCell::new(Vec::new()));
        for promise in [Promise::resolve(&JsValue::from(1)), Promise::reject(&JsValue::from(2))] {
            let heard = Rc::clone(&heard);
            when_settled(&promise, move |ending| {
                heard.borrow_mut().push(ending.map_err(|cause| cause.as_f64()).map(|value| value.as_f64()));
            });
        }
        pause(10).await;
        assert_eq!(*heard.borrow(), [Ok(Some(1.0)), Err(Some(2.0))]);
    }
}
