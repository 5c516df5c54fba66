//! A text that needs no memory of its own where it is short, as keys are.

use alloc::boxed::Box;
use core::ops::Deref;

/// How many bytes lie inside: those of a boxed text and its tag are three words, and so are these.
const INSIDE: usize = 22;

/// A text of its own. A member has thousands of keys, so every allocation less is memory and time saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShortText {
    /// A length, and as many bytes.
    Inside(u8, [u8; INSIDE]),
    /// A longer text.
    Apart(Box<str>),
}

impl From<&str> for ShortText {
    fn from(text: &str) -> Self {
        let mut bytes = [0; INSIDE];
        match bytes.get_mut(..text.len()) {
            Some(room) => {
                room.copy_from_slice(text.as_bytes());
                Self::Inside(text.len() as u8, bytes)
            }
            None => Self::Apart(text.into()),
        }
    }
}

impl ShortText {
    /// Its bytes, which nobody has to check as those of a text are.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inside(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Apart(text) => text.as_bytes(),
        }
    }
}

impl Deref for ShortText {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Inside(..) => core::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Apart(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".{0,30}", other in ".{0,30}") {
            let short = ShortText::from(&*text);
            prop_assert_eq!((&*short, short.as_bytes()), (&*text, text.as_bytes()));
            prop_assert_eq!(short == ShortText::from(&*other), text == other);
        }
    }
}
