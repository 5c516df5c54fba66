//! Taking back what earlier page loads stored: the lanes of pages that are still open are left to them.

use super::fresh::{now, text_of};
use super::{CORE, Driver};
use crate::browser::locks::{Lock, has_locks, try_lock};
use crate::browser::timer::Timer;
use crate::host::Fault;
use attune_core::id::{LaneId, Uuid};
use attune_core::limits::SESSION_MAX_MS;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Time given to the browser to say which lanes are held; a lane it has not spoken of by then waits for the next page.
const PATIENCE_MS: u64 = 250;

/// The locks that show which lanes are alive: the page's own and those it has adopted.
pub struct Locks {
    prefix: String,
    held: RefCell<Vec<Lock>>,
}

type Entries = Vec<(String, Vec<u8>)>;

impl Locks {
    /// No locks.
    pub fn new(write_key: &str) -> Self {
        Self { prefix: ["attune/", write_key, "/lane/"].concat(), held: RefCell::default() }
    }

    /// Holds the lock of a lane of this page.
    pub fn hold(&'static self, lane: LaneId) {
        self.ask(&text_of(lane.0), |lock| self.held.borrow_mut().extend(lock));
    }

    /// Releases every lock.
    pub fn release(&self) {
        self.held.take();
    }

    fn ask(&self, lane: &str, done: impl FnOnce(Option<Lock>) + 'static) {
        try_lock(&[&*self.prefix, lane].concat(), done);
    }
}

/// Lanes whose locks have been asked for.
struct Adoption {
    entries: RefCell<Entries>,
    adopted: RefCell<Vec<String>>,
    unanswered: Cell<usize>,
    timer: Timer,
    is_over: Cell<bool>,
}

impl Driver {
    /// Takes stored entries back once it is known whose they are, in a later task.
    pub(super) fn adopt(&'static self) {
        let (_, lane) = *self.sender.borrow();
        self.locks.hold(lane);
        let entries = self.storage.entries(CORE);
        let mut lanes: Vec<String> = Vec::new();
        for lane in entries.iter().filter_map(|(key, _)| lane_of(key)) {
            if lanes.iter().all(|known| known != lane) {
                lanes.push(lane.to_owned());
            }
        }
        let (asked, adopted) = match has_locks() {
            true => (lanes, Vec::new()),
            false => (Vec::new(), lanes.into_iter().filter(|lane| is_over_age(lane)).collect()),
        };
        let adoption = Rc::new(Adoption {
            entries: RefCell::new(entries),
            adopted: RefCell::new(adopted),
            unanswered: Cell::new(asked.len()),
            timer: Timer::default(),
            is_over: Cell::new(false),
        });
        for lane in asked {
            let adoption = Rc::clone(&adoption);
            self.locks.ask(&lane.clone(), move |lock| self.answered_lane(&adoption, lane, lock));
        }
        let patience = if adoption.unanswered.get() == 0 { 0 } else { PATIENCE_MS };
        let waiting = Rc::clone(&adoption);
        adoption.timer.set(patience, move || self.end_adoption(&waiting));
    }

    fn answered_lane(&'static self, adoption: &Adoption, lane: String, lock: Option<Lock>) {
        adoption.unanswered.set(adoption.unanswered.get().saturating_sub(1));
        if let Some(lock) = lock
            && !adoption.is_over.get()
        {
            self.locks.held.borrow_mut().push(lock);
            adoption.adopted.borrow_mut().push(lane);
        }
        if adoption.unanswered.get() == 0 {
            self.end_adoption(adoption);
        }
    }

    fn end_adoption(&'static self, adoption: &Adoption) {
        if adoption.is_over.replace(true) {
            return;
        }
        adoption.timer.clear();
        let adopted = adoption.adopted.borrow();
        let mut entries = adoption.entries.take();
        entries.retain(|(key, _)| lane_of(key).is_none_or(|lane| adopted.iter().any(|known| known == lane)));
        let unreadable = self.input(|client, now| client.handle_stored(&entries, now));
        for key in unreadable {
            self.storage.delete(&[CORE, &key].concat());
            let message = ["a stored entry cannot be read and is forgotten: ", &key].concat();
            self.report("stored_entry_unreadable", &message, Fault::Environment);
        }
        self.host.started();
        self.fetch_bundle();
        self.open_push();
    }
}

/// The lane in the keys `event/<lane>/<number>` and `lane/<lane>`.
fn lane_of(key: &str) -> Option<&str> {
    let rest = key.strip_prefix("event/").or_else(|| key.strip_prefix("lane/"))?;
    rest.split('/').next()
}

/// Without locks a lane counts as over when it is older than a lane can be.
fn is_over_age(lane: &str) -> bool {
    let began_ms = Uuid::try_parse(lane).map_or(0, |lane| (lane.as_u128() >> 80) as i64);
    now().wall.0 - began_ms > SESSION_MAX_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_lane() {
        for (key, lane) in [("event/a-b/7", Some("a-b")), ("lane/a-b", Some("a-b")), ("base", None)] {
            assert_eq!(lane_of(key), lane);
        }
    }
}
