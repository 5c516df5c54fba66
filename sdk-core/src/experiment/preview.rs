//! Preview: a variation forced by the page's own address, `?<experiment>=<index>`.

use crate::value::cut;

/// The variation that an address forces for an experiment with `count` variations.
///
/// What counts is what stands between the first question mark and the next one, up to a `#`; of several values the
/// first. A value is read as JavaScript's `parseInt` does, so `1abc` is 1 and `0x1` is 1.
pub fn previewed(experiment: &str, address: &str, count: usize) -> Option<usize> {
    let (query, _) = cut(cut(address, b'?').1?, b'?');
    let mut left = Some(cut(query, b'#').0);
    while let Some(pairs) = left {
        let (pair, behind) = cut(pairs, b'&');
        let (name, value) = cut(pair, b'=');
        if name == experiment {
            return leading_integer(cut(value?, b'=').0).filter(|index| *index < count);
        }
        left = behind;
    }
    None
}

/// The integer at the front of a text; nothing where there is none or it is negative. One too large stays too large.
fn leading_integer(text: &str) -> Option<usize> {
    let space = text.chars().take_while(|sign| is_space(*sign)).map(char::len_utf8).sum();
    let (mut digits, mut radix, mut number) = (text.as_bytes().get(space..)?, 10, None);
    let is_negative = matches!(digits, [b'-', ..]);
    if let [b'-' | b'+', behind @ ..] = digits {
        digits = behind;
    }
    if let [b'0', b'x' | b'X', behind @ ..] = digits {
        (digits, radix) = (behind, 16);
    }
    for byte in digits {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' if radix == 16 => byte - b'a' + 10,
            b'A'..=b'F' if radix == 16 => byte - b'A' + 10,
            _ => break,
        };
        let before: usize = number.unwrap_or_default();
        number = Some(before.saturating_mul(radix).saturating_add(usize::from(digit)));
    }
    number.filter(|number| !is_negative || *number == 0)
}

/// What JavaScript takes for white space.
const fn is_space(sign: char) -> bool {
    matches!(sign, '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
        || matches!(sign, '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_variation_by_its_index() {
        for (address, expected) in [
            ("https://x.example/?exp=1", Some(1)),
            ("https://x.example/?a=b&exp=0#exp=1", Some(0)),
            ("?exp=1&exp=0", Some(1)),
            ("?exp=x&exp=0", None),
            ("?exp=2", None),
            ("?exp=-1", None),
            ("?exp=-0", Some(0)),
            ("?exp= +1px", Some(1)),
            ("?exp=0x1", Some(1)),
            ("?exp=1=0", Some(1)),
            ("?exp", None),
            ("?exp=1?exp=0", Some(1)),
            ("?x?exp=1", None),
            ("#?exp=1", Some(1)),
            ("?exp=99999999999999999999999", None),
            ("https://x.example/exp=1", None),
            ("", None),
        ] {
            assert_eq!(previewed("exp", address, 2), expected, "{address}");
        }
    }
}
