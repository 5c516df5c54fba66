//! Reading the fields of one definition: every field is asked for once, what is left over is unknown.

use super::diagnostic::{Problem, Problems};
use super::sought::Sought;
use crate::condition::{ConditionErrorKind, suggestion};
use crate::limits::MAX_ID_CHARS;
use crate::time::parse_duration_ms;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The fields of one JSON object, with the place at which it stands.
pub(super) struct Fields<'a, 'p> {
    fields: &'a [(Box<str>, Value)],
    at: &'a str,
    asked: Vec<&'static str>,
    problems: &'p mut Problems,
}

impl<'a, 'p> Fields<'a, 'p> {
    /// Opens an object; anything else is a problem.
    pub fn open(value: &'a Value, at: &'a str, problems: &'p mut Problems) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self { fields, at, asked: Vec::new(), problems }),
            _ => {
                problems.push(Problem::of(at, "not_an_object", "", "expected an object"));
                None
            }
        }
    }

    /// The value of a field.
    pub fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.fields.iter().rev().find(|(field, _)| **field == *name).map(|(_, value)| value)
    }

    /// A text; absent where it is missing, a problem where it is something else.
    pub fn text(&mut self, name: &'static str) -> Option<&'a str> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            _ => self.wrong(name, "expected a string"),
        }
    }

    /// A text that must be there and is not empty.
    pub fn required_text(&mut self, name: &'static str) -> Option<&'a str> {
        if self.fields.iter().all(|(field, _)| **field != *name) {
            self.asked.push(name);
            self.fail(name, "missing_field", "this field is required");
            return None;
        }
        match self.text(name)? {
            "" => self.wrong(name, "expected a text that is not empty"),
            text => Some(text),
        }
    }

    /// An id or name: 1 to [`MAX_ID_CHARS`] characters.
    pub fn id(&mut self, name: &'static str) -> Option<&'a str> {
        let id = self.required_text(name)?;
        if id.chars().count() > MAX_ID_CHARS || id.chars().any(char::is_control) {
            return self
                .wrong(name, &format!("expected at most {MAX_ID_CHARS} characters, none of them a control"));
        }
        Some(id)
    }

    /// A whole number within bounds.
    pub fn integer(&mut self, name: &'static str, least: i64, most: i64) -> Option<i64> {
        match self.value(name)? {
            Value::Number(number)
                if libm::trunc(*number) == *number && (least as f64..=most as f64).contains(number) =>
            {
                Some(*number as i64)
            }
            _ => self.wrong(name, &format!("expected a whole number from {least} to {most}")),
        }
    }

    /// A positive duration, in milliseconds.
    pub fn duration(&mut self, name: &'static str) -> Option<i64> {
        let text = self.text(name)?;
        match parse_duration_ms(text).filter(|ms| *ms > 0) {
            Some(ms) => Some(ms),
            None => self.wrong(name, "expected a duration above zero, such as 500ms, 30s, 5m, 1h or 7d"),
        }
    }

    /// A problem with one field.
    pub fn fail(&mut self, name: &str, code: &'static str, message: &str) {
        let at = self.place(name);
        self.problems.push(Problem::of(&at, code, name, message));
    }

    /// Something about one field that is worth a look.
    pub fn warn(&mut self, name: &str, code: &'static str, message: &str) {
        let at = self.place(name);
        self.problems.push(Problem::of(&at, code, name, message).warning());
    }

    /// A path or name in one field that cannot be read.
    pub fn fail_of_condition(&mut self, name: &str, kind: &ConditionErrorKind) {
        let problem = Problem::of(&self.place(name), kind.code(), name, &format!("{kind}"));
        let sought = Sought::of_condition(kind);
        self.problems.push(match sought {
            Some(sought) => problem.looked_for(sought),
            None => problem,
        });
    }

    /// A field of the wrong form.
    pub fn wrong<T>(&mut self, name: &str, message: &str) -> Option<T> {
        self.fail(name, "bad_field", message);
        None
    }

    /// The JSON pointer of a field.
    pub fn place(&self, name: &str) -> String {
        format!("{}/{}", self.at, name.replace('~', "~0").replace('/', "~1"))
    }

    /// Where other problems of the definition go.
    pub fn problems(&mut self) -> &mut Problems {
        self.problems
    }

    /// Names the fields nobody has asked for, those that belong to a later part of the language or to another place
    /// apart from those that nobody knows; and fields that stand there twice.
    pub fn close(mut self, unsupported: &[&str], misplaced: &[&str]) {
        let asked = core::mem::take(&mut self.asked);
        let left = self.fields.iter().map(|(name, _)| &**name);
        for name in left.filter(|name| !asked.contains(name) && *name != "description") {
            let mut hint = String::new();
            let (code, message) = if unsupported.contains(&name) {
                ("unsupported_field", "this version does not evaluate it, so the definition takes no part")
            } else if misplaced.contains(&name) {
                ("misplaced_field", "it has no meaning here")
            } else {
                let belongs = |name: &&str| !unsupported.contains(name) && !misplaced.contains(name);
                let known: BTreeSet<&str> = asked.iter().copied().filter(belongs).collect();
                hint = suggestion(name, known.iter().copied(), || {
                    format!("; there are {}", known.iter().copied().collect::<Vec<_>>().join(", "))
                });
                ("unknown_field", "there is no such field")
            };
            self.fail(name, code, &format!("{message}{hint}"));
        }
        let mut seen = BTreeSet::new();
        for (name, _) in self.fields.iter().filter(|(name, _)| !seen.insert(name)) {
            self.warn(
                name,
                "duplicate_field",
                "the object has two fields of this name, and the last one counts",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile};
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let compiled = compile(&[SourceFile { name: "a.json".into(), text: text.into() }]);
        compiled.diagnostics.into_iter().map(|found| found.message).collect()
    }

    #[test]
    fn a_field_that_there_is_not_is_followed_by_the_one_that_is_meant_or_by_those_there_are() {
        let rule = |field: &str| format!(r#"{{"rules":[{{"id":"r","slot":"s","actions":[],{field}}}]}}"#);
        assert_eq!(said(&rule(r#""prio":1"#)), ["prio: there is no such field; did you mean priority?"]);
        assert_eq!(
            said(&rule(r#""rollout":0.2"#)),
            [
                "rollout: there is no such field; there are actions, cap, consent, group, hold, id, on, priority, schedule, slot, when"
            ]
        );
        assert_eq!(
            said(r#"{"rules":[{"id":"r","slot":"s","actions":[{"kind":"text","value":"a","text":"b"}]}]}"#),
            ["text: there is no such field; there are kind, target, value"]
        );
        assert_eq!(
            said(r#"{"triggers":[{"id":"t","on":"x","rollout":1,"actions":[]}]}"#),
            [
                "rollout: there is no such field; there are actions, cap, consent, id, on, on_publish, schedule, when"
            ]
        );
    }
}
