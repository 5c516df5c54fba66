//! Writing the packed form: texts and signal ids stand in tables, so that each is held once.

use crate::codec::Writer;
use crate::id::{ModelId, SignalId};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Writes a packed form with its tables before it. Equal content gives equal bytes.
#[derive(Debug, Default)]
pub struct Packer {
    /// Everything that stands in no table.
    pub out: Writer,
    is_canonical: bool,
    /// What each text is named by: its place among all texts; its number where the form is canonical.
    names: BTreeMap<Box<str>, usize>,
    texts: Writer,
    texts_bytes: usize,
    ids: Vec<SignalId>,
}

impl Packer {
    /// An empty form, to be opened by [`super::Form::open`].
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty canonical form, to be hashed: identities follow from it, so it never changes.
    pub fn canonical() -> Self {
        Self { is_canonical: true, ..Self::default() }
    }

    /// Writes a text as its place in the table.
    pub fn text(&mut self, text: &str) {
        let next = if self.is_canonical { self.names.len() } else { self.texts_bytes };
        let name = *self.names.entry(Box::from(text)).or_insert(next);
        if name == next {
            if self.is_canonical {
                self.texts.str(text);
            } else {
                self.texts.raw(text.as_bytes());
            }
            self.texts_bytes += text.len();
        }
        self.out.len(name);
        if !self.is_canonical {
            self.out.len(text.len());
        }
    }

    /// Writes parts that are evaluated as one, with the length of all before them, so that they can be passed over.
    pub fn group<T>(&mut self, parts: &[T], mut write: impl FnMut(&T, &mut Self)) {
        if self.is_canonical {
            return self.list(parts, write);
        }
        self.sized(|packer| parts.iter().for_each(|part| write(part, packer)));
    }

    /// Writes something with its length before it.
    pub fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        let before = core::mem::take(&mut self.out);
        write(self);
        let inside = core::mem::replace(&mut self.out, before).into_bytes();
        self.out.bytes(&inside);
    }

    /// Writes a signal's id as its number in the table.
    pub fn id(&mut self, id: SignalId) {
        let number = self.ids.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        self.out.len(number);
    }

    /// Writes a model's id, in the same table.
    pub fn model(&mut self, id: ModelId) {
        self.id(SignalId(id.0));
    }

    /// Writes a presence byte, then the thing where there is one.
    pub fn option<T: ?Sized>(&mut self, value: Option<&T>, write: impl FnOnce(&T, &mut Self)) {
        self.out.bool(value.is_some());
        if let Some(inner) = value {
            write(inner, self);
        }
    }

    /// Writes a count, then as many things.
    pub fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&T, &mut Self)) {
        self.out.len(items.len());
        items.iter().for_each(|item| write(item, self));
    }

    /// The tables, then what has been written.
    pub fn finish(self) -> Vec<u8> {
        let mut whole = Writer::new();
        whole.len(self.ids.len());
        self.ids.iter().for_each(|id| whole.raw(&id.0.to_le_bytes()));
        whole.len(if self.is_canonical { self.names.len() } else { self.texts_bytes });
        whole.raw(&self.texts.into_bytes());
        whole.raw(&self.out.into_bytes());
        whole.into_bytes()
    }
}
