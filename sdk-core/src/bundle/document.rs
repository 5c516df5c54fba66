//! What every document around bundles begins with: four letters that say which it is, and the version of its form.

use super::BundleError;
use crate::codec::Source;

/// Length of an Ed25519 signature, in bytes.
pub const SIGNATURE_BYTES: usize = 64;
/// The version of every form.
pub(super) const FORMAT: u8 = 1;

/// What stands behind the letters and the version.
pub(super) fn open_document<'a>(bytes: &'a [u8], magic: &[u8]) -> Result<&'a [u8], BundleError> {
    let rest = match bytes.strip_prefix(magic) {
        Some(rest) => rest,
        None if magic.starts_with(bytes) => return Err(BundleError::Truncated),
        None => return Err(BundleError::BadMagic),
    };
    match rest.split_first() {
        Some((&FORMAT, rest)) => Ok(rest),
        Some((other, _)) => Err(BundleError::UnsupportedFormat(*other)),
        None => Err(BundleError::Truncated),
    }
}

/// What is signed of a document, behind the letters and the version as something to be read, and the signature at its
/// end.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    pub bytes: &'a [u8],
    pub source: Source<'a>,
    pub signature: &'a [u8; SIGNATURE_BYTES],
}

/// Takes a signed document apart.
pub(super) fn open_signed<'a>(bytes: &'a [u8], magic: &[u8]) -> Result<Signed<'a>, BundleError> {
    let rest = open_document(bytes, magic)?;
    let content = rest.split_last_chunk::<SIGNATURE_BYTES>().ok_or(BundleError::Truncated)?.0;
    let (bytes, signature) = bytes.split_last_chunk().ok_or(BundleError::Truncated)?;
    Ok(Signed { bytes, source: Source::new(content), signature })
}
