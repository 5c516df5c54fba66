//! Regular expressions as questions that whoever can answers.

use super::Pattern;
use core::fmt;

/// Who matches regular expressions.
pub trait Matcher {
    /// Whether a text has a match of a pattern in it; nothing where it cannot be said, or not yet.
    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool>;
}

// Without a `Debug` of every matcher, which would bring the formatting of tables into the page.
impl fmt::Debug for dyn Matcher + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Matcher")
    }
}

impl fmt::Debug for dyn Matcher + Send + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Matcher")
    }
}

/// Characters that ECMAScript keeps apart when it folds and other engines do not: those that fold into ASCII, and the
/// Greek capitals with an iota beside them. No pattern that folds may name one.
#[cfg(feature = "patterns")]
pub(super) const fn folds_apart(c: char) -> bool {
    matches!(c, '\u{131}' | '\u{17f}' | '\u{212a}' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}'
        | '\u{1fa8}'..='\u{1faf}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}
