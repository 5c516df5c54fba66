//! A place in packed bytes from which things are read that cannot fail, because a check has gone before.

use crate::codec::Reader;

/// Reads from the front of bytes. What cannot be read gives something empty, ends the bytes and is remembered: one
/// question at the end instead of one per read keeps the page's code small.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    sound: bool,
}

impl<'a> Cursor<'a> {
    /// Starts at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, sound: true }
    }

    /// Whether everything so far could be read.
    pub const fn is_sound(&self) -> bool {
        self.sound
    }

    /// Whether everything could be read and nothing is left.
    pub const fn is_whole(&self) -> bool {
        self.sound && self.bytes.is_empty()
    }

    /// What has not been read.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Notes that what has been read cannot be; nothing can be read from here on.
    pub const fn fail(&mut self) {
        *self = Self { bytes: &[], sound: false };
    }

    /// One byte.
    pub const fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => {
                self.fail();
                0
            }
        }
    }

    /// An unsigned varint.
    pub const fn number(&mut self) -> u64 {
        // Nearly all are one byte.
        if let [first @ 0..0x80, rest @ ..] = self.bytes {
            self.bytes = rest;
            return *first as u64;
        }
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            if shift == 63 && byte > 1 {
                self.fail();
                return 0;
            }
            value |= ((byte & 0x7f) as u64) << shift;
            if byte < 0x80 {
                return value;
            }
            shift += 7;
        }
    }

    /// A zigzag varint.
    pub const fn signed(&mut self) -> i64 {
        let value = self.number();
        (value >> 1) as i64 ^ -((value & 1) as i64)
    }

    /// A count of things of at least one byte each, so never more than the bytes that are left.
    pub const fn count(&mut self) -> usize {
        let count = self.number();
        if count > self.bytes.len() as u64 {
            self.fail();
            return 0;
        }
        count as usize
    }

    /// So many bytes.
    pub const fn take(&mut self, length: usize) -> &'a [u8] {
        match self.bytes.split_at_checked(length) {
            Some((taken, rest)) => {
                self.bytes = rest;
                taken
            }
            None => {
                self.fail();
                &[]
            }
        }
    }

    /// Bytes with their length before them.
    pub const fn bytes(&mut self) -> &'a [u8] {
        let length = self.count();
        self.take(length)
    }

    /// A text with its length before it.
    pub const fn text(&mut self) -> &'a str {
        match core::str::from_utf8(self.bytes()) {
            Ok(text) => text,
            Err(_) => {
                self.fail();
                ""
            }
        }
    }

    /// A double.
    pub fn double(&mut self) -> f64 {
        let bytes = self.take(8).first_chunk().copied().unwrap_or_default();
        f64::from_bits(u64::from_le_bytes(bytes))
    }
}

impl<'a> From<&Reader<'a>> for Cursor<'a> {
    fn from(reader: &Reader<'a>) -> Self {
        Self::new(reader.rest())
    }
}
