//! The frame of the log: one batch of records with its length and checksum.
//!
//! `length: u32 LE` · `crc32: u32 LE over position (u64 LE) and payload` · `payload = (record length varint, record)*`.
//! The checksum covers the position, so bytes left over from an earlier use of the file never pass for a frame.

use crate::limits::MAX_FRAME_BYTES;
use attune_core::codec::Reader;

/// Bytes before a frame's payload.
pub const HEADER_BYTES: usize = 8;

/// Bytes before a record at most.
pub const MAX_RECORD_HEADER_BYTES: usize = 10;

/// Reserves room for the header of a frame that begins at the end of `out`; returns where it begins.
pub fn begin(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    start
}

/// Fills in the header of the frame that began at `start`, or takes it back when it holds nothing.
///
/// `position` is the log position of the first byte of `out`.
pub fn finish(out: &mut Vec<u8>, start: usize, position: u64) {
    let payload_start = start + HEADER_BYTES;
    if out.len() == payload_start {
        out.truncate(start);
        return;
    }
    let length = (out.len() - payload_start) as u32;
    let checksum = checksum(position + start as u64, &out[payload_start..]);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..payload_start].copy_from_slice(&checksum.to_le_bytes());
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

/// The payload of the frame at the front of `bytes`, which begin at log position `position`.
///
/// Nothing where no whole, intact frame begins.
pub fn read(bytes: &[u8], position: u64) -> Option<&[u8]> {
    let length = declared_length(bytes)?;
    let payload = bytes.get(HEADER_BYTES..HEADER_BYTES + length)?;
    let stored = u32::from_le_bytes(bytes.get(4..HEADER_BYTES)?.try_into().ok()?);
    (stored == checksum(position, payload)).then_some(payload)
}

/// The payload length that a header declares; nothing where it cannot be one.
pub fn declared_length(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    (length > 0 && length <= MAX_FRAME_BYTES).then_some(length)
}

/// The records of a payload, in order; ends early where the payload is not of the expected form.
pub fn records(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(payload);
    std::iter::from_fn(move || if reader.is_empty() { None } else { reader.bytes().ok() })
}

fn checksum(position: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&position.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(position: u64, records: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let start = begin(&mut out);
        records.iter().for_each(|record| push_record(&mut out, record));
        finish(&mut out, start, position);
        out
    }

    #[test]
    fn a_frame_gives_its_records_back() {
        let long = vec![7_u8; 300];
        let bytes = frame(96, &[b"one", b"", &long]);
        let payload = read(&bytes, 96).unwrap();
        assert_eq!(records(payload).collect::<Vec<_>>(), [&b"one"[..], b"", &long]);
    }

    #[test]
    fn a_frame_at_another_position_is_not_a_frame() {
        assert_eq!(read(&frame(96, &[b"one"]), 97), None);
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let bytes = frame(0, &[b"one", b"two"]);
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            assert_eq!(read(&changed, 0), None, "byte {index}");
            assert_eq!(read(&bytes[..index], 0), None, "cut at {index}");
        }
    }

    #[test]
    fn a_frame_without_records_is_taken_back() {
        assert!(frame(0, &[]).is_empty());
    }
}
