//! The domain that the visitor's cookie is for: whose pages may have it set, and what is set.

use crate::limits::{MAX_DOMAIN_CHARS, VISITOR_COOKIE_SECONDS};
use attune_core::id::MemberId;
use attune_core::time::Timestamp;

/// Name of the cookie; pages read it by the same.
pub const VISITOR_COOKIE: &str = "attune_visitor";

/// A domain with every host below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDomain(Box<str>);

impl CookieDomain {
    /// Reads a domain. Whether the registry sells names below it is the browser's to know, which then keeps no cookie.
    ///
    /// # Errors
    /// Says what a domain has to be: what is refused here could never have a cookie.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.to_ascii_lowercase();
        let labels: Vec<&str> = name.split('.').collect();
        // An address ends in a number, which no top-level domain begins with.
        let is_named = labels.last().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()));
        let is_domain = labels.len() > 1 && is_named && labels.iter().all(|label| is_label(label));
        if name.len() <= MAX_DOMAIN_CHARS && (is_domain || name == "localhost") {
            return Ok(Self(name.into()));
        }
        Err(format!(
            "must be a domain such as example.com, or localhost: labels with dots between them, at most {MAX_DOMAIN_CHARS} \
             characters, and no scheme, port, path or IP address"
        ))
    }

    /// Whether a page's origin is the domain or below it, and if so, whether the page came encrypted.
    pub fn covers(&self, origin: &str) -> Option<bool> {
        let (scheme, rest) = origin.split_once("://")?;
        let host = rest.split(':').next()?;
        let above = host.strip_suffix(&*self.0)?;
        let is_within = above.is_empty() || above.ends_with('.');
        (is_within && matches!(scheme, "https" | "http")).then_some(scheme == "https")
    }

    /// The cookie that names a member from now on. Scripts have to read it: a page knows whom it is for before its first
    /// event. A browser sends and takes cookies that are `Secure` on encrypted connections only.
    pub fn cookie(&self, member: &MemberId, now: Timestamp, is_secure: bool) -> String {
        let (id, seconds, domain) = (&member.0, now.0.div_euclid(1_000), &self.0);
        let secure = if is_secure { "; Secure" } else { "" };
        format!(
            "{VISITOR_COOKIE}={id}.{seconds}; Domain={domain}; Path=/; Max-Age={VISITOR_COOKIE_SECONDS}; SameSite=Lax{secure}"
        )
    }

    /// The domain's name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// One part of a domain's name (RFC 1123, section 2.1).
fn is_label(label: &str) -> bool {
    let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_bounded = (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    is_bounded && label.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_that_could_never_have_a_cookie_is_refused() {
        for text in ["example.com", "shop.example.co.uk", "localhost", "xn--bcher-kva.example", "a.b"] {
            assert_eq!(CookieDomain::parse(text).unwrap().name(), text);
        }
        assert_eq!(CookieDomain::parse("Example.COM").unwrap().name(), "example.com");
        let long = format!("{}.com", "a.".repeat(130));
        let wide = format!("{}.com", "a".repeat(64));
        for text in [
            "",
            ".",
            "com",
            "example",
            ".example.com",
            "example.com.",
            "a..b",
            "https://example.com",
            "example.com:443",
            "example.com/",
            "example.com/path",
            "127.0.0.1",
            "[::1]",
            "::1",
            "1.2.3.4",
            "ex ample.com",
            "-a.com",
            "a-.com",
            "*.example.com",
            "example.com; Secure",
            "exämple.com",
            &long,
            &wide,
        ] {
            let refusal = CookieDomain::parse(text).unwrap_err();
            assert!(refusal.starts_with("must be a domain such as example.com"), "{text}: {refusal}");
        }
    }

    #[test]
    fn only_pages_of_the_domain_and_below_it_are_covered() {
        let domain = CookieDomain::parse("example.com").unwrap();
        for (origin, expected) in [
            ("https://example.com", Some(true)),
            ("https://www.example.com", Some(true)),
            ("https://a.b.example.com:8443", Some(true)),
            ("http://shop.example.com", Some(false)),
            ("https://evilexample.com", None),
            ("https://example.com.evil.test", None),
            ("https://example.org", None),
            ("https://com", None),
            ("ftp://example.com", None),
            ("chrome-extension://example.com", None),
            ("example.com", None),
            ("null", None),
            ("", None),
        ] {
            assert_eq!(domain.covers(origin), expected, "{origin}");
        }
    }

    #[test]
    fn the_cookie_names_the_member_and_when_that_was() {
        let domain = CookieDomain::parse("example.com").unwrap();
        let member = MemberId("0197f7a0-0000-7000-8000-000000000001".into());
        let cookie = domain.cookie(&member, Timestamp(1_800_000_000_999), true);
        let value = "attune_visitor=0197f7a0-0000-7000-8000-000000000001.1800000000";
        let kept = "; Domain=example.com; Path=/; Max-Age=34560000; SameSite=Lax";
        assert_eq!(cookie, format!("{value}{kept}; Secure"));
        assert_eq!(domain.cookie(&member, Timestamp(1_800_000_000_000), false), format!("{value}{kept}"));
    }
}
