//! From the JSON of actions to their compiled form.

use super::diagnostic::{Problem, Problems};
use super::fields::Fields;
use super::further;
use super::owner::{Owner, Place, check_places, check_url, target, text};
use super::properties;
use crate::condition::ConditionScope;
use crate::rules::{ATTRIBUTES, Action, EMAIL, WEBHOOK, attribute_allowed};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Kinds that a later version runs.
const UNSUPPORTED: [&str; 1] = ["push"];

/// Kinds that this version runs.
const KINDS: [&str; 15] = [
    "text",
    "attribute",
    "class",
    "style",
    "hide",
    "show",
    "link",
    "insert",
    "reorder",
    "html",
    "redirect",
    "event",
    "variable",
    "webhook",
    "email",
];

/// Compiles the `actions` of a definition.
pub(super) fn compile_all(
    fields: &mut Fields<'_, '_>,
    owner: Owner<'_>,
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
        compile(item, &at, owner, scope, fields.problems())
    });
    compiled.flatten().collect()
}

fn compile(
    value: &Value,
    at: &str,
    owner: Owner<'_>,
    scope: ConditionScope<'_>,
    problems: &mut Problems,
) -> Option<Vec<Action>> {
    let mut fields = Fields::open(value, at, problems)?;
    let kind = fields.required_text("kind")?;
    let is_call = matches!(kind, "webhook" | "email");
    if KINDS.contains(&kind) && is_call != (owner.place == Place::Server) {
        let message = "a rule with a slot changes the page, a trigger calls webhooks and sends e-mail";
        fields.problems().push(Problem::of(at, "misplaced_action", kind, message));
        return None;
    }
    let actions = match kind {
        "text" => Vec::from([Action::Text {
            target: target(&mut fields, owner),
            value: text(&mut fields, "value", scope),
        }]),
        "attribute" => Vec::from([attribute(&mut fields, owner, scope)]),
        "class" => Vec::from([Action::Class {
            target: target(&mut fields, owner),
            add: classes(&mut fields, "add"),
            remove: classes(&mut fields, "remove"),
        }]),
        "style" => Vec::from([style(&mut fields, owner, scope)]),
        "hide" => Vec::from([Action::Hide { target: target(&mut fields, owner) }]),
        "show" => Vec::from([Action::Show { target: target(&mut fields, owner) }]),
        "variable" => Vec::from([variable(&mut fields, scope)]),
        "webhook" => Vec::from([webhook(&mut fields)]),
        "email" => Vec::from([Action::Call { to: destination(&mut fields, EMAIL) }]),
        "link" => further::link(&mut fields, owner, scope),
        "insert" => Vec::from([further::insert(&mut fields, owner, scope)]),
        "reorder" => Vec::from([further::reorder(&mut fields, owner)]),
        "html" => Vec::from([further::html(&mut fields, owner, scope)]),
        "redirect" => Vec::from([further::redirect(&mut fields, owner, scope)]),
        "event" => Vec::from([further::event(&mut fields, owner, scope)]),
        _ => {
            let known = UNSUPPORTED.contains(&kind);
            let code = if known { "unsupported_action" } else { "unknown_action" };
            let message = format!("this version has {}", KINDS.join(", "));
            fields.problems().push(Problem::of(at, code, kind, &message));
            return None;
        }
    };
    fields.close(&[], &[]);
    Some(actions)
}

fn attribute(fields: &mut Fields<'_, '_>, owner: Owner<'_>, scope: ConditionScope<'_>) -> Action {
    let name = fields.required_text("name").unwrap_or_default();
    let value = text(fields, "value", scope);
    if !name.is_empty() && !attribute_allowed(name) {
        fields.fail("name", "attribute_not_allowed", &not_allowed(name));
    }
    if matches!(name, "href" | "src" | "cite") {
        check_url(fields, "value", &value);
    }
    Action::Attribute { target: target(fields, owner), name: Box::from(name), value }
}

/// What is said of an attribute that no action sets: those that one may, or the kind of action that does what is meant.
fn not_allowed(name: &str) -> String {
    match name {
        "class" | "style" => {
            format!("{name} is no attribute that may be set; an action of the kind {name} does that")
        }
        _ => {
            format!("{name} is no attribute that may be set, only aria-*, data-*, {}", ATTRIBUTES.join(", "))
        }
    }
}

fn style(fields: &mut Fields<'_, '_>, owner: Owner<'_>, scope: ConditionScope<'_>) -> Action {
    let property = fields.required_text("property").unwrap_or_default();
    let value = text(fields, "value", scope);
    if !property.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        fields.wrong::<()>("property", "expected the name of one CSS property");
    } else if let Some(message) = properties::unknown(property).filter(|_| !property.is_empty()) {
        fields.warn("property", "unknown_property", &message);
    }
    if value.contains([';', '{', '}']) && !value.contains("{{") || value.contains("url(") {
        fields.wrong::<()>("value", "expected one CSS value without url()");
    }
    let flag = value.rsplit_once('!').map(|(_, flag)| flag.trim());
    if flag.is_some_and(|flag| flag.eq_ignore_ascii_case("important")) {
        fields.wrong::<()>("value", "expected a value without !important, with which browsers set nothing");
    }
    Action::Style { target: target(fields, owner), property: Box::from(property), value }
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
    if fields.value("destination").is_some() {
        if fields.value("url").is_some() {
            fields.wrong::<()>("url", "expected destination or url, not both");
        }
        return Action::Call { to: destination(fields, WEBHOOK) };
    }
    let url = fields.required_text("url").unwrap_or_default();
    if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
        fields.wrong::<()>("url", "expected an http or https URL");
    }
    Action::Call { to: Box::from(url) }
}

/// The name of a destination behind the scheme of its kind. Names are labels of metrics, so they are plain.
fn destination(fields: &mut Fields<'_, '_>, scheme: &str) -> Box<str> {
    let name = fields.id("destination").unwrap_or_default();
    if !name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign)) {
        fields.wrong::<()>("destination", "expected letters, digits, '-', '_' or '.'");
    }
    format!("{scheme}{name}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_that_may_not_be_set_is_followed_by_those_that_may() {
        assert_eq!(
            not_allowed("onclick"),
            "onclick is no attribute that may be set, only aria-*, data-*, alt, cite, content, dir, disabled, height, hidden, href, label, lang, placeholder, rel, role, src, tabindex, target, title, value, width"
        );
        assert_eq!(
            not_allowed("class"),
            "class is no attribute that may be set; an action of the kind class does that"
        );
    }
}
