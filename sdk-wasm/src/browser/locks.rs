//! Web Locks: which other page loads of this site are alive.

use super::promise::when_settled;
use js_sys::{Function, Object, Promise, Reflect};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::window;

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks`, of which web-sys knows an unstable form only.
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        callback: &JsValue,
    ) -> Result<Promise, JsValue>;
}

/// A lock that is held, or asked for, until this is dropped.
#[derive(Debug)]
pub struct Lock {
    release: Rc<RefCell<Option<Function>>>,
}

/// Whether the browser has locks; it has none on pages without a secure origin.
pub fn has_locks() -> bool {
    manager().is_some()
}

/// Asks for a lock without waiting for it; calls back once with the lock, or with nothing where another page has it.
pub fn try_lock(name: &str, done: impl FnOnce(Option<Lock>) + 'static) {
    let Some(manager) = manager() else { return done(None) };
    let options = Object::new();
    let _ = Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE);
    let done = Rc::new(RefCell::new(Some(done)));
    let answer = {
        let done = Rc::clone(&done);
        move |lock: Option<Lock>| {
            if let Some(done) = done.borrow_mut().take() {
                done(lock);
            }
        }
    };
    let refused = answer.clone();
    let granted = Closure::once_into_js(move |lock: JsValue| -> JsValue {
        if lock.is_null() {
            answer(None);
            return JsValue::UNDEFINED;
        }
        let release = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&release);
        // The lock is held for as long as the promise that is returned here has not ended.
        let held = Promise::new(&mut |resolve, _| {
            slot.replace(Some(resolve));
        });
        answer(Some(Lock { release }));
        held.into()
    });
    match manager.request(name, &options, &granted) {
        Ok(request) => when_settled(&request, move |_| refused(None)),
        Err(_) => refused(None),
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

fn manager() -> Option<LockManager> {
    let locks = Reflect::get(&window()?.navigator(), &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use crate::browser::promise::test::{pause, until};
    use wasm_bindgen_test::wasm_bindgen_test;

    async fn try_now(name: &str) -> Option<Lock> {
        let answer = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&answer);
        try_lock(name, move |lock| *slot.borrow_mut() = Some(lock));
        until(|| answer.borrow().is_some()).await;
        answer.take().flatten()
    }

    #[wasm_bindgen_test]
    async fn a_lock_is_held_until_it_is_dropped() {
        let held = try_now("attune-test/lane").await;
        assert!(has_locks() && held.is_some());
        assert!(try_now("attune-test/lane").await.is_none());
        drop(held);
        // The browser hears of a release a little later than the page.
        let mut again = None;
        for _ in 0..50 {
            again = again.or(try_now("attune-test/lane").await);
            pause(10).await;
        }
        assert!(again.is_some());
    }
}
