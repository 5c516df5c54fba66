//! The compact binary form shared by records, states, views and bundles: varints, bytes, strings.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// Appends values to a byte buffer.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

/// Reads values from the front of a byte slice; every read may fail, none panics.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
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
    pub fn u64(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A zigzag varint.
    pub fn i64(&mut self, value: i64) {
        self.u64(((value << 1) ^ (value >> 63)) as u64);
    }

    /// A wide unsigned varint.
    pub fn u128(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A wide zigzag varint.
    pub fn i128(&mut self, value: i128) {
        self.u128(((value << 1) ^ (value >> 127)) as u128);
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

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether everything has been read.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What has not been read.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.bytes.split_first().ok_or(CodecError)?;
        self.bytes = rest;
        Ok(*first)
    }

    /// A yes or no.
    pub fn bool(&mut self) -> Result<bool, CodecError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError),
        }
    }

    /// An unsigned varint.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(CodecError);
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError)
    }

    /// A zigzag varint.
    pub fn i64(&mut self) -> Result<i64, CodecError> {
        let value = self.u64()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A wide unsigned varint.
    pub fn u128(&mut self) -> Result<u128, CodecError> {
        let mut value = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.u8()?;
            let part = u128::from(byte & 0x7f);
            if shift == 126 && part > 3 {
                return Err(CodecError);
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError)
    }

    /// A wide zigzag varint.
    pub fn i128(&mut self) -> Result<i128, CodecError> {
        let value = self.u128()?;
        Ok((value >> 1) as i128 ^ -((value & 1) as i128))
    }

    /// A float.
    pub fn f64(&mut self) -> Result<f64, CodecError> {
        let bytes: [u8; 8] = self.raw(8)?.try_into().map_err(|_| CodecError)?;
        Ok(f64::from_bits(u64::from_le_bytes(bytes)))
    }

    /// A count of things of at least one byte each, so never more than the bytes that are left.
    pub fn len(&mut self) -> Result<usize, CodecError> {
        let value = self.u64()?;
        if value > self.bytes.len() as u64 { Err(CodecError) } else { Ok(value as usize) }
    }

    /// Bytes with their length before them.
    pub fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let length = self.len()?;
        self.raw(length)
    }

    /// A string.
    pub fn str(&mut self) -> Result<&'a str, CodecError> {
        core::str::from_utf8(self.bytes()?).map_err(|_| CodecError)
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
        if length > self.bytes.len() {
            return Err(CodecError);
        }
        let (taken, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_survives(a: u64, b: i64, c: u128, d: i128) {
            let mut writer = Writer::new();
            writer.u64(a);
            writer.i64(b);
            writer.u128(c);
            writer.i128(d);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!((reader.u64(), reader.i64()), (Ok(a), Ok(b)));
            prop_assert_eq!((reader.u128(), reader.i128()), (Ok(c), Ok(d)));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.option(|r| { r.str()?; r.i128() }).is_ok() {}
        }
    }
}
