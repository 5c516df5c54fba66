//! What can be wrong with the bytes of a bundle.

use core::fmt;

/// Bytes that are no bundle this version can evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// The bytes do not start as a bundle does.
    BadMagic,
    /// An envelope of another format version than this one.
    UnsupportedFormat(u8),
    /// The bytes end before the envelope does.
    Truncated,
    /// The envelope's fields are not of their form, or bytes follow its end.
    BadEnvelope,
    /// A body of another version than this one.
    UnsupportedBody(u8),
    /// The body is not of its form, in this section of it.
    BadBody(&'static str),
    /// More bytes than [`MAX_BUNDLE_BYTES`](crate::limits::MAX_BUNDLE_BYTES).
    TooLarge,
    /// The delta is not of its form, or does not give what it says.
    BadDelta,
}

impl BundleError {
    /// Stable name for metrics and the page's `error.code`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadMagic => "bundle_bad_magic",
            Self::UnsupportedFormat(_) => "bundle_unsupported_format",
            Self::Truncated => "bundle_truncated",
            Self::BadEnvelope => "bundle_bad_envelope",
            Self::UnsupportedBody(_) => "bundle_unsupported_body",
            Self::BadBody(_) => "bundle_bad_body",
            Self::TooLarge => "bundle_too_large",
            Self::BadDelta => "bundle_bad_delta",
        }
    }
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadMagic => "the bytes do not start as a bundle does",
            Self::UnsupportedFormat(_) => "the bundle's envelope is of another format version",
            Self::Truncated => "the bundle ends early",
            Self::BadEnvelope => "the bundle's envelope is damaged",
            Self::UnsupportedBody(_) => "the bundle's body is of another version",
            Self::BadBody(_) => "the bundle's body is damaged at its ",
            Self::TooLarge => "the bundle has more than 64 MiB",
            Self::BadDelta => "the delta is damaged",
        })?;
        f.write_str(if let Self::BadBody(section) = self { section } else { "" })
    }
}

impl core::error::Error for BundleError {}
