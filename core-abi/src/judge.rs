//! Conditions of rules, judged over documents that a host gives as a whole.

mod told;

use crate::answer::{Fault, Judgement, failure, judgements};
use crate::cut::{elements, fields};
use attune_core::condition::{
    Condition, ConditionScope, Engine, Form, KnownSignal, Names, Outlook, Packer, encode_condition, evaluate,
    parse_condition,
};
use attune_core::limits::MAX_BROUGHT;
use attune_core::value::{Packed, Value, ValueRef, parse};
use std::cell::Cell;
use std::collections::BTreeMap;
use told::Told;

/// What a case without segments or groups has of them.
const NONE: Option<&str> = Some("{}");
/// Largest condition, and largest text of all segments of a case: each of their errors tells its whole place.
const MAX_CONDITION_BYTES: usize = 64 * 1024;

/// For each `{"condition":…,"document":…,"segments":…,"groups":…}` of a JSON array, of which the last two may be left out,
/// whether the condition holds of the document and when time alone can change that, or what is wrong with the case: a
/// condition is read as the compiler of rule files reads it, and refused with the same codes.
///
/// A text that is no array, or has more than 250,000 elements, is answered with an object with `error` and `message`.
pub fn conditions_judge(cases: &str) -> String {
    let Some(cases) = elements(cases) else {
        return failure("conditions_unreadable", "expected a JSON array of at most 250,000 cases");
    };
    let engine = Engine::default();
    judgements(cases.into_iter().map(|case| judge(case, &engine)))
}

fn judge(case: &str, engine: &Engine) -> Result<Judgement, Fault> {
    let parts = fields(case).ok_or_else(|| Fault::unreadable("", "an object with condition and document"))?;
    let part = |name: &str| parts.iter().rev().find(|(other, _)| *other == name).map(|(_, text)| *text);
    let object = |name: &str, text: Option<&str>, expected: &str| {
        let found = text.and_then(|text| parse(text).ok());
        let found = found.filter(|packed| matches!(packed.get(), ValueRef::Object(_)));
        found.ok_or_else(|| Fault::unreadable(&format!("/{name}"), expected))
    };
    for name in ["condition", "segments"] {
        if part(name).is_some_and(|text| text.len() > MAX_CONDITION_BYTES) {
            return Err(Fault::unreadable(&format!("/{name}"), "at most 64 KiB"));
        }
    }
    let document = object("document", part("document"), "a JSON object")?;
    let told = Told::open(document.get(), engine)?;
    let groups = object("groups", part("groups").or(NONE), "a JSON object of arrays by id")?;
    let segments = object("segments", part("segments").or(NONE), "a JSON object of conditions by id")?;
    let condition = part("condition").and_then(|text| Value::parse(text).ok());
    let condition = condition.ok_or_else(|| Fault::unreadable("/condition", "a condition in JSON"))?;
    let mut named = Named { told: &told, segments: BTreeMap::new(), groups, brought: Cell::new(0) };
    for (id, when) in segments.get().entries() {
        let compiled = compile(&when.to_tree(), &named, &below("/segments", id))?;
        named.segments.insert(id.into(), compiled);
    }
    let compiled = compile(&condition, &named, "/condition")?;
    // In the form that bundles have.
    let mut packer = Packer::new();
    encode_condition(&compiled, &mut packer);
    let form = Form::open(&packer.finish());
    let form = form.map_err(|_| Fault::unreadable("/condition", "a condition that bundles can have"))?;
    let mut outlook = Outlook::default();
    let holds = evaluate(form.at(0), &told, &mut outlook);
    Ok(Judgement { holds, wake_at: outlook.next })
}

/// Compiles a condition; the first error counts.
fn compile(condition: &Value, named: &Named<'_>, at: &str) -> Result<Condition, Fault> {
    let compiled = parse_condition(condition, ConditionScope::Visitor(named), at);
    compiled.map_err(|errors| match errors.first() {
        Some(error) => Fault::of_condition(error),
        None => Fault::unreadable(at, "a condition"),
    })
}

/// A JSON pointer one step on.
fn below(at: &str, step: &str) -> String {
    format!("{at}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// What the conditions of a case may name.
struct Named<'a> {
    told: &'a Told<'a>,
    /// Those before the one that is being read.
    segments: BTreeMap<Box<str>, Condition>,
    groups: Packed,
    /// Tests and values that names have brought in.
    brought: Cell<usize>,
}

impl Names for Named<'_> {
    fn signal(&self, name: &str) -> Option<KnownSignal> {
        self.told.known(name)
    }

    fn segment(&self, id: &str) -> Option<&Condition> {
        self.segments.get(id)
    }

    fn group(&self, id: &str) -> Option<Value> {
        self.groups.get().field(id).map(|group| group.to_tree())
    }

    fn brings(&self, count: usize) -> bool {
        self.brought.set(self.brought.get().saturating_add(count));
        self.brought.get() <= MAX_BROUGHT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answers(cases: &[&str]) -> Value {
        Value::parse(&conditions_judge(&format!("[{}]", cases.join(",")))).unwrap()
    }

    /// Where and how the only case is refused.
    fn refused(case: &str) -> (String, String) {
        let found = answers(&[case]);
        let text = |name: &str| found.at(&format!("0.{name}")).and_then(Value::as_str).unwrap().to_owned();
        (text("at"), text("error"))
    }

    #[test]
    fn a_case_is_told_whether_it_holds_and_when_that_can_change() {
        let found = conditions_judge(
            r#"[{"condition":{"signals.views":{"$gte":3},"traits.plan":"pro"},"document":{"traits":{"plan":"pro"},
                    "signals":{"views":{"value":3,"until":"2026-11-20T10:04:00Z"}},"now":"2026-11-20T10:00:00Z"}},
                {"condition":{"$segment":"keen"},"document":{"signals":{"by":{"keys":{"a":{"value":2}}}}},
                    "segments":{"some":{"signals.by.a":2},"keen":{"segments.some":true}}},
                {"condition":{"experiments.checkout":"b","traits.id":{"$inGroup":"vip"}},"groups":{"vip":["7"]},
                    "document":{"experiments":{"checkout":"b"},"traits":{"id":"7"}}},
                {"condition":{"$not":{"signals.views":{"$gte":0}}},"document":{"signals":{"views":{"truncated":true}}}}]"#,
        );
        let expected = r#"[{"holds":true,"wake_at":"2026-11-20T10:04:00.000Z"},{"holds":true,"wake_at":null},{"holds":true,"wake_at":null},{"holds":false,"wake_at":null}]"#;
        assert_eq!(found, expected);
    }

    #[test]
    fn a_condition_is_refused_with_the_code_and_the_place_that_its_compiler_gives() {
        let long = format!(r#"{{"condition":{{"traits.a":"{}"}},"document":{{}}}}"#, "x".repeat(64 * 1024));
        for (case, at, code) in [
            (
                r#"{"condition":{"$tod":{"between":["18:00"]},"a":1},"document":{}}"#,
                "/condition/$tod/between",
                "bad_literal",
            ),
            (
                r#"{"condition":{"$segment":"a/b"},"document":{},"segments":{"a/b":{"signals.x":1}}}"#,
                "/segments/a~1b/signals.x",
                "unknown_signal",
            ),
            (
                r#"{"condition":{"$segment":"b"},"document":{},"segments":{"a":{"$segment":"b"},"b":{}}}"#,
                "/segments/a/$segment",
                "unknown_segment",
            ),
            (
                r#"{"condition":{"signals.by":1},"document":{"signals":{"by":{"keys":{}}}}}"#,
                "/condition/signals.by",
                "signal_key_missing",
            ),
            (
                r#"{"condition":{"$score":{"name":"m","is":1}},"document":{}}"#,
                "/condition/$score/name",
                "score_misplaced",
            ),
            (&long, "/condition", "case_unreadable"),
        ] {
            assert_eq!(refused(case), (at.to_owned(), code.to_owned()), "{case}");
        }
    }

    #[test]
    fn a_case_of_another_form_is_refused_and_its_neighbours_are_judged() {
        for (case, at) in [
            ("7", ""),
            ("{}", "/document"),
            (r#"{"document":{}}"#, "/condition"),
            (r#"{"condition":{},"document":[]}"#, "/document"),
            (r#"{"condition":{},"document":{"traits":1}}"#, "/document/traits"),
            (r#"{"condition":{},"document":{"now":"soon"}}"#, "/document/now"),
            (r#"{"condition":{},"document":{"signals":{"a/":3}}}"#, "/document/signals/a~1"),
            (r#"{"condition":{},"document":{"signals":{"a":{"until":1}}}}"#, "/document/signals/a/until"),
            (r#"{"condition":{},"document":{"signals":{"a":{"keys":[]}}}}"#, "/document/signals/a/keys"),
            (
                r#"{"condition":{},"document":{"signals":{"a":{"keys":{"k":1}}}}}"#,
                "/document/signals/a/keys/k",
            ),
            (r#"{"condition":{},"document":{},"segments":[]}"#, "/segments"),
            (r#"{"condition":{},"document":{},"groups":[1]}"#, "/groups"),
            (r#"{"condition":{"a":1e999},"document":{}}"#, "/condition"),
        ] {
            assert_eq!(refused(case), (at.to_owned(), "case_unreadable".to_owned()), "{case}");
            let sound = r#"{"condition":{},"document":{}}"#;
            assert_eq!(answers(&[case, sound]).at("1.holds"), Some(&Value::Bool(true)), "{case}");
        }
    }

    #[test]
    fn what_segments_bring_into_a_case_is_bounded() {
        let mut segments = String::from(r#""s0":{"traits.a":1}"#);
        for step in 1..20 {
            let before = step - 1;
            segments +=
                &format!(r#","s{step}":{{"$or":[{{"$segment":"s{before}"}},{{"$segment":"s{before}"}}]}}"#);
        }
        let case =
            format!(r#"{{"condition":{{"$segment":"s19"}},"document":{{}},"segments":{{{segments}}}}}"#);
        assert_eq!(refused(&case).1, "condition_too_large");
    }

    proptest! {
        #[test]
        fn any_case_is_answered_in_json(
            condition in r#"[\[\]{}",:\\a1$]{0,20}"#, document in r#"[\[\]{}",:\\a1]{0,20}"#,
            signals in r#"(\{"[av]":(\{"(value|keys|until|truncated)":[{}1"a]{0,4}\}|1)\})?"#,
        ) {
            for case in [
                format!(r#"[{{"condition":{condition},"document":{document}}}]"#),
                format!(r#"[{{"condition":{{"signals.a":1}},"document":{{"signals":{signals}}}}}]"#),
            ] {
                prop_assert!(Value::parse(&conditions_judge(&case)).is_ok(), "{}", case);
            }
        }
    }
}
