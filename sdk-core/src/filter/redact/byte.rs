//! Looks at single bytes of a text, whose ends and escapes need no care of those who look.

/// The byte at a place; zero behind the end. It is asked everywhere, and inlined it would weigh more than all that ask it.
#[cfg_attr(target_family = "wasm", inline(never))]
pub(super) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or_default()
}

/// The byte before a place; zero at the front.
pub(super) fn before(bytes: &[u8], at: usize) -> u8 {
    byte(bytes, at.wrapping_sub(1))
}

/// The byte that a `%` and two hexadecimal digits at a place stand for; zero where they do not.
pub(in crate::filter) fn escaped(bytes: &[u8], at: usize) -> u8 {
    match bytes.get(at..) {
        Some([b'%', high, low, ..]) => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => high << 4 | low,
            _ => 0,
        },
        _ => 0,
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' | b'A'..=b'F' => Some((digit | 0x20) - b'a' + 10),
        _ => None,
    }
}
