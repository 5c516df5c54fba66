//! The frame of the log: one batch of records with its length, place, time and checksums.
//!
//! Second form, which is written, little endian: `FF 41 54 FE` · `header checksum: u32` · `payload length: u32` ·
//! `payload checksum: u32` · `position: u64` · `received at: i64, ms` · `payload = (record length varint, record)*`.
//! First form, which is still read: `payload length: u32` · `checksum: u32 over position and payload` · `payload`.
//!
//! The checksums (CRC-32C, RFC 3720 appendix B.4; CRC-32 in the first form) cover the position, so bytes left over from an
//! earlier use of a file never pass for a frame; the header's also covers the epoch of the segment, a random number, so nor
//! does what somebody has sent. As the mark is no part of any text in UTF-8, and the header is checked by itself, frames
//! behind a damaged one are found again.

use crate::limits::MAX_FRAME_BYTES;
use attune_core::codec::Reader;
use attune_core::time::Timestamp;

/// How a frame of the second form begins.
pub const MARK: [u8; 4] = [0xff, b'A', b'T', 0xfe];

/// Bytes before the payload of a frame of the second form.
pub const HEADER_BYTES: usize = 32;

/// Bytes before a record at most.
pub const MAX_RECORD_HEADER_BYTES: usize = 10;

/// How the frames of a segment are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A length and a checksum.
    First,
    /// With what frames can be found by.
    Second {
        /// The random number of the segment.
        epoch: u64,
    },
}

/// An intact frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'b> {
    /// Log position of its first byte.
    pub position: u64,
    /// When it was written; nothing in the first form.
    pub received_at: Option<Timestamp>,
    /// Its records.
    pub payload: &'b [u8],
    /// Log position behind it.
    pub end: u64,
}

impl Frame<'_> {
    /// Its records, in order; ends early where the payload is not of the expected form.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        records(self.payload)
    }
}

impl Form {
    /// Bytes before a payload.
    pub const fn header_bytes(self) -> usize {
        match self {
            Self::First => 8,
            Self::Second { .. } => HEADER_BYTES,
        }
    }

    /// The length of the payload that a header declares; nothing where none begins there.
    pub fn declared_length(self, bytes: &[u8], position: u64) -> Option<usize> {
        let length = match self {
            Self::First => u32_at(bytes, 0)?,
            Self::Second { epoch } => {
                let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
                let is_header = header.starts_with(&MARK)
                    && u64_at(header, 16)? == position
                    && u32_at(header, 4)? == header_checksum(header, epoch);
                is_header.then(|| u32_at(header, 8)).flatten()?
            }
        };
        let length = usize::try_from(length).ok()?;
        (length > 0 && length <= MAX_FRAME_BYTES).then_some(length)
    }

    /// The frame at the front of `bytes`, which begin at log position `position` and are known to be intact.
    pub fn read_known(self, bytes: &[u8], position: u64) -> Option<Frame<'_>> {
        let length = self.declared_length(bytes, position)?;
        let start = self.header_bytes();
        let payload = bytes.get(start..start + length)?;
        let received_at = match self {
            Self::First => None,
            Self::Second { .. } => Some(Timestamp(u64_at(bytes, 24)?.cast_signed())),
        };
        Some(Frame { position, received_at, payload, end: position + (start + length) as u64 })
    }

    /// The frame at the front of `bytes`, which begin at log position `position`.
    ///
    /// Nothing where no whole, intact frame begins.
    pub fn read(self, bytes: &[u8], position: u64) -> Option<Frame<'_>> {
        let frame = self.read_known(bytes, position)?;
        let is_intact = match self {
            Self::First => u32_at(bytes, 4)? == first_checksum(position, frame.payload),
            Self::Second { .. } => u32_at(bytes, 12)? == crc32c::crc32c(frame.payload),
        };
        is_intact.then_some(frame)
    }

    /// A frame that begins at log position `position`.
    pub fn write(self, payload: &[u8], position: u64, received_at: Timestamp) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.header_bytes() + payload.len());
        match self {
            Self::First => {
                out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
                out.extend_from_slice(&first_checksum(position, payload).to_le_bytes());
                out.extend_from_slice(payload);
            }
            Self::Second { epoch } => {
                let start = begin(&mut out);
                out.extend_from_slice(payload);
                finish(&mut out, start, position, epoch, received_at);
            }
        }
        out
    }
}

/// Reserves room for the header of a frame that begins at the end of `out`; returns where it begins.
pub fn begin(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    start
}

/// Fills in the header of the frame that began at `start`, or takes it back when it holds nothing.
///
/// `position` is the log position of the first byte of `out`.
pub fn finish(out: &mut Vec<u8>, start: usize, position: u64, epoch: u64, received_at: Timestamp) {
    let payload_start = start + HEADER_BYTES;
    if out.len() == payload_start {
        out.truncate(start);
        return;
    }
    let Some((header, payload)) = out[start..].split_first_chunk_mut::<HEADER_BYTES>() else { return };
    header[..4].copy_from_slice(&MARK);
    header[8..12].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    header[12..16].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    header[16..24].copy_from_slice(&(position + start as u64).to_le_bytes());
    header[24..32].copy_from_slice(&received_at.0.to_le_bytes());
    let checksum = header_checksum(header, epoch);
    header[4..8].copy_from_slice(&checksum.to_le_bytes());
}

/// Appends one record with its length.
pub fn push_record(out: &mut Vec<u8>, record: &[u8]) {
    let mut length = record.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(record);
}

/// The records of a payload, in order; ends early where the payload is not of the expected form.
pub fn records(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(payload);
    std::iter::from_fn(move || if reader.is_empty() { None } else { reader.bytes().ok() })
}

/// Reads a number out of the bytes, where they are long enough.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Reads a number out of the bytes, where they are long enough.
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn header_checksum(header: &[u8; HEADER_BYTES], epoch: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&epoch.to_le_bytes()), &header[8..])
}

fn first_checksum(position: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&position.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [Form; 2] = [Form::First, Form::Second { epoch: 7 }];
    const AT: Timestamp = Timestamp(1_764_000_000_000);

    fn frame(form: Form, position: u64, records: &[&[u8]]) -> Vec<u8> {
        let mut payload = Vec::new();
        records.iter().for_each(|record| push_record(&mut payload, record));
        form.write(&payload, position, AT)
    }

    #[test]
    fn a_frame_gives_its_records_back() {
        let long = vec![7_u8; 300];
        for form in FORMS {
            let bytes = frame(form, 96, &[b"one", b"", &long]);
            let found = form.read(&bytes, 96).unwrap();
            assert_eq!(found.records().collect::<Vec<_>>(), [&b"one"[..], b"", &long]);
            assert_eq!((found.position, found.end), (96, 96 + bytes.len() as u64));
            assert_eq!(found.received_at, (form != Form::First).then_some(AT));
        }
    }

    #[test]
    fn a_frame_at_another_position_or_of_another_epoch_is_not_a_frame() {
        for form in FORMS {
            assert_eq!(form.read(&frame(form, 96, &[b"one"]), 97), None);
        }
        assert_eq!(FORMS[1].read(&frame(Form::Second { epoch: 8 }, 96, &[b"one"]), 96), None);
    }

    #[test]
    fn every_changed_bit_and_missing_byte_is_noticed() {
        for form in FORMS {
            let bytes = frame(form, 0, &[b"one", b"two"]);
            for index in 0..bytes.len() {
                for bit in 0..8 {
                    let mut changed = bytes.clone();
                    changed[index] ^= 1 << bit;
                    assert_eq!(form.read(&changed, 0), None, "bit {bit} of byte {index}");
                }
                assert_eq!(form.read(&bytes[..index], 0), None, "cut at {index}");
            }
        }
    }

    #[test]
    fn a_frame_without_records_is_taken_back() {
        let mut out = vec![1];
        let start = begin(&mut out);
        finish(&mut out, start, 0, 7, AT);
        assert_eq!(out, [1]);
    }
}
