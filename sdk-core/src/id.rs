//! The identities of events, members, lanes, sessions, profiles, signals and models.

use crate::hash::fnv1a_128;
use crate::limits::MAX_ID_CHARS;
use crate::time::Timestamp;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
pub use uuid::Uuid;

/// Identity of an event for retry, dedup and acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub Uuid);

/// One page load's own event numbering within a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub Uuid);

/// A session, decided at capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

/// One `anonymous_id`: one visitor on one browser.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub Box<str>);

/// A profile's key: `user:<id>` for linked members, `member:<id>` for a lone one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId(pub Box<str>);

/// Hash of a signal's canonical definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalId(pub u64);

/// Hash of a model's canonical definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(pub u64);

/// Builds a UUIDv7 from a wall-clock instant and ten random bytes.
pub fn uuid_v7(at: Timestamp, random: &[u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(at.0.max(0) as u64, random).into_uuid()
}

/// Derives a UUIDv8 from a text, so that the same text always names the same thing.
pub fn derived_uuid(text: &str) -> Uuid {
    let [upper, lower] = fnv1a_128(text.as_bytes());
    uuid::Builder::from_custom_bytes(*Uuid::from_u64_pair(upper, lower).as_bytes()).into_uuid()
}

/// Reads a UUID; any other text of at most [`MAX_ID_CHARS`] characters is mapped to a derived one.
///
/// Returns nothing for an empty or a longer text.
pub fn uuid_from_text(text: &str) -> Option<Uuid> {
    match Uuid::try_parse(text) {
        Ok(uuid) if text.len() == 36 => Some(uuid),
        _ if text.is_empty() || text.chars().nth(MAX_ID_CHARS).is_some() => None,
        _ => Some(derived_uuid(text)),
    }
}

/// Appends a UUID in its hyphenated lowercase form.
pub fn write_uuid(uuid: Uuid, out: &mut String) {
    for (place, byte) in uuid.as_bytes().iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }));
        }
    }
}

impl ProfileId {
    /// The profile of a user.
    pub fn of_user(user_id: &str) -> Self {
        Self(format!("user:{user_id}").into_boxed_str())
    }

    /// The profile of a member that is linked to nobody.
    pub fn of_member(member: &MemberId) -> Self {
        Self(format!("member:{}", member.0).into_boxed_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_seven_carries_its_time() {
        let id = uuid_v7(Timestamp(1_700_000_000_123), &[7; 10]);
        assert_eq!((id.get_version_num(), id.as_u128() >> 80), (7, 1_700_000_000_123));
    }

    #[test]
    fn foreign_ids_are_mapped_alike_everywhere() {
        assert_eq!(uuid_from_text("order-1"), uuid_from_text("order-1"));
        assert_ne!(uuid_from_text("order-1"), uuid_from_text("order-2"));
        assert_eq!(uuid_from_text(&"x".repeat(101)), None);
        assert_eq!(uuid_from_text(""), None);
    }
}
