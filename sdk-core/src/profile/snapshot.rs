//! The envelope of a kept state: what it is, of which version, how long, and a checksum over all of that.

use crate::codec::{Source, Writer};
use crate::hash::key_hash;
use alloc::vec::Vec;
use core::fmt;

/// Version of the content of both states. The first one had no envelope; its first byte was 1.
pub(crate) const SNAPSHOT_VERSION: u8 = 4;
/// The oldest version that is read.
pub(crate) const OLDEST_VERSION: u8 = 2;
/// The first version in which members and their parts of profiles have clocks.
pub(crate) const WITH_CLOCKS: u8 = 3;
/// The first version in which profiles remember triggers of the other bundle of a rollout.
pub(crate) const WITH_ROLLOUTS: u8 = 4;

/// Whose state it is, as the first byte says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotKind {
    /// A member's.
    Member = b'M' as isize,
    /// A profile's.
    Profile = b'P' as isize,
}

/// Bytes from which no state can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// They do not begin as a state of this kind does.
    NotThis,
    /// A state of an earlier version, which this one does not read.
    EarlierVersion(u8),
    /// A state of a later version.
    LaterVersion(u8),
    /// They end before the state does.
    Truncated,
    /// The checksum says that they are not what was written, or bytes follow the state.
    Damaged,
    /// They are what was written, and no state.
    BadContent,
}

impl SnapshotError {
    /// Stable name for metrics and hosts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotThis => "snapshot_not_this",
            Self::EarlierVersion(_) => "snapshot_earlier_version",
            Self::LaterVersion(_) => "snapshot_later_version",
            Self::Truncated => "snapshot_truncated",
            Self::Damaged => "snapshot_damaged",
            Self::BadContent => "snapshot_bad_content",
        }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotThis => "the bytes do not begin as a state of this kind does",
            Self::EarlierVersion(_) => "the state is of an earlier version than this one reads",
            Self::LaterVersion(_) => "the state is of a later version",
            Self::Truncated => "the state ends early",
            Self::Damaged => "the state's checksum does not match",
            Self::BadContent => "the state's content is not of its form",
        })
    }
}

impl core::error::Error for SnapshotError {}

/// Puts an envelope around a state's content.
pub(crate) fn seal(kind: SnapshotKind, content: &[u8]) -> Vec<u8> {
    seal_as(kind, SNAPSHOT_VERSION, content)
}

/// The same for content of another version.
pub(crate) fn seal_as(kind: SnapshotKind, version: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    out.u8(kind as u8);
    out.u8(version);
    out.raw(&checksum(kind, version, content).to_le_bytes());
    out.bytes(content);
    out.into_bytes()
}

/// The content of an envelope, behind its version.
///
/// # Errors
/// Each kind of bytes that are none, by name.
pub(crate) fn open(kind: SnapshotKind, bytes: &[u8]) -> Result<(u8, &[u8]), SnapshotError> {
    let mut source = Source::new(bytes);
    let (first, version) = (source.u8(), source.u8());
    if bytes.is_empty() {
        return Err(SnapshotError::Truncated);
    }
    if first == 1 {
        return Err(SnapshotError::EarlierVersion(first));
    }
    if first != kind as u8 {
        return Err(SnapshotError::NotThis);
    }
    if version < OLDEST_VERSION && source.is_sound() {
        return Err(SnapshotError::EarlierVersion(version));
    }
    if version > SNAPSHOT_VERSION {
        return Err(SnapshotError::LaterVersion(version));
    }
    let sum = u32::from_le_bytes(source.array());
    let content = source.bytes();
    if !source.is_sound() {
        return Err(SnapshotError::Truncated);
    }
    if checksum(kind, version, content) != sum || !source.is_whole() {
        return Err(SnapshotError::Damaged);
    }
    Ok((version, content))
}

/// The lower half of the content's hash, mixed with the head. A length that is not the content's changes the content.
fn checksum(kind: SnapshotKind, version: u8, content: &[u8]) -> u32 {
    key_hash(content) as u32 ^ u32::from_le_bytes([kind as u8, version, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KIND: SnapshotKind = SnapshotKind::Member;

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_one_changed_byte_does_not(
            content: Vec<u8>, at: prop::sample::Index, flip in 1_u8..=255,
        ) {
            let sealed = seal(KIND, &content);
            prop_assert_eq!(open(KIND, &sealed), Ok((SNAPSHOT_VERSION, &*content)));
            let mut damaged = sealed;
            let at = at.index(damaged.len());
            damaged[at] ^= flip;
            prop_assert!(open(KIND, &damaged).is_err());
        }

        #[test]
        fn random_bytes_are_refused(bytes: Vec<u8>) {
            prop_assert!(open(KIND, &bytes).is_err());
        }
    }

    #[test]
    fn every_refusal_has_its_code() {
        let sealed = seal(KIND, b"content");
        for end in 0..sealed.len() {
            assert_eq!(open(KIND, &sealed[..end]), Err(SnapshotError::Truncated), "{end}");
        }
        let changed = |at: usize, byte: u8| {
            let mut bytes = sealed.clone();
            bytes[at] = byte;
            open(KIND, &bytes).map(|(_, content)| content.len()).map_err(SnapshotError::code)
        };
        assert_eq!(open(SnapshotKind::Profile, &sealed), Err(SnapshotError::NotThis));
        assert_eq!(changed(0, b'x'), Err("snapshot_not_this"));
        assert_eq!(changed(0, 1), Err("snapshot_earlier_version"));
        assert_eq!(changed(1, OLDEST_VERSION - 1), Err("snapshot_earlier_version"));
        assert_eq!(changed(1, SNAPSHOT_VERSION + 1), Err("snapshot_later_version"));
        assert_eq!(changed(sealed.len() - 1, b'T'), Err("snapshot_damaged"));
        assert_eq!(open(KIND, &[&*sealed, &[0]].concat()), Err(SnapshotError::Damaged));
        assert_eq!(open(KIND, &[1]), Err(SnapshotError::EarlierVersion(1)));
    }
}
