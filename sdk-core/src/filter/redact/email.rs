//! E-mail addresses (RFC 5321, as far as they are in use; RFC 6531 for letters that are not ASCII).

use super::byte::{before, byte, escaped};
use super::{Hit, Kind, Kinds};

/// Endings of file names that look like addresses: `logo@2x.png`.
const IMAGES: [&[u8]; 7] = [b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"avif"];

/// Finds the next address whose `@` is behind a byte.
pub(super) fn find(bytes: &[u8], from: usize, kinds: Kinds) -> Option<Hit> {
    if !kinds.has(Kind::Email) {
        return None;
    }
    let mut at = from;
    while at < bytes.len() {
        let behind = at + sign(bytes, at);
        if behind > at
            && let start = local(bytes, from, at)
            && start < at
            && let Some(to) = domain(bytes, behind)
        {
            return Some(Hit { kind: Kind::Email, from: start, to });
        }
        at = behind.max(at + 1);
    }
    None
}

/// Length of the `@` at a place: plain, `%40`, or encoded several times over as `%2540`; 0 where there is none.
fn sign(bytes: &[u8], at: usize) -> usize {
    match byte(bytes, at) {
        b'@' => 1,
        b'%' => {
            let mut end = at + 1;
            while bytes.get(end..end + 2) == Some(b"25") {
                end += 2;
            }
            if bytes.get(end..end + 2) == Some(b"40") { end + 2 - at } else { 0 }
        }
        _ => 0,
    }
}

/// Where the part before the `@` begins, not before `least`.
fn local(bytes: &[u8], least: usize, end: usize) -> usize {
    let mut start = end;
    loop {
        let escape = start.wrapping_sub(3);
        let step = if escape < start && escaped(bytes, escape) > 0 { 3 } else { 1 };
        let last = if step == 3 { escaped(bytes, escape) } else { before(bytes, start) };
        let belongs =
            last.is_ascii_alphanumeric() || last >= 0x80 || matches!(last, b'.' | b'_' | b'+' | b'-');
        if !belongs || start < least + step {
            return start;
        }
        start -= step;
    }
}

/// Where the domain ends: labels with dots between them, the last of them with two letters in front.
fn domain(bytes: &[u8], from: usize) -> Option<usize> {
    let (mut end, mut at) = (None, from);
    loop {
        let label = at;
        while is_letter(byte(bytes, at)) || matches!(byte(bytes, at), b'0'..=b'9' | b'-') {
            at += 1;
        }
        let name = bytes.get(label..at).unwrap_or_default();
        let is_top = label > from && name.iter().take(2).filter(|letter| is_letter(**letter)).count() == 2;
        if is_top && !IMAGES.iter().any(|ending| name.eq_ignore_ascii_case(ending)) {
            end = Some(at);
        }
        if name.is_empty() || byte(bytes, at) != b'.' {
            return end;
        }
        at += 1;
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}
