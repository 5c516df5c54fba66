//! Which addresses a webhook may be sent to: those of the public internet, and private ones where the operator allows it.
//!
//! A name in a destination is resolved by whoever owns the domain, so it may lead into the operator's own network, or to
//! the metadata service of a cloud, whose answers are credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Of this machine or of a private network; a destination may allow these.
    Private(&'static str),
    /// Of nobody who could be meant; nothing allows these.
    Never(&'static str),
}

impl Refused {
    /// What kind of address it is.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Private(kind) | Self::Never(kind) => kind,
        }
    }
}

use Refused::{Never, Private};

/// Why an address is not called; nothing for those that may be.
pub fn refusal(address: IpAddr, allow_private: bool) -> Option<Refused> {
    let refused = match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    };
    refused.filter(|refused| !(allow_private && matches!(refused, Private(_))))
}

/// By the IANA IPv4 Special-Purpose Address Registry, and the addresses of clouds' own services.
const fn of_v4(address: Ipv4Addr) -> Option<Refused> {
    Some(match address.octets() {
        // Amazon, Google, Azure and most others; Azure's host; Alibaba's.
        [169, 254, 169, 254] | [168, 63, 129, 16] | [100, 100, 100, 200] => Never("metadata"),
        [0, ..] => Never("unspecified"),
        [127, ..] => Private("loopback"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private("private"),
        [100, 64..=127, ..] => Private("shared"),
        [169, 254, ..] => Never("link-local"),
        [192, 0, 0, _] | [192, 88, 99, _] => Never("reserved"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Never("documentation"),
        [198, 18..=19, ..] => Never("benchmarking"),
        [224..=239, ..] => Never("multicast"),
        [240..=255, ..] => Never("reserved"),
        _ => return None,
    })
}

/// By the IANA IPv6 Special-Purpose Address Registry. An address that carries an IPv4 address is that address: whoever
/// translates it would send to there.
const fn of_v6(address: Ipv6Addr) -> Option<Refused> {
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Never("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Private("loopback"),
        // Mapped, compatible, and translated (RFC 4291, section 2.5.5; RFC 6052, section 2.1; RFC 2765, section 2.1).
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low] => return of_v4(embedded(high, low)),
        // 6to4 (RFC 3056, section 2).
        [0x2002, high, low, ..] => return of_v4(embedded(high, low)),
        // Teredo has it too, and the rest of the block is of protocols (RFC 4380; RFC 2928).
        [0x2001, 0..=0x1ff, ..] => Never("reserved"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Never("documentation"),
        // Amazon's, over IPv6.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, _] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Never("metadata"),
        [0xfc00..=0xfdff, ..] => Private("unique-local"),
        [0xfe80..=0xfebf, ..] => Never("link-local"),
        [0xff00..=0xffff, ..] => Never("multicast"),
        // What has been given out as public so far (RFC 4291, section 2.4).
        [0x2000..=0x3fff, ..] => return None,
        _ => Never("reserved"),
    })
}

const fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_refused_by_what_they_are() {
        for (address, expected) in [
            ("127.0.0.1", Some(Private("loopback"))),
            ("127.255.255.254", Some(Private("loopback"))),
            ("10.0.0.1", Some(Private("private"))),
            ("172.15.255.255", None),
            ("172.16.0.0", Some(Private("private"))),
            ("172.31.255.255", Some(Private("private"))),
            ("172.32.0.0", None),
            ("192.168.1.1", Some(Private("private"))),
            ("192.169.0.0", None),
            ("100.63.255.255", None),
            ("100.64.0.1", Some(Private("shared"))),
            ("100.127.255.255", Some(Private("shared"))),
            ("100.128.0.0", None),
            ("100.100.100.200", Some(Never("metadata"))),
            ("169.254.169.254", Some(Never("metadata"))),
            ("168.63.129.16", Some(Never("metadata"))),
            ("169.254.0.1", Some(Never("link-local"))),
            ("0.0.0.0", Some(Never("unspecified"))),
            ("0.1.2.3", Some(Never("unspecified"))),
            ("192.0.0.8", Some(Never("reserved"))),
            ("192.0.2.1", Some(Never("documentation"))),
            ("198.51.100.1", Some(Never("documentation"))),
            ("203.0.113.255", Some(Never("documentation"))),
            ("198.19.0.1", Some(Never("benchmarking"))),
            ("198.20.0.1", None),
            ("224.0.0.1", Some(Never("multicast"))),
            ("239.255.255.255", Some(Never("multicast"))),
            ("240.0.0.1", Some(Never("reserved"))),
            ("255.255.255.255", Some(Never("reserved"))),
            ("1.1.1.1", None),
            ("223.255.255.255", None),
            ("::", Some(Never("unspecified"))),
            ("::1", Some(Private("loopback"))),
            ("::ffff:127.0.0.1", Some(Private("loopback"))),
            ("::ffff:169.254.169.254", Some(Never("metadata"))),
            ("::ffff:1.1.1.1", None),
            ("::10.0.0.1", Some(Private("private"))),
            ("::ffff:0:10.0.0.1", Some(Private("private"))),
            ("64:ff9b::a9fe:a9fe", Some(Never("metadata"))),
            ("64:ff9b::7f00:1", Some(Private("loopback"))),
            ("64:ff9b::101:101", None),
            ("64:ff9b:1::101:101", Some(Never("reserved"))),
            ("2002:7f00:1::1", Some(Private("loopback"))),
            ("2002:a9fe:a9fe::", Some(Never("metadata"))),
            ("2002:101:101::", None),
            ("2001::1", Some(Never("reserved"))),
            ("2001:1ff::1", Some(Never("reserved"))),
            ("2001:200::1", None),
            ("2001:db8::1", Some(Never("documentation"))),
            ("3fff:1::1", Some(Never("documentation"))),
            ("fc00::1", Some(Private("unique-local"))),
            ("fdff::1", Some(Private("unique-local"))),
            ("fd00:ec2::254", Some(Never("metadata"))),
            ("fd00:ec2::23", Some(Never("metadata"))),
            ("fd20:ce::254", Some(Never("metadata"))),
            ("fe80::1", Some(Never("link-local"))),
            ("febf::1", Some(Never("link-local"))),
            ("fec0::1", Some(Never("reserved"))),
            ("ff02::1", Some(Never("multicast"))),
            ("100::1", Some(Never("reserved"))),
            ("5f00::1", Some(Never("reserved"))),
            ("2606:4700::1111", None),
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(refusal(parsed, false), expected, "{address}");
            let stays = expected.filter(|refused| matches!(refused, Never(_)));
            assert_eq!(refusal(parsed, true), stays, "{address}, with private ones allowed");
        }
    }
}
