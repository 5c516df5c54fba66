//! Slips of the pen that compile: an operator without its `$`, a variation that does not exist, a place for a key that
//! there is not.

use super::Compiled;
use super::diagnostic::{Problem, Problems};
use super::file::items;
use crate::condition::{TEST_OPERATORS, listed};
use crate::limits::MAX_VARIATIONS;
use crate::value::Value;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The fields of actions that have places.
const FILLED: [&str; 6] = ["value", "values", "href", "text", "url", "detail"];

/// The slips in one file.
pub(super) fn slips(file: &Value, compiled: &Compiled) -> Problems {
    let mut slips = Slips { compiled, problems: Problems::default() };
    for (list, field) in [
        ("signals", "where"),
        ("segments", "when"),
        ("experiments", "when"),
        ("rules", "when"),
        ("triggers", "when"),
    ] {
        for (at, definition) in items(file, list) {
            definition.field(field).into_iter().for_each(|value| slips.condition(value, &below(&at, field)));
        }
    }
    items(file, "experiments").for_each(|(at, experiment)| slips.prerequisites(experiment, &at));
    items(file, "rules").for_each(|(at, rule)| slips.actions(rule, &at));
    slips.problems
}

struct Slips<'a> {
    compiled: &'a Compiled,
    problems: Problems,
}

impl Slips<'_> {
    fn warn(&mut self, at: &str, code: &'static str, subject: &str, message: &str) {
        self.problems.push(Problem::of(at, code, subject, message).warning());
    }

    fn condition(&mut self, condition: &Value, at: &str) {
        let Value::Object(fields) = condition else { return };
        for (name, value) in fields {
            let at = below(at, name);
            match &**name {
                "$and" | "$or" | "$nor" => {
                    for (at, part) in elements(Some(value), &at) {
                        self.condition(part, &at);
                    }
                }
                "$not" => self.condition(value, &at),
                "$signal" | "$score" => {
                    value
                        .field("is")
                        .into_iter()
                        .for_each(|test| self.test("the value", test, &below(&at, "is")));
                }
                other if other.starts_with('$') => {}
                path => self.test(path, value, &at),
            }
        }
    }

    /// What is asked of a path.
    fn test(&mut self, path: &str, test: &Value, at: &str) {
        match test {
            Value::Object(operators) if is_operators(test) => {
                for (name, value) in operators {
                    self.operator(path, name, value, &below(at, name));
                }
            }
            Value::Object(fields) => {
                let slip = fields.iter().find(|(name, _)| TEST_OPERATORS.contains(&&**name));
                if let Some((name, _)) = slip {
                    let message = format!(
                        "operators begin with $, as ${name}; here {path} has to be an object that is equal to this one"
                    );
                    self.warn(&below(at, name), "operator_without_dollar", name, &message);
                }
            }
            value => self.variation(path, value, at),
        }
    }

    fn operator(&mut self, path: &str, name: &str, value: &Value, at: &str) {
        match name {
            "$not" => self.test(path, value, at),
            "$size" => self.test("the size", value, at),
            "$elemMatch" if is_operators(value) => self.test("the element", value, at),
            "$elemMatch" => self.condition(value, at),
            "$eq" | "$ne" => self.variation(path, value, at),
            "$in" | "$nin" => {
                elements(Some(value), at).for_each(|(at, item)| self.variation(path, item, &at));
            }
            _ => {}
        }
    }

    /// A text that is compared with the variation of an experiment.
    fn variation(&mut self, path: &str, value: &Value, at: &str) {
        let (Some(id), Value::String(key)) = (path.strip_prefix("experiments."), value) else { return };
        let Some(trial) = self.compiled.bundle.experiments.iter().find(|trial| trial.id == id) else {
            return;
        };
        let known: Vec<&str> = (0..MAX_VARIATIONS).map_while(|index| trial.variation(index)).collect();
        if !key.is_empty() && !known.contains(&&**key) {
            let message = format!("experiment {id} has no such variation; it has {}", listed(known));
            self.warn(at, "unknown_variation", key, &message);
        }
    }

    fn prerequisites(&mut self, experiment: &Value, at: &str) {
        for (at, prerequisite) in elements(experiment.field("prerequisites"), &below(at, "prerequisites")) {
            let Some(read) = prerequisite.field("experiment").and_then(Value::as_str) else { continue };
            let path = format!("experiments.{read}");
            for (at, key) in elements(prerequisite.field("variations"), &below(&at, "variations")) {
                self.variation(&path, key, &at);
            }
        }
    }

    fn actions(&mut self, rule: &Value, at: &str) {
        let id = rule.field("id").and_then(Value::as_str);
        let compiled = id.and_then(|id| self.compiled.bundle.rule(id)).filter(|rule| rule.is_active());
        let has_no_key = compiled.is_some_and(|rule| rule.to_rule().key.is_none());
        for (at, action) in elements(rule.field("actions"), &below(at, "actions")) {
            for name in FILLED.into_iter().filter(|_| has_no_key) {
                if action.field(name).is_some_and(shows_key) {
                    let message = "{{key}} is empty here: the rule has no key, which is that of its cap or of a $signal with a $path";
                    self.warn(&below(&at, name), "key_of_none", name, message);
                }
            }
        }
    }
}

fn is_operators(test: &Value) -> bool {
    matches!(test, Value::Object(fields) if fields.iter().all(|(name, _)| name.starts_with('$')))
}

fn below(at: &str, step: &str) -> String {
    format!("{at}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// The elements of an array, each with its pointer.
fn elements<'a>(list: Option<&'a Value>, at: &str) -> impl Iterator<Item = (String, &'a Value)> {
    let items = match list {
        Some(Value::Array(items)) => items.as_slice(),
        _ => &[],
    };
    items.iter().enumerate().map(move |(index, item)| (format!("{at}/{index}"), item))
}

/// Whether a place of a text, or of a text of an object, is that of the key.
fn shows_key(value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text,
        Value::Object(fields) => return fields.iter().any(|(_, value)| shows_key(value)),
        _ => return false,
    };
    let places = text.split("{{").skip(1).filter_map(|tail| tail.split_once("}}"));
    places.into_iter().any(|(place, _)| place.split('|').next().is_some_and(|path| path.trim() == "key"))
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile, review};
    use super::*;
    use alloc::string::ToString;

    fn findings(text: &str) -> Vec<String> {
        let files = [SourceFile { name: "a.json".to_string(), text: text.to_string() }];
        let compiled = compile(&files);
        assert_eq!(compiled.diagnostics, []);
        review(&files, &compiled).iter().map(|found| found.to_string()).collect()
    }

    fn of_condition(condition: &str) -> Vec<String> {
        findings(&format!(
            r#"{{"experiments":[{{"id":"e","variations":[{{"key":"a"}},{{"key":"b"}}]}}],
            "signals":[{{"name":"n","on":"x","aggregate":"count","window":"1h"}}],
            "segments":[{{"id":"s","when":{{"experiments.e":"a","signals.n":1}}}}],
            "rules":[{{"id":"r","slot":"s","when":{{"$or":[{{"$segment":"s"}},{condition}]}},"actions":[{{"kind":"hide","target":"p"}}]}}]}}"#
        ))
    }

    #[test]
    fn an_operator_without_its_dollar_is_named_wherever_a_test_stands() {
        for (condition, place) in [
            (r#"{"traits.age":{"gte":3}}"#, "traits.age/gte"),
            (r#"{"traits.age":{"$not":{"gte":3}}}"#, "traits.age/$not/gte"),
            (r#"{"$not":{"traits.age":{"gte":3}}}"#, "$not/traits.age/gte"),
            (r#"{"$signal":{"name":"n","is":{"gte":3}}}"#, "$signal/is/gte"),
            (r#"{"traits.list":{"$elemMatch":{"age":{"gte":3}}}}"#, "traits.list/$elemMatch/age/gte"),
            (r#"{"traits.list":{"$size":{"gte":3}}}"#, "traits.list/$size/gte"),
        ] {
            let found = of_condition(condition);
            assert_eq!(found.len(), 1, "{condition}: {found:?}");
            let (begin, end) = (
                "a.json:4: warning[operator_without_dollar] rule r: gte: operators begin with $, as $gte; here ",
                format!("(at /rules/0/when/$or/1/{place})"),
            );
            assert!(found[0].starts_with(begin) && found[0].ends_with(&end), "{}", found[0]);
        }
        for condition in [
            r#"{"traits.age":{"$gte":3}}"#,
            r#"{"traits.size":{"width":3}}"#,
            r#"{"$dow":{"in":["mon"],"zone":"UTC"}}"#,
            r#"{"$bucket":{"by":"traits.id","seed":"s","in":[[0,0.5]]}}"#,
        ] {
            assert_eq!(of_condition(condition), Vec::<String>::new(), "{condition}");
        }
    }

    #[test]
    fn a_variation_that_an_experiment_has_not_is_named_with_those_it_has() {
        for (condition, place) in [
            (r#"{"experiments.e":"c"}"#, "experiments.e"),
            (r#"{"experiments.e":{"$ne":"c"}}"#, "experiments.e/$ne"),
            (r#"{"experiments.e":{"$in":["a","c"]}}"#, "experiments.e/$in/1"),
        ] {
            let expected = format!(
                "a.json:4: warning[unknown_variation] rule r: c: experiment e has no such variation; it has a, b (at /rules/0/when/$or/1/{place})"
            );
            assert_eq!(of_condition(condition), [expected]);
        }
        let found = findings(
            r#"{"experiments":[{"id":"e","variations":[{"key":"a"}]},
            {"id":"f","variations":[{"key":"a"}],"prerequisites":[{"experiment":"e","variations":["a","b"]}]}],
            "rules":[{"id":"r","slot":"s","when":{"experiments.f":"a"},"actions":[]}]}"#,
        );
        assert_eq!(
            found,
            [
                "a.json:2: warning[unknown_variation] experiment f: b: experiment e has no such variation; it has a (at /experiments/1/prerequisites/0/variations/1)"
            ]
        );
    }

    #[test]
    fn an_experiment_that_nothing_reads_is_named() {
        let found = findings(r#"{"experiments":[{"id":"e","variations":[{"key":"a"}]}]}"#);
        assert_eq!(
            found,
            ["a.json:1: warning[unused_experiment] e: no rule or trigger reads it (at /experiments/0)"]
        );
    }

    #[test]
    fn a_key_that_the_rule_has_not_is_named_and_one_it_has_is_not() {
        let of_rule = |fields: &str| {
            findings(&format!(
                r#"{{"rules":[{{"id":"r","slot":"s",{fields}"actions":[{{"kind":"text","target":"h1","value":"More {{{{ key | x }}}}"}}]}}]}}"#
            ))
        };
        assert_eq!(
            of_rule(""),
            [
                "a.json:1: warning[key_of_none] rule r: value: {{key}} is empty here: the rule has no key, which is that of its cap or of a $signal with a $path (at /rules/0/actions/0/value)"
            ]
        );
        assert_eq!(of_rule(r#""cap":{"per":"day","key":"traits.a"},"#), Vec::<String>::new());
    }
}
