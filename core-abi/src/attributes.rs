//! Values that a host sets for a visitor, by dotted path.

use attune_core::value::{JsonError, Packed, Value, ValueRef, cut, parse};

/// Most fields of one object that a host sets: they are kept in order, so each new one costs the length of the list.
pub(crate) const MAX_ATTRIBUTES: usize = 10_000;
/// Largest kind byte of a packed value; JSON text begins with none of these.
const MAX_PACKED_KIND: u8 = 6;

/// The fields of one object, in order of name.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: Box<str>,
    /// Null where it is not given.
    value: Packed,
    /// What depends on it.
    subjects: Vec<usize>,
    is_given: bool,
}

impl Attributes {
    /// Replaces all fields by those of an object; anything else has none. Shows what depends on a field that differs;
    /// `depends` finds that of a field met for the first time.
    pub fn replace(
        &mut self,
        object: ValueRef<'_>,
        depends: &dyn Fn(&str) -> Vec<usize>,
        touch: &mut dyn FnMut(usize),
    ) {
        self.fields.iter_mut().for_each(|field| field.is_given = false);
        for (name, value) in object.entries().filter(|(name, _)| !name.is_empty()) {
            let Some(field) = self.field(name, depends) else { continue };
            field.is_given = true;
            if field.value.get() != value {
                field.value.set(value);
                field.subjects.iter().for_each(|subject| touch(*subject));
            }
        }
        for field in self.fields.iter_mut().filter(|field| !field.is_given && !field.value.get().is_null()) {
            field.value.set(ValueRef::Null);
            field.subjects.iter().for_each(|subject| touch(*subject));
        }
        if self.fields.len() > MAX_ATTRIBUTES {
            self.fields.retain(|field| field.is_given);
        }
    }

    /// Shows each field with what depends on it, to be brought up to date.
    pub fn relate(&mut self, relate: &dyn Fn(&str, &mut Vec<usize>)) {
        self.fields.iter_mut().for_each(|field| relate(&field.name, &mut field.subjects));
    }

    /// The value at a path.
    pub fn at(&self, path: &str) -> Option<ValueRef<'_>> {
        let (name, rest) = cut(path, b'.');
        let at = self.place(name).ok()?;
        let value = self.fields.get(at)?.value.get();
        rest.map_or(Some(value), |rest| value.at(rest)).filter(|value| !value.is_null())
    }

    /// Replaces the value at a path; null takes it away. Objects on the way are made.
    pub fn set(&mut self, path: &str, value: ValueRef<'_>, depends: &dyn Fn(&str) -> Vec<usize>) {
        let (name, rest) = cut(path, b'.');
        let Some(field) = self.field(name, depends) else { return };
        match rest {
            None => field.value.set(value),
            Some(rest) => {
                let mut tree = field.value.get().to_tree();
                put_below(&mut tree, rest, value.to_tree());
                field.value = tree.to_packed();
            }
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.fields.binary_search_by(|field| (*field.name).cmp(name))
    }

    fn field(&mut self, name: &str, depends: &dyn Fn(&str) -> Vec<usize>) -> Option<&mut Field> {
        let at = self.place(name).unwrap_or_else(|at| {
            let field = Field {
                name: name.into(),
                value: Packed::default(),
                subjects: depends(name),
                is_given: false,
            };
            self.fields.insert(at, field);
            at
        });
        self.fields.get_mut(at)
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
        let depends = |name: &str| vec![name.len()];
        let mut touched = Vec::new();
        let given = parse(r#"{"b":1,"aa":{"x":{"y":2}}}"#).unwrap();
        attributes.replace(given.get(), &depends, &mut |subject| touched.push(subject));
        attributes.replace(parse(r#"{"aa":{"x":{"y":2}}}"#).unwrap().get(), &depends, &mut |subject| {
            touched.push(10 * subject);
        });
        assert_eq!(touched, [1, 2, 10], "only what differs is shown");
        attributes.set("aa.x.z", ValueRef::Bool(true), &depends);
        attributes.set("c.d", parse("[1]").unwrap().get(), &depends);
        attributes.set("e", ValueRef::Number(1.0), &depends);
        attributes.set("e", ValueRef::Null, &depends);
        let text = |path: &str| {
            let mut text = String::new();
            attributes.at(path).unwrap().to_tree().write(&mut text);
            text
        };
        assert_eq!((&*text("aa"), &*text("c")), (r#"{"x":{"y":2,"z":true}}"#, r#"{"d":[1]}"#));
        assert_eq!(attributes.at("aa.x.z"), Some(ValueRef::Bool(true)));
        assert_eq!((attributes.at("b"), attributes.at("e"), attributes.at("")), (None, None, None));
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
