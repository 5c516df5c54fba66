//! What becomes of a delivery after a call.

use crate::clock;
use hyper::StatusCode;
use hyper::header::{HeaderMap, RETRY_AFTER};
use std::time::{Duration, UNIX_EPOCH};

/// What one call has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has been taken.
    Done,
    /// It may go better later.
    Again(Trouble, Option<Duration>),
    /// It will never go better by itself.
    Dead(Trouble),
}

/// What went wrong, as a stable code and a text for people. Neither has anything that the receiver said or that the firing
/// says, so that what is kept of it says nothing of a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Stable name, and label of metrics.
    pub code: &'static str,
    /// What happened, and where.
    pub message: String,
}

impl Trouble {
    /// A trouble with its code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Judges an answer. Standard Webhooks has 2xx for taken and 410 for an end that is over; that other answers which blame the
/// request are final is what Azure Event Grid does with 400, 401, 403 and 413, where Stripe and Svix go on asking.
pub fn judge(status: StatusCode, headers: &HeaderMap) -> Verdict {
    let answered = |code, what: &str| Trouble::new(code, format!("the answer was {}{what}", status.as_u16()));
    match status.as_u16() {
        200..=299 => Verdict::Done,
        300..=399 => Verdict::Again(answered("redirect", ", and redirects are not followed"), None),
        410 => Verdict::Dead(answered("gone", "")),
        408 | 425 => Verdict::Again(answered("status", ""), None),
        429 | 503 => Verdict::Again(answered("status", ""), retry_after(headers)),
        400..=499 => Verdict::Dead(answered("refused", "")),
        _ => Verdict::Again(answered("status", ""), None),
    }
}

/// Seconds, or an instant (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(clock::now().0).ok()?);
    Some(until.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use std::time::SystemTime;

    fn judged(status: u16, retry_after: Option<&str>) -> Verdict {
        let mut headers = HeaderMap::new();
        headers.extend(retry_after.map(|text| (RETRY_AFTER, HeaderValue::from_str(text).unwrap())));
        judge(StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn answers_end_a_delivery_or_have_it_repeated() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(judged(status, None), Verdict::Done, "{status}");
        }
        for (status, code) in [
            (410, "gone"),
            (400, "refused"),
            (401, "refused"),
            (404, "refused"),
            (413, "refused"),
            (422, "refused"),
        ] {
            assert!(
                matches!(judged(status, None), Verdict::Dead(trouble) if trouble.code == code),
                "{status}"
            );
        }
        for (status, code) in [
            (301, "redirect"),
            (307, "redirect"),
            (408, "status"),
            (425, "status"),
            (429, "status"),
            (500, "status"),
            (502, "status"),
            (503, "status"),
            (504, "status"),
            (599, "status"),
            (600, "status"),
        ] {
            let found = judged(status, None);
            assert!(matches!(found, Verdict::Again(trouble, None) if trouble.code == code), "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms_where_it_has_a_meaning() {
        let asked = |status, text: &str| match judged(status, Some(text)) {
            Verdict::Again(_, asked) => asked,
            other => panic!("{other:?}"),
        };
        assert_eq!(asked(429, "120"), Some(Duration::from_secs(120)));
        assert_eq!(asked(503, " 7 "), Some(Duration::from_secs(7)));
        assert_eq!(asked(500, "120"), None, "it means nothing there");
        assert_eq!(asked(503, "soon"), None);
        assert_eq!(asked(503, "-5"), None);
        let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3_600));
        let found = asked(503, &in_an_hour).unwrap().as_secs();
        assert!((3_500..=3_600).contains(&found), "{found}");
        assert_eq!(asked(503, "Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
    }
}
