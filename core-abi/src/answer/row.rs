//! The fields of one JSON object, written one after the other.

use attune_core::rules::{ActionRef, Actions, Decision, Names};
use attune_core::time::Timestamp;
use attune_core::value::{Value, write_string};

/// An object being written behind others.
pub(super) struct Row<'a> {
    text: &'a mut String,
    fresh: bool,
}

pub(super) fn object(fill: impl FnOnce(&mut Row<'_>)) -> String {
    let mut text = String::new();
    let mut row = Row::after(&mut text);
    fill(&mut row);
    row.end();
    text
}

/// A list of what is written already.
pub(crate) fn list<T: AsRef<str>>(items: impl Iterator<Item = T>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
}

/// The shortest digits that read back as the same double; null for a number that JSON does not have.
pub(super) fn exact(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { String::from("null") }
}

impl<'a> Row<'a> {
    pub fn after(text: &'a mut String) -> Self {
        text.push_str(if text.is_empty() { "{" } else { ",{" });
        Self { text, fresh: true }
    }

    fn name(&mut self, name: &str) {
        if !self.fresh {
            self.text.push(',');
        }
        self.fresh = false;
        write_string(name, self.text);
        self.text.push(':');
    }

    pub fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.text.push_str(json);
    }

    pub fn rows(&mut self, name: &str, rows: &str) {
        self.raw(name, &format!("[{rows}]"));
    }

    pub fn instant(&mut self, name: &str, at: Option<Timestamp>) {
        self.text(name, at.map(|at| at.to_string()).as_deref());
    }

    pub fn value(&mut self, name: &str, value: &Value) {
        self.name(name);
        value.write(self.text);
    }

    pub fn text(&mut self, name: &str, text: Option<&str>) {
        self.name(name);
        match text {
            Some(text) => write_string(text, self.text),
            None => self.text.push_str("null"),
        }
    }

    pub fn decision(&mut self, decision: Option<&Decision>) {
        self.text("rule", decision.map(|decision| &*decision.rule));
        self.text("key", decision.and_then(|decision| decision.key.as_deref()));
        self.text("reason", decision.map(|decision| decision.reason.code()));
        self.actions(&decision.map_or_else(Actions::default, |decision| decision.actions.clone()));
    }

    pub fn actions(&mut self, actions: &Actions) {
        self.value("actions", &Value::Array(actions.iter().map(|one| action(&one)).collect()));
    }

    pub fn end(self) {
        self.text.push('}');
    }
}

/// An action as rule files write it.
fn action(action: &ActionRef<'_>) -> Value {
    let texts = |names: &Names<'_>| Value::Array(names.map(Value::string).collect());
    let (kind, fields) = match action {
        ActionRef::Text { target, value } => {
            ("text", vec![("target", Value::string(target)), ("value", Value::string(value))])
        }
        ActionRef::Attribute { target, name, value } => (
            "attribute",
            vec![
                ("target", Value::string(target)),
                ("name", Value::string(name)),
                ("value", Value::string(value)),
            ],
        ),
        ActionRef::Class { target, add, remove } => {
            ("class", vec![("target", Value::string(target)), ("add", texts(add)), ("remove", texts(remove))])
        }
        ActionRef::Style { target, property, value } => (
            "style",
            vec![
                ("target", Value::string(target)),
                ("property", Value::string(property)),
                ("value", Value::string(value)),
            ],
        ),
        ActionRef::Hide { target } => ("hide", vec![("target", Value::string(target))]),
        ActionRef::Show { target } => ("show", vec![("target", Value::string(target))]),
        ActionRef::Variable { name, value } => {
            ("variable", vec![("name", Value::string(name)), ("value", value.to_tree())])
        }
        ActionRef::Webhook { url } => ("webhook", vec![("url", Value::string(url))]),
    };
    let kind = core::iter::once(("kind", Value::string(kind)));
    Value::Object(kind.chain(fields).map(|(name, value)| (Box::from(name), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::{SourceFile, compile};

    #[test]
    fn actions_are_written_as_rule_files_write_them() {
        let rule = r##"{"rules":[{"id":"r","slot":"s","actions":[{"kind":"class","target":"#hero","add":["rescue"]}]}]}"##;
        let file = SourceFile { name: "rules.json".into(), text: rule.into() };
        let actions = compile(&[file]).bundle.rule("r").unwrap().written_actions();
        let mut text = String::new();
        action(&actions.iter().next().unwrap()).write(&mut text);
        assert_eq!(text, r##"{"kind":"class","target":"#hero","add":["rescue"],"remove":[]}"##);
    }
}
