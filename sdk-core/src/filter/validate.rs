//! The bounds of one event.

use crate::limits::{MAX_ID_CHARS, MAX_METADATA_BYTES};
use crate::wire::Event;
use alloc::string::String;
use core::fmt;

/// Why an event is refused, with the field and the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// `event_type` is empty.
    TypeMissing,
    /// `event_type` is longer than its limit.
    TypeTooLong(usize),
    /// `metadata` is larger than its limit.
    MetadataTooLarge(usize),
    /// `metadata` is not a JSON object.
    MetadataNotAnObject,
    /// `user_id` is longer than its limit.
    UserIdTooLong(usize),
    /// `anonymous_id` is empty or longer than its limit.
    AnonymousIdInvalid(usize),
}

/// Checks the bounds of an event whose metadata its reader has proven to be a JSON object of so many bytes.
///
/// # Errors
/// The first bound that the event breaks.
pub fn check_bounds(event: &Event, metadata_bytes: usize) -> Result<(), Rejection> {
    // A sender with a user id alone is the member `user:<id>`; the bound is the id's.
    let member = event.member.0.strip_prefix("user:").unwrap_or(&event.member.0);
    if event.event_type.is_empty() {
        return Err(Rejection::TypeMissing);
    }
    bounded(&event.event_type, Rejection::TypeTooLong)?;
    if member.is_empty() {
        return Err(Rejection::AnonymousIdInvalid(0));
    }
    bounded(member, Rejection::AnonymousIdInvalid)?;
    if let Some(user_id) = &event.user_id {
        bounded(user_id, Rejection::UserIdTooLong)?;
    }
    if metadata_bytes > MAX_METADATA_BYTES {
        return Err(Rejection::MetadataTooLarge(metadata_bytes));
    }
    Ok(())
}

fn bounded(text: &str, rejection: impl Fn(usize) -> Rejection) -> Result<(), Rejection> {
    // A character takes one byte at least, so most texts need no counting.
    if text.len() <= MAX_ID_CHARS {
        return Ok(());
    }
    // Every byte but those that continue a character begins one.
    let chars = text.bytes().filter(|byte| byte & 0xc0 != 0x80).count();
    if chars > MAX_ID_CHARS { Err(rejection(chars)) } else { Ok(()) }
}

impl Rejection {
    /// Stable name for receipts and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TypeMissing => "event_type_missing",
            Self::TypeTooLong(_) => "event_type_too_long",
            Self::MetadataTooLarge(_) => "metadata_too_large",
            Self::MetadataNotAnObject => "metadata_not_an_object",
            Self::UserIdTooLong(_) => "user_id_too_long",
            Self::AnonymousIdInvalid(_) => "anonymous_id_invalid",
        }
    }

    /// The field that is wrong.
    pub const fn field(self) -> &'static str {
        match self {
            Self::TypeMissing | Self::TypeTooLong(_) => "event_type",
            Self::MetadataTooLarge(_) | Self::MetadataNotAnObject => "metadata",
            Self::UserIdTooLong(_) => "user_id",
            Self::AnonymousIdInvalid(_) => "anonymous_id",
        }
    }

    /// What was found and the most that is allowed, in bytes for metadata and otherwise in characters; both are 0
    /// where it is not a matter of size.
    pub const fn measure(self) -> (usize, usize) {
        match self {
            Self::TypeMissing | Self::MetadataNotAnObject | Self::AnonymousIdInvalid(0) => (0, 0),
            Self::MetadataTooLarge(bytes) => (bytes, MAX_METADATA_BYTES),
            Self::TypeTooLong(chars) | Self::UserIdTooLong(chars) | Self::AnonymousIdInvalid(chars) => {
                (chars, MAX_ID_CHARS)
            }
        }
    }

    /// The same for people: what, where, the limit.
    pub fn message(self) -> String {
        let mut out = String::from(self.field());
        let unit = match self {
            Self::TypeMissing | Self::AnonymousIdInvalid(0) => {
                out.push_str(" is empty");
                return out;
            }
            Self::MetadataNotAnObject => {
                out.push_str(" is not a JSON object");
                return out;
            }
            Self::MetadataTooLarge(_) => " bytes; the limit is ",
            Self::TypeTooLong(_) | Self::UserIdTooLong(_) | Self::AnonymousIdInvalid(_) => {
                " characters; the limit is "
            }
        };
        let (size, limit) = self.measure();
        out.push_str(" is ");
        push_grouped(size, &mut out);
        out.push_str(unit);
        push_grouped(limit, &mut out);
        out
    }
}

/// Appends a number with a comma between thousands.
fn push_grouped(number: usize, out: &mut String) {
    if number >= 1_000 {
        push_grouped(number / 1_000, out);
        out.push(',');
        for divisor in [100, 10, 1] {
            out.push(digit(number / divisor % 10));
        }
    } else {
        for divisor in [100, 10, 1].into_iter().filter(|divisor| number >= *divisor || *divisor == 1) {
            out.push(digit(number / divisor % 10));
        }
    }
}

fn digit(value: usize) -> char {
    char::from(b'0' + value as u8)
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl core::error::Error for Rejection {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sample;

    fn check(event: &Event) -> Result<(), Rejection> {
        check_bounds(event, event.metadata_bytes())
    }

    #[test]
    fn a_full_event_passes() {
        assert_eq!(check(&sample::full_event(1)), Ok(()));
    }

    #[test]
    fn an_event_at_its_bounds_passes_and_one_beyond_is_told_the_limit() {
        let mut event = sample::event(1);
        event.event_type = "ü".repeat(100).into();
        event.member = sample::member(&["user:", &"u".repeat(100)].concat());
        event.metadata = Some(["{\"a\":\"", &"x".repeat(MAX_METADATA_BYTES - 8), "\"}"].concat().into());
        assert_eq!(check(&event), Ok(()));
        event.metadata = Some("x".repeat(40_112).into());
        let rejection = check(&event).unwrap_err();
        assert_eq!(rejection.code(), "metadata_too_large");
        assert_eq!(rejection.message(), "metadata is 40,112 bytes; the limit is 31,744");
        event.event_type = "ü".repeat(1_000_001).into();
        let rejection = check(&event).unwrap_err();
        assert_eq!(rejection.message(), "event_type is 1,000,001 characters; the limit is 100");
    }

    #[test]
    fn every_refusal_names_its_field() {
        let refuse = |change: fn(&mut Event)| {
            let mut event = sample::event(1);
            change(&mut event);
            let rejection = check(&event).unwrap_err();
            (rejection.code(), rejection.field(), rejection.message())
        };
        let empty_type = refuse(|event| event.event_type = "".into());
        assert_eq!(empty_type, ("event_type_missing", "event_type", "event_type is empty".into()));
        let nobody = refuse(|event| event.member = sample::member(""));
        assert_eq!(nobody, ("anonymous_id_invalid", "anonymous_id", "anonymous_id is empty".into()));
        let user = refuse(|event| event.user_id = Some("u".repeat(101).into()));
        assert_eq!(
            user,
            ("user_id_too_long", "user_id", "user_id is 101 characters; the limit is 100".into())
        );
    }
}
