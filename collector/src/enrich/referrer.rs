//! From where a visitor has come: a search engine, a social network, the site itself, another site.

use url::Url;

/// Search engines. A name that ends with `.*` has domains in many countries.
const SEARCH: [(&str, &str); 15] = [
    ("google.*", "google"),
    ("bing.com", "bing"),
    ("search.yahoo.com", "yahoo"),
    ("search.yahoo.co.jp", "yahoo"),
    ("duckduckgo.com", "duckduckgo"),
    ("yandex.*", "yandex"),
    ("ya.ru", "yandex"),
    ("baidu.com", "baidu"),
    ("ecosia.org", "ecosia"),
    ("qwant.com", "qwant"),
    ("startpage.com", "startpage"),
    ("search.brave.com", "brave"),
    ("search.naver.com", "naver"),
    ("search.seznam.cz", "seznam"),
    ("kagi.com", "kagi"),
];

/// Social networks, the domains of their short links among them.
const SOCIAL: [(&str, &str); 20] = [
    ("facebook.com", "facebook"),
    ("instagram.com", "instagram"),
    ("threads.net", "threads"),
    ("threads.com", "threads"),
    ("t.co", "x"),
    ("twitter.com", "x"),
    ("x.com", "x"),
    ("linkedin.com", "linkedin"),
    ("lnkd.in", "linkedin"),
    ("pinterest.*", "pinterest"),
    ("reddit.com", "reddit"),
    ("youtube.com", "youtube"),
    ("tiktok.com", "tiktok"),
    ("bsky.app", "bluesky"),
    ("mastodon.social", "mastodon"),
    ("t.me", "telegram"),
    ("vk.com", "vk"),
    ("weibo.com", "weibo"),
    ("quora.com", "quora"),
    ("tumblr.com", "tumblr"),
];

/// Where a visitor has come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    host: String,
    medium: &'static str,
    source: Option<&'static str>,
}

impl Referrer {
    /// Its fields, by the names that a context has for them.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let source = self.source.map(|source| ("source", source));
        [("host", &*self.host), ("medium", self.medium)].into_iter().chain(source)
    }
}

/// Reads the address from which a page was come to; nothing where it is none of the web.
pub fn of(referrer: &str, page: Option<&Url>) -> Option<Referrer> {
    let url = Url::parse(referrer).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host_str()?.to_owned();
    if page.and_then(Url::host_str).is_some_and(|own| is_one_site(own, &host)) {
        return Some(Referrer { host, medium: "internal", source: None });
    }
    let named = |table: &[(&str, &'static str)]| {
        table.iter().find(|(name, _)| is_named(&host, name)).map(|(_, source)| *source)
    };
    let (medium, source) = match (named(&SEARCH), named(&SOCIAL)) {
        (Some(source), _) => ("search", Some(source)),
        (None, Some(source)) => ("social", Some(source)),
        (None, None) => ("referral", None),
    };
    Some(Referrer { host, medium, source })
}

/// Whether two hosts are the same, or one is below the other.
fn is_one_site(one: &str, other: &str) -> bool {
    let (one, other) = (plain(one), plain(other));
    let is_below = |host: &str, of: &str| host.strip_suffix(of).is_some_and(|rest| rest.ends_with('.'));
    one == other || is_below(one, other) || is_below(other, one)
}

fn plain(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

/// Whether a host is one of a table's. Of those in many countries only the search page itself is: mail and maps stand
/// beside it.
fn is_named(host: &str, name: &str) -> bool {
    match name.strip_suffix('*') {
        None => host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        Some(start) => plain(host).strip_prefix(start).is_some_and(|country| {
            let is_short = |label: &str| (2..=3).contains(&label.len());
            country.split('.').count() <= 2 && country.split('.').all(is_short)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_referrer_is_told_by_its_host() {
        let page = Url::parse("https://www.shop.example/cart").unwrap();
        for (referrer, expected) in [
            ("https://www.google.com/", Some(("search", Some("google")))),
            ("https://google.co.uk/search?q=a", Some(("search", Some("google")))),
            ("https://mail.google.com/", Some(("referral", None))),
            ("https://google.evil.example/", Some(("referral", None))),
            ("https://notbing.com/", Some(("referral", None))),
            ("https://cn.bing.com/", Some(("search", Some("bing")))),
            ("https://l.facebook.com/l.php", Some(("social", Some("facebook")))),
            ("https://t.co/abc", Some(("social", Some("x")))),
            ("https://shop.example/", Some(("internal", None))),
            ("https://help.shop.example/", Some(("internal", None))),
            ("https://myshop.example/", Some(("referral", None))),
            ("http://192.0.2.1:8080/x", Some(("referral", None))),
            ("android-app://com.google.android.gm/", None),
            ("", None),
            ("nonsense", None),
        ] {
            let found = of(referrer, Some(&page));
            assert_eq!(found.as_ref().map(|found| (found.medium, found.source)), expected, "{referrer}");
        }
        let fields = of("https://News.Example:8443/a?b=c", None).unwrap();
        assert_eq!(fields.fields().collect::<Vec<_>>(), [("host", "news.example"), ("medium", "referral")]);
    }
}
