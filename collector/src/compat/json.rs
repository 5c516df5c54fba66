//! Reading and writing JSON without touching what is only passed on: values keep their text to the last digit.

use attune_core::limits::MAX_ID_CHARS;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The fields of an object, each as its own text; of a name given twice the last counts.
pub type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// What a field holds; `null` counts as absent.
pub fn given(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

/// The fields of an object; nothing for anything else.
pub fn fields<'a>(raw: Option<&'a RawValue>) -> Option<Fields<'a>> {
    serde_json::from_str(given(raw)?.get()).ok()
}

/// A text; nothing for anything else, nor for one that no reader could take.
pub fn text<'a>(raw: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
    let raw = given(raw)?.get();
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(raw).ok().map(Cow::Owned),
    }
}

/// An id as a JSON text: libraries leave `null` or an empty text where there is none, and people give numbers. Anything
/// else stays as it is, for the reader of events to refuse by name.
pub fn id<'a>(raw: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
    let raw = given(raw)?.get();
    let is_whole = !raw.is_empty() && raw.bytes().all(|byte| byte.is_ascii_digit());
    match raw {
        "\"\"" => None,
        _ if is_whole => Some(Cow::Owned(format!("\"{raw}\""))),
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// What a field holds, as it was sent.
pub fn as_sent<'a>(raw: Option<&'a RawValue>) -> Option<Cow<'a, str>> {
    given(raw).map(|raw| Cow::Borrowed(raw.get()))
}

/// As much of a text as can be shown.
pub fn clipped(text: &str) -> String {
    text.chars().take(MAX_ID_CHARS).collect()
}

/// What kind of value a text is, for messages that may be logged: what is in it can be the visitor's.
pub fn kind_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object that cannot be read",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a truth value",
        _ => "a number",
    }
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An object that is being written.
#[derive(Debug)]
pub struct Object(String);

impl Object {
    /// One without fields.
    pub fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a field, its value as JSON.
    pub fn put(&mut self, name: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(value);
    }

    /// Adds a field where there is a value.
    pub fn put_given(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.put(name, value.as_ref());
        }
    }

    /// Its text.
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Fields as an object.
pub fn object(fields: &Fields<'_>) -> String {
    let mut object = Object::new();
    for (name, value) in fields {
        object.put(name, value.get());
    }
    object.finish()
}
