//! The compact binary form shared by records, states, views and bundles: varints, bytes, strings.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// Appends values to a byte buffer.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

/// Reads values from the front of a byte slice and remembers the first unsound byte: from there on every read gives an
/// empty thing, and [`Source::finish`] says whether all was sound. One check at the end instead of one per read keeps
/// the page's code small.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What has not been read, as long as all was sound.
    bytes: Option<&'a [u8]>,
}

/// Reads values as a [`Source`] does, and says at each of them whether it was sound.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    source: Source<'a>,
}

/// Bytes that end early or hold what their type cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecError;

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes end early or are not of the expected form")
    }
}

impl core::error::Error for CodecError {}

/// Goes on at the end of a buffer.
impl From<Vec<u8>> for Writer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }
}

impl Writer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// A yes or no, as one byte.
    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// An unsigned LEB128 varint.
    pub fn u64(&mut self, value: u64) {
        self.halves(value, 0);
    }

    /// A zigzag varint.
    pub fn i64(&mut self, value: i64) {
        self.u64(((value << 1) ^ (value >> 63)) as u64);
    }

    /// A wide zigzag varint.
    pub fn i128(&mut self, value: i128) {
        let (low, high) = (value as u64, (value >> 64) as u64);
        let sign = (high as i64 >> 63) as u64;
        self.halves((low << 1) ^ sign, ((high << 1) | (low >> 63)) ^ sign);
    }

    /// A varint of up to 128 bits, by halves: shifts of wide integers are calls in the page.
    fn halves(&mut self, mut low: u64, mut high: u64) {
        while low >= 0x80 || high > 0 {
            self.bytes.push(low as u8 | 0x80);
            low = (low >> 7) | (high << 57);
            high >>= 7;
        }
        self.bytes.push(low as u8);
    }

    /// A float as its eight little-endian bytes.
    pub fn f64(&mut self, value: f64) {
        self.raw(&value.to_bits().to_le_bytes());
    }

    /// A count or length.
    pub fn len(&mut self, value: usize) {
        self.u64(value as u64);
    }

    /// Bytes with their length before them.
    pub fn bytes(&mut self, value: &[u8]) {
        self.len(value.len());
        self.raw(value);
    }

    /// A string with its length in bytes before it.
    pub fn str(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    /// A presence byte, then the value where there is one.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(inner) = value {
            write(self, inner);
        }
    }

    /// Bytes of a length both sides know.
    pub fn raw(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }
}

impl<'a> Source<'a> {
    /// Starts at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: Some(bytes) }
    }

    /// Whether all was sound and has been read.
    ///
    /// # Errors
    /// Something was not, or bytes are left.
    pub const fn finish(self) -> Result<(), CodecError> {
        match self.bytes {
            Some([]) => Ok(()),
            _ => Err(CodecError),
        }
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Whether all was sound and nothing is left.
    pub const fn is_whole(&self) -> bool {
        matches!(self.bytes, Some([]))
    }

    /// Whether nothing unsound has been read yet; a list ends where something has.
    pub const fn is_sound(&self) -> bool {
        self.bytes.is_some()
    }

    /// Notes that what has been read cannot be.
    pub const fn fail(&mut self) {
        self.bytes = None;
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        self.raw(1).first().copied().unwrap_or_default()
    }

    /// A yes or no.
    pub fn bool(&mut self) -> bool {
        let byte = self.u8();
        if byte > 1 {
            self.fail();
        }
        byte == 1
    }

    /// An unsigned varint.
    pub fn u64(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.u8();
            value |= u64::from(byte & 0x7f) << shift;
            if shift == 63 && byte > 1 {
                self.fail();
            }
            if byte < 0x80 || shift == 63 {
                return value;
            }
            shift += 7;
        }
    }

    /// A zigzag varint.
    pub fn i64(&mut self) -> i64 {
        let value = self.u64();
        (value >> 1) as i64 ^ -((value & 1) as i64)
    }

    /// A wide zigzag varint.
    pub fn i128(&mut self) -> i128 {
        let (mut value, mut shift) = (0_u128, 0);
        loop {
            let byte = self.u8();
            value |= u128::from(byte & 0x7f) << shift;
            if shift == 126 && byte > 3 {
                self.fail();
            }
            if byte < 0x80 || shift == 126 {
                return (value >> 1) as i128 ^ -((value & 1) as i128);
            }
            shift += 7;
        }
    }

    /// A count of things of at least one byte each, so never more than the bytes that are left.
    pub fn count(&mut self) -> usize {
        let value = self.u64();
        if value > self.rest().len() as u64 {
            self.fail();
            return 0;
        }
        value as usize
    }

    /// Bytes with their length before them.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = self.count();
        self.raw(length)
    }

    /// A string.
    pub fn str(&mut self) -> &'a str {
        let length = self.count();
        self.text_of(length)
    }

    /// A string of a length in bytes that both sides know.
    pub fn text_of(&mut self, length: usize) -> &'a str {
        core::str::from_utf8(self.raw(length)).unwrap_or_else(|_| {
            self.fail();
            ""
        })
    }

    /// A string of its own.
    pub fn boxed_str(&mut self) -> Box<str> {
        Box::from(self.str())
    }

    /// A value behind a presence byte.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.bool() { Some(read(self)) } else { None }
    }

    /// A count, then as many things.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.count();
        let mut list = Vec::new();
        while self.is_sound() && list.len() < count {
            list.push(read(self));
        }
        list
    }

    /// A float from its eight little-endian bytes.
    pub fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.array())
    }

    /// Bytes of a length both sides know.
    pub fn raw(&mut self, length: usize) -> &'a [u8] {
        let split = self.bytes.and_then(|bytes| bytes.split_at_checked(length));
        self.bytes = split.map(|(_, rest)| rest);
        split.map_or(&[], |(taken, _)| taken)
    }

    /// The same as an array.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        self.raw(N).try_into().unwrap_or([0; N])
    }

    /// What has not been read; nothing once something was unsound.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.unwrap_or_default()
    }
}

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { source: Source::new(bytes) }
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.source.is_empty()
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.source.rest()
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, CodecError> {
        let value = self.source.u8();
        self.checked(value)
    }

    /// A yes or no.
    pub fn bool(&mut self) -> Result<bool, CodecError> {
        let value = self.source.bool();
        self.checked(value)
    }

    /// An unsigned varint.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        let value = self.source.u64();
        self.checked(value)
    }

    /// A zigzag varint.
    pub fn i64(&mut self) -> Result<i64, CodecError> {
        let value = self.source.i64();
        self.checked(value)
    }

    /// A wide zigzag varint.
    pub fn i128(&mut self) -> Result<i128, CodecError> {
        let value = self.source.i128();
        self.checked(value)
    }

    /// A float.
    pub fn f64(&mut self) -> Result<f64, CodecError> {
        let bytes = self.source.array();
        self.checked(f64::from_bits(u64::from_le_bytes(bytes)))
    }

    /// A count of things of at least one byte each, so never more than the bytes that are left.
    pub fn len(&mut self) -> Result<usize, CodecError> {
        let value = self.source.count();
        self.checked(value)
    }

    /// Bytes with their length before them.
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let value = self.source.bytes();
        self.checked(value)
    }

    /// A string.
    pub fn str(&mut self) -> Result<&'a str, CodecError> {
        let value = self.source.str();
        self.checked(value)
    }

    /// A string of its own.
    pub fn boxed_str(&mut self) -> Result<Box<str>, CodecError> {
        self.str().map(Box::from)
    }

    /// A value behind a presence byte.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Option<T>, CodecError> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A count, then as many things.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let mut list = Vec::new();
        for _ in 0..self.len()? {
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// Bytes of a known length.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let value = self.source.raw(length);
        self.checked(value)
    }

    fn checked<T>(&self, value: T) -> Result<T, CodecError> {
        if self.source.is_sound() { Ok(value) } else { Err(CodecError) }
    }
}

/// How many bytes two slices begin with alike. Thirty-two are compared at once, also where there is no wider comparison, as
/// in WebAssembly.
pub fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let word = |bytes: &[u8; 32], at: usize| -> u64 {
        bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word))
    };
    let differing = |(one, other): (&[u8; 32], &[u8; 32])| {
        [0, 8, 16, 24].into_iter().fold(0, |all, at| all | (word(one, at) ^ word(other, at)))
    };
    let chunks = one.as_chunks().0.iter().zip(other.as_chunks().0);
    let whole = 32 * chunks.take_while(|chunks| differing(*chunks) == 0).count();
    let rest = one.iter().zip(other).skip(whole);
    whole + rest.take_while(|(one, other)| one == other).count()
}

/// Whether two slices are the same, as [`common_prefix`] compares them.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && common_prefix(one, other) == one.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slices_begin_alike_up_to_where_they_differ(mut bytes: Vec<u8>, at: prop::sample::Index, more: Vec<u8>) {
            let one = bytes.clone();
            bytes.extend(&more);
            prop_assert_eq!(common_prefix(&one, &bytes), one.len());
            if !one.is_empty() {
                let at = at.index(one.len());
                bytes[at] ^= 1;
                prop_assert_eq!(common_prefix(&one, &bytes), at);
            }
        }

        #[test]
        fn every_number_survives(a: u64, b: i64, c: u8, d: i128) {
            let mut writer = Writer::new();
            writer.u64(a);
            writer.i64(b);
            writer.i128(d >> (c % 128));
            writer.i128(d);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!((reader.u64(), reader.i64()), (Ok(a), Ok(b)));
            prop_assert_eq!((reader.i128(), reader.i128()), (Ok(d >> (c % 128)), Ok(d)));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.option(|r| { r.str()?; r.i128() }).is_ok() {}
        }
    }
}
