//! The names of operators, and what is said of one that does not exist where it stands.

use super::nearest::nearest;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// The operators that a test can have, without their `$`.
pub(crate) const TESTS: [&str; 39] = [
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "nin",
    "ini",
    "nini",
    "all",
    "alli",
    "exists",
    "not",
    "before",
    "after",
    "size",
    "elemMatch",
    "type",
    "veq",
    "vne",
    "vgt",
    "vgte",
    "vlt",
    "vlte",
    "inGroup",
    "notInGroup",
    "regex",
    "regexi",
    "startsWith",
    "startsWithi",
    "endsWith",
    "endsWithi",
    "contains",
    "containsi",
    "between",
    "mod",
    "cidr",
    "geoWithin",
];
/// What can stand where a path would, without its `$`: at first what can also stand inside `$elemMatch`, then what can
/// also be asked of an event.
const CLAUSES: [&str; 10] = ["and", "or", "nor", "not", "bucket", "tod", "dow", "signal", "segment", "score"];
/// Clauses inside `$elemMatch`.
const OF_ITEM: usize = 4;
/// Clauses about an event.
const OF_EVENT: usize = 7;

/// Words that others use, in small letters, each with the operators that it stands for.
const WORDS: [(&str, &[&str]); 22] = [
    ("gte", &["atleast", "greaterthanorequal", "greaterthanorequals", "greaterorequal", "min", "ge"]),
    ("gt", &["greaterthan", "greater", "morethan", "more", "over", "above"]),
    ("lte", &["atmost", "lessthanorequal", "lessthanorequals", "lessorequal", "max", "le"]),
    ("lt", &["lessthan", "less", "fewerthan", "fewer", "under", "below"]),
    ("eq", &["equal", "equals", "equalto", "is"]),
    ("ne", &["notequal", "notequals", "isnot", "neq"]),
    ("in", &["oneof", "anyof", "isoneof"]),
    ("nin", &["notin", "noneof", "isnotoneof"]),
    ("contains", &["includes", "has", "like", "substring"]),
    ("startsWith", &["beginswith", "prefix"]),
    ("endsWith", &["suffix"]),
    ("regex", &["regexp", "match", "matches", "pattern"]),
    ("between", &["range", "within"]),
    ("size", &["length", "len", "count"]),
    ("exists", &["defined", "isset", "present"]),
    ("before", &["until"]),
    ("after", &["since"]),
    ("and", &["all", "every", "allof"]),
    ("or", &["any", "some", "anyof"]),
    ("nor", &["none", "noneof"]),
    ("tod", &["time", "timeofday", "hours"]),
    ("dow", &["day", "days", "weekday", "dayofweek"]),
];

/// Where an operator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorPlace {
    /// In what is asked of a value.
    Test,
    /// Where a path would, in a condition about the visitor.
    Visitor,
    /// Where a path would, in a condition about an event.
    Event,
    /// Where a path would, inside `$elemMatch`.
    Item,
    /// In a value that is compared.
    Literal,
}

impl OperatorPlace {
    /// What can stand there.
    fn operators(self) -> &'static [&'static str] {
        let clauses = match self {
            Self::Test => return &TESTS,
            Self::Literal => return &["path"],
            Self::Visitor => CLAUSES.len(),
            Self::Event => OF_EVENT,
            Self::Item => OF_ITEM,
        };
        CLAUSES.get(..clauses).unwrap_or(&CLAUSES)
    }
}

/// Writes that there is no such operator, and which one may be meant; or else which there are.
pub(super) fn write_unknown(f: &mut fmt::Formatter<'_>, name: &str, place: OperatorPlace) -> fmt::Result {
    write!(f, "there is no operator {name}")?;
    let (bare, known) = (name.trim_start_matches('$'), place.operators());
    let is_test = TESTS.contains(&bare);
    match place {
        OperatorPlace::Literal => {
            return f.write_str(" in a value; what is compared is a value, or {\"$path\": \"…\"} alone");
        }
        OperatorPlace::Test if CLAUSES.contains(&bare) => {
            return f.write_str(" in a test; it stands where a path would");
        }
        OperatorPlace::Test => {}
        _ if is_test => {
            return write!(
                f,
                " where a path would stand; it belongs to a test, as {{\"traits.x\": {{\"{name}\": …}}}}"
            );
        }
        _ if CLAUSES.contains(&bare) => f.write_str(" here")?,
        _ => {}
    }
    let word: String =
        bare.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let is_meant = |one: &&&str| WORDS.iter().any(|(meant, words)| meant == *one && words.contains(&&*word));
    match known.iter().find(is_meant).copied().or_else(|| near(bare, &word, known)) {
        Some(meant) => write!(f, "; did you mean ${meant}?"),
        None if place == OperatorPlace::Test => write!(f, "; a test has {}", dollars(known)),
        None => write!(f, "; where a path would, {} can stand", dollars(known)),
    }
}

/// The nearest operator, also where its words are parted or its capital letters are missing.
fn near(bare: &str, word: &str, known: &[&'static str]) -> Option<&'static str> {
    let same = known.iter().find(|known| known.eq_ignore_ascii_case(word)).copied();
    // The sign in front counts, so that a name of two letters may have a mistake.
    same.or_else(|| {
        let dollars: alloc::vec::Vec<String> = known.iter().map(|known| format!("${known}")).collect();
        let meant = nearest(&format!("${bare}"), dollars.iter().map(String::as_str))?;
        known.iter().find(|known| meant.get(1..) == Some(**known)).copied()
    })
}

fn dollars(names: &[&str]) -> String {
    names.iter().map(|name| format!("${name}")).collect::<alloc::vec::Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::{ConditionErrorKind, ConditionScope, parse_condition};
    use super::*;
    use crate::value::Value;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    fn said(condition: &str, scope: ConditionScope<'_>) -> Vec<String> {
        let errors = parse_condition(&Value::parse(condition).unwrap(), scope, "").unwrap_err();
        errors.iter().map(|error| error.kind.to_string()).collect()
    }

    #[test]
    fn an_unknown_operator_of_a_test_is_followed_by_the_one_that_is_meant() {
        let none = |_: &str| None;
        for (name, meant) in [
            ("$atleast", "$gte"),
            ("$at_least", "$gte"),
            ("$gtee", "$gte"),
            ("$greaterThan", "$gt"),
            ("$startswith", "$startsWith"),
            ("$starts_with", "$startsWith"),
            ("$between_", "$between"),
            ("$exist", "$exists"),
            ("$notIn", "$nin"),
            ("$elemmatch", "$elemMatch"),
        ] {
            let found = said(&format!(r#"{{"traits.a":{{"{name}":1}}}}"#), ConditionScope::Visitor(&none));
            assert_eq!(found, [format!("there is no operator {name}; did you mean {meant}?")]);
        }
        let [found] = &said(r#"{"traits.a":{"$near":1}}"#, ConditionScope::Visitor(&none))[..] else {
            panic!()
        };
        assert!(found.starts_with("there is no operator $near; a test has $eq, $ne, $gt, "), "{found}");
        assert!(found.ends_with(", $mod, $cidr, $geoWithin"), "{found}");
    }

    #[test]
    fn an_unknown_clause_is_followed_by_what_can_stand_in_its_place() {
        let none = |_: &str| None;
        let visitor = ConditionScope::Visitor(&none);
        for (condition, expected) in [
            (r#"{"$signl":{}}"#, "there is no operator $signl; did you mean $signal?"),
            (r#"{"$any":[]}"#, "there is no operator $any; did you mean $or?"),
            (
                r#"{"$nope":[]}"#,
                "there is no operator $nope; where a path would, $and, $or, $nor, $not, $bucket, $tod, $dow, $signal, $segment, $score can stand",
            ),
            (
                r#"{"$gte":3}"#,
                r#"there is no operator $gte where a path would stand; it belongs to a test, as {"traits.x": {"$gte": …}}"#,
            ),
            (
                r#"{"traits.a":{"$signal":1}}"#,
                "there is no operator $signal in a test; it stands where a path would",
            ),
            (
                r#"{"traits.a":{"$elemMatch":{"b":1,"$segment":"s"}}}"#,
                "there is no operator $segment here; where a path would, $and, $or, $nor, $not can stand",
            ),
            (
                r#"{"traits.a":{"$eq":{"$gte":1}}}"#,
                r#"there is no operator $gte in a value; what is compared is a value, or {"$path": "…"} alone"#,
            ),
        ] {
            assert_eq!(said(condition, visitor), [expected], "{condition}");
        }
        assert_eq!(
            said(r#"{"$nope":[]}"#, ConditionScope::Event),
            [
                "there is no operator $nope; where a path would, $and, $or, $nor, $not, $bucket, $tod, $dow can stand"
            ]
        );
    }

    #[test]
    fn every_operator_that_is_named_is_one() {
        let none = |_: &str| None;
        let unknown = |condition: &str| {
            let errors =
                parse_condition(&Value::parse(condition).unwrap(), ConditionScope::Visitor(&none), "");
            let is_unknown =
                |kind: &ConditionErrorKind| matches!(kind, ConditionErrorKind::UnknownOperator { .. });
            errors.err().unwrap_or_default().iter().any(|error| is_unknown(&error.kind))
        };
        for name in TESTS {
            assert!(!unknown(&format!(r#"{{"traits.a":{{"${name}":null}}}}"#)), "{name}");
        }
        for name in CLAUSES {
            assert!(!unknown(&format!(r#"{{"${name}":null}}"#)), "{name}");
        }
        for (name, words) in WORDS {
            assert!(TESTS.contains(&name) || CLAUSES.contains(&name), "{name}");
            assert!(words.iter().all(|word| !word.contains(char::is_uppercase)), "{words:?}");
        }
    }
}
