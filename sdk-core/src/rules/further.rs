//! Actions that few bundles have, all packed alike: a target, texts as they are written, the first of which is the kind,
//! and texts with places.

use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// One of the kinds `insert`, `reorder`, `html`, `redirect` and `event`. A page's core passes them on without knowing
/// them, and the page loads the part that does when it first needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Further {
    /// CSS selector; of an event it may be empty, which stands for the document; of a redirect, the id of its rule.
    pub target: Box<str>,
    /// The kind; then of `insert` template, position and the names of its values, of `reorder` selectors, of `html` the
    /// markup and the paths in it, of `redirect` the origins it may lead to, of `event` its name, its detail as JSON and the
    /// names of what is filled into that.
    pub texts: Vec<Box<str>>,
    /// Texts with places: one value for each name or path; of `redirect` the URL.
    pub filled: Vec<Box<str>>,
}

/// The fields of such an action as rule files write them, the kind first.
pub(super) fn written<'a>(
    target: &str,
    mut texts: impl Iterator<Item = &'a str>,
    mut filled: impl Iterator<Item = &'a str>,
) -> Value {
    let kind = texts.next().unwrap_or_default();
    let mut fields: Vec<(Box<str>, Value)> = Vec::new();
    let mut add = |name: &str, value: Value| fields.push((Box::from(name), value));
    let list = |texts: &mut dyn Iterator<Item = &'a str>| Value::Array(texts.map(Value::string).collect());
    add("kind", Value::string(kind));
    if kind != "redirect" && !target.is_empty() {
        add("target", Value::string(target));
    }
    let named: &[&str] = match kind {
        "insert" => &["template", "position"],
        "html" => &["value"],
        "event" => &["name"],
        _ => &[],
    };
    for name in named {
        add(name, Value::string(texts.next().unwrap_or_default()));
    }
    match kind {
        "insert" | "html" => {
            let values: Vec<(Box<str>, Value)> = pairs(texts, filled).collect();
            if !values.is_empty() {
                add("values", Value::Object(values));
            }
        }
        "reorder" => add("order", list(&mut texts)),
        "redirect" => {
            add("url", Value::string(filled.next().unwrap_or_default()));
            add("allow", list(&mut texts));
        }
        "event" => {
            let detail = Value::parse(texts.next().unwrap_or_default()).unwrap_or(Value::Null);
            let mut detail = match detail {
                Value::Object(fields) => fields,
                _ => Vec::new(),
            };
            detail.extend(pairs(texts, filled));
            add("detail", Value::Object(detail));
        }
        // What a later version has, as it is packed.
        _ => {
            add("texts", list(&mut texts));
            add("filled", list(&mut filled));
        }
    }
    Value::Object(fields)
}

fn pairs<'a>(
    names: impl Iterator<Item = &'a str>,
    values: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = (Box<str>, Value)> {
    names.zip(values).map(|(name, value)| (Box::from(name), Value::string(value)))
}

impl Further {
    /// The action as rule files write it. The places of `html` stand in its markup.
    pub fn source(&self) -> Value {
        let texts = self.texts.iter().map(|text| &**text);
        let mut value = written(&self.target, texts, self.filled.iter().map(|text| &**text));
        if let (Value::Object(fields), Some("html")) = (&mut value, self.texts.first().map(|kind| &**kind)) {
            fields.retain(|(name, _)| **name != *"values");
        }
        value
    }
}
