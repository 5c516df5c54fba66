//! One JSON value of its own, as the bytes it is read from.

use super::ValueRef;
use super::reference::pass_value;
use crate::codec::{CodecError, Source, Writer};

use alloc::vec::Vec;

/// A JSON value as bytes that have been checked: 0 null, 1 false, 2 true, 3 a double, 4 a text, 5 a list as its count
/// and its elements, 6 an object as its count and its fields, each a text and a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Takes bytes that are one value.
    ///
    /// # Errors
    /// Fails on bytes that end early or too late, unknown kinds, texts that are none and nesting beyond
    /// [`MAX_JSON_DEPTH`](crate::limits::MAX_JSON_DEPTH).
    pub fn checked(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut source = Source::new(bytes);
        let packed = Self::read(&mut source);
        source.finish().map(|()| packed)
    }

    /// Takes the value at the front of bytes that hold more; bytes as [`Packed::checked`] refuses fail the source.
    pub fn read(source: &mut Source<'_>) -> Self {
        let from = source.rest();
        pass_value(source, true);
        let bytes = from.get(..from.len() - source.rest().len()).filter(|_| source.is_sound());
        Self(Vec::from(bytes.unwrap_or_default()))
    }

    /// The packed form of a value.
    pub fn of(value: ValueRef<'_>) -> Self {
        let mut out = Writer::new();
        value.encode(&mut out);
        Self(out.into_bytes())
    }

    /// Replaces the value, in the room of the one before.
    pub fn set(&mut self, value: ValueRef<'_>) {
        self.0.clear();
        let mut out = Writer::from(core::mem::take(&mut self.0));
        value.encode(&mut out);
        self.0 = out.into_bytes();
    }

    /// Bytes that somebody has just written and knows to be a value.
    pub(crate) const fn written(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The value.
    pub fn get(&self) -> ValueRef<'_> {
        ValueRef::peek(Source::new(&self.0))
    }

    /// The bytes; none stand for null.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Appends the packed form.
    pub fn encode(&self, out: &mut Writer) {
        out.raw(if self.0.is_empty() { &[0] } else { &self.0 });
    }
}

/// A packed object in the making, field by field.
#[derive(Debug, Default)]
pub struct PackedObject {
    count: usize,
    fields: Writer,
}

impl PackedObject {
    /// Adds a field behind the others.
    pub fn put(&mut self, name: &str, value: ValueRef<'_>) {
        self.count += 1;
        self.fields.str(name);
        value.encode(&mut self.fields);
    }

    /// The object.
    pub fn finish(self) -> Packed {
        let mut out = Writer::new();
        out.u8(6);
        out.len(self.count);
        out.raw(&self.fields.into_bytes());
        Packed(out.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Value, parse};
    use super::*;
    use crate::limits::MAX_JSON_DEPTH;
    use crate::time::Timestamp;
    use alloc::string::String;
    use proptest::prelude::*;

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-3_i32..3).prop_map(|number| Value::Number(f64::from(number) / 2.0)),
            "[ab.ü]{0,3}".prop_map(|text| Value::string(&text)),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let fields = proptest::collection::vec(("[ab0.]{0,2}", inner.clone()), 0..4);
            prop_oneof![
                proptest::collection::vec(inner, 0..4).prop_map(Value::Array),
                fields.prop_map(|fields| Value::Object(
                    fields.into_iter().map(|(name, value)| (name.into_boxed_str(), value)).collect()
                )),
            ]
        })
    }

    fn packed(value: &Value) -> Packed {
        let mut out = Writer::new();
        value.encode(&mut out);
        Packed::checked(&out.into_bytes()).unwrap()
    }

    proptest! {
        #[test]
        fn a_packed_value_is_read_as_its_tree_is(one in tree(), other in tree(), path in "[ab0.+]{0,6}") {
            let (first, second) = (packed(&one), packed(&other));
            prop_assert_eq!(&first.get().to_tree(), &one);
            prop_assert_eq!(first.get() == second.get(), one == other);
            prop_assert!(first.get() == packed(&one).get());
            prop_assert_eq!(first.get().at(&path).map(ValueRef::to_tree), one.at(&path).cloned());
            prop_assert_eq!(first.get().field(&path).map(ValueRef::to_tree), one.field(&path).cloned());
            prop_assert_eq!(&Packed::of(first.get()), &first);
            let mut text = String::new();
            super::super::write_value(first.get(), &mut text);
            prop_assert_eq!(parse(&text), Ok(first));
        }

        #[test]
        fn random_and_damaged_bytes_are_a_value_or_refused(
            random: Vec<u8>, value in tree(), at: prop::sample::Index, byte: u8,
        ) {
            let mut bytes = packed(&value).bytes().to_vec();
            bytes[at.index(value_length(&value))] = byte;
            for bytes in [random, bytes] {
                let Ok(taken) = Packed::checked(&bytes) else { continue };
                // What is taken is read to its end, wherever one looks.
                prop_assert_eq!(Packed::of(taken.get()), packed(&taken.get().to_tree()));
                let _ = taken.get().at("a.0.b");
            }
            let unchecked = bytes_of(&value);
            let unchecked = ValueRef::Object(&unchecked);
            unchecked.entries().for_each(drop);
            let _ = (unchecked == unchecked, unchecked.at("a.b"), Packed::of(unchecked));
        }
    }

    fn value_length(value: &Value) -> usize {
        packed(value).bytes().len()
    }

    fn bytes_of(value: &Value) -> Vec<u8> {
        packed(value).bytes().to_vec()
    }

    #[test]
    fn nesting_is_bounded_as_in_json() {
        let nested = |depth: usize| [alloc::vec![5, 1].repeat(depth), alloc::vec![0]].concat();
        assert!(Packed::checked(&nested(MAX_JSON_DEPTH)).is_ok());
        assert_eq!(Packed::checked(&nested(MAX_JSON_DEPTH + 1)), Err(CodecError));
        assert_eq!(Packed::checked(&[0, 0]), Err(CodecError), "bytes are left");
        assert_eq!(Packed::checked(&[4, 1, 0xff]), Err(CodecError), "no text");
    }

    #[test]
    fn an_instant_is_equal_to_its_text() {
        let at = ValueRef::Instant(Timestamp(1_500));
        assert_eq!(at, ValueRef::Text("1970-01-01T00:00:01.500Z"));
        assert_ne!(at, ValueRef::Text("1970-01-01T00:00:01.5Z"));
        assert_ne!(at, ValueRef::Number(1_500.0));
        assert_eq!(Packed::of(at).get(), at);
        assert_eq!(ValueRef::Instant(Timestamp(i64::MAX)), ValueRef::Text("9999-12-31T23:59:59.999Z"));
        assert_eq!(ValueRef::Instant(Timestamp(i64::MAX)), ValueRef::Instant(Timestamp(i64::MAX - 1)));
    }

    #[test]
    fn no_bytes_are_null() {
        assert!(Packed::default().get().is_null());
        let mut object = PackedObject::default();
        object.put("a", ValueRef::Bool(true));
        assert_eq!(Ok(object.finish()), parse(r#"{"a":true}"#));
    }
}
