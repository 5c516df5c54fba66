//! Actions: changes to the page as data, always reversible; and calls of the server.

use super::Further;
use crate::value::{Value, cut};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// One change to the page, or one call of the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Replaces the text of the targets.
    Text {
        /// CSS selector.
        target: Box<str>,
        /// Text with `{{path|fallback}}` places; inserted as text, never as markup.
        value: Box<str>,
    },
    /// Sets an attribute of the allow-list.
    Attribute {
        /// CSS selector.
        target: Box<str>,
        /// Attribute name.
        name: Box<str>,
        /// Text with places.
        value: Box<str>,
    },
    /// Adds and removes classes.
    Class {
        /// CSS selector.
        target: Box<str>,
        /// Classes to add.
        add: Vec<Box<str>>,
        /// Classes to remove.
        remove: Vec<Box<str>>,
    },
    /// Sets one style property.
    Style {
        /// CSS selector.
        target: Box<str>,
        /// Property name.
        property: Box<str>,
        /// Value.
        value: Box<str>,
    },
    /// Hides the targets.
    Hide {
        /// CSS selector.
        target: Box<str>,
    },
    /// Shows targets that are hidden.
    Show {
        /// CSS selector.
        target: Box<str>,
    },
    /// Hands a value to app code under a name.
    Variable {
        /// Variable name.
        name: Box<str>,
        /// The value; strings may have places.
        value: Value,
    },
    /// Calls somebody from the collector's outbox.
    Call {
        /// Whom: an http or https URL, or [`WEBHOOK`] or [`EMAIL`] and the name of a destination that the operator has.
        to: Box<str>,
    },
    /// What few bundles have.
    Further(Further),
}

/// What the name of a webhook's destination stands behind.
pub const WEBHOOK: &str = "webhook:";
/// What the name of an e-mail's destination stands behind.
pub const EMAIL: &str = "email:";

impl Action {
    /// Shows the path of every place that the action fills.
    pub fn each_place(&self, see: &mut dyn FnMut(&str)) {
        let text = match self {
            Self::Text { value, .. } | Self::Attribute { value, .. } | Self::Style { value, .. } => value,
            Self::Variable { value: Value::String(value), .. } => value,
            Self::Further(Further { filled, .. }) => {
                return filled.iter().for_each(|text| each_place_of(text, see));
            }
            _ => return,
        };
        each_place_of(text, see);
    }
}

/// Shows the path of every place of a text.
pub fn each_place_of(text: &str, see: &mut dyn FnMut(&str)) {
    interpolate(text, &mut |path, _| see(path));
}

/// Attributes that an action may set: those that cannot run code. `href`, `src` and `cite` also need
/// [`url_allowed`].
pub const ATTRIBUTES: [&str; 19] = [
    "alt",
    "cite",
    "content",
    "dir",
    "disabled",
    "height",
    "hidden",
    "href",
    "label",
    "lang",
    "placeholder",
    "rel",
    "role",
    "src",
    "tabindex",
    "target",
    "title",
    "value",
    "width",
];

/// Whether an action may set this attribute: a closed list, `aria-*` and `data-*`, as far as a name can be one.
pub fn attribute_allowed(name: &str) -> bool {
    let is_open = (name.starts_with("aria-") || name.starts_with("data-")) && name.len() > 5;
    let is_in_no_name = |sign: char| {
        sign.is_whitespace() || sign.is_control() || matches!(sign, '"' | '\'' | '<' | '>' | '/' | '=')
    };
    ATTRIBUTES.contains(&name) || is_open && !name.contains(is_in_no_name)
}

/// Whether a filled-in URL may be set: http, https, mailto, tel, or relative to the page.
pub fn url_allowed(url: &str) -> bool {
    match url.split_once(':') {
        Some((scheme, _)) if !scheme.contains(['/', '?', '#']) => {
            ["http", "https", "mailto", "tel"].iter().any(|allowed| scheme.eq_ignore_ascii_case(allowed))
        }
        _ => true,
    }
}

/// Fills the `{{path|fallback}}` places of a text. `lookup` appends what stands at a path; a place for which it appends
/// nothing takes its fallback, or nothing. Two braces that are never closed stay as they are.
pub fn interpolate(text: &str, lookup: &mut dyn FnMut(&str, &mut String)) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, place, after)) = next_place(rest) {
        filled.push_str(before);
        let (path, fallback) = cut(place, b'|');
        let length = filled.len();
        lookup(path.trim_ascii(), &mut filled);
        if filled.len() == length {
            filled.push_str(fallback.unwrap_or_default());
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// What stands before, in and after the first `{{place}}`.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let pair = |from: usize, brace: u8| {
        let found = text.as_bytes().get(from..)?.windows(2).position(|pair| *pair == [brace; 2])?;
        Some(from + found)
    };
    let open = pair(0, b'{')?;
    let close = pair(open + 2, b'}')?;
    Some((text.get(..open)?, text.get(open + 2..close)?, text.get(close + 2..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_take_their_value_or_their_fallback() {
        let mut lookup = |path: &str, out: &mut String| {
            if path == "traits.first_name" {
                out.push_str("Ada");
            }
        };
        for (text, filled) in [
            ("Hello {{traits.first_name|there}}!", "Hello Ada!"),
            ("Hello {{ traits.last_name |there}}, {{traits.first_name}}{{traits.x}}", "Hello there, Ada"),
            ("{{traits.first_name", "{{traits.first_name"),
            ("a }} b {{x|}}", "a }} b "),
        ] {
            assert_eq!(interpolate(text, &mut lookup), filled);
        }
    }

    #[test]
    fn urls_that_run_code_are_refused() {
        for url in ["https://a.example/x", "/sale?a=b:c", "#top", "mailto:a@b.example", "images/a.svg"] {
            assert!(url_allowed(url), "{url}");
        }
        for url in ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,x"]
        {
            assert!(!url_allowed(url), "{url}");
        }
        assert!(attribute_allowed("aria-label") && attribute_allowed("href"));
        assert!(!attribute_allowed("onclick") && !attribute_allowed("style") && !attribute_allowed("data-"));
        assert!(
            attribute_allowed("data-größe")
                && !attribute_allowed("data-a b")
                && !attribute_allowed("data-a=b")
        );
    }
}
