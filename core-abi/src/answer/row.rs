//! The fields of one JSON object, written one after the other.

use attune_core::rules::{Actions, Decision};
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
        self.value("actions", &Value::Array(actions.iter().map(|action| action.to_value()).collect()));
    }

    pub fn end(self) {
        self.text.push('}');
    }
}
