//! When a message happened, by our clock.

use crate::compat::json::{given, quoted, text};
use attune_core::time::Timestamp;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a message says of its time.
#[derive(Clone, Copy, Debug)]
pub struct Stamps<'a> {
    /// `timestamp`.
    pub timestamp: Option<&'a RawValue>,
    /// `originalTimestamp`, from libraries that set a `timestamp` only where the caller has given one.
    pub original: Option<&'a RawValue>,
    /// `sentAt`, of the message or else of its batch.
    pub sent_at: Option<&'a RawValue>,
}

impl<'a> Stamps<'a> {
    /// The instant as JSON: received − (sentAt − timestamp), so that a sender's clock may be wrong by any amount. Without a
    /// readable `sentAt` the sender's clock counts; without any time the moment of arrival. A time that cannot be read
    /// stays as it is, for the reader of events to refuse.
    pub fn at(self, now: Timestamp) -> Cow<'a, str> {
        let (captured, is_final) = match (given(self.original), given(self.timestamp)) {
            (Some(_), Some(timestamp)) => (timestamp, true),
            (Some(original), None) => (original, false),
            (None, Some(timestamp)) => (timestamp, false),
            (None, None) => return Cow::Owned(quoted(&now.to_string())),
        };
        let Some(at) = instant(Some(captured)) else { return Cow::Borrowed(captured.get()) };
        let corrected = match instant(self.sent_at) {
            Some(sent) if !is_final => now.plus(at.since(sent)),
            _ => at,
        };
        Cow::Owned(quoted(&corrected.to_string()))
    }

    /// Whether the message has a time of its own.
    pub fn has_own(&self) -> bool {
        given(self.timestamp).or(given(self.original)).is_some()
    }
}

fn instant(raw: Option<&RawValue>) -> Option<Timestamp> {
    Timestamp::parse(&text(raw)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(timestamp: &str, original: &str, sent_at: &str) -> String {
        let [timestamp, original, sent_at]: [Box<RawValue>; 3] =
            [timestamp, original, sent_at].map(|text| RawValue::from_string(text.to_owned()).unwrap());
        let stamps =
            Stamps { timestamp: Some(&timestamp), original: Some(&original), sent_at: Some(&sent_at) };
        let now = Timestamp::parse("2026-11-20T10:00:00Z").unwrap();
        stamps.at(now).trim_matches('"').to_owned()
    }

    #[test]
    fn a_senders_clock_may_be_wrong_by_any_amount() {
        for (timestamp, original, sent_at, expected) in [
            // Five seconds before it was sent, by a clock that is a year behind.
            (
                r#""2025-11-20T09:59:55.000Z""#,
                "null",
                r#""2025-11-20T10:00:00Z""#,
                "2026-11-20T09:59:55.000Z",
            ),
            (
                r#""2026-11-20T11:59:55.123456+02:00""#,
                "null",
                r#""2026-11-20T10:00:00+00:00""#,
                "2026-11-20T09:59:55.123Z",
            ),
            ("null", r#""2025-11-20T09:59:55Z""#, r#""2025-11-20T10:00:00Z""#, "2026-11-20T09:59:55.000Z"),
            // Somebody has said when it was.
            (
                r#""2020-01-01T00:00:00Z""#,
                r#""2025-11-20T09:59:55Z""#,
                r#""2025-11-20T10:00:00Z""#,
                "2020-01-01T00:00:00.000Z",
            ),
            (r#""2025-11-20T09:59:55Z""#, "null", "null", "2025-11-20T09:59:55.000Z"),
            (r#""2025-11-20T09:59:55Z""#, "null", r#""soon""#, "2025-11-20T09:59:55.000Z"),
            ("null", "null", r#""2025-11-20T10:00:00Z""#, "2026-11-20T10:00:00.000Z"),
            (r#""yesterday""#, "null", r#""2025-11-20T10:00:00Z""#, "yesterday"),
            ("17", "null", r#""2025-11-20T10:00:00Z""#, "17"),
        ] {
            assert_eq!(at(timestamp, original, sent_at), expected, "{timestamp} {original} {sent_at}");
        }
    }
}
