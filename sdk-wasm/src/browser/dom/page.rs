//! The changes in effect by slot, kept in place while the page renders anew.

use super::change::Change;
use super::kept::{DomProblem, Kept};
use crate::browser::clock::monotonic_ms;
use js_sys::Array;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Document, MutationObserver, MutationObserverInit, window};

/// The document with the changes that slots make to it.
pub struct Page {
    state: Rc<State>,
    observer: MutationObserver,
    _observed: Closure<dyn FnMut(Array, MutationObserver)>,
}

struct State {
    document: Document,
    slots: RefCell<Vec<(Box<str>, Vec<Kept>)>>,
    /// Changes of slots that wait for their turn: an element's own code may run while another change is made.
    waiting: RefCell<VecDeque<(Box<str>, Vec<Change>)>>,
    is_busy: Cell<bool>,
    report: Box<dyn Fn(DomProblem)>,
}

impl Page {
    /// A page without changes; nothing where there is no document.
    pub fn new(report: impl Fn(DomProblem) + 'static) -> Option<Self> {
        let state = Rc::new(State {
            document: window()?.document()?,
            slots: RefCell::default(),
            waiting: RefCell::default(),
            is_busy: Cell::new(false),
            report: Box::new(report),
        });
        let watched = Rc::clone(&state);
        let observed = Closure::new(move |_, observer: MutationObserver| {
            watched.work();
            // What was just done is not to be looked at again.
            observer.take_records();
        });
        let observer = MutationObserver::new(observed.as_ref().unchecked_ref()).ok()?;
        Some(Self { state, observer, _observed: observed })
    }

    /// Replaces the changes that a slot makes.
    pub fn set(&self, slot: &str, changes: Vec<Change>) {
        self.state.waiting.borrow_mut().push_back((slot.into(), changes));
        self.state.work();
        self.observe();
    }

    /// Takes every change back.
    pub fn clear(&self) {
        let names: Vec<Box<str>> = self.state.slots.borrow().iter().map(|(name, _)| name.clone()).collect();
        names.into_iter().for_each(|name| self.set(&name, Vec::new()));
    }

    /// Watches for what the changes in effect need, and for nothing while there are none.
    fn observe(&self) {
        self.observer.disconnect();
        let slots = self.state.slots.borrow();
        let mut kept = slots.iter().flat_map(|(_, kept)| kept).peekable();
        if kept.peek().is_none() {
            return;
        }
        let attributes = Array::new();
        for name in kept.filter_map(|kept| kept.change().kind.attribute()) {
            attributes.push(&name.into());
        }
        let options = MutationObserverInit::new();
        options.set_child_list(true);
        options.set_character_data(true);
        options.set_subtree(true);
        if attributes.length() > 0 {
            options.set_attribute_filter(&attributes);
        }
        // Fails for options that watch nothing only.
        let _ = self.observer.observe_with_options(&self.state.document, &options);
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

impl State {
    fn work(&self) {
        if self.is_busy.replace(true) {
            return;
        }
        loop {
            while let Some((slot, changes)) = self.next_waiting() {
                self.replace(&slot, changes);
            }
            self.ensure();
            if self.waiting.borrow().is_empty() {
                break;
            }
        }
        self.is_busy.set(false);
    }

    fn next_waiting(&self) -> Option<(Box<str>, Vec<Change>)> {
        self.waiting.borrow_mut().pop_front()
    }

    /// A change that the slot goes on making stays as it is: the page does not flicker.
    fn replace(&self, slot: &str, changes: Vec<Change>) {
        let mut slots = self.slots.take();
        let at = slots.iter().position(|(name, _)| &**name == slot);
        let before = at.map(|at| slots.swap_remove(at).1).unwrap_or_default();
        let (mut staying, going): (Vec<Kept>, Vec<Kept>) =
            before.into_iter().partition(|kept| changes.contains(kept.change()));
        going.into_iter().rev().for_each(Kept::take_back);
        let kept: Vec<Kept> = changes
            .into_iter()
            .map(|change| match staying.iter().position(|kept| *kept.change() == change) {
                Some(at) => staying.swap_remove(at),
                None => Kept::new(change),
            })
            .collect();
        if !kept.is_empty() {
            slots.push((slot.into(), kept));
        }
        self.slots.replace(slots);
    }

    fn ensure(&self) {
        let now_ms = monotonic_ms();
        let mut slots = self.slots.take();
        let kept = slots.iter_mut().flat_map(|(_, kept)| kept);
        let problems: Vec<DomProblem> = kept.filter_map(|kept| kept.ensure(&self.document, now_ms)).collect();
        self.slots.replace(slots);
        problems.into_iter().for_each(&self.report);
    }
}
