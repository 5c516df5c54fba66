//! A packed form that has been taken in: its tables of texts and signal ids, and its code, read in place.

use super::{PathRef, Root};
use crate::codec::CodecError;
use crate::codec::Source;
use crate::id::SignalId;
use crate::value::{ValueRef, pass_value};
use alloc::boxed::Box;

/// What a [`super::Packer`] has written, ready to be read at any place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Signal ids, eight bytes each.
    ids: Box<[u8]>,
    /// All texts, one behind the other.
    texts: Box<str>,
    code: Box<[u8]>,
}

/// A place in the code of a form, from which one thing after the other is read.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    form: &'a Form,
    cursor: Source<'a>,
}

impl Form {
    /// Takes the tables in; the code is for its owner to check, once, by reading it.
    ///
    /// # Errors
    /// Fails on bytes whose tables are unsound.
    pub fn open(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut cursor = Source::new(bytes);
        let count = cursor.count();
        let ids = cursor.raw(count.saturating_mul(8));
        let texts = cursor.str();
        if !cursor.is_sound() {
            return Err(CodecError);
        }
        Ok(Self { ids: Box::from(ids), texts: Box::from(texts), code: Box::from(cursor.rest()) })
    }

    /// The code from a place on; the front is place 0.
    pub fn at(&self, place: u32) -> Code<'_> {
        let bytes = self.code.get(place as usize..).unwrap_or_default();
        Code { form: self, cursor: Source::new(bytes) }
    }

    fn id(&self, number: usize) -> Option<SignalId> {
        let bytes = self.ids.get(number.checked_mul(8)?..)?.first_chunk()?;
        Some(SignalId(u64::from_le_bytes(*bytes)))
    }
}

impl<'a> Code<'a> {
    /// Whether everything so far could be read.
    pub fn is_sound(&self) -> bool {
        self.cursor.is_sound()
    }

    /// Whether everything could be read and nothing is left.
    pub fn is_whole(&self) -> bool {
        self.cursor.is_whole()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.cursor.rest().is_empty()
    }

    /// Notes that what has been read cannot be.
    pub fn fail(&mut self) {
        self.cursor.fail();
    }

    /// Where in the form this is.
    pub fn place(&self) -> u32 {
        (self.form.code.len() - self.cursor.rest().len()) as u32
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.cursor.u8()
    }

    /// An unsigned number.
    pub fn number(&mut self) -> u64 {
        self.cursor.u64()
    }

    /// A signed number.
    pub fn signed(&mut self) -> i64 {
        self.cursor.i64()
    }

    /// A double.
    pub fn double(&mut self) -> f64 {
        self.cursor.f64()
    }

    /// A count of things of at least one byte each.
    pub fn count(&mut self) -> usize {
        self.cursor.count()
    }

    /// Code with its length before it, as a place of its own.
    pub fn sized(&mut self) -> Self {
        Self { form: self.form, cursor: Source::new(self.cursor.bytes()) }
    }

    /// A value that stands in no table; `check` looks at what is inside as well.
    pub fn value(&mut self, check: bool) -> ValueRef<'a> {
        let mut checked = self.cursor;
        let value = ValueRef::read(&mut self.cursor);
        if check {
            pass_value(&mut checked, true);
            self.cursor = checked;
        }
        value
    }

    /// A text, by its place in the table.
    pub fn text(&mut self) -> &'a str {
        let (start, length) = (self.cursor.u64() as usize, self.cursor.u64() as usize);
        match self.form.texts.get(start..start.saturating_add(length)) {
            Some(found) => found,
            None => {
                self.fail();
                ""
            }
        }
    }

    /// A signal's id, by its number in the table.
    pub fn id(&mut self) -> SignalId {
        let found = self.form.id(self.cursor.u64() as usize);
        if found.is_none() {
            self.fail();
        }
        found.unwrap_or(SignalId(0))
    }

    /// A path.
    pub fn path(&mut self) -> PathRef<'a> {
        let tag = self.byte();
        let root = Root::of_tag(tag).unwrap_or_else(|| {
            self.fail();
            Root::Bare
        });
        PathRef { root, rest: self.text() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Packer;
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn what_is_packed_comes_back_and_each_text_is_held_once() {
        let mut packer = Packer::new();
        packer.list(&["metadata.category", "b", "metadata.category"], |text, packer| packer.text(text));
        packer.id(SignalId(7));
        packer.out.i64(-3);
        let bytes = packer.finish();
        assert_eq!(bytes.windows(8).filter(|window| window == b"metadata").count(), 1);
        let form = Form::open(&bytes).unwrap();
        let mut code = form.at(0);
        let texts: Vec<&str> = (0..code.count()).map(|_| code.text()).collect();
        assert_eq!(texts, ["metadata.category", "b", "metadata.category"]);
        assert_eq!((code.id(), code.signed(), code.is_whole()), (SignalId(7), -3, true));
    }

    #[test]
    fn after_the_first_unsound_byte_nothing_is_read() {
        let form = Form::open(&[0, 0, 9, 1, 1]).unwrap();
        let mut code = form.at(0);
        assert_eq!((code.text(), code.byte(), code.count()), ("", 0, 0));
        assert!(!code.is_sound());
        assert_eq!(form.at(7).byte(), 0);
        assert_eq!(Form::open(&[1]), Err(CodecError), "an id is missing");
        assert_eq!(Form::open(&[0, 2, 0xff, 0xff]), Err(CodecError), "no text");
        let damaged = Form::open(&[0, 2, 0xc3, 0xbc, 1, 1]).unwrap();
        assert!(damaged.at(0).text().is_empty(), "half a letter is no text");
    }
}
