//! What the signals of one table take from one event, each path looked up once.

use super::EventDocument;
use crate::condition::{Document, Form, PathNumber};
use crate::value::ValueRef;

/// How many paths are remembered; further ones are looked up whenever a signal asks.
const REMEMBERED: usize = 8;

/// The fields of an event by the paths of one form.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    document: &'a EventDocument,
    form: &'a Form,
    known: [Option<(PathNumber, ValueRef<'a>)>; REMEMBERED],
}

impl<'a> Fields<'a> {
    pub const fn new(document: &'a EventDocument, form: &'a Form) -> Self {
        Self { document, form, known: [None; REMEMBERED] }
    }

    /// The event they are of.
    pub const fn document(&self) -> &'a EventDocument {
        self.document
    }

    /// The value at a path; null where there is none.
    pub fn value(&mut self, path: PathNumber) -> ValueRef<'a> {
        for known in &mut self.known {
            match known {
                Some((other, value)) if *other == path => return *value,
                Some(_) => {}
                None => return known.insert((path, self.document.value(self.form.path(path)))).1,
            }
        }
        self.document.value(self.form.path(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Packer, Path, Root, encode_path};
    use crate::profile::fixture::event;
    use alloc::format;
    use alloc::vec::Vec;

    #[test]
    fn every_path_has_its_value_however_many_there_are_and_however_often_one_asks() {
        let mut packer = Packer::new();
        let names: Vec<u32> = (0..3 * REMEMBERED as u32).collect();
        names.iter().for_each(|name| {
            let rest = format!("metadata.{name}").into_boxed_str();
            encode_path(&Path { root: Root::Bare, rest }, &mut packer);
        });
        let form = Form::open(&packer.finish()).unwrap();
        let mut code = form.at(0);
        let paths: Vec<PathNumber> = names.iter().map(|_| code.path_number()).collect();
        let metadata: Vec<_> = names.iter().map(|name| format!(r#""{name}":{name}"#)).collect();
        let event = event(1, "page_view", &format!("{{{}}}", metadata.join(",")));
        let mut fields = Fields::new(&event, &form);
        for _ in 0..2 {
            for (name, path) in names.iter().zip(&paths) {
                assert_eq!(fields.value(*path), ValueRef::Number(f64::from(*name)));
            }
        }
    }
}
