//! A packed form that has been taken in: its tables of texts and signal ids, and its code, read in place.

use super::{PathRef, Root};
use crate::codec::{CodecError, Source, common_prefix, is_same};
use crate::id::{ModelId, SignalId};
use crate::limits::MAX_NAMED_BYTES;
use crate::value::{ValueRef, pass_value};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

/// What a [`super::Packer`] has written, ready to be read at any place.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Signal ids, eight bytes each.
    ids: Box<[u8]>,
    /// All texts, one behind the other.
    texts: Box<str>,
    /// Where each text ends.
    ends: Vec<u32>,
    /// All packed zones, one behind the other.
    zones: Box<[u8]>,
    code: Box<[u8]>,
    /// Where each leaf stands that conditions name by its number.
    leaves: Vec<u32>,
    /// What a name of each leaf stands for, in bytes.
    weights: Vec<u32>,
}

/// How many texts are compared at once, so that whoever asks again behind each difference does not look at all of them.
const WINDOW: usize = 64;

/// A path whose text is given by its number in a form; equal ones are the same path of that form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathNumber {
    root: Root,
    text: u32,
}

/// A place in the code of a form, from which one thing after the other is read.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    form: &'a Form,
    cursor: Source<'a>,
    /// Bytes that the names read so far stand for, at most [`MAX_NAMED_BYTES`] while it is sound.
    named: u32,
}

/// Leaves follow from the code.
impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.ends.iter().eq(&other.ends)
            && is_same(&self.ids, &other.ids)
            && is_same(self.texts.as_bytes(), other.texts.as_bytes())
            && is_same(&self.zones, &other.zones)
            && is_same(&self.code, &other.code)
    }
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
        let texts = cursor.count();
        let (mut ends, mut end) = (Vec::with_capacity(texts), 0_u32);
        while ends.len() < texts {
            // Most are short.
            let short = cursor.rest().iter().take(texts - ends.len()).take_while(|byte| **byte < 0x80);
            let before = ends.len();
            ends.extend(short.map(|length| {
                end = end.saturating_add(u32::from(*length));
                end
            }));
            cursor.raw(ends.len() - before);
            if ends.len() < texts {
                end = end.saturating_add(cursor.u64() as u32);
                ends.push(end);
            }
        }
        let texts = cursor.text_of(end as usize);
        let zones = cursor.bytes();
        if !cursor.is_sound() {
            return Err(CodecError);
        }
        let code = Box::from(cursor.rest());
        let (ids, texts, zones) = (Box::from(ids), Box::from(texts), Box::from(zones));
        Ok(Self { ids, texts, ends, zones, code, leaves: Vec::new(), weights: Vec::new() })
    }

    /// Says where the leaves stand, once they are known to be sound, and what a name of each stands for, in bytes;
    /// until then no code may name one.
    pub fn set_leaves(&mut self, places: Vec<u32>, weights: Vec<u32>) {
        (self.leaves, self.weights) = (places, weights);
    }

    /// Where the leaves stand.
    pub fn leaves(&self) -> &[u32] {
        &self.leaves
    }

    /// What a name of each leaf stands for, in bytes.
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// What a name of the leaf of a number stands for, in bytes.
    fn weight(&self, leaf: usize) -> u32 {
        self.weights.get(leaf).copied().unwrap_or_default()
    }

    /// The code between two places.
    pub fn between(&self, start: u32, end: u32) -> &[u8] {
        self.code.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The code from a place on; the front is place 0.
    pub fn at(&self, place: u32) -> Code<'_> {
        Code { form: self, cursor: Source::new(self.since(place)), named: 0 }
    }

    /// The bytes of the code from a place on.
    pub fn since(&self, place: u32) -> &[u8] {
        self.code.get(place as usize..).unwrap_or_default()
    }

    /// The text of a number.
    pub fn text(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)? as usize;
        let start =
            number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |start| *start as usize);
        self.texts.get(start..end)
    }

    /// The path of a number.
    pub fn path(&self, PathNumber { root, text }: PathNumber) -> PathRef<'_> {
        PathRef { root, rest: self.text(text as usize).unwrap_or_default() }
    }

    /// How many texts there are.
    pub fn text_count(&self) -> usize {
        self.ends.len()
    }

    /// All texts, in order of number.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|number| self.text(number))
    }

    /// The first number, from one on, of a text that is not the same in another form.
    pub fn next_other_text(&self, other: &Self, from: usize) -> usize {
        let mut from = from;
        loop {
            let same = self.same_texts(other, from);
            from += same;
            if same < WINDOW {
                return from;
            }
        }
    }

    /// How many texts from a number on, at most as many as a window, are the same in another form.
    fn same_texts(&self, other: &Self, from: usize) -> usize {
        let end = |form: &Self, number: usize| {
            number.checked_sub(1).and_then(|last| form.ends.get(last)).copied().unwrap_or_default()
        };
        let (mine, others) = (end(self, from), end(other, from));
        let ends = [self, other].map(|form| form.ends.get(from..).unwrap_or_default().iter().take(WINDOW));
        let [mine_ends, others_ends] = ends;
        // As long as texts are as long as those of the other, they can be compared as one.
        let is_as_long = |(one, two): &(&u32, &u32)| *one - mine == *two - others;
        let count = mine_ends.zip(others_ends).take_while(is_as_long).count();
        let texts = [(self, mine), (other, others)].map(|(form, start)| {
            form.texts.as_bytes().get(start as usize..end(form, from + count) as usize).unwrap_or_default()
        });
        let same = common_prefix(texts[0], texts[1]);
        if same == texts[0].len() {
            return count;
        }
        let ends = self.ends.get(from..).unwrap_or_default();
        ends.partition_point(|end| (*end - mine) as usize <= same)
    }

    /// All ids, in order of number.
    pub fn ids(&self) -> impl Iterator<Item = SignalId> {
        (0..self.ids.len() / 8).filter_map(|number| self.id(number))
    }

    /// All packed zones.
    pub const fn zones(&self) -> &[u8] {
        &self.zones
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

    /// How many bytes are left.
    pub fn len(&self) -> usize {
        self.cursor.rest().len()
    }

    /// Whether these bytes come next.
    pub fn begins_with(&self, bytes: &[u8]) -> bool {
        self.common(bytes) == bytes.len()
    }

    /// How many bytes come next as they stand here.
    pub fn common(&self, bytes: &[u8]) -> usize {
        common_prefix(self.cursor.rest(), bytes)
    }

    /// Moves behind so many bytes.
    pub fn skip(&mut self, bytes: usize) {
        self.cursor.raw(bytes);
    }

    /// Notes that what has been read cannot be.
    pub fn fail(&mut self) {
        self.cursor.fail();
    }

    /// Counts bytes that a name stands for; more than [`MAX_NAMED_BYTES`] make the code unsound.
    pub fn name(&mut self, bytes: usize) {
        self.named = self.named.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.named > MAX_NAMED_BYTES {
            self.fail();
        }
    }

    /// Bytes that the names read so far stand for.
    pub const fn named(&self) -> usize {
        self.named as usize
    }

    /// Goes on behind a part that has been read: what it has named counts here, and where it is unsound this is too.
    pub fn join(&mut self, part: &Self) {
        self.name(part.named());
        if !part.is_sound() {
            self.fail();
        }
    }

    /// Where in the form this is.
    pub fn place(&self) -> u32 {
        // A part is a slice of the form's code, so its address says where it stands.
        self.cursor.rest().as_ptr().addr().wrapping_sub(self.form.code.as_ptr().addr()) as u32
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

    /// A number that is written as its difference to the one before.
    pub fn difference(&mut self, before: &mut u32) -> u32 {
        *before = before.wrapping_add(self.signed() as u32);
        *before
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
        Self { form: self.form, cursor: Source::new(self.cursor.bytes()), named: 0 }
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

    /// A text, by its number in the table.
    pub fn text(&mut self) -> &'a str {
        let number = self.cursor.u64();
        self.text_of(number)
    }

    /// The number of a text that is in the table.
    pub fn text_number(&mut self) -> u32 {
        let number = self.cursor.u64();
        self.text_of(number);
        number as u32
    }

    /// The text of a number that has been read.
    pub fn text_of(&mut self, number: u64) -> &'a str {
        let found = self.form.text(number as usize);
        self.name(found.map_or(usize::MAX, str::len));
        // Behind what is unsound every number is 0, which may be that of a long text.
        found.filter(|_| self.is_sound()).unwrap_or_default()
    }

    /// A packed zone, by its place in the table.
    pub fn zone(&mut self) -> &'a [u8] {
        let found = self.form.zones.get(self.range());
        self.name(found.map_or(usize::MAX, <[u8]>::len));
        found.filter(|_| self.is_sound()).unwrap_or_default()
    }

    fn range(&mut self) -> Range<usize> {
        let (start, length) = (self.cursor.u64() as usize, self.cursor.u64() as usize);
        start..start.saturating_add(length)
    }

    /// A signal's id, by its number in the table.
    pub fn id(&mut self) -> SignalId {
        let found = self.form.id(self.cursor.u64() as usize);
        if found.is_none() {
            self.fail();
        }
        found.unwrap_or(SignalId(0))
    }

    /// A leaf, by its number: its condition, behind what it reads.
    pub fn leaf(&mut self) -> Self {
        let mut leaf = self.leaf_entry();
        leaf.sized();
        leaf
    }

    /// A leaf, by its number: the numbers of what it reads.
    pub fn leaf_reads(&mut self) -> Self {
        self.leaf_entry().sized()
    }

    fn leaf_entry(&mut self) -> Self {
        let number = self.cursor.u64() as usize;
        let place = self.form.leaves.get(number);
        if place.is_none() {
            self.fail();
        }
        self.name(self.form.weight(number) as usize);
        self.form.at(place.copied().unwrap_or(u32::MAX))
    }

    /// A model's id, by its number in the table.
    pub fn model(&mut self) -> ModelId {
        ModelId(self.id().0)
    }

    /// A single, widened.
    pub fn single(&mut self) -> f64 {
        f64::from(f32::from_le_bytes(self.cursor.array()))
    }

    /// Bytes with their length before them.
    pub fn bytes(&mut self) -> &'a [u8] {
        self.cursor.bytes()
    }

    /// A path.
    pub fn path(&mut self) -> PathRef<'a> {
        PathRef { root: self.root(), rest: self.text() }
    }

    /// A path by the number of its text, which is in the table.
    pub fn path_number(&mut self) -> PathNumber {
        PathNumber { root: self.root(), text: self.text_number() }
    }

    fn root(&mut self) -> Root {
        let tag = self.byte();
        Root::of_tag(tag).unwrap_or_else(|| {
            self.fail();
            Root::Bare
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Packer;
    use super::*;

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
    fn a_place_inside_of_a_part_is_found_again() {
        let mut packer = Packer::new();
        packer.group(&[1, 2, 3], |number, packer| packer.out.u8(*number));
        packer.out.u8(4);
        let form = Form::open(&packer.finish()).unwrap();
        let mut part = form.at(0).sized();
        part.byte();
        assert_eq!(form.at(part.place()).byte(), 2);
    }

    #[test]
    fn after_the_first_unsound_byte_nothing_is_read() {
        let form = Form::open(&[0, 0, 0, 9, 1, 1]).unwrap();
        let mut code = form.at(0);
        assert_eq!((code.text(), code.byte(), code.count()), ("", 0, 0));
        assert!(!code.is_sound());
        assert_eq!(form.at(7).byte(), 0);
        assert_eq!(Form::open(&[1]), Err(CodecError), "an id is missing");
        assert_eq!(Form::open(&[0, 1, 2, 0xff, 0xff]), Err(CodecError), "no text");
        let damaged = Form::open(&[0, 2, 1, 1, 0xc3, 0xbc, 0, 1]).unwrap();
        assert!(damaged.at(0).text().is_empty(), "half a letter is no text");
        assert_eq!(Form::open(&[0, 0, 1]), Err(CodecError), "a zone is missing");
        assert!(Form::open(&[0, 0, 1, 7, 0, 1]).unwrap().at(0).zone() == [7]);
        assert!(Form::open(&[0, 0, 1, 7, 1, 1]).unwrap().at(0).zone().is_empty(), "it is not there");
    }
}
