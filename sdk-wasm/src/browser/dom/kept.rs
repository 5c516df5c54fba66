//! A change, the elements it has been made on, and how often the page has undone it there.

use super::change::{Change, Original};
use wasm_bindgen::JsCast;
use web_sys::{Document, Element};

/// How often a second a change is made again on one element before it is left to the page.
const MAX_REPEATS: u32 = 10;
const SECOND_MS: u64 = 1_000;

/// What can be wrong with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomProblem {
    /// The browser refuses this selector or a name in the change to it.
    Refused(Box<str>),
    /// The page keeps undoing the change to this selector.
    Loop(Box<str>),
}

/// A change in effect.
#[derive(Debug)]
pub struct Kept {
    change: Change,
    edits: Vec<Edit>,
    is_refused: bool,
}

#[derive(Debug)]
struct Edit {
    element: Element,
    original: Original,
    repeats: u32,
    since_ms: u64,
}

impl Kept {
    /// A change that has been made nowhere.
    pub const fn new(change: Change) -> Self {
        Self { change, edits: Vec::new(), is_refused: false }
    }

    /// The change.
    pub const fn change(&self) -> &Change {
        &self.change
    }

    /// Makes the change on every element it is not in place on, and forgets elements that have left the document.
    pub fn ensure(&mut self, document: &Document, now_ms: u64) -> Option<DomProblem> {
        if self.is_refused {
            return None;
        }
        self.edits.retain(|edit| edit.element.is_connected());
        let Ok(found) = document.query_selector_all(&self.change.target) else {
            return Some(self.refuse());
        };
        let mut problem = None;
        for index in 0..found.length() {
            let Some(node) = found.get(index) else { continue };
            // A selector finds nothing but elements.
            let element: Element = node.unchecked_into();
            problem = problem.or(match self.edits.iter().position(|edit| edit.element == element) {
                Some(known) => self.repeat(known, now_ms),
                None => self.make(element, now_ms),
            });
        }
        problem
    }

    /// Takes the change back wherever it is in place.
    pub fn take_back(self) {
        for edit in self.edits.iter().rev() {
            self.change.kind.take_back(&edit.element, &edit.original);
        }
    }

    fn make(&mut self, element: Element, now_ms: u64) -> Option<DomProblem> {
        match self.change.kind.make(&element) {
            Ok(original) => {
                self.edits.push(Edit { element, original, repeats: 0, since_ms: now_ms });
                None
            }
            Err(_) => Some(self.refuse()),
        }
    }

    fn repeat(&mut self, known: usize, now_ms: u64) -> Option<DomProblem> {
        let edit = self.edits.get_mut(known)?;
        if edit.repeats > MAX_REPEATS || self.change.kind.holds(&edit.element, &edit.original) {
            return None;
        }
        if now_ms.saturating_sub(edit.since_ms) >= SECOND_MS {
            edit.since_ms = now_ms;
            edit.repeats = 0;
        }
        edit.repeats += 1;
        if edit.repeats > MAX_REPEATS {
            return Some(DomProblem::Loop(self.change.target.clone()));
        }
        // What the page has put there is what it wants to see when the change is taken back.
        match self.change.kind.make(&edit.element) {
            Ok(original) => {
                edit.original = original;
                None
            }
            Err(_) => Some(self.refuse()),
        }
    }

    fn refuse(&mut self) -> DomProblem {
        self.is_refused = true;
        DomProblem::Refused(self.change.target.clone())
    }
}
