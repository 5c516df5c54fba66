//! What a syntax check lets pass and nobody downstream could read: half surrogates, endless numbers, deep nesting.

use crate::value::JsonError;
use memchr::{memchr, memchr2_iter};

/// Longest number without an exponent that is surely within the range of a double.
const SAFE_NUMBER_CHARS: usize = 300;

/// Checks a text that is known to be JSON.
///
/// # Errors
/// The first escape, number or nesting that [`crate::value::parse`] would refuse.
pub(super) fn check(text: &str, max_depth: usize) -> Result<(), JsonError> {
    let bytes = text.as_bytes();
    if is_plain(bytes, max_depth) {
        return Ok(());
    }
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = skip_string(bytes, at + 1)?,
            b'{' | b'[' => {
                depth += 1;
                if depth > max_depth {
                    return Err(JsonError::TooDeep(at));
                }
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'-' | b'0'..=b'9' => at = skip_number(text, at)?,
            _ => at += 1,
        }
    }
    Ok(())
}

/// Whether nothing in a text could be refused: it has no escape, nothing like an exponent, and neither digits nor brackets
/// enough. Searches of many bytes at a time see that; whether what they find stands in a string they do not.
fn is_plain(bytes: &[u8], max_depth: usize) -> bool {
    let is_exponent = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        before.is_some_and(u8::is_ascii_digit) && matches!(bytes.get(at + 1), Some(b'0'..=b'9' | b'-' | b'+'))
    };
    // A number that is too long covers one of these places.
    let is_digit = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
    memchr(b'\\', bytes).is_none()
        && memchr2_iter(b'{', b'[', bytes).nth(max_depth).is_none()
        && !(SAFE_NUMBER_CHARS..bytes.len()).step_by(SAFE_NUMBER_CHARS).any(is_digit)
        && !memchr2_iter(b'e', b'E', bytes).any(is_exponent)
}

/// Returns the place after the closing quote.
fn skip_string(bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
    loop {
        match bytes.get(at) {
            None => return Err(JsonError::EndsEarly(at)),
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') if bytes.get(at + 1) == Some(&b'u') => at = skip_unicode_escape(bytes, at)?,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

fn skip_unicode_escape(bytes: &[u8], at: usize) -> Result<usize, JsonError> {
    match code_unit(bytes, at) {
        Some(0xd800..=0xdbff) => match code_unit(bytes, at + 6) {
            Some(0xdc00..=0xdfff) => Ok(at + 12),
            _ => Err(JsonError::BadEscape(at)),
        },
        Some(0xdc00..=0xdfff) | None => Err(JsonError::BadEscape(at)),
        Some(_) => Ok(at + 6),
    }
}

/// The code unit of the `\uXXXX` at a place, if there is one.
fn code_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6).filter(|escape| escape.starts_with(b"\\u"))?;
    escape.get(2..)?.iter().try_fold(0, |unit, byte| Some(unit << 4 | char::from(*byte).to_digit(16)?))
}

fn skip_number(text: &str, from: usize) -> Result<usize, JsonError> {
    let rest = text.get(from..).unwrap_or_default();
    let mut exponent = false;
    let length = rest
        .bytes()
        .take_while(|byte| {
            exponent |= matches!(byte, b'e' | b'E');
            matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
        })
        .count();
    let number = rest.get(..length).unwrap_or_default();
    let unsafe_number = exponent || length > SAFE_NUMBER_CHARS;
    if unsafe_number && !number.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(JsonError::NumberOutOfRange(from));
    }
    Ok(from + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_JSON_DEPTH;
    use crate::value;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;

    #[test]
    fn agrees_with_the_reader_about_what_is_refused() {
        let (deep, endless) = ("[".repeat(33) + &"]".repeat(33), "9".repeat(400));
        for text in [
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\u0041""#,
            r#""\\ud800 \ud83d\ude00 \" \u00fc""#,
            r#"["a\\",1e400]"#,
            "1e308",
            "-1e309",
            "0.1e-500",
            "[0e9,1E400]",
            r#"["1e400",1e+400]"#,
            &endless[..300],
            &format!("[-{},1]", &endless[..309]),
            &format!("[0.{}]", &endless[..309]),
            &deep,
            &deep[1..65],
            &endless,
        ] {
            assert_eq!(check(text, MAX_JSON_DEPTH).err(), value::parse(text).err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_json_is_judged_like_the_reader_judges_it(text in r#"\["([a\\"ud80cDC9]|\\u[dD][89abcdefABCDEF][0-9]{2}){0,12}",[-0-9eE+.]{1,6}\]"#) {
            if serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok() {
                prop_assert_eq!(check(&text, MAX_JSON_DEPTH).is_err(), value::parse(&text).is_err(), "{}", text);
            }
        }

        #[test]
        fn random_text_never_panics(text: String) {
            let _ = check(&text, MAX_JSON_DEPTH);
        }
    }
}
