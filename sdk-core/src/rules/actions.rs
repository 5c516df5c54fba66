//! Packed actions: as a bundle holds them, as a decision hands them out with all places filled in, and as they are
//! read.

use super::Further;
use super::action::{Action, interpolate};
use crate::codec::{Source, Writer};
use crate::condition::{Code, Packer};
use crate::value::ValueRef;
use alloc::boxed::Box;
use alloc::vec::Vec;

const TEXT: u8 = 0;
const ATTRIBUTE: u8 = 1;
const CLASS: u8 = 2;
const STYLE: u8 = 3;
const HIDE: u8 = 4;
const SHOW: u8 = 5;
const VARIABLE: u8 = 6;
const CALL: u8 = 7;
/// In a bundle: a variable that has the name of its rule's slot, as a flag has.
const VARIABLE_OF_SLOT: u8 = 8;
const FURTHER: u8 = 9;

/// Finds the value of a place and appends it as text; appends nothing where there is none.
pub(super) type Lookup<'a> = &'a mut dyn FnMut(&str, &mut alloc::string::String);

/// A list of actions as bytes: a count, then each as a kind and its fields. Kind 0 text (target, value), 1 attribute
/// (target, name, value), 2 class (target, names to add, names to remove), 3 style (target, property, value), 4 hide
/// (target), 5 show (target), 6 variable (name, packed value), 7 call (URL or destination), which no decision has, 9 what few bundles
/// have (target, texts, texts with places), see [`Further`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(Vec<u8>);

/// One action of a list, read in place; its fields are those of [`Action`].
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields are described where actions are defined")]
pub enum ActionRef<'a> {
    /// Replaces the text of the targets.
    Text { target: &'a str, value: &'a str },
    /// Sets an attribute of the allow-list.
    Attribute { target: &'a str, name: &'a str, value: &'a str },
    /// Adds and removes classes.
    Class { target: &'a str, add: Names<'a>, remove: Names<'a> },
    /// Sets one style property.
    Style { target: &'a str, property: &'a str, value: &'a str },
    /// Hides the targets.
    Hide { target: &'a str },
    /// Shows targets that are hidden.
    Show { target: &'a str },
    /// Hands a value to app code under a name.
    Variable { name: &'a str, value: ValueRef<'a> },
    /// Calls somebody from the collector's outbox.
    Call { to: &'a str },
    /// What few bundles have.
    Further { target: &'a str, texts: Names<'a>, filled: Names<'a> },
}

/// A list of class names, or of other texts.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    cursor: Source<'a>,
    left: usize,
}

impl Actions {
    /// Appends the bytes.
    pub fn encode(&self, out: &mut Writer) {
        out.raw(if self.0.is_empty() { &[0] } else { &self.0 });
    }

    /// The packed form; equal actions have equal bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The actions in order.
    pub fn iter(&self) -> impl Iterator<Item = ActionRef<'_>> {
        let mut cursor = Source::new(&self.0);
        let count = if self.0.is_empty() { 0 } else { cursor.count() };
        (0..count).map_while(move |_| ActionRef::read(&mut cursor))
    }

    /// The variables among them, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        self.iter().filter_map(|action| match action {
            ActionRef::Variable { name, value } => Some((name, value)),
            _ => None,
        })
    }
}

impl<'a> ActionRef<'a> {
    fn read(cursor: &mut Source<'a>) -> Option<Self> {
        let kind = cursor.u8();
        let target = cursor.str();
        Some(match kind {
            TEXT => Self::Text { target, value: cursor.str() },
            ATTRIBUTE => Self::Attribute { target, name: cursor.str(), value: cursor.str() },
            CLASS => Self::Class { target, add: Names::read(cursor), remove: Names::read(cursor) },
            STYLE => Self::Style { target, property: cursor.str(), value: cursor.str() },
            HIDE => Self::Hide { target },
            SHOW => Self::Show { target },
            VARIABLE => Self::Variable { name: target, value: ValueRef::read(cursor) },
            CALL => Self::Call { to: target },
            FURTHER => Self::Further { target, texts: Names::read(cursor), filled: Names::read(cursor) },
            _ => return None,
        })
    }

    /// The action as one of its own.
    pub fn to_action(&self) -> Action {
        match *self {
            Self::Text { target, value } => Action::Text { target: target.into(), value: value.into() },
            Self::Attribute { target, name, value } => {
                Action::Attribute { target: target.into(), name: name.into(), value: value.into() }
            }
            Self::Class { target, add, remove } => Action::Class {
                target: target.into(),
                add: add.map(Box::from).collect(),
                remove: remove.map(Box::from).collect(),
            },
            Self::Style { target, property, value } => {
                Action::Style { target: target.into(), property: property.into(), value: value.into() }
            }
            Self::Hide { target } => Action::Hide { target: target.into() },
            Self::Show { target } => Action::Show { target: target.into() },
            Self::Variable { name, value } => Action::Variable { name: name.into(), value: value.to_tree() },
            Self::Call { to } => Action::Call { to: to.into() },
            Self::Further { target, texts, filled } => Action::Further(Further {
                target: target.into(),
                texts: texts.map(Box::from).collect(),
                filled: filled.map(Box::from).collect(),
            }),
        }
    }
}

impl<'a> Names<'a> {
    fn read(cursor: &mut Source<'a>) -> Self {
        let left = cursor.count();
        let names = Self { cursor: *cursor, left };
        for _ in 0..left {
            cursor.bytes();
        }
        names
    }
}

impl<'a> Iterator for Names<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        Some(self.cursor.str())
    }
}

impl PartialEq for Names<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

/// Appends a list of actions to a bundle.
pub(super) fn encode_actions(actions: &[Action], slot: Option<&str>, packer: &mut Packer) {
    packer.list(actions, |action, packer| {
        let mut texts = |kind: u8, texts: &[&str]| {
            packer.out.u8(kind);
            texts.iter().for_each(|text| packer.text(text));
        };
        match action {
            Action::Text { target, value } => texts(TEXT, &[target, value]),
            Action::Attribute { target, name, value } => texts(ATTRIBUTE, &[target, name, value]),
            Action::Style { target, property, value } => texts(STYLE, &[target, property, value]),
            Action::Hide { target } => texts(HIDE, &[target]),
            Action::Show { target } => texts(SHOW, &[target]),
            Action::Call { to } => texts(CALL, &[to]),
            Action::Class { target, add: first, remove: second }
            | Action::Further(Further { target, texts: first, filled: second }) => {
                let is_class = matches!(action, Action::Class { .. });
                texts(if is_class { CLASS } else { FURTHER }, &[target]);
                for names in [first, second] {
                    packer.list(names, |name, packer| packer.text(name));
                }
            }
            Action::Variable { name, value } => {
                match slot == Some(name) {
                    true => texts(VARIABLE_OF_SLOT, &[]),
                    false => texts(VARIABLE, &[name]),
                }
                value.encode(&mut packer.out);
            }
        }
    });
}

/// Takes the actions that the code begins with out of a bundle: with all places filled in by `lookup`, as a page is to
/// have them, where a call of the server makes the code unsound; or, without one, as they are written.
pub(super) fn take_actions(
    code: &mut Code<'_>,
    slot: Option<&str>,
    mut lookup: Option<Lookup<'_>>,
) -> Actions {
    let mut out = Writer::new();
    let count = code.count();
    out.len(count);
    for _ in 0..count {
        let mut kind = code.byte();
        let mut first = slot.unwrap_or_default();
        if kind == VARIABLE_OF_SLOT {
            kind = VARIABLE;
        } else {
            first = code.text();
        }
        out.u8(kind);
        out.str(first);
        let mut fill = |text: &str, out: &mut Writer| match &mut lookup {
            Some(lookup) => out.str(&interpolate(text, lookup)),
            None => out.str(text),
        };
        match kind {
            ATTRIBUTE | STYLE => {
                out.str(code.text());
                fill(code.text(), &mut out);
            }
            TEXT => fill(code.text(), &mut out),
            CLASS | FURTHER => {
                for has_places in [false, kind == FURTHER] {
                    let texts = code.count();
                    out.len(texts);
                    for _ in 0..texts {
                        let text = code.text();
                        if has_places {
                            fill(text, &mut out);
                        } else {
                            out.str(text);
                        }
                    }
                }
            }
            VARIABLE => match code.value(true) {
                ValueRef::Text(text) => {
                    out.u8(4);
                    fill(text, &mut out);
                }
                value => value.encode(&mut out),
            },
            HIDE | SHOW => {}
            CALL if lookup.is_none() => {}
            _ => code.fail(),
        }
    }
    Actions(out.into_bytes())
}
