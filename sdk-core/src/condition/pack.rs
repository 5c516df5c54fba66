//! Writing the packed form: texts, signal ids and zones stand in tables, so that each is held once.

use crate::codec::Writer;
use crate::id::{ModelId, SignalId};
use crate::time::ZoneTable;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The first number that a double may stand for together with its neighbour.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Writes a packed form with its tables before it. Equal content gives equal bytes.
#[derive(Debug, Default)]
pub struct Packer {
    /// Everything that stands in no table.
    pub out: Writer,
    is_canonical: bool,
    /// The number of each text.
    names: BTreeMap<Box<str>, usize>,
    /// How many texts there are; a text of a number that is nobody's may stand there more than once.
    text_count: usize,
    lengths: Writer,
    texts: Writer,
    ids: Vec<SignalId>,
    /// The number of each id.
    id_numbers: BTreeMap<SignalId, usize>,
    leaves: BTreeMap<Vec<u8>, usize>,
    zones: Vec<(usize, ZoneTable)>,
    zones_bytes: usize,
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

    /// A form whose tables have these texts and ids already, numbered from 0 on.
    pub fn with_tables(texts: &[&str], ids: &[SignalId]) -> Self {
        let mut packer = Self::new();
        texts.iter().for_each(|text| packer.append(text));
        packer.ids = ids.to_vec();
        packer.id_numbers = ids.iter().copied().zip(0..).collect();
        packer
    }

    /// Says which leaves stand in a table, and under which number: from here on they are written as that.
    pub fn set_leaves(&mut self, leaves: BTreeMap<Vec<u8>, usize>) {
        self.leaves = leaves;
    }

    /// Whether leaves stand in a table.
    pub(super) fn has_leaves(&self) -> bool {
        !self.leaves.is_empty()
    }

    /// The number of the leaf of a key, if it stands in the table.
    pub(super) fn leaf(&self, key: &[u8]) -> Option<usize> {
        self.leaves.get(key).copied()
    }

    /// Writes a text as its number in the table.
    pub fn text(&mut self, text: &str) {
        let number = self.number(text);
        self.out.len(number);
    }

    /// The number of a text, which stands in the table from now on.
    pub fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.names.get(text) {
            return *number;
        }
        self.append(text);
        self.text_count - 1
    }

    fn append(&mut self, text: &str) {
        self.names.insert(Box::from(text), self.text_count);
        self.text_count += 1;
        if self.is_canonical {
            self.texts.str(text);
        } else {
            self.lengths.len(text.len());
            self.texts.raw(text.as_bytes());
        }
    }

    /// Whether a number is written as a whole one; a canonical form knows none.
    pub(super) fn packs_whole(&self, number: f64) -> bool {
        let is_whole = number.abs() < MAX_WHOLE && number as i64 as f64 == number;
        is_whole && !self.is_canonical && (number != 0.0 || number.is_sign_positive())
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
        let next = self.ids.len();
        let number = *self.id_numbers.entry(id).or_insert(next);
        if number == next {
            self.ids.push(id);
        }
        self.out.len(number);
    }

    /// Writes a number as its difference to the one before.
    pub fn difference(&mut self, before: &mut usize, number: usize) {
        self.out.i64(number as i64 - *before as i64);
        *before = number;
    }

    /// Writes a zone as its place in the table; where the form is canonical by its name, since the database that gives
    /// its changes is brought up to date.
    pub fn zone(&mut self, table: &ZoneTable) {
        if self.is_canonical {
            return self.text(table.name());
        }
        let known = self.zones.iter().find(|(_, known)| known == table).map(|(place, _)| *place);
        let length = table.as_bytes().len();
        let place = known.unwrap_or_else(|| {
            let place = self.zones_bytes;
            self.zones.push((place, table.clone()));
            self.zones_bytes += length;
            place
        });
        self.out.len(place);
        self.out.len(length);
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
        whole.len(self.text_count);
        whole.raw(&self.lengths.into_bytes());
        whole.raw(&self.texts.into_bytes());
        if !self.is_canonical {
            whole.len(self.zones_bytes);
            self.zones.iter().for_each(|(_, table)| whole.raw(table.as_bytes()));
        }
        whole.raw(&self.out.into_bytes());
        whole.into_bytes()
    }
}
