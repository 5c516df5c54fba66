//! Whose a request is, as far as counting goes: by the address it comes from, or that proxies in front say it comes from.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};

/// What counts as one address: of IPv6 the network of 64 bits, since a household is given all that begin alike
/// (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site(IpAddr);

impl Site {
    /// That of an address; one of IPv4 that is written as one of IPv6 is one of IPv4.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
        }
    }
}

/// The header in which proxies say whom they have a request from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: addresses, each proxy's behind the others'.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Proxies that are believed, and the header that they write.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    trusted: Vec<IpNet>,
    header: ProxyHeader,
}

impl ProxyHeader {
    /// Its name, in small letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// The hops of one value; nothing where a quoted text in it has no end, so that nobody knows which are whose.
    fn hops(self, value: &str) -> Option<Vec<&str>> {
        match self {
            Self::XForwardedFor => Some(value.split(',').collect()),
            Self::Forwarded => split_outside_quotes(value, ','),
        }
    }

    /// The address of one hop as the header has it; nothing where it is hidden or unreadable.
    fn address(self, hop: &str) -> Option<IpAddr> {
        match self {
            Self::XForwardedFor => address(hop.trim()),
            Self::Forwarded => {
                let pairs = split_outside_quotes(hop, ';')?.into_iter();
                let named = pairs.filter_map(|pair| pair.split_once('='));
                let (_, node) =
                    named.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
                address(&unquoted(node.trim()))
            }
        }
    }
}

impl Proxies {
    /// Those of networks, or of single addresses.
    ///
    /// # Errors
    /// The text that is neither.
    pub fn parse<'a>(
        networks: impl IntoIterator<Item = &'a str>,
        header: ProxyHeader,
    ) -> Result<Self, String> {
        let read = |text: &str| {
            let text = text.trim();
            let single = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
            text.parse::<IpNet>().or(single).map_err(|_| text.to_owned())
        };
        let trusted = networks.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { trusted, header })
    }

    /// Whether an address is one of theirs.
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// The header that they write.
    pub const fn header(&self) -> ProxyHeader {
        self.header
    }

    /// The address that a request comes from: that of the peer, or, where it is a trusted proxy, the last one in its
    /// header's values that is not. Whatever stands before that may have been made up.
    pub fn client<'a>(&self, peer: IpAddr, values: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trust(client) {
            return client;
        }
        for value in values.rev() {
            let Some(hops) = self.header.hops(value) else { return client };
            for hop in hops.into_iter().rev() {
                // Where a proxy hides whom it has it from, it is itself the last that is known.
                let Some(before) = self.header.address(hop) else { return client };
                client = before.to_canonical();
                if !self.trust(client) {
                    return client;
                }
            }
        }
        client
    }
}

/// An address without or with a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (inner, port) = rest.split_once(']')?;
        return is_port(port).then(|| inner.parse().ok().map(IpAddr::V6)).flatten();
    }
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            let (host, _) = text.split_once(':').filter(|(host, _)| is_port(&text[host.len()..]))?;
            host.parse().ok().map(IpAddr::V4)
        }
    }
}

/// Whether a text is nothing, or a colon with a port or what hides one (RFC 7239, section 6).
fn is_port(text: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "._-".contains(sign);
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| !port.is_empty() && port.chars().all(is_sign))
}

/// The parts between separators that stand in no quoted text; nothing where one has no end.
fn split_outside_quotes(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, sign) in text.char_indices() {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if sign == separator && !is_quoted => {
                parts.push(&text[start..at]);
                start = at + sign.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!is_quoted).then_some(parts)
}

/// A token as it is, a quoted text without its quotes and escapes.
fn unquoted(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) => inner.replace('\\', ""),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(header: ProxyHeader, peer: &str, values: &[&str]) -> String {
        let proxies = Proxies::parse(["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.7"], header).unwrap();
        proxies.client(ip(peer), values.iter().copied()).to_string()
    }

    #[test]
    fn a_household_is_one_address() {
        let of = |text| Site::of(ip(text));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn the_client_is_the_last_address_that_no_trusted_proxy_has() {
        use ProxyHeader::XForwardedFor as Addresses;
        for (peer, values, expected) in [
            ("10.0.0.1", &["198.51.100.1"][..], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("192.0.2.7", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.1, 10.1.1.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.1,10.1.1.1", "10.2.2.2"], "198.51.100.1"),
            // Whoever is not trusted is who it is, whatever it says.
            ("198.51.100.2", &["203.0.113.9"], "198.51.100.2"),
            ("192.0.2.8", &["203.0.113.9"], "192.0.2.8"),
            // All are trusted: the first of them has asked.
            ("10.0.0.1", &["10.3.3.3, 10.1.1.1"], "10.3.3.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // What cannot be read ends the way back.
            ("10.0.0.1", &["203.0.113.9, unknown, 10.1.1.1"], "10.1.1.1"),
            ("10.0.0.1", &["203.0.113.9, , 10.1.1.1"], "10.1.1.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711, 10.1.1.1:80"], "2001:db8::1"),
            ("10.0.0.1", &["2001:db8::1, 2001:db8:ffff::5"], "2001:db8::1"),
            ("10.0.0.1", &["198.51.100.1:4711:1"], "10.0.0.1"),
            ("10.0.0.1", &["for=198.51.100.1"], "10.0.0.1"),
        ] {
            assert_eq!(client(Addresses, peer, values), expected, "{peer} {values:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_has_it() {
        for (value, expected) in [
            ("for=198.51.100.1", "198.51.100.1"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("proto=https;by=203.0.113.43; for=198.51.100.1", "198.51.100.1"),
            ("for=203.0.113.9, for=198.51.100.1;by=\"a, for=203.0.113.9\", for=10.1.1.1", "198.51.100.1"),
            ("for=203.0.113.9, for=\"a\\\", for=198.51.100.1\"", "10.0.0.1"),
            ("for=\"198.51.100.1:_port\"", "198.51.100.1"),
            ("for=203.0.113.9, for=unknown", "10.0.0.1"),
            ("for=203.0.113.9, for=_hidden, for=10.1.1.1", "10.1.1.1"),
            ("by=203.0.113.43", "10.0.0.1"),
            ("198.51.100.1", "10.0.0.1"),
        ] {
            assert_eq!(client(ProxyHeader::Forwarded, "10.0.0.1", &[value]), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_network_is_told() {
        for wrong in ["10.0.0.0/33", "proxy.example", "", "10.0.0"] {
            let told = Proxies::parse(["10.0.0.1", wrong], ProxyHeader::Forwarded).unwrap_err();
            assert_eq!(told, wrong);
        }
    }
}
