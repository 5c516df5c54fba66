//! The parts of a pattern, and sets of characters as far as they are told apart.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A part of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// `^`
    Start,
    /// Another assertion, or nothing.
    Nothing,
    /// One character of several.
    One(Letters),
    /// One after the other.
    Sequence(Vec<Node>),
    /// One of several.
    Either(Vec<Node>),
    /// Again and again, at most so often.
    Repeat(Box<Node>, u32, Option<u32>),
}

impl Node {
    /// Whether it begins with `^`, whichever way it is read.
    pub fn is_anchored(&self) -> bool {
        match self {
            Self::Start => true,
            Self::Nothing | Self::One(_) => false,
            Self::Sequence(parts) => parts.first().is_some_and(Self::is_anchored),
            Self::Either(parts) => parts.iter().all(Self::is_anchored),
            Self::Repeat(inner, least, _) => *least > 0 && inner.is_anchored(),
        }
    }
}

/// A set of characters: those of ASCII, and all others as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Letters {
    ascii: u128,
    other: bool,
}

impl Letters {
    pub const OTHER: Self = Self { ascii: 0, other: true };

    pub fn of(c: char) -> Self {
        Self::range(c, c)
    }

    pub fn range(first: char, last: char) -> Self {
        let (first, last) = (u32::from(first), u32::from(last));
        let mut ascii = 0;
        for code in first..=last.min(127) {
            ascii |= 1 << code;
        }
        Self { ascii, other: last > 127 }
    }

    pub const fn with(self, more: Self) -> Self {
        Self { ascii: self.ascii | more.ascii, other: self.other || more.other }
    }

    pub const fn all_but(self) -> Self {
        Self { ascii: !self.ascii, other: !self.other }
    }

    /// With both cases of every letter, if asked for.
    pub fn folded(self, folds: bool) -> Self {
        if !folds {
            return self;
        }
        let (upper, lower) = (Self::range('A', 'Z').ascii, Self::range('a', 'z').ascii);
        let ascii = self.ascii | (self.ascii & upper) << 32 | (self.ascii & lower) >> 32;
        Self { ascii, ..self }
    }

    /// The characters of both.
    pub const fn common(self, other: Self) -> Self {
        Self { ascii: self.ascii & other.ascii, other: self.other && other.other }
    }

    pub const fn is_empty(self) -> bool {
        self.ascii == 0 && !self.other
    }
}
