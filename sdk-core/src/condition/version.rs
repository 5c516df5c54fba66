//! Versions as texts that sort as they should, as GrowthBook pads them.

use super::coerce::plain_text;
use crate::value::{ValueRef, cut};
use alloc::string::String;

/// A version padded: a leading `v` and what follows a `+` are left out, parts end at `.` and `-`, numbers take five
/// places at least, and three parts without a pre-release get a fourth that sorts behind every pre-release. What is
/// neither text nor number counts as "0".
///
/// The rule is `paddedVersionString` of GrowthBook's SDKs (docs.growthbook.io, "Build your own SDK").
#[inline(never)]
pub(super) fn padded(value: ValueRef<'_>) -> String {
    let mut room = [0; 40];
    let text = match value {
        ValueRef::Text(_) | ValueRef::Number(_) | ValueRef::Instant(_) => plain_text(value, &mut room),
        _ => None,
    };
    let text = text.filter(|text| !text.is_empty()).unwrap_or("0");
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut out = String::new();
    let mut parts = 0;
    let mut rest = Some(cut(text, b'+').0);
    while let Some(here) = rest {
        if parts > 0 {
            out.push('-');
        }
        parts += 1;
        let end = here.bytes().position(|byte| byte == b'-' || byte == b'.');
        rest = end.and_then(|end| here.get(end + 1..));
        let part = here.get(..end.unwrap_or(here.len())).unwrap_or_default();
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            (part.len()..5).for_each(|_| out.push(' '));
        }
        out.push_str(part);
    }
    if parts == 3 {
        out.push_str("-~");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_padded_part_by_part() {
        for (version, expected) in [
            ("v1.2.3-rc.1+build.5", "    1-    2-    3-rc-    1"),
            ("1.2.3", "    1-    2-    3-~"),
            ("10", "   10"),
            ("123456.0", "123456-    0"),
            ("", "    0"),
            ("+x", ""),
            ("vv1", "v1"),
            ("1..ü", "    1--ü-~"),
        ] {
            assert_eq!(padded(ValueRef::Text(version)), expected, "{version}");
        }
        assert_eq!(padded(ValueRef::Number(1.5)), "    1-    5");
        assert_eq!(padded(ValueRef::Bool(true)), "    0");
    }
}
