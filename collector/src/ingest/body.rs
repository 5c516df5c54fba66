//! The body of a request: what its encoding and type allow, decompressed within limits.

use crate::limits::MAX_INSPECTED_BYTES;
use attune_core::limits::MAX_BATCH_BYTES;
use serde::Deserialize;
use std::borrow::Cow;
use std::io::Read;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

/// Room that a decompressed body gets at least, in bytes: less is not worth a second look.
const LEAST_ROOM: usize = 1024;

/// What a body holds, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyType {
    /// One envelope as JSON.
    Batch,
    /// One event a line.
    Lines,
}

/// Why a body cannot be taken as text.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyError {
    /// A `Content-Type` that holds no events.
    TypeUnsupported,
    /// A `Content-Encoding` that is not decoded here.
    EncodingUnsupported,
    /// Bytes that do not decompress.
    NotCompressed,
    /// Bytes that are not UTF-8.
    NotText,
    /// More than a batch may hold; the text is there while it is small enough to look into.
    TooLarge(Option<String>),
}

/// The type of a body; absent counts as plain text, as browsers send it.
///
/// # Errors
/// A type that holds no events.
pub fn body_type(content_type: Option<&str>) -> Result<BodyType, BodyError> {
    let essence = content_type.unwrap_or("text/plain").split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" | "text/plain" | "" => Ok(BodyType::Batch),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(BodyType::Lines),
        _ => Err(BodyError::TypeUnsupported),
    }
}

/// Whether a body has to be decompressed.
pub fn is_compressed(body: &[u8], encoding: Option<&str>) -> bool {
    !matches!(named(encoding).as_str(), "" | "identity") || is_gzip(body)
}

/// The write key that a batch names itself: nothing is decompressed for somebody who has none.
pub fn key_inside(body: &[u8], body_type: BodyType, encoding: Option<&str>) -> Option<String> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        write_key: Cow<'a, str>,
    }
    // A list would be read as its fields in order.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    if body_type != BodyType::Batch || is_compressed(body, encoding) || !is_object {
        return None;
    }
    let named: Named<'_> = serde_json::from_slice(body).ok()?;
    Some(named.write_key.into_owned())
}

/// Decompresses a body by its `Content-Encoding`, or as gzip where its first bytes say so.
///
/// # Errors
/// Says what is wrong with it.
pub fn decode<'a>(body: &'a [u8], encoding: Option<&str>) -> Result<Cow<'a, str>, BodyError> {
    let bytes = match named(encoding).as_str() {
        "" | "identity" if is_gzip(body) => gunzip(body)?,
        "" | "identity" => Cow::Borrowed(body),
        "gzip" | "x-gzip" => gunzip(body)?,
        "deflate" => inflate(body)?,
        "br" => unbrotli(body)?,
        "zstd" => unzstd(body)?,
        _ => return Err(BodyError::EncodingUnsupported),
    };
    let text = match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| BodyError::NotText)?),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| BodyError::NotText)?),
    };
    if text.len() > MAX_BATCH_BYTES {
        return Err(BodyError::TooLarge(Some(text.into_owned())));
    }
    Ok(text)
}

fn named(encoding: Option<&str>) -> String {
    encoding.unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

fn gunzip(body: &[u8]) -> Result<Cow<'static, [u8]>, BodyError> {
    // The last member ends with its size (RFC 1952, 2.3.1); nearly always there is only one.
    let told = body.last_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize);
    read_all(flate2::bufread::MultiGzDecoder::new(body), told)
}

/// Deflate as RFC 9110 means it, in zlib's frame; some senders leave the frame away.
fn inflate(body: &[u8]) -> Result<Cow<'static, [u8]>, BodyError> {
    match read_all(flate2::bufread::ZlibDecoder::new(body), several_times(body)) {
        Err(BodyError::NotCompressed) => {
            read_all(flate2::bufread::DeflateDecoder::new(body), several_times(body))
        }
        result => result,
    }
}

fn unbrotli(body: &[u8]) -> Result<Cow<'static, [u8]>, BodyError> {
    // This beginning is no window of RFC 7932, 9.1; the decoder takes it for one of up to 1 GiB and gets memory for it.
    if body.first().is_some_and(|first| first & 0x7f == 0x11) {
        return Err(BodyError::NotCompressed);
    }
    read_all(brotli::Decompressor::new(body, 4_096), several_times(body))
}

/// One frame after another, as parallel compressors write them.
fn unzstd(body: &[u8]) -> Result<Cow<'static, [u8]>, BodyError> {
    let told =
        zstd_content(body).map_or(several_times(body), |size| usize::try_from(size).unwrap_or(usize::MAX));
    let mut bytes = Vec::with_capacity(first_room(told));
    let mut decoder = Decoder::new().map_err(|_| BodyError::NotCompressed)?;
    let mut input = InBuffer::around(body);
    loop {
        // The decoder takes memory for a whole window before it gives a byte.
        let frame = body.get(input.pos()..).unwrap_or_default();
        if zstd_window(frame).ok_or(BodyError::NotCompressed)? > MAX_INSPECTED_BYTES as u64 {
            return Err(BodyError::TooLarge(None));
        }
        loop {
            if bytes.len() == bytes.capacity() {
                bytes.reserve_exact(more_room(bytes.len()));
            }
            let written = bytes.len();
            let mut output = OutBuffer::around_pos(&mut bytes, written);
            let left = decoder.run(&mut input, &mut output).map_err(|_| BodyError::NotCompressed)?;
            if bytes.len() > MAX_INSPECTED_BYTES {
                return Err(BodyError::TooLarge(None));
            }
            if left == 0 {
                break;
            }
            if input.pos() == body.len() && bytes.len() < bytes.capacity() {
                return Err(BodyError::NotCompressed);
            }
        }
        if input.pos() == body.len() {
            return Ok(Cow::Owned(bytes));
        }
        decoder.reinit().map_err(|_| BodyError::NotCompressed)?;
    }
}

/// What a zstd frame asks its decoder to remember, in bytes (RFC 8878, 3.1.1.1); nothing where none begins.
fn zstd_window(frame: &[u8]) -> Option<u64> {
    let (&descriptor, header) = frame.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?.split_first()?;
    if descriptor & 0x20 != 0 {
        return zstd_content(frame);
    }
    let window = header.first()?;
    let base = 1_u64 << (10 + (window >> 3));
    Some(base + base / 8 * u64::from(window & 7))
}

/// What a zstd frame says that it holds, in bytes (RFC 8878, 3.1.1.1.4); nothing where it does not say so.
fn zstd_content(frame: &[u8]) -> Option<u64> {
    let (&descriptor, header) = frame.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?.split_first()?;
    let is_single_segment = descriptor & 0x20 != 0;
    if !is_single_segment && descriptor >> 6 == 0 {
        return None;
    }
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let before = dictionary + usize::from(!is_single_segment);
    let size = 1_usize << (descriptor >> 6);
    let mut content = [0; 8];
    content[..size].copy_from_slice(header.get(before..before + size)?);
    // A size of two bytes begins at 256.
    Some(u64::from_le_bytes(content).saturating_add(if size == 2 { 256 } else { 0 }))
}

/// What a body holds where it does not say so.
fn several_times(body: &[u8]) -> usize {
    body.len().saturating_mul(8)
}

/// The room to begin with for what a body says that it holds: no more than the memory taken for it, which a body that lies
/// does not fill, and a byte in which its end is seen.
fn first_room(told: usize) -> usize {
    told.clamp(LEAST_ROOM, MAX_BATCH_BYTES) + 1
}

/// The room to add to a full buffer; in its last byte a body is seen to be too large.
fn more_room(length: usize) -> usize {
    length.min(MAX_INSPECTED_BYTES + 1 - length)
}

/// Reads to the end, or until it is too large.
fn read_all(mut reader: impl Read, told: usize) -> Result<Cow<'static, [u8]>, BodyError> {
    let mut bytes = vec![0; first_room(told)];
    let mut length = 0;
    loop {
        match reader.read(&mut bytes[length..]).map_err(|_| BodyError::NotCompressed)? {
            0 => break,
            read => length += read,
        }
        if length > MAX_INSPECTED_BYTES {
            return Err(BodyError::TooLarge(None));
        }
        if length == bytes.len() {
            bytes.resize(length + more_room(length), 0);
        }
    }
    bytes.truncate(length);
    Ok(Cow::Owned(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const TEXT: &str = r#"{"events":[]}"#;
    /// `TEXT` as one raw block in a zstd frame, by RFC 8878.
    const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\x0d\x69\x00\x00{\"events\":[]}";

    fn all(mut reader: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn every_encoding_is_read() {
        let level = Compression::default();
        let mut br = Vec::new();
        brotli::BrotliCompress(&mut TEXT.as_bytes(), &mut br, &Default::default()).unwrap();
        for (encoding, body) in [
            (None, TEXT.as_bytes().to_vec()),
            (Some("identity"), TEXT.as_bytes().to_vec()),
            (None, all(GzEncoder::new(TEXT.as_bytes(), level))),
            (Some("GZIP"), all(GzEncoder::new(TEXT.as_bytes(), level))),
            (Some("deflate"), all(ZlibEncoder::new(TEXT.as_bytes(), level))),
            (Some("deflate"), all(DeflateEncoder::new(TEXT.as_bytes(), level))),
            (Some("br"), br),
            (Some("zstd"), ZSTD.to_vec()),
        ] {
            assert_eq!(decode(&body, encoding).as_deref(), Ok(TEXT), "{encoding:?}");
            assert_eq!(is_compressed(&body, encoding), body != TEXT.as_bytes(), "{encoding:?}");
        }
    }

    #[test]
    fn a_batch_names_its_key_where_it_can_be_read_as_it_is() {
        let deep = format!("{}{}", "[".repeat(9_000), "]".repeat(9_000));
        let text = format!(r#"{{"events":[{deep},1e400,"\ud800"],"write_key":"k\u0031"}}"#);
        let inside = |body: &[u8], body_type, encoding| key_inside(body, body_type, encoding);
        assert_eq!(inside(text.as_bytes(), BodyType::Batch, None).as_deref(), Some("k1"));
        assert_eq!(inside(text.as_bytes(), BodyType::Batch, Some("Identity")).as_deref(), Some("k1"));
        assert_eq!(inside(text.as_bytes(), BodyType::Lines, None), None);
        assert_eq!(inside(text.as_bytes(), BodyType::Batch, Some("br")), None);
        let packed = all(GzEncoder::new(text.as_bytes(), Compression::fast()));
        assert_eq!(inside(&packed, BodyType::Batch, None), None);
        for none in [r#"{"write_key":7}"#, r#"{"events":[]}"#, r#"["write_key"]"#, "", "{"] {
            assert_eq!(inside(none.as_bytes(), BodyType::Batch, None), None, "{none}");
        }
    }

    #[test]
    fn a_bomb_is_stopped_and_a_large_batch_is_shown() {
        let zeros = |length| all(GzEncoder::new(&*vec![b' '; length], Compression::best()));
        assert_eq!(decode(&zeros(MAX_INSPECTED_BYTES + 1), None), Err(BodyError::TooLarge(None)));
        assert!(matches!(decode(&zeros(MAX_BATCH_BYTES + 1), None), Err(BodyError::TooLarge(Some(_)))));
        assert!(decode(&zeros(MAX_BATCH_BYTES), None).is_ok());
    }

    #[test]
    fn a_bomb_of_brotli_is_stopped_and_a_large_window_is_not_begun() {
        let pack = |length: usize, large_window: bool, lgwin| {
            let mut packed = Vec::new();
            let settings =
                brotli::enc::BrotliEncoderParams { large_window, lgwin, quality: 5, ..Default::default() };
            brotli::BrotliCompress(&mut &*vec![b' '; length], &mut packed, &settings).unwrap();
            packed
        };
        let bomb = pack(4 * MAX_INSPECTED_BYTES, false, 24);
        assert!(bomb.len() < 1024, "{}", bomb.len());
        assert_eq!(decode(&bomb, Some("br")), Err(BodyError::TooLarge(None)));
        assert!(decode(&pack(1 << 20, false, 24), Some("br")).is_ok());
        assert_eq!(decode(&pack(1 << 20, true, 30), Some("br")), Err(BodyError::NotCompressed));
    }

    /// A zstd frame with a window of this descriptor and blocks of one repeated byte, 128 KiB each.
    fn repeated(window: u8, blocks: usize) -> Vec<u8> {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, window];
        for block in 1..=blocks {
            let header = (128 * 1024) << 3 | 1 << 1 | u32::from(block == blocks);
            frame.extend_from_slice(&header.to_le_bytes()[..3]);
            frame.push(b' ');
        }
        frame
    }

    #[test]
    fn a_frame_of_zstd_that_wants_more_memory_than_a_body_may_have_is_not_begun() {
        // 8 MiB and 100 MiB: within the latter 3 KB would become 100 MB before the first byte is seen.
        let [eight, hundred] = [0x68, 0x84];
        assert_eq!(zstd_window(&repeated(eight, 1)), Some(8 << 20));
        assert_eq!(zstd_window(&repeated(hundred, 1)), Some(96 << 20));
        assert_eq!(decode(&repeated(eight, 8), Some("zstd")).map(|text| text.len()), Ok(1 << 20));
        assert_eq!(decode(&repeated(eight, 80), Some("zstd")), Err(BodyError::TooLarge(None)));
        assert_eq!(decode(&repeated(hundred, 8), Some("zstd")), Err(BodyError::TooLarge(None)));
    }

    #[test]
    fn what_a_body_says_that_it_holds_is_not_believed() {
        let long = TEXT.repeat(1_000);
        let packed = all(GzEncoder::new(long.as_bytes(), Compression::fast()));
        let whole = zstd::bulk::compress(long.as_bytes(), 1).unwrap();
        assert_eq!(zstd_content(&whole), Some(long.len() as u64));
        let mut streamed = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        streamed.write_all(TEXT.as_bytes()).and_then(|()| streamed.flush()).unwrap();
        streamed.write_all(&long.as_bytes()[TEXT.len()..]).unwrap();
        let streamed = streamed.finish().unwrap();
        assert_eq!(zstd_content(&streamed), None);
        for (body, encoding) in [(&packed, "gzip"), (&whole, "zstd"), (&streamed, "zstd")] {
            assert_eq!(decode(body, Some(encoding)).as_deref(), Ok(&*long), "{encoding}");
        }
        // The sizes of a first member and of a frame that has another behind it say too little.
        let small = all(GzEncoder::new(TEXT.as_bytes(), Compression::fast()));
        let members = [&*packed, &*small].concat();
        assert_eq!(decode(&members, None).map(|text| text.len()), Ok(long.len() + TEXT.len()));
        let frames = [ZSTD, &*whole, &*streamed].concat();
        assert_eq!(decode(&frames, Some("zstd")).map(|text| text.len()), Ok(TEXT.len() + 2 * long.len()));
        // Four bytes that are no size, and a size that is not kept.
        let mut lies = packed.clone();
        lies.splice(packed.len() - 4.., [0xff; 4]);
        assert_eq!(decode(&lies, None), Err(BodyError::NotCompressed));
        for told in [[12_u8, 0], [0xff, 0xff]] {
            let mut lies = whole.clone();
            assert_eq!(lies[4] >> 6, 1, "a size of two bytes");
            let at = if lies[4] & 0x20 == 0 { 6 } else { 5 };
            lies[at..at + 2].copy_from_slice(&told);
            assert_eq!(decode(&lies, Some("zstd")), Err(BodyError::NotCompressed), "{told:?}");
        }
        assert_eq!(first_room(usize::MAX), MAX_BATCH_BYTES + 1);
    }

    #[test]
    fn frames_of_zstd_follow_each_other() {
        let twice = [ZSTD, ZSTD].concat();
        assert_eq!(decode(&twice, Some("zstd")).as_deref(), Ok(&*TEXT.repeat(2)));
        let eighty = repeated(0x38, 8).repeat(10);
        assert_eq!(decode(&eighty, Some("zstd")), Err(BodyError::TooLarge(None)));
        for length in 1..ZSTD.len() {
            let cut = [ZSTD, &ZSTD[..length]].concat();
            assert_eq!(decode(&cut, Some("zstd")), Err(BodyError::NotCompressed), "{length}");
        }
    }

    #[test]
    fn what_zstd_wants_to_remember_is_read_from_its_header() {
        let single =
            |flags: u8, content: &[u8]| zstd_window(&[b"\x28\xb5\x2f\xfd", &[flags][..], content].concat());
        assert_eq!(single(0x20, &[13]), Some(13));
        assert_eq!(single(0x60, &[1, 1]), Some(257 + 256));
        assert_eq!(single(0xa1, &[9, 1, 0, 0, 1]), Some(1 + (1 << 24)));
        assert_eq!(single(0xe3, &[9, 9, 9, 9, 0, 0, 0, 0, 1, 0, 0, 0]), Some(1 << 32));
        assert_eq!(single(0x60, &[1]), None);
        assert_eq!(zstd_window(b"\x28\xb5\x2f"), None);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert_eq!(decode(TEXT.as_bytes(), Some("gzip")), Err(BodyError::NotCompressed));
        assert_eq!(decode(TEXT.as_bytes(), Some("compress")), Err(BodyError::EncodingUnsupported));
        assert_eq!(decode(&[0x1f, 0x8b, 0], None), Err(BodyError::NotCompressed));
        assert_eq!(decode(&[0xff], None), Err(BodyError::NotText));
        assert_eq!(body_type(Some("image/png")), Err(BodyError::TypeUnsupported));
        assert_eq!(body_type(Some("Text/Plain; charset=UTF-8")), Ok(BodyType::Batch));
    }
}
