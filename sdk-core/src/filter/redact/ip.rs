//! Internet addresses of both versions, and what looks like one and is a version of something else.

use super::byte::{before, byte, hex};
use super::chain::{Chain, DOT, ends};
use crate::condition::address;

/// Characters of the longest text of an IPv6 address.
const MAX_CHARS: usize = 45;

/// Where the IPv4 address that begins with a chain ends. Four numbers up to 255 are none where a name stands before them,
/// as in `Chrome/120.0.0.0` and `lib-1.2.3.4`, or letters behind, as in `1.2.3.4-beta`; nor is a network such as `10.0.0.0`.
pub(super) fn end_of_four(bytes: &[u8], from: usize, chain: &Chain) -> Option<usize> {
    let (four, more) = chain.groups().split_at_checked(4)?;
    let is_versioned = matches!(before(bytes, from), b'/' | b'-' | b'_' | b'.')
        && before(bytes, from.wrapping_sub(1)).is_ascii_alphanumeric();
    if is_versioned || more.first().is_some_and(|group| group.gap == DOT) {
        return None;
    }
    let end = four.last()?.to;
    let is_network = bytes.get(from..end).is_some_and(|text| text.ends_with(b".0.0.0"));
    let is_labelled = byte(bytes, end) == b'-' && byte(bytes, end + 1).is_ascii_alphabetic();
    (is_address(bytes, from, end) && !is_network && !is_labelled && ends(bytes, end)).then_some(end)
}

/// Where the IPv6 address that begins at a place ends (RFC 4291, section 2.2). Its first group has four digits, as all
/// addresses of people have: `12::30` is a time.
pub(super) fn end_of_six(bytes: &[u8], from: usize, _chain: &Chain) -> Option<usize> {
    let mut end = from;
    while hex(byte(bytes, end)).is_some() || matches!(byte(bytes, end), b':' | b'.') {
        if end - from == 4 && byte(bytes, end) != b':' || end - from > MAX_CHARS {
            return None;
        }
        end += 1;
    }
    if byte(bytes, from + 4) != b':' || byte(bytes, end).is_ascii_alphanumeric() {
        return None;
    }
    // A sentence may end with it.
    let last = usize::from(matches!(before(bytes, end), b':' | b'.'));
    [end, end - last].into_iter().find(|end| is_address(bytes, from, *end))
}

fn is_address(bytes: &[u8], from: usize, end: usize) -> bool {
    let text = bytes.get(from..end).and_then(|text| core::str::from_utf8(text).ok());
    text.is_some_and(|text| address(text).is_some())
}
