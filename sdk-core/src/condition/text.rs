//! Finding one text in another, with or without regard to case.

use crate::limits::MAX_SOUGHT_BYTES;

/// Whether `text` has the sought text in it: at its start, at its end, at both, or anywhere.
///
/// The sought text comes in two cases of equally many characters, of which each character may have either. A sought
/// text of more than [`MAX_SOUGHT_BYTES`] is found nowhere but as the whole.
pub(super) fn occurs(text: &str, sought: [&str; 2], (at_start, at_end): (bool, bool)) -> bool {
    let [lower, upper] = sought;
    if !(at_start && at_end) && lower.len() > MAX_SOUGHT_BYTES {
        return false;
    }
    let mut rest = text.chars();
    loop {
        let mut here = rest.clone();
        let is_here = lower.chars().zip(upper.chars()).all(|(lower, upper)| {
            let found = here.next();
            found == Some(lower) || found == Some(upper)
        });
        if is_here && (!at_end || here.as_str().is_empty()) {
            return true;
        }
        if at_start || rest.next().is_none() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_it_stands() {
        let finds = |text, sought, place| occurs(text, [sought, sought], place);
        for (text, sought, start, end, anywhere) in [
            ("büro", "bü", true, false, true),
            ("büro", "ro", false, true, true),
            ("büro", "ür", false, false, true),
            ("büro", "", true, true, true),
            ("", "", true, true, true),
            ("", "a", false, false, false),
            ("aab", "ab", false, true, true),
        ] {
            assert_eq!(finds(text, sought, (true, false)), start, "{text} {sought}");
            assert_eq!(finds(text, sought, (false, true)), end, "{text} {sought}");
            assert_eq!(finds(text, sought, (false, false)), anywhere, "{text} {sought}");
            assert_eq!(finds(text, sought, (true, true)), text == sought, "{text} {sought}");
        }
        assert!(occurs("BüRO", ["büro", "BÜRO"], (true, true)));
        assert!(!occurs("BüRO", ["büro", "büro"], (true, true)));
    }
}
