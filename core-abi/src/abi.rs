//! The exports of core.wasm: buffers by address, evaluators, processors and states by handle.
//!
//! No memory is taken on trust: an address means the buffer that was made under it and is looked up, so a wrong one is
//! answered with 0 and never followed.

mod conditions;
mod division;
mod processor;

use crate::answer::failure;
use crate::{Evaluator, GrowthBook, State, Steps};
use attune_core::growthbook::GrowthBookError;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Largest buffer, in bytes: as much as thirty of the largest batches, and room to read it in what memory there is.
const MAX_BUFFER_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of all buffers that a host has made and not used up: a host that loses them is refused more before the module
/// runs out of memory.
const MAX_BUFFERS_BYTES: usize = 256 * 1024 * 1024;

#[derive(Default)]
struct Host {
    buffers: BTreeMap<usize, Box<[u8]>>,
    buffered_bytes: usize,
    evaluators: BTreeMap<u32, Evaluator>,
    growthbooks: BTreeMap<u32, GrowthBook>,
    processors: BTreeMap<u32, Steps>,
    states: BTreeMap<u32, State>,
    last_handle: u32,
    last_error: String,
    scratch: Vec<u8>,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::new(Host::default());
}

/// Makes a buffer of this many zero bytes; 0 where that is none or too many.
#[unsafe(no_mangle)]
pub extern "C" fn buffer_new(length: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let mut buffer = Vec::new();
        let is_too_long = length > MAX_BUFFER_BYTES || host.buffered_bytes + length > MAX_BUFFERS_BYTES;
        if length == 0 || is_too_long || buffer.try_reserve_exact(length).is_err() {
            return 0;
        }
        buffer.resize(length, 0);
        host.keep(buffer.into_boxed_slice())
    })
}

/// The length of a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn buffer_length(address: usize) -> usize {
    HOST.with_borrow(|host| host.buffers.get(&address).map_or(0, |buffer| buffer.len()))
}

/// Frees a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn buffer_free(address: usize) {
    HOST.with_borrow_mut(|host| host.take(address));
}

/// Makes an evaluator of the bundle in a buffer; 0 where it is none.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_new(bundle: usize) -> u32 {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(bundle);
        let evaluator = Evaluator::new(bytes).map_err(|error| failure(error.code(), &error.to_string()));
        host.opened(evaluator, |host, handle, evaluator| {
            host.evaluators.insert(handle, evaluator);
        })
    })
}

/// Puts the bundle in a buffer into effect at an instant, in milliseconds since 1970.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_publish(handle: u32, bundle: usize, at: f64) -> usize {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(bundle);
        host.ask(handle, |evaluator| evaluator.publish(&bytes, at).unwrap_or_else(|error| error))
    })
}

/// The bundle that the delta in a buffer makes of the one in another, whose SHA-256 a third one may tell; 0 where it is
/// refused.
#[unsafe(no_mangle)]
pub extern "C" fn bundle_apply(bundle: usize, delta: usize, sha256: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let (bundle, delta, sha256) = (host.take(bundle), host.take(delta), host.take(sha256));
        match crate::bundle_apply(&bundle, &delta, &sha256) {
            Ok(bundle) => host.keep(bundle.into_boxed_slice()),
            Err(error) => {
                host.last_error = error;
                0
            }
        }
    })
}

/// Why a call was last refused.
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
        let bytes = host.take(events);
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
        let bytes = host.take(member);
        let member = core::str::from_utf8(&bytes).unwrap_or_default();
        host.ask(handle, |evaluator| evaluator.decisions(member))
    })
}

/// A place of at least this many bytes for the next call to read; the same one each time, so it need not be freed. 0 where
/// that is too many.
#[unsafe(no_mangle)]
pub extern "C" fn scratch(length: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        if length > MAX_BUFFER_BYTES {
            return 0;
        }
        if host.scratch.len() < length {
            let more = length - host.scratch.len();
            if host.scratch.try_reserve(more).is_err() {
                return 0;
            }
            host.scratch.resize(length, 0);
        }
        host.scratch.as_ptr() as usize
    })
}

/// Says whose events are the visitor's: the `anonymous_id` in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_name(handle: u32, member: usize) {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(member);
        if let (Some(evaluator), Ok(member)) =
            (host.evaluators.get_mut(&handle), core::str::from_utf8(&bytes))
        {
            evaluator.set_visitor(member);
        }
    });
}

/// Says whose events are the visitor's from now on, by the `anonymous_id` in the scratch, and keeps what the host has said;
/// how many slots differ, or −1.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_identify(handle: u32, length: usize) -> i32 {
    HOST.with_borrow_mut(|host| host.change(handle, length, |evaluator, bytes| evaluator.identify(bytes)))
}

/// Replaces the visitor's attributes by the value in the scratch; how many slots differ, or −1: see `last_error()`.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_set(handle: u32, length: usize) -> i32 {
    HOST.with_borrow_mut(|host| host.change(handle, length, |evaluator, bytes| evaluator.set(bytes)))
}

/// The number of the path in the scratch; −1 where it is none that a host sets.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_path(handle: u32, length: usize) -> i32 {
    HOST.with_borrow_mut(|host| {
        host.change(handle, length, |evaluator, bytes| {
            let path =
                core::str::from_utf8(bytes).map_err(|_| failure("path_unknown", "a path is a text in UTF-8"));
            path.and_then(|path| evaluator.path(path))
        })
    })
}

/// Replaces the value at the path of a number by the one in the scratch; how many slots differ, or −1.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_change(handle: u32, path: usize, length: usize) -> i32 {
    HOST.with_borrow_mut(|host| host.change(handle, length, |evaluator, bytes| evaluator.change(path, bytes)))
}

/// Replaces the value at the path of a number by a number; how many slots differ, or −1.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_change_number(handle: u32, path: usize, value: f64) -> i32 {
    HOST.with_borrow_mut(|host| host.change(handle, 0, |evaluator, _| evaluator.change_number(path, value)))
}

/// Moves the visitor's clock, in milliseconds since 1970; how many slots differ, or −1.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_time(handle: u32, ms: f64) -> i32 {
    HOST.with_borrow_mut(|host| host.change(handle, 0, |evaluator, _| evaluator.set_time(ms)))
}

/// When time alone may next change a decision of the visitor, in milliseconds since 1970; NaN where there is no such
/// instant, or no evaluator.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_wake(handle: u32) -> f64 {
    HOST.with_borrow_mut(|host| host.evaluators.get_mut(&handle).map_or(f64::NAN, Evaluator::wake_at))
}

/// Says which session the visitor is in, by the text in the scratch; how many slots differ, or −1: see `last_error()`.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_session(handle: u32, length: usize) -> i32 {
    HOST.with_borrow_mut(|host| host.change(handle, length, |evaluator, bytes| evaluator.set_session(bytes)))
}

/// The variations that the visitor has newly been shown, to be tracked.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_exposures(handle: u32) -> usize {
    HOST.with_borrow_mut(|host| host.ask(handle, |evaluator| evaluator.take_exposures()))
}

/// How the visitor stands to every experiment.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_assignments(handle: u32) -> usize {
    HOST.with_borrow_mut(|host| host.ask(handle, |evaluator| evaluator.assignments()))
}

/// Takes in which purposes the visitor has granted: 1 functional + 2 analytics + 4 personalization, other bits being
/// ignored; how many slots differ, or −1.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_consent(handle: u32, granted: u32) -> i32 {
    HOST.with_borrow_mut(|host| {
        host.change(handle, 0, |evaluator, _| Ok(evaluator.set_consent((granted & 0xff) as u8)))
    })
}

/// Where the pairs of slot and rule stand that the last call about the visitor has changed; good until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_changes(handle: u32) -> usize {
    HOST.with_borrow(|host| {
        host.evaluators.get(&handle).map_or(0, |evaluator| evaluator.changes().as_ptr() as usize)
    })
}

/// How many slots the last call about the visitor has changed.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_changed(handle: u32) -> usize {
    HOST.with_borrow(|host| host.evaluators.get(&handle).map_or(0, |evaluator| evaluator.changes().len() / 2))
}

/// Where it stands which number each slot had before the last bundle was published, counted from 1, or 0; good until the
/// next call.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_moves(handle: u32) -> usize {
    HOST.with_borrow(|host| host.moves(handle).map_or(0, |moves| moves.as_ptr() as usize))
}

/// Of how many slots that stands there: of all; −1 where they have kept their numbers.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_moved(handle: u32) -> i32 {
    HOST.with_borrow(|host| host.moves(handle).map_or(-1, |moves| moves.len() as i32))
}

/// The visitor's decision for the slot of a number.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_decision(handle: u32, slot: usize) -> usize {
    HOST.with_borrow_mut(|host| host.ask(handle, |evaluator| evaluator.decision(slot)))
}

/// Why the rule named in a buffer holds or not for the visitor.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_explain(handle: u32, rule: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(rule);
        let rule = core::str::from_utf8(&bytes).unwrap_or_default();
        host.ask(handle, |evaluator| evaluator.explain(rule))
    })
}

/// What the rule named in a buffer would do for the visitor, whether it holds or not.
#[unsafe(no_mangle)]
pub extern "C" fn visitor_preview(handle: u32, rule: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        let bytes = host.take(rule);
        let rule = core::str::from_utf8(&bytes).unwrap_or_default();
        host.ask(handle, |evaluator| evaluator.preview(rule))
    })
}

/// The slots by number, and which rules decide alike for everybody.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_names(handle: u32) -> usize {
    HOST.with_borrow_mut(|host| host.ask(handle, |evaluator| evaluator.names()))
}

/// 1 where a decision for the rule of a number is the same for everybody, otherwise 0.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_fixed(handle: u32, rule: usize) -> u32 {
    HOST.with_borrow(|host| {
        host.evaluators.get(&handle).map_or(0, |evaluator| u32::from(evaluator.is_fixed(rule)))
    })
}

/// The ids of the rules by number.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_rules(handle: u32) -> usize {
    HOST.with_borrow_mut(|host| host.ask(handle, |evaluator| evaluator.rules()))
}

/// The variables that rules of slots may give.
#[unsafe(no_mangle)]
pub extern "C" fn evaluator_variables(handle: u32) -> usize {
    HOST.with_borrow_mut(|host| host.ask(handle, |evaluator| evaluator.variables()))
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

/// Makes an evaluator of the GrowthBook payload in a buffer; 0 where it is none.
#[unsafe(no_mangle)]
pub extern "C" fn growthbook_new(payload: usize) -> u32 {
    HOST.with_borrow_mut(|host| {
        let payload = host.text(payload);
        let growthbook = GrowthBook::new(&payload).map_err(|error| failure(error.code(), &error.to_string()));
        host.opened(growthbook, |host, handle, growthbook| {
            host.growthbooks.insert(handle, growthbook);
        })
    })
}

/// Sets what is known about the visitor; 0 where that went well.
#[unsafe(no_mangle)]
pub extern "C" fn growthbook_set(handle: u32, options: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        host.ask_growthbook(handle, options, |growthbook, options| {
            growthbook.set(options).map(|()| String::new())
        })
    })
}

/// The value of the feature whose key is in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn growthbook_feature(handle: u32, key: usize) -> usize {
    HOST.with_borrow_mut(|host| {
        host.ask_growthbook(handle, key, |growthbook, key| Ok(growthbook.eval_feature(key)))
    })
}

/// Runs the experiment in a buffer.
#[unsafe(no_mangle)]
pub extern "C" fn growthbook_run(handle: u32, experiment: usize) -> usize {
    HOST.with_borrow_mut(|host| host.ask_growthbook(handle, experiment, GrowthBook::run))
}

/// The documents of assignments.
#[unsafe(no_mangle)]
pub extern "C" fn growthbook_sticky(handle: u32) -> usize {
    HOST.with_borrow_mut(|host| {
        host.ask_growthbook(handle, 0, |growthbook, _| Ok(growthbook.sticky_documents()))
    })
}

/// Frees an evaluator of a payload.
#[unsafe(no_mangle)]
pub extern "C" fn growthbook_free(handle: u32) {
    HOST.with_borrow_mut(|host| host.growthbooks.remove(&handle));
}

impl Host {
    /// Keeps what was opened under a handle of its own; 0 where it was refused, with the reason in `last_error`.
    fn opened<T>(&mut self, opened: Result<T, String>, keep: impl FnOnce(&mut Self, u32, T)) -> u32 {
        match opened {
            Ok(opened) => {
                self.last_handle += 1;
                keep(self, self.last_handle, opened);
                self.last_handle
            }
            Err(error) => {
                self.last_error = error;
                0
            }
        }
    }

    fn ask(&mut self, handle: u32, question: impl FnOnce(&mut Evaluator) -> String) -> usize {
        let text = match self.evaluators.get_mut(&handle) {
            Some(evaluator) => question(evaluator),
            None => unknown_handle(),
        };
        self.answer(text)
    }

    /// Lets an evaluator change with so many bytes of the scratch, and keeps the reason where it refuses.
    fn change(
        &mut self,
        handle: u32,
        length: usize,
        work: impl FnOnce(&mut Evaluator, &[u8]) -> Result<usize, String>,
    ) -> i32 {
        let result = match (self.evaluators.get_mut(&handle), self.scratch.get(..length)) {
            (Some(evaluator), Some(bytes)) => work(evaluator, bytes),
            (None, _) => Err(unknown_handle()),
            (_, None) => Err(failure("scratch_too_short", "the scratch has fewer bytes than were named")),
        };
        match result {
            Ok(count) => count as i32,
            Err(error) => {
                self.last_error = error;
                -1
            }
        }
    }

    fn ask_growthbook(
        &mut self,
        handle: u32,
        buffer: usize,
        question: impl FnOnce(&mut GrowthBook, &str) -> Result<String, GrowthBookError>,
    ) -> usize {
        let given = self.text(buffer);
        let text = match self.growthbooks.get_mut(&handle) {
            Some(growthbook) => {
                question(growthbook, &given).unwrap_or_else(|error| failure(error.code(), &error.to_string()))
            }
            None => unknown_handle(),
        };
        self.answer(text)
    }

    /// The text in a buffer, which is used up; empty where it is none.
    fn text(&mut self, buffer: usize) -> String {
        String::from_utf8(self.take(buffer).into_vec()).unwrap_or_default()
    }

    fn answer(&mut self, text: String) -> usize {
        if text.is_empty() { 0 } else { self.keep(text.into_bytes().into_boxed_slice()) }
    }

    fn moves(&self, handle: u32) -> Option<&[u32]> {
        self.evaluators.get(&handle)?.moves()
    }

    fn keep(&mut self, buffer: Box<[u8]>) -> usize {
        let address = buffer.as_ptr() as usize;
        self.buffered_bytes += buffer.len();
        self.buffers.insert(address, buffer);
        address
    }

    /// The bytes of a buffer, which is used up; none where it is none.
    fn take(&mut self, address: usize) -> Box<[u8]> {
        let buffer = self.buffers.remove(&address).unwrap_or_default();
        self.buffered_bytes -= buffer.len();
        buffer
    }
}

fn unknown_handle() -> String {
    failure("handle_unknown", "this handle names nothing of this kind, or what has been freed")
}
