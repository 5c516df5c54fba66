//! Actions as hosts read them: values in the form of rule files.

use super::{ActionRef, EMAIL, Names, WEBHOOK, further};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec;

impl ActionRef<'_> {
    /// The action as rule files write it.
    pub fn to_value(&self) -> Value {
        let texts = |names: &Names<'_>| Value::Array(names.map(Value::string).collect());
        let (kind, fields) = match self {
            Self::Text { target, value } => {
                ("text", vec![("target", Value::string(target)), ("value", Value::string(value))])
            }
            Self::Attribute { target, name, value } => (
                "attribute",
                vec![
                    ("target", Value::string(target)),
                    ("name", Value::string(name)),
                    ("value", Value::string(value)),
                ],
            ),
            Self::Class { target, add, remove } => (
                "class",
                vec![("target", Value::string(target)), ("add", texts(add)), ("remove", texts(remove))],
            ),
            Self::Style { target, property, value } => (
                "style",
                vec![
                    ("target", Value::string(target)),
                    ("property", Value::string(property)),
                    ("value", Value::string(value)),
                ],
            ),
            Self::Hide { target } => ("hide", vec![("target", Value::string(target))]),
            Self::Show { target } => ("show", vec![("target", Value::string(target))]),
            Self::Variable { name, value } => {
                ("variable", vec![("name", Value::string(name)), ("value", value.to_tree())])
            }
            Self::Call { to } => {
                let (kind, field, whom) = call(to);
                (kind, vec![(field, Value::string(whom))])
            }
            Self::Further { target, texts, filled } => return further::written(target, *texts, *filled),
        };
        let kind = core::iter::once(("kind", Value::string(kind)));
        Value::Object(kind.chain(fields).map(|(name, value)| (Box::from(name), value)).collect())
    }
}

/// Kind and field with which rule files write a call, and what stands in the field.
pub fn call(to: &str) -> (&'static str, &'static str, &str) {
    if let Some(name) = to.strip_prefix(WEBHOOK) {
        return ("webhook", "destination", name);
    }
    match to.strip_prefix(EMAIL) {
        Some(name) => ("email", "destination", name),
        None => ("webhook", "url", to),
    }
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use crate::bundle::author::{SourceFile, compile};
    use alloc::string::String;

    #[test]
    fn actions_are_written_as_rule_files_write_them() {
        let rule = r##"{"rules":[{"id":"r","slot":"s","actions":[{"kind":"class","target":"#hero","add":["rescue"]}]}]}"##;
        let file = SourceFile { name: "rules.json".into(), text: rule.into() };
        let actions = compile(&[file]).bundle.rule("r").unwrap().written_actions();
        let mut text = String::new();
        actions.iter().next().unwrap().to_value().write(&mut text);
        assert_eq!(text, r##"{"kind":"class","target":"#hero","add":["rescue"],"remove":[]}"##);
    }
}
