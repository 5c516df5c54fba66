//! The form that bundles are compiled to: texts and signal ids stand in tables, so that each is held once.

use crate::codec::{CodecError, Reader, Writer};
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
    texts: Writer,
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
            self.texts.str(text);
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

    /// The tables, then what has been written.
    pub fn finish(self) -> Vec<u8> {
        let mut whole = Writer::new();
        whole.len(self.ids.len());
        self.ids.iter().for_each(|id| whole.raw(&id.0.to_le_bytes()));
        whole.len(self.numbers.len());
        whole.raw(&self.texts.into_bytes());
        whole.raw(&self.out.into_bytes());
        whole.into_bytes()
    }
}

/// Reads what a [`Packer`] has written.
///
/// The first unsound byte is remembered, and from there on every read gives an empty thing; [`Unpacker::finish`] says
/// whether all was sound. One check at the end instead of one per read keeps the page's code small.
#[derive(Clone, Debug)]
pub struct Unpacker<'a> {
    reader: Reader<'a>,
    texts: Vec<&'a str>,
    ids: Vec<SignalId>,
    sound: bool,
}

impl<'a> Unpacker<'a> {
    /// Reads the tables at the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut source = Self { reader: Reader::new(bytes), texts: Vec::new(), ids: Vec::new(), sound: true };
        source.ids = source.list(|source| {
            let bytes = source.read([0; 8], |reader| reader.raw(8)?.try_into().map_err(|_| CodecError));
            SignalId(u64::from_le_bytes(bytes))
        });
        source.texts = source.list(|source| source.read("", Reader::str));
        source
    }

    /// Whether all was sound and has been read.
    ///
    /// # Errors
    /// Something was not, or bytes are left.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.sound && self.reader.is_empty() { Ok(()) } else { Err(CodecError) }
    }

    /// Notes that what has been read cannot be.
    pub fn fail(&mut self) {
        self.sound = false;
    }

    /// Reads a thing that stands in no table; `fallback` where that fails or something has failed before.
    pub fn read<T>(&mut self, fallback: T, read: impl FnOnce(&mut Reader<'a>) -> Result<T, CodecError>) -> T {
        if self.sound
            && let Ok(value) = read(&mut self.reader)
        {
            return value;
        }
        self.sound = false;
        fallback
    }

    /// Reads one byte.
    pub fn byte(&mut self) -> u8 {
        self.read(0, Reader::u8)
    }

    /// Reads an unsigned number.
    pub fn number(&mut self) -> u64 {
        self.read(0, Reader::u64)
    }

    /// Reads a signed number.
    pub fn signed(&mut self) -> i64 {
        self.read(0, Reader::i64)
    }

    /// Reads a yes or no.
    pub fn bool(&mut self) -> bool {
        self.read(false, Reader::bool)
    }

    /// Reads the number of a text and looks it up.
    pub fn text(&mut self) -> Box<str> {
        let number = self.number() as usize;
        let found = self.texts.get(number).copied();
        self.sound &= found.is_some();
        Box::from(found.unwrap_or_default())
    }

    /// Reads the number of a signal's id and looks it up.
    pub fn id(&mut self) -> SignalId {
        let number = self.number() as usize;
        let found = self.ids.get(number).copied();
        self.sound &= found.is_some();
        found.unwrap_or(SignalId(0))
    }

    /// Reads a count, then as many things.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.read(0, Reader::len);
        let mut list = Vec::new();
        while self.sound && list.len() < count {
            list.push(read(self));
        }
        list
    }

    /// Reads a presence byte, then the thing where there is one.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.bool() { Some(read(self)) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_each_text_is_held_once() {
        let mut packer = Packer::new();
        packer.list(&["metadata.category", "b", "metadata.category"], |text, packer| packer.text(text));
        packer.option(Some(&SignalId(7)), |id, packer| packer.id(*id));
        packer.out.i64(-3);
        let bytes = packer.finish();
        assert_eq!(bytes.windows(8).filter(|window| window == b"metadata").count(), 1);
        let mut source = Unpacker::new(&bytes);
        assert_eq!(source.list(Unpacker::text).join(" "), "metadata.category b metadata.category");
        assert_eq!((source.option(Unpacker::id), source.signed()), (Some(SignalId(7)), -3));
        assert_eq!(source.finish(), Ok(()));
    }

    #[test]
    fn after_the_first_unsound_byte_nothing_is_read() {
        let mut source = Unpacker::new(&[0, 0, 2, 9]);
        assert!(!source.bool(), "two is no truth");
        assert_eq!((source.byte(), source.list(Unpacker::byte).len()), (0, 0));
        assert_eq!(source.finish(), Err(CodecError));
        let mut left = Unpacker::new(&[0, 0, 1, 9]);
        assert!(left.bool());
        assert_eq!(left.finish(), Err(CodecError), "bytes are left");
    }
}
