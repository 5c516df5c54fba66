//! The body of a request: what its encoding and type allow, decompressed within limits.

use crate::limits::MAX_INSPECTED_BYTES;
use attune_core::limits::MAX_BATCH_BYTES;
use std::borrow::Cow;
use std::io::{self, Read};

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

/// Decompresses a body by its `Content-Encoding`, or as gzip where its first bytes say so.
///
/// # Errors
/// Says what is wrong with it.
pub fn decode<'a>(body: &'a [u8], encoding: Option<&str>) -> Result<Cow<'a, str>, BodyError> {
    let named = encoding.unwrap_or_default().trim().to_ascii_lowercase();
    let bytes = match named.as_str() {
        "" | "identity" if body.starts_with(&[0x1f, 0x8b]) => gunzip(body)?,
        "" | "identity" => Cow::Borrowed(body),
        "gzip" | "x-gzip" => gunzip(body)?,
        "deflate" => inflate(body)?,
        "br" => read_all(brotli::Decompressor::new(body, 4_096))?,
        "zstd" => {
            read_all(ruzstd::decoding::StreamingDecoder::new(body).map_err(|_| BodyError::NotCompressed)?)?
        }
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

fn gunzip(body: &[u8]) -> Result<Cow<'static, [u8]>, BodyError> {
    read_all(flate2::read::MultiGzDecoder::new(body))
}

/// Deflate as RFC 9110 means it, in zlib's frame; some senders leave the frame away.
fn inflate(body: &[u8]) -> Result<Cow<'static, [u8]>, BodyError> {
    match read_all(flate2::read::ZlibDecoder::new(body)) {
        Err(BodyError::NotCompressed) => read_all(flate2::read::DeflateDecoder::new(body)),
        result => result,
    }
}

fn read_all(reader: impl Read) -> Result<Cow<'static, [u8]>, BodyError> {
    let mut bytes = Vec::new();
    let read: io::Result<usize> = reader.take(MAX_INSPECTED_BYTES as u64 + 1).read_to_end(&mut bytes);
    match read {
        Err(_) => Err(BodyError::NotCompressed),
        Ok(length) if length > MAX_INSPECTED_BYTES => Err(BodyError::TooLarge(None)),
        Ok(_) => Ok(Cow::Owned(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};

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
    fn what_cannot_be_read_says_why() {
        assert_eq!(decode(TEXT.as_bytes(), Some("gzip")), Err(BodyError::NotCompressed));
        assert_eq!(decode(TEXT.as_bytes(), Some("compress")), Err(BodyError::EncodingUnsupported));
        assert_eq!(decode(&[0x1f, 0x8b, 0], None), Err(BodyError::NotCompressed));
        assert_eq!(decode(&[0xff], None), Err(BodyError::NotText));
        assert_eq!(body_type(Some("image/png")), Err(BodyError::TypeUnsupported));
        assert_eq!(body_type(Some("Text/Plain; charset=UTF-8")), Ok(BodyType::Batch));
    }
}
