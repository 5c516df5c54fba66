//! Groups of digits with what stands between them: the common form of cards, phones and IPv4 addresses.

use super::byte::{byte, escaped};

/// Groups that are read: more than any number has that is looked for.
const MAX_GROUPS: usize = 8;

/// A space, plain, without a break, or as an address writes it: `+` or `%20`.
pub(super) const SPACE: u8 = 1;
pub(super) const DASH: u8 = 2;
pub(super) const DOT: u8 = 4;
pub(super) const SLASH: u8 = 8;
pub(super) const BRACKET: u8 = 16;

/// Digits side by side.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    pub from: usize,
    pub to: usize,
    /// What stands before it, behind the group before.
    pub gap: u8,
}

/// Groups from a place on.
#[derive(Default)]
pub(super) struct Chain {
    groups: [Group; MAX_GROUPS],
    count: usize,
    /// Whether there are more than could be read.
    pub goes_on: bool,
}

impl Chain {
    /// Reads the groups that begin at a digit.
    pub fn read(bytes: &[u8], from: usize) -> Self {
        let mut chain = Self::default();
        let mut next = Group { from, to: from, gap: 0 };
        while byte(bytes, next.to).is_ascii_digit() {
            while byte(bytes, next.to).is_ascii_digit() {
                next.to += 1;
            }
            let Some(group) = chain.groups.get_mut(chain.count) else {
                chain.goes_on = true;
                break;
            };
            *group = next;
            chain.count += 1;
            let (gap, length) = gap(bytes, next.to);
            next = Group { from: next.to + length, to: next.to + length, gap };
            if length == 0 {
                break;
            }
        }
        chain
    }

    pub fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }
}

impl Group {
    pub const fn length(&self) -> usize {
        self.to - self.from
    }
}

/// What stands at a place between two groups, and its length: a separator, before it `)`, behind it `(`.
pub(super) fn gap(bytes: &[u8], from: usize) -> (u8, usize) {
    let (mut kinds, mut at) = (0, from);
    if byte(bytes, at) == b')' {
        (kinds, at) = (BRACKET, at + 1);
    }
    let (kind, length) = separator(bytes, at);
    (kinds, at) = (kinds | kind, at + length);
    if byte(bytes, at) == b'(' {
        (kinds, at) = (kinds | BRACKET, at + 1);
    }
    (kinds, at - from)
}

/// The one separator at a place, and its length.
pub(super) fn separator(bytes: &[u8], at: usize) -> (u8, usize) {
    match byte(bytes, at) {
        b' ' | b'+' => (SPACE, 1),
        b'-' => (DASH, 1),
        b'.' => (DOT, 1),
        b'/' => (SLASH, 1),
        0xc2 if byte(bytes, at + 1) == 0xa0 => (SPACE, 2),
        b'%' if escaped(bytes, at) == b' ' => (SPACE, 3),
        _ => (0, 0),
    }
}

/// Whether a number of digits can end at a place: neither letters nor more digits follow, nor decimals.
pub(super) fn ends(bytes: &[u8], at: usize) -> bool {
    let next = byte(bytes, at);
    !(next.is_ascii_alphanumeric() || next == b'_' || next == b'.' && byte(bytes, at + 1).is_ascii_digit())
}
