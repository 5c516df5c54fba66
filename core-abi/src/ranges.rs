//! The ranges of buckets that an experiment's coverage and weights make.

use crate::answer::{failure, no_json, ranges};
use attune_core::limits::MAX_VARIATIONS;
use attune_core::value::{Value, parse};

/// The ranges of the variations of `{"count":…,"coverage":…,"weights":…}` as a JSON array of `[from, until]`.
///
/// Without a coverage everybody is covered, without weights all weigh the same; a null among numbers is 0, as in
/// GrowthBook's SDKs. Anything else is answered with an object with `error` and `message`.
pub fn bucket_ranges(division: &str) -> String {
    let division = match parse(division) {
        Ok(packed) => packed.get().to_tree(),
        Err(error) => return no_json(error),
    };
    match read(&division) {
        Ok((count, coverage, weights)) => {
            ranges(&attune_core::experiment::bucket_ranges(count, coverage, weights.as_deref()))
        }
        Err(expected) => failure("division_invalid", &format!("expected {expected}")),
    }
}

/// Count, coverage and weights, or what was expected instead.
fn read(division: &Value) -> Result<(usize, f64, Option<Vec<f64>>), &'static str> {
    let count = division.field("count").and_then(Value::as_number).filter(|count| count.fract() == 0.0);
    let count = count.filter(|count| (0.0..=MAX_VARIATIONS as f64).contains(count));
    let count = count.ok_or("an object with count, a whole number of at most 64 variations")?;
    let coverage = division.field("coverage").map_or(Some(1.0), number);
    let coverage = coverage.ok_or("a number as coverage")?;
    let weights = match division.field("weights") {
        None | Some(Value::Null) => None,
        Some(Value::Array(items)) => {
            let weights: Option<Vec<f64>> = items.iter().map(number).collect();
            Some(weights.ok_or("numbers as weights")?)
        }
        Some(_) => return Err("an array as weights"),
    };
    Ok((count as usize, coverage, weights))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(0.0),
        other => other.as_number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_digit_of_a_range_is_told() {
        for (division, expected) in [
            (
                r#"{"count":3,"coverage":0.4,"weights":[0.5,0.3,0.2]}"#,
                "[[0.0,0.2],[0.5,0.62],[0.8,0.8800000000000001]]",
            ),
            (r#"{"count":2,"coverage":null,"weights":null}"#, "[[0.0,0.0],[0.5,0.5]]"),
            (r#"{"count":2,"weights":[null,1]}"#, "[[0.0,0.0],[0.0,1.0]]"),
            (r#"{"count":0,"weights":[]}"#, "[]"),
        ] {
            assert_eq!(bucket_ranges(division), expected, "{division}");
        }
    }

    #[test]
    fn what_cannot_be_divided_is_refused_with_its_code() {
        for (division, code) in [
            ("", "json_ends_early"),
            ("[]", "division_invalid"),
            ("{}", "division_invalid"),
            (r#"{"count":65}"#, "division_invalid"),
            (r#"{"count":-1}"#, "division_invalid"),
            (r#"{"count":1.5}"#, "division_invalid"),
            (r#"{"count":2,"coverage":"1"}"#, "division_invalid"),
            (r#"{"count":2,"weights":{}}"#, "division_invalid"),
            (r#"{"count":2,"weights":[1,"1"]}"#, "division_invalid"),
        ] {
            let found = Value::parse(&bucket_ranges(division)).unwrap();
            assert_eq!(found.field("error"), Some(&Value::string(code)), "{division}");
        }
    }

    proptest! {
        #[test]
        fn any_numbers_are_answered_in_json(
            count in 0_u32..70, coverage in any::<f64>(), weights in prop::collection::vec(any::<f64>(), 0..5),
        ) {
            let text = weights.iter().map(|weight| format!("{weight:?}")).collect::<Vec<_>>().join(",");
            for count in [count, weights.len() as u32] {
                let division = format!(r#"{{"count":{count},"coverage":{coverage:?},"weights":[{text}]}}"#);
                let found = bucket_ranges(&division);
                prop_assert!(Value::parse(&found).is_ok(), "{}: {}", division, found);
            }
        }
    }
}
