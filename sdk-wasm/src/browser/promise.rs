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
