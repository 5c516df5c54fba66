//! Which bundle a unit gets by a statement of what is current.

use crate::answer::{bundles, failure};
use crate::cut::elements;
use attune_core::bundle::open_current;
use attune_core::value::parse;

/// The bundles that a statement names and, for each text of a JSON array of units, the number of its own: 0 for the one in
/// effect, 1 for the candidate; null for an element that is no text.
///
/// The statement's form is checked and its signature is not. Bytes that are no statement, and a text that is no array or
/// has more than 250,000 elements, are answered with an object with `error` and `message`.
pub fn current_bundles(statement: &[u8], units: &str) -> String {
    let current = match open_current(statement) {
        Ok(opened) => opened.current,
        Err(error) => return failure(error.code(), &error.to_string()),
    };
    let Some(units) = elements(units) else {
        return failure("units_unreadable", "expected a JSON array of at most 250,000 units");
    };
    let is_candidate = |text: &str| {
        let unit = parse(text).ok()?;
        Some(current.candidate_for(unit.get().as_str()?).is_some())
    };
    bundles(&current, units.into_iter().map(is_candidate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::{Candidate, Current, attach_signature, seal_current};
    use attune_core::value::Value;
    use proptest::prelude::*;

    fn statement(candidate: Option<Candidate<'_>>) -> Vec<u8> {
        let current = Current { revision: 7, hash: [0xa0; 32], candidate, ..Current::default() };
        attach_signature(seal_current(&current), &[0; 64])
    }

    fn half() -> Vec<u8> {
        let candidate = Candidate { revision: u64::MAX, hash: [0x0b; 32], share: 5_000, seed: "half" };
        statement(Some(candidate))
    }

    #[test]
    fn every_unit_has_the_number_of_its_bundle() {
        let found = current_bundles(&half(), r#"["user-5","user-6",7,"user-\u0039",oops]"#);
        let hashes = ["a0".repeat(32), "0b".repeat(32)];
        let expected = format!(
            r#"{{"bundles":[{{"revision":7,"hash":"{}"}},{{"revision":18446744073709551615,"hash":"{}"}}],"units":[0,1,null,1,null]}}"#,
            hashes[0], hashes[1]
        );
        assert_eq!(found, expected);
        let found = current_bundles(&statement(None), r#"["user-6"]"#);
        assert_eq!(found, format!(r#"{{"bundles":[{{"revision":7,"hash":"{}"}}],"units":[0]}}"#, hashes[0]));
    }

    #[test]
    fn what_is_no_statement_and_no_array_is_refused_with_its_code() {
        let bytes = half();
        for (bytes, units, code) in [
            (&bytes[..], "{}", "units_unreadable"),
            (&bytes[..20], "[]", "bundle_truncated"),
            (b"ATNB\x01 and more", "[]", "bundle_bad_magic"),
            (b"ATNC\x02", "[]", "bundle_unsupported_format"),
            (&[&bytes[..], b"x"].concat(), "[]", "bundle_bad_envelope"),
        ] {
            let found = Value::parse(&current_bundles(bytes, units)).unwrap();
            assert_eq!(found.field("error"), Some(&Value::string(code)));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_and_text_are_answered_in_json(
            tail: Vec<u8>, units in r#"\[[\[\]{}",:\\a1]{0,20}\]?"#,
        ) {
            for bytes in [half(), tail.clone(), [b"ATNC\x01".as_slice(), &tail].concat()] {
                prop_assert!(Value::parse(&current_bundles(&bytes, &units)).is_ok());
            }
        }
    }
}
