//! Internet addresses and the networks they lie in.

/// A network: the addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// An address of it; those of IPv4 as their IPv4-mapped IPv6 ones.
    pub address: u128,
    /// How many bits count, from the front, at most 128.
    pub bits: u8,
}

impl Network {
    /// Whether an address lies in it.
    pub(super) fn has(self, address: u128) -> bool {
        (self.address ^ address).checked_shr(128_u32.saturating_sub(self.bits.into())).unwrap_or(0) == 0
    }

    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
    #[cfg(feature = "author")]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let whole = if address.contains(':') { 128_u8 } else { 32 };
        let bits = match bits {
            None => whole,
            Some(bits) if bits.len() <= 3 && bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().ok().filter(|bits| *bits <= whole)?
            }
            Some(_) => return None,
        };
        Some(Self { address: self::address(address)?, bits: bits + (128 - whole) })
    }
}

/// Reads the text of an IPv4 or IPv6 address (RFC 4291, section 2.2); an IPv4 address becomes its IPv4-mapped one.
pub(super) fn address(text: &str) -> Option<u128> {
    if !text.contains(':') {
        return Some(0xffff << 32 | u128::from(dotted(text)?));
    }
    // Groups before and behind the gap that "::" leaves.
    let (mut before, mut behind, mut gap) = (0_u128, 0_u128, None);
    let mut count = 0_u32;
    let mut rest = text;
    if let Some(after) = rest.strip_prefix("::") {
        (gap, rest) = (Some(0), after);
    }
    while !rest.is_empty() {
        let end = rest.bytes().position(|byte| byte == b':').unwrap_or(rest.len());
        let (group, after) = rest.split_at_checked(end)?;
        let (value, width) = if group.contains('.') && after.is_empty() {
            (dotted(group)?, 2)
        } else {
            (hexadecimal(group)?, 1)
        };
        count += width;
        if count > 8 {
            return None;
        }
        let target = if gap.is_some() { &mut behind } else { &mut before };
        *target = *target << (16 * width) | u128::from(value);
        rest = after;
        if let Some(after) = rest.strip_prefix("::") {
            if gap.replace(count).is_some() {
                return None;
            }
            rest = after;
        } else if let Some(after) = rest.strip_prefix(':') {
            if after.is_empty() {
                return None;
            }
            rest = after;
        }
    }
    match gap {
        None if count == 8 => Some(before),
        Some(front) if count < 8 => Some(before.checked_shl(16 * (8 - front)).unwrap_or(0) | behind),
        _ => None,
    }
}

fn dotted(text: &str) -> Option<u32> {
    let (mut address, mut count) = (0_u32, 0);
    for part in text.split('.') {
        let digits = part.as_bytes();
        if digits.is_empty() || digits.len() > 3 || (digits.len() > 1 && digits.first() == Some(&b'0')) {
            return None;
        }
        let mut number = 0_u32;
        for digit in digits {
            number = number * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        address = address << 8 | u32::from(u8::try_from(number).ok()?);
        count += 1;
    }
    (count == 4).then_some(address)
}

fn hexadecimal(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 4 {
        return None;
    }
    let mut number = 0;
    for c in text.chars() {
        number = number << 4 | c.to_digit(16)?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use core::net::{IpAddr, Ipv6Addr};
    use proptest::prelude::*;

    fn standard(text: &str) -> Option<u128> {
        Some(match text.parse().ok()? {
            IpAddr::V4(four) => u128::from(four.to_ipv6_mapped()),
            IpAddr::V6(six) => u128::from(six),
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
                prop_assert_eq!(address(&text), Some(bits), "{}", text);
            }
            prop_assert_eq!(address(&damaged), standard(&damaged), "{}", damaged);
        }
    }

    #[cfg(feature = "author")]
    #[test]
    fn a_network_holds_what_begins_alike() {
        let has = |network: &str, text: &str| Network::parse(network).unwrap().has(address(text).unwrap());
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
