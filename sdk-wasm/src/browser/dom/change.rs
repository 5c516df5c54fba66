//! One change to one element: made, recognised, made again and taken back.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{CssStyleDeclaration, Element, Node, window};

const HIDDEN: &str = "hidden";
const DISPLAY: &str = "display";
const IMPORTANT: &str = "important";

/// A change to the elements that a selector finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// CSS selector.
    pub target: Box<str>,
    /// What is changed.
    pub kind: ChangeKind,
}

/// What is changed. Text is only ever inserted as text.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeKind {
    /// The text.
    Text(Box<str>),
    /// An attribute and its value. The caller answers for its safety.
    Attribute(Box<str>, Box<str>),
    /// Classes to add and to remove.
    Class {
        /// To add.
        add: Vec<Box<str>>,
        /// To remove.
        remove: Vec<Box<str>>,
    },
    /// A style property and its value.
    Style(Box<str>, Box<str>),
    /// Makes it invisible.
    Hide,
    /// Makes it visible.
    Show,
}

/// What an element was before a change, as far as the change touches it.
#[derive(Debug)]
pub enum Original {
    /// Its single text node and that node's text.
    Text(Node, String),
    /// Its child nodes.
    Children(Array),
    /// The attribute's value.
    Attribute(Option<String>),
    /// Classes that were added and removed indeed.
    Class(Vec<Box<str>>, Vec<Box<str>>),
    /// The property's inline value and priority, and how the browser writes the new value.
    Style { value: String, priority: String, written: String },
    /// Whether it had the attribute `hidden`, and its inline display.
    Shown { was_hidden: bool, display: Box<Original> },
}

impl ChangeKind {
    /// The attribute whose mutation can undo the change; nothing where child nodes or text would.
    pub fn attribute(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Attribute(name, _) => Some(name),
            Self::Class { .. } => Some("class"),
            Self::Style(..) | Self::Hide => Some("style"),
            Self::Show => Some(HIDDEN),
        }
    }

    /// Whether the change is in place on an element where it has been made before.
    pub fn holds(&self, element: &Element, original: &Original) -> bool {
        match (self, original) {
            (Self::Text(value), _) => element.text_content().as_deref() == Some(value),
            (Self::Attribute(name, value), _) => element.get_attribute(name).as_deref() == Some(value),
            (Self::Class { add, remove }, _) => {
                let classes = element.class_list();
                add.iter().all(|name| classes.contains(name))
                    && !remove.iter().any(|name| classes.contains(name))
            }
            (Self::Style(name, _), Original::Style { written, .. }) => has_style(element, name, written),
            (Self::Hide, Original::Style { written, .. }) => has_style(element, DISPLAY, written),
            (Self::Show, Original::Shown { .. }) => !element.has_attribute(HIDDEN),
            _ => false,
        }
    }

    /// Makes the change and returns what was there before.
    ///
    /// # Errors
    /// What the browser throws, such as for an attribute name that is none.
    pub fn make(&self, element: &Element) -> Result<Original, JsValue> {
        Ok(match self {
            Self::Text(value) => set_text(element, value),
            Self::Attribute(name, value) => {
                let before = element.get_attribute(name);
                element.set_attribute(name, value)?;
                Original::Attribute(before)
            }
            Self::Class { add, remove } => {
                let classes = element.class_list();
                let added: Vec<_> = add.iter().filter(|name| !classes.contains(name)).cloned().collect();
                let removed: Vec<_> = remove.iter().filter(|name| classes.contains(name)).cloned().collect();
                change_classes(element, &added, &removed)?;
                Original::Class(added, removed)
            }
            Self::Style(name, value) => set_style(element, name, value, "")?,
            Self::Hide => set_style(element, DISPLAY, "none", IMPORTANT)?,
            Self::Show => {
                let was_hidden = element.has_attribute(HIDDEN);
                element.remove_attribute(HIDDEN)?;
                let inline = style_of(element).get_property_value(DISPLAY)?;
                let shown = if inline == "none" { "" } else { &*inline };
                let mut display = set_style(element, DISPLAY, shown, "")?;
                if is_hidden_by_sheet(element) {
                    let Original::Style { value, priority, .. } = display else { return Ok(display) };
                    let _ = set_style(element, DISPLAY, "revert", IMPORTANT)?;
                    display = Original::Style { value, priority, written: String::from("revert") };
                }
                Original::Shown { was_hidden, display: Box::new(display) }
            }
        })
    }

    /// Takes the change back, unless the page has changed the same thing since.
    pub fn take_back(&self, element: &Element, original: &Original) {
        if !self.holds(element, original) {
            return;
        }
        // What fails here failed when the change was made.
        let _ = match (self, original) {
            (_, Original::Text(node, text)) => {
                node.set_node_value(Some(text));
                Ok(())
            }
            (_, Original::Children(children)) => {
                element.replace_children_with_node(children);
                Ok(())
            }
            (Self::Attribute(name, _), Original::Attribute(Some(value))) => {
                element.set_attribute(name, value)
            }
            (Self::Attribute(name, _), Original::Attribute(None)) => element.remove_attribute(name),
            (_, Original::Class(added, removed)) => change_classes(element, removed, added),
            (Self::Style(name, _), original) => restore_style(element, name, original),
            (Self::Show, Original::Shown { was_hidden, display }) => {
                let hidden = if *was_hidden { element.set_attribute(HIDDEN, "") } else { Ok(()) };
                hidden.and_then(|()| restore_style(element, DISPLAY, display))
            }
            (_, original) => restore_style(element, DISPLAY, original),
        };
    }
}

/// A framework goes on owning its text node where there is just one; otherwise the child nodes are set aside.
fn set_text(element: &Element, value: &str) -> Original {
    let children = Array::from(&element.child_nodes());
    let only = (children.length() == 1).then(|| children.get(0).unchecked_into::<Node>());
    match only.filter(|node| node.node_type() == Node::TEXT_NODE) {
        Some(node) => {
            let before = node.node_value().unwrap_or_default();
            node.set_node_value(Some(value));
            Original::Text(node, before)
        }
        None => {
            element.set_text_content(Some(value));
            Original::Children(children)
        }
    }
}

fn change_classes(element: &Element, add: &[Box<str>], remove: &[Box<str>]) -> Result<(), JsValue> {
    let classes = element.class_list();
    add.iter().try_for_each(|name| classes.add_1(name))?;
    remove.iter().try_for_each(|name| classes.remove_1(name))
}

fn set_style(element: &Element, name: &str, value: &str, priority: &str) -> Result<Original, JsValue> {
    let style = style_of(element);
    let before = (style.get_property_value(name)?, style.get_property_priority(name));
    if value.is_empty() {
        style.remove_property(name)?;
    } else {
        style.set_property_with_priority(name, value, priority)?;
    }
    let written = style.get_property_value(name)?;
    Ok(Original::Style { value: before.0, priority: before.1, written })
}

fn restore_style(element: &Element, name: &str, original: &Original) -> Result<(), JsValue> {
    match original {
        Original::Style { value, priority, .. } => set_style(element, name, value, priority).map(|_| ()),
        _ => Ok(()),
    }
}

fn has_style(element: &Element, name: &str, written: &str) -> bool {
    style_of(element).get_property_value(name).is_ok_and(|value| value == written)
}

fn is_hidden_by_sheet(element: &Element) -> bool {
    let computed = window().and_then(|window| window.get_computed_style(element).ok().flatten());
    computed.and_then(|style| style.get_property_value(DISPLAY).ok()).is_some_and(|value| value == "none")
}

/// HTML and SVG elements have `style` from different interfaces of the same shape.
fn style_of(element: &Element) -> CssStyleDeclaration {
    Reflect::get(element, &"style".into()).unwrap_or_default().unchecked_into()
}
