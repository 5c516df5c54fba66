//! Values that a host sets for a visitor, by dotted path.

use attune_core::value::{JsonError, Packed, Value, ValueRef, cut, parse};

/// Largest kind byte of a packed value; JSON text begins with none of these.
const MAX_PACKED_KIND: u8 = 6;

/// The fields of one object, in order of name.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    fields: Vec<(Box<str>, Packed)>,
}

impl Attributes {
    /// Replaces all fields by those of an object; anything else has none.
    pub fn replace(&mut self, object: ValueRef<'_>) {
        self.fields.clear();
        for (name, value) in object.entries().filter(|(name, _)| !name.is_empty()) {
            self.put(name, Packed::of(value));
        }
    }

    /// The value at a path.
    pub fn at(&self, path: &str) -> Option<ValueRef<'_>> {
        let (name, rest) = cut(path, b'.');
        let at = self.fields.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        let value = self.fields.get(at)?.1.get();
        rest.map_or(Some(value), |rest| value.at(rest))
    }

    /// Replaces the value at a path; null takes it away. Objects on the way are made.
    pub fn set(&mut self, path: &str, value: Packed) {
        let (name, rest) = cut(path, b'.');
        match rest {
            None => self.put(name, value),
            Some(rest) => {
                let mut tree = self.at(name).map_or(Value::Null, ValueRef::to_tree);
                put_below(&mut tree, rest, value.get().to_tree());
                self.put(name, tree.to_packed());
            }
        }
    }

    fn put(&mut self, name: &str, value: Packed) {
        match self.fields.binary_search_by(|(known, _)| (**known).cmp(name)) {
            Ok(at) if value.get().is_null() => drop(self.fields.remove(at)),
            Ok(at) => {
                if let Some((_, known)) = self.fields.get_mut(at) {
                    *known = value;
                }
            }
            Err(_) if value.get().is_null() => {}
            Err(at) => self.fields.insert(at, (name.into(), value)),
        }
    }
}

fn put_below(tree: &mut Value, path: &str, value: Value) {
    let (name, rest) = cut(path, b'.');
    if !matches!(tree, Value::Object(_)) {
        *tree = Value::Object(Vec::new());
    }
    let Value::Object(fields) = tree else { return };
    let at = fields.iter().position(|(known, _)| **known == *name).unwrap_or_else(|| {
        fields.push((name.into(), Value::Null));
        fields.len() - 1
    });
    let Some((_, field)) = fields.get_mut(at) else { return };
    match rest {
        Some(rest) => put_below(field, rest, value),
        None => *field = value,
    }
}

/// A value in either form that hosts write: JSON text, or packed.
///
/// # Errors
/// What is wrong with the bytes.
pub(crate) fn read_value(bytes: &[u8]) -> Result<Packed, ValueError> {
    match bytes.first() {
        Some(kind) if *kind <= MAX_PACKED_KIND => Packed::checked(bytes).map_err(|_| ValueError::Packed),
        _ => {
            let text = core::str::from_utf8(bytes).map_err(|error| ValueError::Utf8(error.valid_up_to()))?;
            parse(text).map_err(ValueError::Json)
        }
    }
}

/// Why bytes are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueError {
    /// They begin as a packed value and are none.
    Packed,
    /// They are no UTF-8 from this byte on.
    Utf8(usize),
    /// They are no JSON.
    Json(JsonError),
}

impl ValueError {
    /// Stable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Packed => "packed_value_unsound",
            Self::Utf8(_) => "text_not_utf8",
            Self::Json(error) => error.code(),
        }
    }

    /// The same for people.
    pub fn message(self) -> String {
        match self {
            Self::Packed => "the bytes begin as a packed value and are none".into(),
            Self::Utf8(at) => format!("the bytes are no UTF-8 from byte {at} on"),
            Self::Json(error) => format!("the text is no JSON from byte {} on", error.offset()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_set_and_taken_away_by_path() {
        let mut attributes = Attributes::default();
        attributes.replace(parse(r#"{"b":1,"a":{"x":{"y":2}}}"#).unwrap().get());
        attributes.set("a.x.z", parse("true").unwrap());
        attributes.set("c.d", parse("[1]").unwrap());
        attributes.set("b", Packed::default());
        let text = |path: &str| {
            let mut text = String::new();
            attributes.at(path).unwrap().to_tree().write(&mut text);
            text
        };
        assert_eq!((&*text("a"), &*text("c")), (r#"{"x":{"y":2,"z":true}}"#, r#"{"d":[1]}"#));
        assert_eq!(attributes.at("a.x.z"), Some(ValueRef::Bool(true)));
        assert_eq!((attributes.at("b"), attributes.at("")), (None, None));
    }

    #[test]
    fn both_forms_are_read_and_neither_is_taken_on_trust() {
        assert_eq!(read_value(b" {\"a\":1}"), parse("{\"a\":1}").map_err(ValueError::Json));
        assert_eq!(read_value(&[2]).map(|value| value.get().to_tree()), Ok(Value::Bool(true)));
        assert_eq!(read_value(&[4, 9]), Err(ValueError::Packed));
        assert_eq!(read_value(b"\"\xff\""), Err(ValueError::Utf8(1)));
        assert!(matches!(read_value(b""), Err(ValueError::Json(_))));
    }
}
