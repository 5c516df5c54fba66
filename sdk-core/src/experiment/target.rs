//! Targeting by address: patterns that include and patterns that exclude.

use super::Address;
use alloc::string::String;
use alloc::vec::Vec;

/// One pattern over addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct UrlTarget {
    /// Whether a match excludes.
    pub excludes: bool,
    /// How it is matched.
    pub targeting: Targeting,
}

/// How a pattern is matched.
#[derive(Clone, Debug, PartialEq)]
pub enum Targeting {
    /// Part by part, `*` standing for anything; parameters in any order, and those not named do not matter.
    Simple(String),
    /// The host has matched it already: a regular expression, whose engine the host has.
    Answered(bool),
}

/// Whether an address is targeted: no exclusion matches, and where there are inclusions one of them does. No patterns
/// target nothing.
pub fn is_targeted(address: &str, targets: &[UrlTarget]) -> bool {
    let parsed = Address::parse(address, "_");
    let matches = |target: &UrlTarget| match (&target.targeting, &parsed) {
        (Targeting::Simple(pattern), Some(address)) => simple_matches(address, pattern),
        (Targeting::Answered(answer), Some(_)) => *answer,
        (_, None) => false,
    };
    let mut inclusions = targets.iter().filter(|target| !target.excludes).peekable();
    let is_included = inclusions.peek().is_none() || inclusions.any(matches);
    !targets.is_empty() && is_included && !targets.iter().any(|target| target.excludes && matches(target))
}

/// Whether an address matches a simple pattern.
pub fn simple_matches(address: &Address, pattern: &str) -> bool {
    let Some(expected) = Address::parse(&with_scheme(pattern).replace('*', WILDCARD), WILDCARD) else {
        return false;
    };
    let is_fragment_met = expected.fragment.is_empty() || part_matches(&address.fragment, &expected.fragment);
    part_matches(&address.host, &expected.host)
        && path_matches(&address.path, &expected.path)
        && is_fragment_met
        && expected.parameters().all(|(name, value)| part_matches(&address.parameter(&name), &value))
}

/// What stands for a wildcard inside of an address, in which a star may not stand everywhere.
const WILDCARD: &str = "_____";

/// A pattern that begins with a host gets a scheme: its dots stand before any colon, slash or question mark.
fn with_scheme(pattern: &str) -> String {
    let head = pattern.find([':', '/', '?']).unwrap_or(pattern.len());
    let mut text = String::new();
    if pattern.get(..head).is_some_and(|head| head.contains('.')) {
        text.push_str("https://");
    }
    text.push_str(pattern);
    text
}

/// A slash at the beginning and the end of a path may be there or not.
fn path_matches(actual: &str, pattern: &str) -> bool {
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
    let heads = [Some(actual), actual.strip_prefix('/')];
    heads.into_iter().flatten().any(|text| {
        let ends = [Some(text), text.strip_suffix('/')];
        ends.into_iter().flatten().any(|text| part_matches(text, pattern))
    })
}

/// Whether a text is of a pattern with wildcards, case aside. A wildcard does not go over the end of a line.
fn part_matches(actual: &str, pattern: &str) -> bool {
    let actual: Vec<char> = actual.chars().map(upper).collect();
    let mut literals =
        pattern.split(WILDCARD).map(|literal| literal.chars().map(upper).collect::<Vec<char>>());
    let first = literals.next().unwrap_or_default();
    let Some(mut rest) = actual.strip_prefix(&*first) else { return false };
    let mut literals = literals.peekable();
    if literals.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(literal) = literals.next() {
        let is_last = literals.peek().is_none();
        let room = rest.len().checked_sub(literal.len());
        let found = match (is_last, room) {
            (_, None) => None,
            (true, Some(room)) => rest.ends_with(&literal).then_some(room),
            (false, Some(room)) => {
                (0..=room).find(|at| rest.get(*at..).is_some_and(|rest| rest.starts_with(&literal)))
            }
        };
        let Some(at) = found else { return false };
        if rest.get(..at).is_none_or(|passed| passed.iter().any(|sign| ends_line(*sign))) {
            return false;
        }
        rest = rest.get(at + literal.len()..).unwrap_or_default();
    }
    true
}

const fn ends_line(sign: char) -> bool {
    matches!(sign, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// The upper case by which JavaScript's `i` flag compares: where that is one character of one code unit, and none of
/// ASCII for one beyond it.
fn upper(sign: char) -> char {
    let mut upper = sign.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None)
            if sign <= '\u{ffff}' && upper <= '\u{ffff}' && (sign.is_ascii() || !upper.is_ascii()) =>
        {
            upper
        }
        _ => sign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simple(address: &str, pattern: &str) -> bool {
        simple_matches(&Address::parse(address, "_").unwrap(), pattern)
    }

    #[test]
    fn a_simple_pattern_is_matched_part_by_part() {
        let address = "https://www.shop.example/Sale/hats?b=2&a=1#top";
        for (pattern, expected) in [
            ("/sale/hats", true),
            ("/sale/hats/", true),
            ("sale/*", true),
            ("*", true),
            ("/*", true),
            ("/sale", false),
            ("/s*e/h*s", true),
            ("www.shop.example/*", true),
            ("*.shop.example/sale/*", true),
            ("shop.example/*", false),
            ("http://www.shop.example/sale/hats", true),
            ("*?a=1", true),
            ("*?a=1&b=*", true),
            ("*?a=2", false),
            ("*?c=", true),
            ("*#top", true),
            ("*#bottom", false),
            ("https://", false),
        ] {
            assert_eq!(simple(address, pattern), expected, "{pattern}");
        }
        assert!(simple("/", "/") && simple("/", "") && simple("/a/", "/a") && !simple("/a//", "/a"));
    }

    #[test]
    fn the_last_literal_stands_at_the_end() {
        assert!(part_matches("abab", "a*b".replace('*', WILDCARD).as_str()));
        assert!(!part_matches("ab", "ab*b".replace('*', WILDCARD).as_str()));
        assert!(!part_matches("a\nb", "a_____b") && part_matches("a_b", "a______b"));
        assert!(
            part_matches("STRAẞE", "straẞe") && !part_matches("ss", "ß") && !part_matches("k", "\u{212a}")
        );
    }

    #[test]
    fn exclusions_win_over_inclusions() {
        let target =
            |excludes, pattern: &str| UrlTarget { excludes, targeting: Targeting::Simple(pattern.into()) };
        let targets = [target(false, "/a/*"), target(true, "/a/b")];
        assert!(
            is_targeted("/a/c", &targets) && !is_targeted("/a/b", &targets) && !is_targeted("/c", &targets)
        );
        assert!(is_targeted("/c", &targets[1..]) && !is_targeted("/c", &[]));
        let answered = UrlTarget { excludes: false, targeting: Targeting::Answered(true) };
        assert!(is_targeted("/c", core::slice::from_ref(&answered)) && !is_targeted("https://", &[answered]));
    }
}
