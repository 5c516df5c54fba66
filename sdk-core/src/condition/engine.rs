//! Regular expressions matched by an engine of our own, for hosts that have none: ECMAScript's, over UTF-16.

use super::matcher::folds_apart;
use super::{Matcher, Pattern, check_pattern};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use regress::{Flags, Regex};

/// Most patterns kept compiled; a bundle has fewer, and whoever asks for more compiles again.
const MAX_COMPILED: usize = 1_024;

/// A pattern's source and flags.
type Written = (Box<str>, Box<str>);

/// An engine that keeps what it has compiled.
#[derive(Default)]
pub struct Engine {
    compiled: RefCell<BTreeMap<Written, Option<Regex>>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Matcher for Engine {
    fn matches(&self, pattern: Pattern<'_>, text: &str) -> Option<bool> {
        let mut compiled = self.compiled.borrow_mut();
        if compiled.len() >= MAX_COMPILED {
            compiled.clear();
        }
        let key = (Box::from(pattern.source), Box::from(pattern.flags));
        let regex = compiled.entry(key).or_insert_with(|| {
            // A bundle is bytes, and only its compiler has looked at the patterns in it.
            check_pattern(pattern.source, pattern.flags).ok()?;
            let units = pattern.source.encode_utf16().map(u32::from);
            Regex::from_unicode(units, Flags::from(pattern.flags)).ok()
        });
        let folds = pattern.flags.contains('i');
        let units: Vec<u16> = text
            .chars()
            .map(|c| if folds { apart(c) } else { c })
            .flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec())
            .collect();
        Some(regex.as_ref()?.find_from_ucs2(&units, 0).next().is_some())
    }
}

/// A character of a text; one of private use stands for each that folding would bring together with another.
fn apart(c: char) -> char {
    if folds_apart(c) { char::from_u32(0xe800 + (c as u32 & 0xfff)).unwrap_or(c) } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_matched_by_code_unit_as_in_javascript() {
        let engine = Engine::default();
        let matches = |source, text| engine.matches(Pattern { source, flags: "i" }, text);
        assert_eq!(matches("^..$", "😀"), Some(true));
        assert_eq!(matches("^.$", "Ü"), Some(true));
        assert_eq!(matches("GRÜN", "x grün"), Some(true));
        assert_eq!(matches("(", "("), None);
    }

    #[test]
    fn a_pattern_without_a_bound_is_not_matched() {
        let engine = Engine::default();
        let text = "a".repeat(2_000);
        assert_eq!(engine.matches(Pattern { source: "(a+)+$", flags: "" }, &text), None);
        assert_eq!(engine.matches(Pattern { source: "(?=a)", flags: "" }, &text), None);
    }

    #[test]
    fn every_character_folds_as_in_javascript() {
        // Canonicalize of ECMAScript without the flag u.
        let canonical = |c: char| {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(upper), None)
                    if upper.len_utf16() == 1 && !(c as u32 >= 128 && (upper as u32) < 128) =>
                {
                    upper
                }
                _ => c,
            }
        };
        let engine = Engine::default();
        let bmp = || (0x21..0xffff_u32).filter_map(char::from_u32);
        let mut alike: BTreeMap<char, Vec<char>> = BTreeMap::new();
        for c in bmp() {
            for other in [canonical(c)].into_iter().chain(c.to_lowercase()).chain(c.to_uppercase()) {
                alike.entry(other).or_default().push(c);
            }
        }
        let mut count = 0;
        for c in bmp().filter(|c| !folds_apart(*c)) {
            let cases = || c.to_lowercase().chain(c.to_uppercase()).chain([canonical(c)]);
            if cases().all(|other| other == c) {
                continue;
            }
            let source = alloc::format!("^{c}$");
            for other in cases().filter_map(|case| alike.get(&case)).flatten() {
                let found =
                    engine.matches(Pattern { source: &source, flags: "i" }, other.encode_utf8(&mut [0; 4]));
                assert_eq!(found, Some(canonical(c) == canonical(*other)), "{c} {other}");
                count += 1;
            }
        }
        assert!(count > 5_000);
    }
}
