//! What actions are made of: whose they are, whom they are about, and texts with places.

use super::fields::Fields;
use super::selector;
use crate::condition::{ConditionScope, Root, parse_path};
use crate::rules::url_allowed;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;

/// Where actions run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the page, for rules with a slot.
    Page,
    /// In the collector, for triggers.
    Server,
}

/// Whose actions are compiled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    /// Where they run.
    pub place: Place,
    /// The rule's id.
    pub id: &'a str,
    /// Its slot, whose elements `:scope` stands for.
    pub slot: &'a str,
}

/// The selector of the elements that an action is about: those of the rule's slot where it does not say.
pub(super) fn target(fields: &mut Fields<'_, '_>, owner: Owner<'_>) -> Box<str> {
    match fields.value("target") {
        None => selector(fields, "target", ":scope", owner),
        Some(_) => {
            let text = fields.required_text("target").unwrap_or(":scope");
            selector(fields, "target", text, owner)
        }
    }
}

/// A selector as the page is to have it.
pub(super) fn selector(fields: &mut Fields<'_, '_>, name: &str, text: &str, owner: Owner<'_>) -> Box<str> {
    if let Some(fault) = selector::fault(text) {
        fields.fail(name, "bad_selector", &format!("{text:?} is no CSS selector: {fault}"));
    }
    selector::in_slot(text, owner.slot).into_boxed_str()
}

/// A text whose places read what a decision can read; the event is gone by then, `{{key}}` stays.
pub(super) fn text(fields: &mut Fields<'_, '_>, name: &'static str, scope: ConditionScope<'_>) -> Box<str> {
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

pub(super) fn check_places(fields: &mut Fields<'_, '_>, name: &str, text: &str, scope: ConditionScope<'_>) {
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
            Err(kind) => fields.fail_of_condition(name, &kind),
        }
    }
}

/// An address that may be set, as far as it is known before its places are filled.
pub(super) fn check_url(fields: &mut Fields<'_, '_>, name: &str, url: &str) {
    if url.starts_with("{{") || !url_allowed(url) {
        fields.wrong::<()>(name, "expected a URL that begins with http:, https:, mailto:, tel: or a path");
    }
}
