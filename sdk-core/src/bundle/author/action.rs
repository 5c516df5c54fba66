//! From the JSON of actions to their compiled form.

use super::diagnostic::{Problem, Problems};
use super::fields::Fields;
use crate::condition::{ConditionScope, Root, parse_path};
use crate::rules::{Action, attribute_allowed, url_allowed};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

/// Where actions run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the page, for rules with a slot.
    Page,
    /// In the collector, for triggers.
    Server,
}

/// Kinds that a later version runs.
const UNSUPPORTED: [&str; 8] = ["insert", "reorder", "html", "link", "redirect", "event", "email", "push"];

/// Compiles the `actions` of a definition.
pub(super) fn compile_all(
    fields: &mut Fields<'_, '_>,
    place: Place,
    scope: ConditionScope<'_>,
) -> Vec<Action> {
    let items = match fields.value("actions") {
        None => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => return fields.wrong("actions", "expected an array").unwrap_or_default(),
    };
    let at = fields.place("actions");
    let each = items.iter().enumerate();
    let compiled = each.filter_map(|(index, item)| {
        let at = format!("{at}/{index}");
        compile(item, &at, place, scope, fields.problems())
    });
    compiled.collect()
}

fn compile(
    value: &Value,
    at: &str,
    place: Place,
    scope: ConditionScope<'_>,
    problems: &mut Problems,
) -> Option<Action> {
    let mut fields = Fields::open(value, at, problems)?;
    let kind = fields.required_text("kind")?;
    if place == Place::Server
        && matches!(kind, "text" | "attribute" | "class" | "style" | "hide" | "show" | "variable")
        || place == Place::Page && kind == "webhook"
    {
        let message = "a rule with a slot changes the page, a trigger calls webhooks";
        fields.problems().push(Problem::of(at, "misplaced_action", kind, message));
        return None;
    }
    let action = match kind {
        "text" => Action::Text { target: target(&mut fields), value: text(&mut fields, "value", scope) },
        "attribute" => attribute(&mut fields, scope),
        "class" => Action::Class {
            target: target(&mut fields),
            add: classes(&mut fields, "add"),
            remove: classes(&mut fields, "remove"),
        },
        "style" => style(&mut fields, scope),
        "hide" => Action::Hide { target: target(&mut fields) },
        "show" => Action::Show { target: target(&mut fields) },
        "variable" => variable(&mut fields, scope),
        "webhook" => webhook(&mut fields),
        _ => {
            let known = UNSUPPORTED.contains(&kind);
            let code = if known { "unsupported_action" } else { "unknown_action" };
            let message = "this version has text, attribute, class, style, hide, show, variable and webhook";
            fields.problems().push(Problem::of(at, code, kind, message));
            return None;
        }
    };
    fields.close(&[], &[]);
    Some(action)
}

fn target(fields: &mut Fields<'_, '_>) -> Box<str> {
    Box::from(fields.required_text("target").unwrap_or_default())
}

/// A text whose places read what a decision can read; the event is gone by then, `{{key}}` stays.
fn text(fields: &mut Fields<'_, '_>, name: &'static str, scope: ConditionScope<'_>) -> Box<str> {
    let Some(value) = fields.value(name) else {
        fields.fail(name, "missing_field", "this field is required");
        return Box::default();
    };
    let Value::String(text) = value else {
        fields.wrong::<()>(name, "expected a string");
        return Box::default();
    };
    check_places(fields, name, text, scope);
    text.clone()
}

fn check_places(fields: &mut Fields<'_, '_>, name: &str, text: &str, scope: ConditionScope<'_>) {
    for tail in text.split("{{").skip(1) {
        let Some((place, _)) = tail.split_once("}}") else {
            fields.wrong::<()>(name, "a place that opens with {{ has no }}");
            return;
        };
        let path = place.split_once('|').map_or(place, |(path, _)| path).trim();
        match parse_path(path, scope) {
            _ if path == "key" => {}
            Ok(found) if found.root != Root::Event => {}
            Ok(_) => {
                fields.wrong::<()>(
                    name,
                    "a place cannot read the event, which is gone when the text is set; use {{key}}",
                );
            }
            Err(kind) => fields.fail(name, kind.code(), &format!("{kind}")),
        }
    }
}

fn attribute(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>) -> Action {
    let name = fields.required_text("name").unwrap_or_default();
    let value = text(fields, "value", scope);
    if !name.is_empty() && !attribute_allowed(name) {
        fields.fail(
            "name",
            "attribute_not_allowed",
            "this attribute may not be set; aria-*, data-* and harmless ones may",
        );
    }
    if matches!(name, "href" | "src") && (value.starts_with("{{") || !url_allowed(&value)) {
        fields.wrong::<()>("value", "expected a URL that begins with http:, https:, mailto:, tel: or a path");
    }
    Action::Attribute { target: target(fields), name: Box::from(name), value }
}

fn style(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>) -> Action {
    let property = fields.required_text("property").unwrap_or_default();
    let value = text(fields, "value", scope);
    if !property.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        fields.wrong::<()>("property", "expected the name of one CSS property");
    }
    if value.contains([';', '{', '}']) && !value.contains("{{") || value.contains("url(") {
        fields.wrong::<()>("value", "expected one CSS value without url()");
    }
    Action::Style { target: target(fields), property: Box::from(property), value }
}

fn classes(fields: &mut Fields<'_, '_>, name: &'static str) -> Vec<Box<str>> {
    let items = match fields.value(name) {
        None => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => return fields.wrong(name, "expected an array of class names").unwrap_or_default(),
    };
    let names: Option<Vec<Box<str>>> = items
        .iter()
        .map(|item| {
            item.as_str()
                .filter(|name| !name.is_empty() && !name.contains(char::is_whitespace))
                .map(Box::from)
        })
        .collect();
    match names {
        Some(names) => names,
        None => fields.wrong(name, "expected class names without spaces").unwrap_or_default(),
    }
}

fn variable(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>) -> Action {
    let name = Box::from(fields.id("name").unwrap_or_default());
    let value = match fields.value("value") {
        Some(value) => value.clone(),
        None => {
            fields.fail("value", "missing_field", "this field is required");
            Value::Null
        }
    };
    if let Value::String(text) = &value {
        check_places(fields, "value", text, scope);
    }
    Action::Variable { name, value }
}

fn webhook(fields: &mut Fields<'_, '_>) -> Action {
    let url = fields.required_text("url").unwrap_or_default();
    if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
        fields.wrong::<()>("url", "expected an http or https URL");
    }
    Action::Webhook { url: Box::from(url) }
}
