//! Writing the packed form: texts and signal ids stand in tables, so that each is held once.

use crate::codec::Writer;
use crate::id::SignalId;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Writes a compiled form whose texts and signal ids stand in tables before it. Equal content gives equal bytes.
#[derive(Debug, Default)]
pub struct Packer {
    /// Everything that stands in no table.
    pub out: Writer,
    numbers: BTreeMap<Box<str>, usize>,
    texts: Vec<Box<str>>,
    ids: Vec<SignalId>,
}

impl Packer {
    /// An empty form.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a text as its number in the table.
    pub fn text(&mut self, text: &str) {
        let next = self.numbers.len();
        let number = *self.numbers.entry(Box::from(text)).or_insert_with(|| {
            self.texts.push(Box::from(text));
            next
        });
        self.out.len(number);
    }

    /// Writes a signal's id as its number in the table.
    pub fn id(&mut self, id: SignalId) {
        let number = self.ids.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        self.out.len(number);
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

    /// The canonical form, for hashes: the ids, the texts each with its length before it, what has been written.
    pub fn canonical(self) -> Vec<u8> {
        let mut whole = self.ids_table();
        whole.len(self.texts.len());
        self.texts.iter().for_each(|text| whole.str(text));
        whole.raw(&self.out.into_bytes());
        whole.into_bytes()
    }

    /// The form that [`super::Form::open`] takes: the ids, the lengths of the texts, the texts, what has been written.
    pub fn into_form(self) -> Vec<u8> {
        let mut whole = self.ids_table();
        whole.len(self.texts.len());
        self.texts.iter().for_each(|text| whole.len(text.len()));
        self.texts.iter().for_each(|text| whole.raw(text.as_bytes()));
        whole.raw(&self.out.into_bytes());
        whole.into_bytes()
    }

    fn ids_table(&self) -> Writer {
        let mut table = Writer::new();
        table.len(self.ids.len());
        self.ids.iter().for_each(|id| table.raw(&id.0.to_le_bytes()));
        table
    }
}
