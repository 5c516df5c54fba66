//! From the JSON of the actions that few bundles have to their compiled form; a link becomes what it is made of.

use super::fields::Fields;
use super::markup;
use super::owner::{Owner, check_places, check_url, selector, target, text};
use crate::condition::ConditionScope;
use crate::rules::{Action, Further, each_place_of};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const POSITIONS: [&str; 4] = ["before", "prepend", "append", "after"];
const WINDOWS: [&str; 4] = ["_blank", "_parent", "_self", "_top"];

/// A link is attributes and a text: a page needs nothing more for it.
pub(super) fn link(fields: &mut Fields<'_, '_>, owner: Owner<'_>, scope: ConditionScope<'_>) -> Vec<Action> {
    let links = target(fields, owner);
    let href = text(fields, "href", scope);
    check_url(fields, "href", &href);
    let mut set: Vec<(&str, Box<str>)> = Vec::from([("href", href)]);
    if let Some(window) = fields.text("window") {
        if !WINDOWS.contains(&window) {
            fields.wrong::<()>("window", "expected _blank, _parent, _self or _top");
        }
        set.push(("target", window.into()));
    }
    if fields.value("rel").is_some() {
        set.extend(fields.required_text("rel").map(|rel| ("rel", rel.into())));
    }
    let attributes = set.into_iter().map(|(name, value)| Action::Attribute {
        target: links.clone(),
        name: name.into(),
        value,
    });
    let mut actions: Vec<Action> = attributes.collect();
    if fields.value("text").is_some() {
        actions.push(Action::Text { target: links, value: text(fields, "text", scope) });
    }
    actions
}

pub(super) fn insert(fields: &mut Fields<'_, '_>, owner: Owner<'_>, scope: ConditionScope<'_>) -> Action {
    let template = fields.required_text("template").unwrap_or("template");
    let template = selector(fields, "template", template, owner);
    let position = fields.text("position").unwrap_or("append");
    if !POSITIONS.contains(&position) {
        fields.wrong::<()>("position", "expected before, prepend, append or after");
    }
    let mut further = of("insert", target(fields, owner), [template, position.into()]);
    if let Some(values) = object(fields, "values", "expected an object of texts by name") {
        for (name, value) in values {
            let Value::String(value) = value else {
                fields.wrong::<()>("values", &format!("{name}: expected a text"));
                continue;
            };
            if name.trim() != &**name || name.is_empty() || name.contains(['{', '}', '|']) {
                fields.wrong::<()>(
                    "values",
                    "expected names that can stand in {{ and }}, without | and braces",
                );
            }
            check_places(fields, "values", value, scope);
            further.texts.push(name.clone());
            further.filled.push(value.clone());
        }
    }
    Action::Further(further)
}

pub(super) fn reorder(fields: &mut Fields<'_, '_>, owner: Owner<'_>) -> Action {
    let mut further = of("reorder", target(fields, owner), []);
    let items = match fields.value("order") {
        Some(Value::Array(items)) if !items.is_empty() => items.as_slice(),
        _ => fields
            .wrong("order", "expected an array of selectors, of which there is one at least")
            .unwrap_or_default(),
    };
    for item in items {
        match item.as_str() {
            Some(text) => {
                let selector = selector(fields, "order", text, owner);
                further.texts.push(selector);
            }
            None => {
                fields.wrong::<()>("order", "expected selectors");
            }
        }
    }
    Action::Further(further)
}

/// The paths in the markup become texts beside it, so that no value is ever part of what is parsed.
pub(super) fn html(fields: &mut Fields<'_, '_>, owner: Owner<'_>, scope: ConditionScope<'_>) -> Action {
    let markup = text(fields, "value", scope);
    let taken_out = markup::taken_out(&markup);
    if markup::is_refused(&markup) {
        let message = "markup has no event handlers and no style attributes: a page would drop them";
        fields.fail("value", "html_not_allowed", message);
    } else if markup::has_code_in_address(&markup) {
        let message = "markup has no addresses that begin with javascript: a page would drop them";
        fields.fail("value", "html_not_allowed", message);
    } else if !taken_out.is_empty() {
        let message = format!("the sanitiser of browsers takes this out: {taken_out}");
        fields.warn("value", "html_taken_out", &message);
    }
    let mut further = of("html", target(fields, owner), [markup.clone()]);
    each_place_of(&markup, &mut |path| {
        if !further.texts.iter().skip(2).any(|known| **known == *path) {
            further.texts.push(path.into());
            further.filled.push(format!("{{{{{path}}}}}").into_boxed_str());
        }
    });
    Action::Further(further)
}

pub(super) fn redirect(fields: &mut Fields<'_, '_>, owner: Owner<'_>, scope: ConditionScope<'_>) -> Action {
    let url = text(fields, "url", scope);
    let mut further = of("redirect", owner.id.into(), []);
    let items = match fields.value("allow") {
        None => &[][..],
        Some(Value::Array(items)) => items,
        Some(_) => fields.wrong("allow", "expected an array of origins").unwrap_or_default(),
    };
    for item in items {
        match item.as_str().and_then(origin) {
            Some(origin) if Some(origin) == item.as_str() => further.texts.push(origin.into()),
            _ => {
                fields.wrong::<()>("allow", "expected origins such as https://shop.example, without a path");
            }
        }
    }
    let is_path = url.starts_with(['/', '?', '#']) && !url.starts_with("//");
    if !is_path && !url.starts_with("{{") && !url.is_empty() {
        match origin(&url) {
            None => {
                fields.wrong::<()>("url", "expected a path that begins with /, or an http or https URL");
            }
            // Where a place stands in its host, the page will know.
            Some(origin) if origin.contains("{{") || further.texts.iter().any(|known| **known == *origin) => {
            }
            Some(origin) => {
                let message =
                    format!("{origin} is not in \"allow\"; the site's own pages are named by their path");
                fields.fail("url", "redirect_not_allowed", &message);
            }
        }
    }
    further.filled.push(url);
    Action::Further(further)
}

/// What stands before the path of an http or https URL, in lower case as browsers write it.
fn origin(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())?;
    let is_host =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let is_sound = host.contains("{{") || host.chars().all(is_host);
    is_sound.then(|| url.get(..url.len() - rest.len() + host.len())).flatten()
}

pub(super) fn event(fields: &mut Fields<'_, '_>, owner: Owner<'_>, scope: ConditionScope<'_>) -> Action {
    let name = fields.id("name").unwrap_or_default();
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        fields.wrong::<()>("name", "expected letters, digits, -, _ and .");
    }
    let target = match fields.value("target") {
        None => Box::default(),
        Some(_) => target(fields, owner),
    };
    let (mut fixed, mut names, mut filled) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in object(fields, "detail", "expected an object").unwrap_or_default() {
        match value {
            Value::String(text) if text.contains("{{") => {
                check_places(fields, "detail", text, scope);
                names.push(name.clone());
                filled.push(text.clone());
            }
            _ => fixed.push((name.clone(), value.clone())),
        }
    }
    let mut detail = String::new();
    Value::Object(fixed).write(&mut detail);
    let mut further = of("event", target, [name.into(), detail.into_boxed_str()]);
    further.texts.extend(names);
    further.filled = filled;
    Action::Further(further)
}

fn of<const COUNT: usize>(kind: &str, target: Box<str>, more: [Box<str>; COUNT]) -> Further {
    let texts = core::iter::once(Box::from(kind)).chain(more).collect();
    Further { target, texts, filled: Vec::new() }
}

fn object<'a>(
    fields: &mut Fields<'a, '_>,
    name: &'static str,
    expected: &str,
) -> Option<&'a [(Box<str>, Value)]> {
    match fields.value(name)? {
        Value::Object(found) => Some(found),
        _ => fields.wrong(name, expected),
    }
}

#[cfg(test)]
mod tests {
    use crate::bundle::author::{SourceFile, compile};
    use alloc::format;
    use alloc::vec::Vec;

    #[test]
    fn what_is_wrong_with_an_action_is_the_reason_of_its_rule() {
        for (action, expected) in [
            (r#"{"kind":"hide","target":"p["}"#, "bad_selector:target"),
            (r#"{"kind":"html"}"#, "missing_field:value"),
            (r#"{"kind":"html","value":"<b onclick = x>"}"#, "html_not_allowed:value"),
            (r#"{"kind":"html","value":"<b title='>' OnClick>"}"#, "html_not_allowed:value"),
            (r#"{"kind":"html","value":"<b style=x>"}"#, "html_not_allowed:value"),
            (r#"{"kind":"html","value":"<i title='a style = b'>"}"#, "html_not_allowed:value"),
            (r#"{"kind":"html","value":"<style>i{}</style>"}"#, "html_not_allowed:value"),
            (r#"{"kind":"html","value":"<a href='JavaScript:x'>"}"#, "html_not_allowed:value"),
            (r#"{"kind":"attribute","name":"onclick","value":"x"}"#, "attribute_not_allowed:name"),
            (r#"{"kind":"attribute","name":"data-a b","value":"x"}"#, "attribute_not_allowed:name"),
            (r#"{"kind":"attribute","name":"cite","value":"javascript:x"}"#, "bad_field:value"),
            (r#"{"kind":"style","property":"color","value":"red ! Important"}"#, "bad_field:value"),
            (r#"{"kind":"style","property":"content","value":"'!important'"}"#, ""),
            (r#"{"kind":"html","value":"<a title='on sale' href=\"?style=b&onx=1\">only a style</a>"}"#, ""),
            (r#"{"kind":"html","value":"{{name}}"}"#, "unknown_path:value"),
            (r#"{"kind":"insert"}"#, "missing_field:template"),
            (r##"{"kind":"insert","template":"#"}"##, "bad_selector:template"),
            (r#"{"kind":"insert","template":"p","position":"in"}"#, "bad_field:position"),
            (r#"{"kind":"insert","template":"p","values":{"a|b":""}}"#, "bad_field:values"),
            (r#"{"kind":"insert","template":"p","values":{"a":1}}"#, "bad_field:values"),
            (r#"{"kind":"insert","template":"p","colour":"red"}"#, "unknown_field:colour"),
            (r#"{"kind":"reorder"}"#, "bad_field:order"),
            (r#"{"kind":"reorder","order":["a",">"]}"#, "bad_selector:order"),
            (r#"{"kind":"link"}"#, "missing_field:href"),
            (r#"{"kind":"link","href":"javascript:x"}"#, "bad_field:href"),
            (r#"{"kind":"link","href":"{{traits.url}}"}"#, "bad_field:href"),
            (r#"{"kind":"link","href":"/x","window":"new"}"#, "bad_field:window"),
            (r#"{"kind":"redirect"}"#, "missing_field:url"),
            (r#"{"kind":"redirect","url":"javascript:x"}"#, "bad_field:url"),
            (r#"{"kind":"redirect","url":"//a.example"}"#, "bad_field:url"),
            (r#"{"kind":"redirect","url":"https://a.example/x"}"#, "redirect_not_allowed:url"),
            (
                r#"{"kind":"redirect","url":"https://a.example.evil/","allow":["https://a.example"]}"#,
                "redirect_not_allowed:url",
            ),
            (
                r#"{"kind":"redirect","url":"https://a.example@evil.example/","allow":["https://a.example"]}"#,
                "bad_field:url",
            ),
            (r#"{"kind":"redirect","url":"/x","allow":["https://a.example/"]}"#, "bad_field:allow"),
            (r#"{"kind":"redirect","url":"https://a.example/{{key}}","allow":["https://a.example"]}"#, ""),
            (r#"{"kind":"redirect","url":"{{traits.home|/}}"}"#, ""),
            (r#"{"kind":"event","name":"a b"}"#, "bad_field:name"),
            (r#"{"kind":"event","name":"a","detail":[1]}"#, "bad_field:detail"),
        ] {
            let text = format!(r#"{{"rules":[{{"id":"r","slot":"s","actions":[{action}]}}]}}"#);
            let compiled = compile(&[SourceFile { name: "a.json".into(), text }]);
            let reason = compiled.bundle.rule("r").and_then(|rule| rule.head().inactive).unwrap_or_default();
            assert_eq!(reason, expected, "{action}");
        }
    }

    #[test]
    fn what_a_page_would_set_in_vain_is_a_warning() {
        for (action, code, message) in [
            (
                r#"{"kind":"html","value":"<img src='/a.png'><b class='x'>a</b>"}"#,
                "html_taken_out",
                "value: the sanitiser of browsers takes this out: <img>, class of <b>",
            ),
            (
                r#"{"kind":"style","property":"colour","value":"red"}"#,
                "unknown_property",
                "property: browsers know no such property and set nothing; did you mean color?",
            ),
        ] {
            let text = format!(r#"{{"rules":[{{"id":"r","slot":"s","actions":[{action}]}}]}}"#);
            let compiled = compile(&[SourceFile { name: "a.json".into(), text }]);
            let found: Vec<_> =
                compiled.diagnostics.iter().map(|found| (found.code, &*found.message)).collect();
            assert_eq!(found, [(code, message)], "{action}");
            assert!(compiled.bundle.rule("r").is_some_and(|rule| rule.is_active()), "{action}");
        }
    }
}
