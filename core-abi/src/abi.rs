//! The exports of core.wasm: buffers by address, evaluators by handle.
//!
//! No memory is taken on trust: an address means the buffer that was made under it and is looked up, so a wrong one is
//! answered with 0 and never followed.

use crate::Evaluator;
use crate::answer::failure;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Largest buffer, in bytes: some thousand batches.
const MAX_BUFFER_BYTES: usize = 64 * 1024 * 1024;

#[derive(Default)]
struct Host {
    buffers: BTreeMap<usize, Box<[u8]>>,
    evaluators: BTreeMap<u32, Evaluator>,
    last_handle: u32,
    last_error: String,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::new(Host::default());
}

/// Makes a buffer of this many zero bytes; 0 where that is none or too many.
#[unsafe(no_mangle)]
pub extern "C" fn buffer_new(length: usize) -> usize {
    if length == 0 || length > MAX_BUFFER_BYTES {
        return 0;
    }
    HOST.with_borrow_mut(|host| host.keep(vec![0; length].into_boxed_slice()))
}

/// The length of a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn buffer_length(address: usize) -> usize {
    HOST.with_borrow(|host| host.buffers.get(&address).map_or(0, |buffer| buffer.len()))
}

/// Frees a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn buffer_free(address: usize) {
    HOST.with_borrow_mut(|host| host.buffers.remove(&address));
}

/// Makes an evaluator of the bundle in a buffer; 0 where it is none.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_new(bundle: usize) -> u32 {
    HOST.with_borrow_mut(|host| {
        let bytes = host.buffers.remove(&bundle).unwrap_or_default();
        match Evaluator::new(&bytes) {
            Ok(evaluator) => {
                host.last_handle += 1;
                host.evaluators.insert(host.last_handle, evaluator);
                host.last_handle
            }
            Err(error) => {
                host.last_error = failure(error.code(), &error.to_string());
                0
            }
        }
    })
}

/// Why the last bundle was refused.
#[unsafe(no_mangle)]
pub extern "C" fn last_error() -> usize {
    HOST.with_borrow_mut(|host| {
        let text = host.last_error.clone();
        host.answer(text)
    })
}

/// Takes the events in a buffer in.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_absorb(handle: u32, events: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let bytes = host.buffers.remove(&events).unwrap_or_default();
        host.ask(handle, |evaluator| match core::str::from_utf8(&bytes) {
            Ok(text) => evaluator.absorb(text),
            Err(_) => evaluator.absorb(""),
        })
    })
}

/// The decisions in effect for the member named in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_decisions(handle: u32, member: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let bytes = host.buffers.remove(&member).unwrap_or_default();
        let member = core::str::from_utf8(&bytes).unwrap_or_default();
        host.ask(handle, |evaluator| evaluator.decisions(member))
    })
}

/// Totals over everybody.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_summary(handle: u32) -> usize {
    HOST.with_borrow_mut(|host| host.ask(handle, |evaluator| evaluator.summary()))
}

/// Frees an evaluator.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_free(handle: u32) {
    HOST.with_borrow_mut(|host| host.evaluators.remove(&handle));
}

/// Whether conditions hold, a byte for each case in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn conditions_hold(cases: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let bytes = host.buffers.remove(&cases).unwrap_or_default();
        let answers = crate::conditions_hold(core::str::from_utf8(&bytes).unwrap_or_default());
        if answers.is_empty() { 0 } else { host.keep(answers.into_boxed_slice()) }
    })
}

impl Host {
    fn ask(&mut self, handle: u32, question: impl FnOnce(&mut Evaluator) -> String) -> usize {
        let text = match self.evaluators.get_mut(&handle) {
            Some(evaluator) => question(evaluator),
            None => failure("handle_unknown", "this evaluator does not exist or has been freed"),
        };
        self.answer(text)
    }

    fn answer(&mut self, text: String) -> usize {
        if text.is_empty() { 0 } else { self.keep(text.into_bytes().into_boxed_slice()) }
    }

    fn keep(&mut self, buffer: Box<[u8]>) -> usize {
        let address = buffer.as_ptr() as usize;
        self.buffers.insert(address, buffer);
        address
    }
}
