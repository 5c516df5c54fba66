//! Internet addresses and the networks they lie in.

use super::Code;
use crate::value::cut;
use alloc::vec::Vec;

/// A network: the addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// An address of it; those of IPv4 as their IPv4-mapped IPv6 ones.
    pub address: [u8; 16],
    /// How many bits count, from the front; above 128 as many as there are.
    pub bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
    #[cfg(feature = "author")]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = cut(text, b'/');
        let whole = if address.contains(':') { 128_u8 } else { 32 };
        let bits = match bits {
            None => whole,
            Some(bits) if bits.len() <= 3 && bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().ok().filter(|bits| *bits <= whole)?
            }
            Some(_) => return None,
        };
        let address = self::address(address)?.try_into().ok()?;
        Some(Self { address, bits: bits + (128 - whole) })
    }
}

/// Reads the network that the code begins with, and says whether an address lies in it.
#[inline(never)]
pub(super) fn holds(code: &mut Code<'_>, address: &[u8]) -> bool {
    let mut left = u32::from(code.byte());
    let mut is_inside = address.len() == 16;
    for place in 0..16 {
        let counted = left.min(8);
        left -= counted;
        let other = address.get(place).copied().unwrap_or(0);
        is_inside &= u32::from(code.byte() ^ other) >> (8 - counted) == 0;
    }
    is_inside
}

/// Reads the text of an IPv4 or IPv6 address (RFC 4291, section 2.2) as 16 bytes.
#[inline(never)]
pub(crate) fn address(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // Where zeros are left out.
    let mut gap = None;
    let mut rest = Some(text);
    if cut(text, b':').1.is_none() {
        bytes.extend([0xff, 0xff]);
        dotted(text, &mut bytes)?;
        (gap, rest) = (Some(0), None);
    } else if let Some(after) = text.strip_prefix("::") {
        (gap, rest) = (Some(0), Some(after).filter(|after| !after.is_empty()));
    }
    while let Some(here) = rest {
        let group;
        (group, rest) = cut(here, b':');
        if group.is_empty() {
            // Nothing between two colons is the gap, of which there is one; at the end it is followed by nothing.
            rest = Some(rest?).filter(|after| !after.is_empty());
            if bytes.is_empty() || gap.replace(bytes.len()).is_some() {
                return None;
            }
        } else if rest.is_none() && cut(group, b'.').1.is_some() {
            dotted(group, &mut bytes)?;
        } else {
            let mut number = 0;
            for c in group.chars() {
                number = number << 4 | c.to_digit(16)?;
            }
            bytes.extend([(number >> 8) as u8, number as u8]);
            if group.len() > 4 {
                return None;
            }
        }
    }
    // A gap stands for one group at least; IPv4 leaves out ten bytes.
    if bytes.len() > 14 && gap.is_some() {
        return None;
    }
    while let Some(gap) = gap.filter(|_| bytes.len() < 16) {
        bytes.insert(gap, 0);
    }
    Some(bytes).filter(|bytes| bytes.len() == 16)
}

/// Reads the four numbers of an IPv4 address.
fn dotted(text: &str, bytes: &mut Vec<u8>) -> Option<()> {
    let (mut rest, mut count) = (Some(text), 0);
    while let Some(here) = rest {
        let part;
        (part, rest) = cut(here, b'.');
        let mut number = 0_u32;
        for digit in part.bytes() {
            number = number * 10 + u32::from(digit.wrapping_sub(b'0'));
            if !digit.is_ascii_digit() || number > 255 {
                return None;
            }
        }
        if part.is_empty() || (part.len() > 1 && part.starts_with('0')) {
            return None;
        }
        bytes.push(number as u8);
        count += 1;
    }
    (count == 4).then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::Form;
    use super::*;
    use alloc::string::ToString;
    use core::net::{IpAddr, Ipv6Addr};
    use proptest::prelude::*;

    fn standard(text: &str) -> Option<Vec<u8>> {
        Some(match text.parse().ok()? {
            IpAddr::V4(four) => four.to_ipv6_mapped().octets().to_vec(),
            IpAddr::V6(six) => six.octets().to_vec(),
        })
    }

    #[test]
    fn addresses_are_read_as_the_standard_library_reads_them() {
        for text in [
            "::",
            "::1",
            "1::",
            "1::2",
            "::1:2",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8:9",
            "1:2",
            ":",
            ":1",
            "1:",
            ":::",
            "1:::2",
            "1::2::3",
            "12345::",
            "g::",
            "::ffff:10.0.0.1",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::1.2.3.4:5",
            "::1.2.3",
            "10.0.0.1",
            "256.0.0.1",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "1.2.3.",
            "",
            "a.b.c.d",
            "1.2.3.4:",
            "1:2:3:4::5:6:7:8",
            "ABCD::ef",
            "::1 ",
            "+1.2.3.4",
        ] {
            assert_eq!(address(text), standard(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_address_is_read_back(bits: u128, damaged in "[0-9a-f:.]{0,20}") {
            // Runs of zeros are what is written short.
            for bits in [bits, bits & 0xffff_0000_0000_ffff_0000_0000_0000_ffff, bits >> 80] {
                let text = Ipv6Addr::from(bits).to_string();
                prop_assert_eq!(address(&text), Some(Ipv6Addr::from(bits).octets().to_vec()), "{}", text);
            }
            prop_assert_eq!(address(&damaged), standard(&damaged), "{}", damaged);
        }
    }

    #[cfg(feature = "author")]
    #[test]
    fn a_network_holds_what_begins_alike() {
        let has = |network: &str, text: &str| {
            let Network { address: of, bits } = Network::parse(network).unwrap();
            let form = Form::open(&[&[0, 0, 0, bits], of.as_slice()].concat()).unwrap();
            holds(&mut form.at(0), &address(text).unwrap())
        };
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.0"));
        assert!(has("0.0.0.0/0", "8.8.8.8") && !has("0.0.0.0/0", "::1"));
        assert!(has("::/0", "8.8.8.8") && has("2001:db8::/33", "2001:db8:7fff::1"));
        assert!(!has("2001:db8::/33", "2001:db8:8000::1"));
        assert!(has("10.1.2.3", "::ffff:10.1.2.3"));
        for text in ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "/8", "10.0.0.0/008x", "x"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
