//! The names that rule files define, whether or not what they name is sound: for what is said of one that is not found.

use super::SourceFile;
use super::diagnostic::Problem;
use super::file::{DEFINITION_LISTS, items};
use super::sought::Sought;
use crate::condition::{listed, suggestion};
use crate::value::Value;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

/// The names in each list of definitions, over all files.
#[derive(Default)]
pub(super) struct Written(BTreeMap<&'static str, BTreeSet<Box<str>>>);

impl Written {
    pub fn of(files: &[(&SourceFile, Value)]) -> Self {
        let names = |(list, field): (&'static str, &'static str)| {
            let each = files.iter().flat_map(|(_, file)| items(file, list));
            let named = each.filter_map(|(_, definition)| definition.field(field)?.as_str().map(Box::from));
            (list, named.collect())
        };
        Self(DEFINITION_LISTS.into_iter().map(names).collect())
    }

    /// Whether a list has a name.
    pub fn has(&self, list: &str, name: &str) -> bool {
        self.0.get(list).is_some_and(|names| names.contains(name))
    }

    /// A problem with what is said of the name that was looked for, if it is about one.
    pub fn hinted(&self, problem: Problem) -> Problem {
        problem.with_hint(|sought, at| self.hint(sought, at))
    }

    /// The end of the message about a name that was looked for at a place: why it is not found though it is there, the
    /// one that was probably meant, or else those that there are.
    pub fn hint(&self, sought: &Sought, at: &str) -> String {
        let Sought { list, name } = sought;
        let reads_none = match (at.split('/').nth(1), *list) {
            (Some("signals"), _) => Some(format!("; what a signal asks of an event reads no {list}")),
            (Some("models"), "segments" | "groups") => {
                Some(format!("; the conditions of models read no {list}"))
            }
            _ => None,
        };
        if let Some(message) = reads_none {
            return message;
        }
        if self.has(list, name) {
            return "; the one of this name has errors and takes no part".to_owned();
        }
        let names = || self.0.get(list).into_iter().flatten().map(|name| &**name);
        suggestion(name, names(), || match names().next() {
            Some(_) => format!("; the {list} are {}", listed(names())),
            None => format!("; the rule files have no {list}"),
        })
    }
}

/// That an experiment does not exist, or has errors.
pub(super) fn unknown_experiment(written: &Written, id: &str, at: &str) -> Problem {
    if written.has("experiments", id) {
        let message = "the experiment has errors and takes no part, so neither does what reads it";
        return Problem::of(at, "unknown_experiment", id, message);
    }
    Problem::of(at, "unknown_experiment", id, "there is no such experiment")
        .looked_for(Sought::of("experiments", id))
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile};
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    const NAMED: &str = r#""signals":[{"name":"v","on":"x","aggregate":"count","window":"1h"},
        {"name":"view-count","on":"x","aggregate":"count","window":"1h"},{"name":"broken","on":"x"}],
        "segments":[{"id":"vip","when":{"traits.a":1}},{"id":"loop","when":{"$segment":"loop"}}],
        "groups":[{"id":"paid","values":["pro"]}],
        "models":[{"name":"fit","kind":"linear","inputs":{},"coefficients":{}}],
        "experiments":[{"id":"tone","variations":[{"key":"a"}]},{"id":"cta","variations":[{"key":"a"}]}]"#;

    /// What is said of a rule with a condition.
    fn of_rule(rest: &str, when: &str) -> String {
        let text = format!(
            r#"{{{rest},"rules":[{{"id":"r","slot":"s","when":{when},"actions":[{{"kind":"hide","target":"p"}}]}}]}}"#
        );
        of_rules(text)
    }

    fn of_rules(text: String) -> String {
        let compiled = compile(&[SourceFile { name: "a.json".into(), text }]);
        let of_rule = compiled.diagnostics.iter().filter(|found| found.path.starts_with("/rules"));
        let said: Vec<&str> = of_rule.map(|found| &*found.message).collect();
        said.join("\n")
    }

    #[test]
    fn a_name_that_no_file_defines_is_followed_by_the_one_that_is_meant_or_by_those_there_are() {
        for (when, expected) in [
            (
                r#"{"signals.vv":{"$gt":1}}"#,
                "no usable signal is named vv; the signals are broken, v, view-count",
            ),
            (
                r#"{"$signal":{"name":"viewcount","is":1}}"#,
                "no usable signal is named viewcount; did you mean view-count?",
            ),
            (r#"{"segments.vpi":true}"#, "no usable segment is named vpi; did you mean vip?"),
            (r#"{"$segment":"gold"}"#, "no usable segment is named gold; the segments are loop, vip"),
            (r#"{"traits.p":{"$inGroup":"piad"}}"#, "no group is named piad; did you mean paid?"),
            (r#"{"$score":{"name":"fitt","is":1}}"#, "no usable model is named fitt; did you mean fit?"),
            (r#"{"experiments.tune":"a"}"#, "tune: there is no such experiment; did you mean tone?"),
            (
                r#"{"experiments.nope":"a"}"#,
                "nope: there is no such experiment; the experiments are cta, tone",
            ),
        ] {
            assert_eq!(of_rule(NAMED, when), expected, "{when}");
        }
        assert_eq!(
            of_rule(r#""signals":[]"#, r#"{"signals.v":1}"#),
            "no usable signal is named v; the rule files have no signals"
        );
    }

    #[test]
    fn a_name_of_something_broken_says_so() {
        for (when, expected) in [
            (r#"{"signals.broken":1}"#, "no usable signal is named broken"),
            (r#"{"$segment":"loop"}"#, "no usable segment is named loop"),
        ] {
            let expected = format!("{expected}; the one of this name has errors and takes no part");
            assert_eq!(of_rule(NAMED, when), expected);
        }
    }

    #[test]
    fn a_place_of_a_text_and_the_key_of_a_cap_suggest_as_conditions_do() {
        let rule = |rest: &str| of_rules(format!(r#"{{{NAMED},"rules":[{{"id":"r","slot":"s",{rest}}}]}}"#));
        assert_eq!(
            rule(r#""actions":[{"kind":"text","target":"p","value":"{{signals.viewcount}}"}]"#),
            "value: no usable signal is named viewcount; did you mean view-count?"
        );
        assert_eq!(
            rule(r#""actions":[],"cap":{"per":"day","key":"signals.viewcount"}"#),
            "key: no usable signal is named viewcount; did you mean view-count?"
        );
    }

    #[test]
    fn what_cannot_be_read_at_a_place_is_not_suggested_there() {
        let said = |text: String| -> Vec<String> {
            let compiled = compile(&[SourceFile { name: "a.json".into(), text }]);
            compiled.diagnostics.into_iter().map(|found| found.message).collect()
        };
        let signal = r#"{"name":"v","on":"x","aggregate":"count","window":"1h"}"#;
        assert_eq!(
            said(format!(
                r#"{{"signals":[{signal},{{"name":"w","on":"x","aggregate":"count","window":"1h","where":{{"$signal":{{"name":"v","is":1}}}}}}]}}"#
            )),
            ["no usable signal is named v; what a signal asks of an event reads no signals"]
        );
        assert_eq!(
            said(r#"{"segments":[{"id":"vip","when":{}}],"models":[{"name":"m","kind":"plan","items":[{"points":1,"when":{"$segment":"vip"}}]}]}"#.into()),
            ["no usable segment is named vip; the conditions of models read no segments"]
        );
        assert_eq!(
            said(format!(
                r#"{{"signals":[{signal}],"models":[{{"name":"m","kind":"plan","items":[{{"points":1,"signal":"vv"}}]}}]}}"#
            )),
            ["signal: no usable signal is named vv; the signals are v"]
        );
        assert_eq!(
            said(r#"{"experiments":[{"id":"tone","variations":[{"key":"a"}],"prerequisites":[{"experiment":"tune"}]},{"id":"tine","variations":[{"key":"a"}]}]}"#.into()),
            ["tone: there is no experiment tune; did you mean tine?"]
        );
    }
}
