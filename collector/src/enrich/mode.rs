//! What the operator wants done with programs, privacy controls and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What becomes of events whose sender names itself a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BotMode {
    /// They count as all others do, and say `context.bot`.
    #[default]
    Mark,
    /// They stand in the log, and change no profile.
    Log,
    /// They are refused.
    Drop,
}

/// What is done where a browser asks not to sell or share what it sends (<https://www.w3.org/TR/gpc/>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GpcMode {
    /// Nothing of such a visitor is sent to third parties.
    #[default]
    Honour,
    /// Nothing, not even a mark.
    Ignore,
}

/// What of an address is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressMode {
    /// Its network: 24 bits of IPv4, 48 of IPv6, the rest zero.
    #[default]
    Truncated,
    /// Nothing.
    None,
    /// All of it.
    Whole,
}

/// The first 16 bits of an address of 6to4 (RFC 3056).
const TRANSITION: u16 = 0x2002;

impl AddressMode {
    /// An address as it is kept.
    pub fn shown(self, address: IpAddr) -> Option<String> {
        let kept = match (self, address.to_canonical()) {
            (Self::None, _) => return None,
            (Self::Whole, address) => address,
            (Self::Truncated, IpAddr::V4(address)) => {
                let [a, b, c, _] = address.octets();
                Ipv4Addr::new(a, b, c, 0).into()
            }
            (Self::Truncated, IpAddr::V6(address)) => {
                let [a, b, mut c, ..] = address.segments();
                if a == TRANSITION {
                    // The 32 bits behind it are an address of version 4.
                    c &= 0xff00;
                }
                Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
            }
        };
        Some(kept.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_far_as_the_operator_says() {
        let shown = |mode: AddressMode, text: &str| mode.shown(text.parse().unwrap());
        for (text, truncated) in [
            ("203.0.113.77", "203.0.113.0"),
            ("::ffff:203.0.113.77", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("2002:cb00:714d:1::2", "2002:cb00:7100::"),
        ] {
            assert_eq!(shown(AddressMode::Truncated, text).as_deref(), Some(truncated));
            assert_eq!(shown(AddressMode::None, text), None);
        }
        assert_eq!(shown(AddressMode::Whole, "2001:db8::1").as_deref(), Some("2001:db8::1"));
    }
}
