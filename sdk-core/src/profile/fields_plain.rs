//! The same for pages, which have few signals: there the code has to be small, and one path is remembered, by which many
//! signals count alike.

use super::EventDocument;
use crate::condition::{Document, Form, PathNumber};
use crate::value::ValueRef;

/// The fields of an event by the paths of one form.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    document: &'a EventDocument,
    form: &'a Form,
    known: Option<(PathNumber, ValueRef<'a>)>,
}

impl<'a> Fields<'a> {
    pub const fn new(document: &'a EventDocument, form: &'a Form) -> Self {
        Self { document, form, known: None }
    }

    /// The event they are of.
    pub const fn document(&self) -> &'a EventDocument {
        self.document
    }

    /// The value at a path; null where there is none.
    pub fn value(&mut self, path: PathNumber) -> ValueRef<'a> {
        match self.known {
            Some((known, value)) if known == path => value,
            _ => self.known.insert((path, self.document.value(self.form.path(path)))).1,
        }
    }
}
