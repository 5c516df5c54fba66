//! Actions: changes to the page as data, always reversible; and calls of the server.

use crate::value::Value;
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
    /// Calls a URL from the collector's outbox.
    Webhook {
        /// Where.
        url: Box<str>,
    },
}

/// Fills the `{{path|fallback}}` places of a text.
pub fn interpolate(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let _ = (text, lookup);
    todo!()
}
