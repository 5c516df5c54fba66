//! A web address taken apart, as far as targeting needs it.
//!
//! Source: WHATWG URL Standard, "URL parsing", for addresses with hosts of ASCII. Hosts beyond ASCII and the short or
//! hexadecimal forms of IPv4 are no address here; IPv6 hosts are compared as they are written.

use alloc::string::String;
use alloc::vec::Vec;

/// The parts of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Host in lower case, with its port unless that is the scheme's own; empty where the scheme has none.
    pub host: String,
    /// Path, percent-encoded, without `.` and `..`.
    pub path: String,
    /// Query without its question mark, as written.
    pub query: String,
    /// Fragment with its `#`, percent-encoded; empty where there is none or nothing in it.
    pub fragment: String,
}

impl Address {
    /// Reads an address; one without a host of its own gets `https://<host>`.
    pub fn parse(text: &str, host: &str) -> Option<Self> {
        let is_outside = |sign: char| sign <= ' ';
        let text: String = text
            .trim_matches(is_outside)
            .chars()
            .filter(|sign| !matches!(sign, '\t' | '\n' | '\r'))
            .collect();
        let (text, fragment) = cut(&text, '#');
        let (text, query) = cut(text, '?');
        let mut address = Self { query: String::from(query), ..Self::default() };
        if !fragment.is_empty() {
            address.fragment.push('#');
            encode(fragment, is_plain_in_fragment, &mut address.fragment);
        }
        let (scheme, rest) = scheme(text).unwrap_or(("", text));
        let scheme = scheme.to_ascii_lowercase();
        let is_special = matches!(&*scheme, "" | "http" | "https" | "ws" | "wss" | "ftp" | "file");
        let is_slash = |sign: char| sign == '/' || (is_special && sign == '\\');
        let slashes = rest.chars().take_while(|sign| is_slash(*sign)).count();
        let is_relative = matches!(&*scheme, "" | "https") && slashes < 2;
        if is_relative || (!is_special && slashes < 2) {
            if is_relative {
                address.host.push_str(host);
            } else if slashes == 0 {
                encode(rest, |sign| sign > '\u{1f}' && sign < '\u{7f}', &mut address.path);
                return Some(address);
            }
            address.path = path(rest, is_special);
            return Some(address);
        }
        // After a special scheme any number of slashes opens the host, except for files.
        let opening = if is_special && scheme != "file" { slashes } else { slashes.min(2) };
        let rest = rest.get(opening..).unwrap_or_default();
        let end = rest.find(is_slash).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        address.host = self::host(authority, &scheme, is_special)?;
        address.path = if rest.is_empty() && !is_special { String::new() } else { path(rest, is_special) };
        Some(address)
    }

    /// The first value of a name in the query, decoded; empty where there is none.
    pub fn parameter(&self, name: &str) -> String {
        self.parameters().find(|(found, _)| found == name).map(|(_, value)| value).unwrap_or_default()
    }

    /// The names and values of the query, decoded.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        self.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = cut(pair, '=');
            (form_text(name), form_text(value))
        })
    }
}

/// What stands before the first mark, and what follows it.
fn cut(text: &str, mark: char) -> (&str, &str) {
    text.split_once(mark).unwrap_or((text, ""))
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_named = scheme.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && scheme.chars().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '+' | '-' | '.'));
    is_named.then_some((scheme, rest))
}

fn host(authority: &str, scheme: &str, is_special: bool) -> Option<String> {
    let named = authority.rsplit_once('@').map_or(authority, |(_, named)| named);
    let (name, port) = match named.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (named, ""),
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut host = if is_special {
        String::from_utf8(percent_decoded(name)).ok()?.to_ascii_lowercase()
    } else {
        let mut host = String::new();
        encode(name, |sign| sign > '\u{1f}' && sign < '\u{7f}', &mut host);
        host
    };
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    let is_forbidden = |sign: char| {
        sign <= ' '
            || matches!(sign, '#' | '/' | ':' | '<' | '>' | '?' | '@' | '[' | '\\' | ']' | '^' | '|')
            || (is_special && (sign == '%' || sign >= '\u{7f}'))
    };
    let is_empty = host.is_empty() && is_special && scheme != "file";
    if is_empty
        || (!is_bracketed && (host.contains(is_forbidden) || (is_special && !is_fit_if_numeric(&host))))
    {
        return None;
    }
    let default: &str = match scheme {
        "http" | "ws" => "80",
        "" | "https" | "wss" => "443",
        "ftp" => "21",
        _ => "",
    };
    let digits = port.trim_start_matches('0');
    let port = if digits.is_empty() && !port.is_empty() { "0" } else { digits };
    if port.len() > 5 || port.parse::<u32>().is_ok_and(|port| port > 65_535) {
        return None;
    }
    if !port.is_empty() && port != default {
        host.push(':');
        host.push_str(port);
    }
    Some(host)
}

/// Whether a host that ends in a number is an IPv4 address in its usual form.
fn is_fit_if_numeric(host: &str) -> bool {
    let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let is_number = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    let Some(last) = labels.last() else { return true };
    let is_hexadecimal =
        last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !is_number(last) && !is_hexadecimal {
        return true;
    }
    let is_byte = |label: &&str| {
        let is_plain = *label == "0" || !label.starts_with('0');
        is_number(label) && is_plain && label.parse::<u16>().is_ok_and(|byte| byte < 256)
    };
    labels.len() == 4 && labels.iter().all(is_byte) && !host.ends_with('.')
}

/// A path from its root on, its steps encoded, `.` and `..` followed.
fn path(text: &str, is_special: bool) -> String {
    let is_slash = |sign: char| sign == '/' || (is_special && sign == '\\');
    let text = text.strip_prefix(is_slash).unwrap_or(text);
    let mut steps: Vec<&str> = Vec::new();
    let mut parts = text.split(is_slash).peekable();
    while let Some(step) = parts.next() {
        let is_last = parts.peek().is_none();
        let dots = step.replace("%2e", ".").replace("%2E", ".");
        match &*dots {
            ".." => {
                steps.pop();
            }
            "." => {}
            _ => {
                steps.push(step);
                continue;
            }
        }
        if is_last {
            steps.push("");
        }
    }
    let mut path = String::new();
    for step in steps {
        path.push('/');
        encode(step, is_plain_in_path, &mut path);
    }
    path
}

const fn is_plain_in_fragment(sign: char) -> bool {
    sign > ' ' && sign < '\u{7f}' && !matches!(sign, '"' | '<' | '>' | '`')
}

const fn is_plain_in_path(sign: char) -> bool {
    is_plain_in_fragment(sign) && !matches!(sign, '#' | '?' | '{' | '}' | '^')
}

fn encode(text: &str, is_plain: impl Fn(char) -> bool, out: &mut String) {
    for sign in text.chars() {
        if is_plain(sign) {
            out.push(sign);
            continue;
        }
        for byte in sign.encode_utf8(&mut [0; 4]).bytes() {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        match rest {
            [high, low, behind @ ..] if *first == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    bytes = behind;
                }
                _ => out.push(*first),
            },
            _ => out.push(*first),
        }
    }
    out
}

/// A name or value of a form: plus signs are spaces, and what is no text becomes U+FFFD.
fn form_text(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(&text.replace('+', " "))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String, String)> {
        Address::parse(text, "_").map(|address| (address.host, address.path, address.fragment))
    }

    #[test]
    fn addresses_come_apart_as_in_a_browser() {
        for (text, host, path, fragment) in [
            ("https://Shop.Example:443/A/../b/./c?q#top", "shop.example", "/b/c", "#top"),
            ("http://shop.example:8080", "shop.example:8080", "/", ""),
            ("/cart", "_", "/cart", ""),
            ("cart/", "_", "/cart/", ""),
            ("?a=b", "_", "/", ""),
            ("", "_", "/", ""),
            ("//other.example/x y", "other.example", "/x%20y", ""),
            ("https://u:p@a.example/\u{fc}", "a.example", "/%C3%BC", ""),
            ("https://a.example/a/..", "a.example", "/", ""),
            ("https://a.example/a/%2E%2e/{b}", "a.example", "/%7Bb%7D", ""),
            ("http:\\\\a.example\\b", "a.example", "/b", ""),
            ("https:deep/path", "_", "/deep/path", ""),
            ("localhost:3000/x", "", "3000/x", ""),
            ("app://home/x#", "home", "/x", ""),
            ("https://10.0.0.1/", "10.0.0.1", "/", ""),
            (" \thttps://a.exam\nple/ ", "a.example", "/", ""),
        ] {
            assert_eq!(parts(text), Some((host.into(), path.into(), fragment.into())), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_nothing() {
        for text in
            ["https://", "https://a b/", "http://a:99999/", "http://a:x/", "https://1.2/", "https://a|b/"]
        {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_the_first_counts() {
        let address = Address::parse("/?a=1+2&b=%C3%BC&a=3&%zz=%ff&&c", "_").unwrap();
        assert_eq!(address.parameter("a"), "1 2");
        assert_eq!(address.parameter("b"), "ü");
        assert_eq!(address.parameter("%zz"), "\u{fffd}");
        assert_eq!((address.parameter("c"), address.parameter("d")), (String::new(), String::new()));
        assert_eq!(address.parameters().count(), 5);
    }
}
