//! Which regular expressions are taken: those whose matching is bounded on every host, with the rule said in full.
//!
//! A pattern is a subset of ECMAScript's: characters, classes, groups, alternatives, repetition and the assertions
//! `^`, `$`, `\b`, `\B`. Look-around, back references, named groups and the lenient forms of its Annex B are refused.
//! What can be repeated must be repeatable in one way only: no text may be cut into the turns of a loop, or shared out
//! among loops, in more ways than its square; see [`super::ambiguity`].

use super::ambiguity::{Automaton, MAX_POSITIONS};
use super::matcher::folds_apart;
use super::syntax::{Letters, Node};
use crate::limits::{MAX_PATTERN_BYTES, MAX_PATTERN_REPEAT};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// Why a regular expression is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// Longer than [`MAX_PATTERN_BYTES`].
    TooLong,
    /// Something that is no pattern or no part of the subset, at this byte.
    Unsupported(usize),
    /// Repetition written out that is too large.
    TooLarge,
    /// Repetition that takes exponential time, or for which that cannot be told.
    Exponential,
    /// Repetition that takes more than quadratic time.
    Unbounded,
}

impl PatternError {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "pattern_too_long",
            Self::Unsupported(_) => "pattern_unsupported",
            Self::TooLarge | Self::Exponential | Self::Unbounded => "pattern_unbounded",
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "a regular expression has at most {MAX_PATTERN_BYTES} bytes"),
            Self::Unsupported(at) => write!(
                f,
                "the regular expression cannot be read from byte {at} on; look-around, back references and named groups are not taken"
            ),
            Self::TooLarge => write!(
                f,
                "the regular expression is too large: repetitions written out, it has more than {MAX_POSITIONS} characters and classes"
            ),
            Self::Exponential => write!(
                f,
                "the regular expression can take exponential time, or too much to tell: a repetition inside a repetition must not be able to cut a text in two ways, as (a+)+ does"
            ),
            Self::Unbounded => write!(
                f,
                "the regular expression can take more than quadratic time; begin it with ^, or let neighbouring repetitions begin with different characters"
            ),
        }
    }
}

/// Whether a pattern is one that every host matches in bounded time.
///
/// # Errors
/// Why it is not.
pub fn check_pattern(source: &str, flags: &str) -> Result<(), PatternError> {
    if source.len() > MAX_PATTERN_BYTES {
        return Err(PatternError::TooLong);
    }
    let mut reader = Reader { source, at: 0, folds: flags.contains('i'), asserts: false };
    let node = reader.alternatives()?;
    if reader.at < source.len() {
        return Err(PatternError::Unsupported(reader.at));
    }
    let automaton = Automaton::build(&node).ok_or(PatternError::TooLarge)?;
    let degree = automaton.degree(reader.asserts).ok_or(PatternError::Exponential)?;
    // A search that may begin anywhere tries as many beginnings as the text has characters.
    let is_bounded = degree + usize::from(!node.is_anchored()) <= 2;
    if is_bounded { Ok(()) } else { Err(PatternError::Unbounded) }
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
    folds: bool,
    /// Whether something is asserted behind characters, so that what has been consumed may yet be given back.
    asserts: bool,
}

type Read<T> = Result<T, PatternError>;

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.source.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.source.get(self.at..).is_some_and(|rest| rest.starts_with(text));
        if found {
            self.at += text.len();
        }
        found
    }

    const fn refuse<T>(&self) -> Read<T> {
        Err(PatternError::Unsupported(self.at))
    }

    fn alternatives(&mut self) -> Read<Node> {
        let mut parts = Vec::new();
        loop {
            parts.push(self.sequence()?);
            if !self.take("|") {
                return Ok(Node::Either(parts));
            }
        }
    }

    fn sequence(&mut self) -> Read<Node> {
        let mut parts = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let from = self.at;
            let node = self.atom()?;
            let Some((least, most)) = self.quantifier()? else {
                parts.push(node);
                continue;
            };
            let beyond = self.source.get(from..).and_then(|rest| rest.chars().next()) > Some('\u{ffff}');
            if matches!(node, Node::Start | Node::Nothing) || beyond {
                // Assertions cannot be repeated, and of a pair of surrogates only half would be.
                return Err(PatternError::Unsupported(from));
            }
            parts.push(Node::Repeat(Box::new(node), least, most));
        }
        Ok(Node::Sequence(parts))
    }

    fn atom(&mut self) -> Read<Node> {
        let from = self.at;
        Ok(match self.next() {
            Some('^') => Node::Start,
            Some('$') => self.assertion(),
            Some('.') => {
                let ends = Letters::of('\n').with(Letters::of('\r'));
                Node::One(ends.all_but().with(Letters::OTHER))
            }
            Some('(') => {
                if !self.take("?:") && self.peek() == Some('?') {
                    return self.refuse();
                }
                let inner = self.alternatives()?;
                if !self.take(")") {
                    return self.refuse();
                }
                // A group is repeated as one, also where it has an assertion in it.
                Node::Sequence(alloc::vec![inner])
            }
            Some('[') => Node::One(self.class()?),
            Some('\\') if self.take("b") || self.take("B") => self.assertion(),
            Some('\\') => Node::One(self.escape()?.0),
            // A line break is written as one, so that patterns are lines.
            Some('*' | '+' | '?' | '{' | '}' | ']' | '\n') | None => {
                return Err(PatternError::Unsupported(from));
            }
            Some(c) => Node::One(self.letter(c, c)?),
        })
    }

    const fn assertion(&mut self) -> Node {
        self.asserts = true;
        Node::Nothing
    }

    fn quantifier(&mut self) -> Read<Option<(u32, Option<u32>)>> {
        let range = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.at += 1;
                let least = self.count()?;
                let most = if !self.take(",") {
                    Some(least)
                } else if self.peek() == Some('}') {
                    None
                } else {
                    Some(self.count()?)
                };
                if self.peek() != Some('}') || most.is_some_and(|most| most < least) {
                    return self.refuse();
                }
                (least, most)
            }
            _ => return Ok(None),
        };
        self.at += 1;
        self.take("?");
        Ok(Some(range))
    }

    fn count(&mut self) -> Read<u32> {
        let from = self.at;
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        let digits = self.source.get(from..self.at).unwrap_or_default();
        digits
            .parse()
            .ok()
            .filter(|count| *count <= MAX_PATTERN_REPEAT)
            .ok_or(PatternError::Unsupported(from))
    }

    fn class(&mut self) -> Read<Letters> {
        let inverted = self.take("^");
        let mut letters = Letters::default();
        while !self.take("]") {
            let (one, first) = self.member()?;
            if self.peek() != Some('-')
                || self.source.get(self.at..).is_some_and(|rest| rest.starts_with("-]"))
            {
                letters = letters.with(one);
                continue;
            }
            self.at += 1;
            let (_, last) = self.member()?;
            match first.zip(last) {
                Some((first, last)) if first <= last => letters = letters.with(self.letter(first, last)?),
                _ => return self.refuse(),
            }
        }
        let letters = letters.folded(self.folds);
        // Characters beyond ASCII are told apart nowhere here, so that any may be in a class and in its opposite.
        Ok(if inverted { letters.all_but().with(Letters::OTHER) } else { letters })
    }

    fn member(&mut self) -> Read<(Letters, Option<char>)> {
        let from = self.at;
        match self.next() {
            Some('\\') if self.take("b") => Ok((Letters::of('\u{8}'), Some('\u{8}'))),
            Some('\\') => self.escape(),
            // As two surrogates it would be two members.
            None | Some('\n' | '\u{10000}'..) => Err(PatternError::Unsupported(from)),
            Some(c) => Ok((self.letter(c, c)?, Some(c))),
        }
    }

    /// What follows a backslash; a single character is given as well.
    fn escape(&mut self) -> Read<(Letters, Option<char>)> {
        let from = self.at;
        let digits = Letters::range('0', '9');
        let word =
            digits.with(Letters::range('a', 'z')).with(Letters::range('A', 'Z')).with(Letters::of('_'));
        let space = Letters::range('\t', '\r').with(Letters::of(' ')).with(Letters::OTHER);
        let other = |letters: Letters| letters.all_but().with(Letters::OTHER);
        let c = match self.next() {
            Some('d') => return Ok((digits, None)),
            Some('D') => return Ok((other(digits), None)),
            Some('w') => return Ok((word, None)),
            Some('W') => return Ok((other(word), None)),
            Some('s') => return Ok((space, None)),
            Some('S') => return Ok((other(space), None)),
            Some('t') => '\t',
            Some('n') => '\n',
            Some('v') => '\u{b}',
            Some('f') => '\u{c}',
            Some('r') => '\r',
            Some('x') => self.hexadecimal(2)?,
            Some('u') => self.hexadecimal(4)?,
            Some(c) if c.is_ascii_punctuation() && c != '_' => c,
            _ => return Err(PatternError::Unsupported(from)),
        };
        Ok((self.letter(c, c)?, Some(c)))
    }

    /// Characters from one to another; those on which engines differ cannot be folded.
    fn letter(&self, first: char, last: char) -> Read<Letters> {
        if self.folds && last > '\u{7f}' && (first..=last).any(folds_apart) {
            return self.refuse();
        }
        Ok(Letters::range(first, last).folded(self.folds))
    }

    fn hexadecimal(&mut self, digits: usize) -> Read<char> {
        let from = self.at;
        let text = self.source.get(from..from + digits).ok_or(PatternError::Unsupported(from))?;
        self.at += digits;
        let code =
            text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(text, 16).ok());
        code.flatten().and_then(char::from_u32).ok_or(PatternError::Unsupported(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(source: &str) -> &'static str {
        check_pattern(source, "i").map_or_else(PatternError::code, |()| "")
    }

    #[test]
    fn patterns_in_use_are_taken() {
        for source in [
            "",
            "^/products/[^/]+/(red|blue)$",
            r"\d+\.\d+\.\d+",
            r"^\d+(\.\d+)*$",
            r"^[\w.+-]+@[\w-]+\.[a-z]{2,}$",
            "foo.*bar",
            "^.*foo.*bar",
            ".*summer.*",
            "(chrome|firefox)/[0-9]{2,3}",
            "grün|日本",
            "^(a|b)*c",
            r"\bcat\b",
            "[^a-z]",
            "a{0,3}b",
            "😀",
            r"\u00e9\x41\-\/",
            "(?:ab)+c",
        ] {
            assert_eq!(code(source), "", "{source}");
        }
    }

    #[test]
    fn what_may_take_long_is_refused() {
        for source in [
            "(a+)+b",
            "(a*)*b",
            "(a|a)*b",
            "(a|ab|b)*c",
            "(a?b?)*c",
            "((a?|b?)c)*d",
            "(.*,)*x",
            r"(\w+\s?)*$",
            "a*a*b",
            "^a*a*a*b",
            "x.*y.*z",
            "(a{1,9}){1,99}b",
            "([a-z]+[0-9]*)+!",
            "(é|ü)*x",
        ] {
            assert_eq!(code(source), "pattern_unbounded", "{source}");
        }
    }

    #[test]
    fn what_is_no_part_of_the_subset_is_refused() {
        for source in [
            "(?=a)",
            "(?!a)",
            "(?<=a)b",
            "(?<n>a)",
            r"(a)\1",
            r"\k<n>",
            "a**",
            "*a",
            "^*",
            "a{2,1}",
            "a{",
            "a}",
            "]",
            "(",
            ")",
            "[a",
            "[z-a]",
            r"[\d-z]",
            r"\c",
            r"\u{61}",
            r"\u12",
            r"\p{L}",
            r"\ud83d",
            "a{999}",
            "😀+",
            "[😀]",
            "ſ",
            r"\u0131",
            "[\u{1f00}-\u{1fff}]",
            r"\",
            "a|*",
            "(?i:a)",
            r"\-\8",
        ] {
            assert_eq!(code(source), "pattern_unsupported", "{source}");
        }
        assert_eq!(code(&"a".repeat(MAX_PATTERN_BYTES + 1)), "pattern_too_long");
    }

    proptest! {
        #[test]
        fn any_pattern_is_judged_soon(source in r"[ab().*+?{}1,9\[\]^$|\\dw-]{0,60}") {
            let _ = check_pattern(&source, "");
        }
    }
}
