//! The binary form of conditions, with texts and signal ids in tables, so that a bundle holds each of them once.

use super::{Condition, Literal, Moment, Path, Root, Test};
use crate::codec::{CodecError, Reader, Writer};
use crate::id::SignalId;
use crate::limits::MAX_CONDITION_DEPTH;
use crate::time::Timestamp;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Writes a compiled form whose texts and signal ids stand in tables before it. Equal content gives equal bytes.
#[derive(Debug, Default)]
pub struct Packer {
    /// Everything that stands in no table.
    pub out: Writer,
    numbers: BTreeMap<Box<str>, usize>,
    texts: Writer,
    ids: Vec<SignalId>,
}

impl Packer {
    /// An empty form.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a text as its number in the table.
    pub fn text(&mut self, text: &str) {
        let next = self.numbers.len();
        let number = *self.numbers.entry(Box::from(text)).or_insert_with(|| {
            self.texts.str(text);
            next
        });
        self.out.len(number);
    }

    /// Writes a signal's id as its number in the table.
    pub fn id(&mut self, id: SignalId) {
        let number = self.ids.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        self.out.len(number);
    }

    /// The tables, then what has been written.
    pub fn finish(self) -> Vec<u8> {
        let mut whole = Writer::new();
        whole.len(self.ids.len());
        self.ids.iter().for_each(|id| whole.raw(&id.0.to_le_bytes()));
        whole.len(self.numbers.len());
        whole.raw(&self.texts.into_bytes());
        whole.raw(&self.out.into_bytes());
        whole.into_bytes()
    }
}

/// Reads what a [`Packer`] has written; every read may fail, none panics.
#[derive(Clone, Debug)]
pub struct Unpacker<'a> {
    /// Everything that stands in no table.
    pub reader: Reader<'a>,
    texts: Vec<&'a str>,
    ids: Vec<SignalId>,
}

impl<'a> Unpacker<'a> {
    /// Reads the tables at the front of `bytes`.
    ///
    /// # Errors
    /// Fails on tables that end early and texts that are no UTF-8.
    pub fn new(bytes: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let ids = read_list(&mut reader, |reader| {
            let bytes = reader.raw(8)?.try_into().map_err(|_| CodecError)?;
            Ok(SignalId(u64::from_le_bytes(bytes)))
        })?;
        let texts = read_list(&mut reader, Reader::str)?;
        Ok(Self { reader, texts, ids })
    }

    /// Reads the number of a text and looks it up.
    ///
    /// # Errors
    /// Fails on a number beyond the table.
    pub fn text(&mut self) -> Result<Box<str>, CodecError> {
        let number = self.reader.u64()? as usize;
        self.texts.get(number).map(|text| Box::from(*text)).ok_or(CodecError)
    }

    /// Reads the number of a signal's id and looks it up.
    ///
    /// # Errors
    /// Fails on a number beyond the table.
    pub fn id(&mut self) -> Result<SignalId, CodecError> {
        let number = self.reader.u64()? as usize;
        self.ids.get(number).copied().ok_or(CodecError)
    }

    /// Reads a count, then as many things.
    ///
    /// # Errors
    /// Fails where one of them does.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let count = self.reader.len()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// Reads a presence byte, then the thing where there is one.
    ///
    /// # Errors
    /// Fails where it does.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Option<T>, CodecError> {
        if self.reader.bool()? { read(self).map(Some) } else { Ok(None) }
    }
}

fn read_list<'a, T>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let count = reader.len()?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(read(reader)?);
    }
    Ok(list)
}

/// Appends a condition.
pub fn encode_condition(condition: &Condition, packer: &mut Packer) {
    let many = |tag: u8, parts: &[Condition], packer: &mut Packer| {
        packer.out.u8(tag);
        packer.out.len(parts.len());
        parts.iter().for_each(|part| encode_condition(part, packer));
    };
    match condition {
        Condition::All(parts) => many(0, parts, packer),
        Condition::Any(parts) => many(1, parts, packer),
        Condition::Not(inner) => {
            packer.out.u8(2);
            encode_condition(inner, packer);
        }
        Condition::Path { path, test } => {
            packer.out.u8(3);
            encode_path(path, packer);
            encode_test(test, packer);
        }
        Condition::Signal { signal, key, test } => {
            packer.out.u8(4);
            packer.id(*signal);
            packer.out.bool(key.is_some());
            if let Some(literal) = key {
                encode_literal(literal, packer);
            }
            encode_test(test, packer);
        }
    }
}

/// Reads a condition.
///
/// # Errors
/// Fails on bytes that are no condition, and on one nested deeper than [`MAX_CONDITION_DEPTH`].
pub fn decode_condition(source: &mut Unpacker<'_>) -> Result<Condition, CodecError> {
    condition_within(source, MAX_CONDITION_DEPTH)
}

/// Appends a path.
pub fn encode_path(path: &Path, packer: &mut Packer) {
    packer.out.u8(path.root as u8);
    packer.text(&path.rest);
}

/// Reads a path.
///
/// # Errors
/// Fails on bytes that are no path.
pub fn decode_path(source: &mut Unpacker<'_>) -> Result<Path, CodecError> {
    let root = match source.reader.u8()? {
        0 => Root::Traits,
        1 => Root::Signals,
        2 => Root::Context,
        3 => Root::Event,
        4 => Root::Bare,
        _ => return Err(CodecError),
    };
    Ok(Path { root, rest: source.text()? })
}

fn condition_within(source: &mut Unpacker<'_>, depth: usize) -> Result<Condition, CodecError> {
    let inner = depth.checked_sub(1).ok_or(CodecError)?;
    Ok(match source.reader.u8()? {
        0 => Condition::All(source.list(|part| condition_within(part, inner))?),
        1 => Condition::Any(source.list(|part| condition_within(part, inner))?),
        2 => Condition::Not(Box::new(condition_within(source, inner)?)),
        3 => Condition::Path { path: decode_path(source)?, test: test_within(source, inner)? },
        4 => Condition::Signal {
            signal: source.id()?,
            key: source.option(|source| literal_within(source, inner))?,
            test: test_within(source, inner)?,
        },
        _ => return Err(CodecError),
    })
}

fn encode_test(test: &Test, packer: &mut Packer) {
    let mut one = |tag: u8, literal: &Literal| {
        packer.out.u8(tag);
        encode_literal(literal, packer);
    };
    match test {
        Test::Is(literal) => one(2, literal),
        Test::Eq(literal) => one(3, literal),
        Test::Ne(literal) => one(4, literal),
        Test::In(literal) => one(5, literal),
        Test::Nin(literal) => one(6, literal),
        Test::Gt(literal) => one(7, literal),
        Test::Gte(literal) => one(8, literal),
        Test::Lt(literal) => one(9, literal),
        Test::Lte(literal) => one(10, literal),
        Test::All(tests) => {
            packer.out.u8(0);
            packer.out.len(tests.len());
            tests.iter().for_each(|test| encode_test(test, packer));
        }
        Test::Not(inner) => {
            packer.out.u8(1);
            encode_test(inner, packer);
        }
        Test::Exists(expected) => packer.out.u8(11 + u8::from(*expected)),
        Test::Before(moment) => encode_moment(13, moment, packer),
        Test::After(moment) => encode_moment(16, moment, packer),
    }
}

fn test_within(source: &mut Unpacker<'_>, depth: usize) -> Result<Test, CodecError> {
    let inner = depth.checked_sub(1).ok_or(CodecError)?;
    let tag = source.reader.u8()?;
    let wrap = match tag {
        0 => return Ok(Test::All(source.list(|test| test_within(test, inner))?)),
        1 => return Ok(Test::Not(Box::new(test_within(source, inner)?))),
        11 | 12 => return Ok(Test::Exists(tag == 12)),
        13..=15 => return Ok(Test::Before(decode_moment(tag - 13, source)?)),
        16..=18 => return Ok(Test::After(decode_moment(tag - 16, source)?)),
        2 => Test::Is,
        3 => Test::Eq,
        4 => Test::Ne,
        5 => Test::In,
        6 => Test::Nin,
        7 => Test::Gt,
        8 => Test::Gte,
        9 => Test::Lt,
        10 => Test::Lte,
        _ => return Err(CodecError),
    };
    Ok(wrap(literal_within(source, inner)?))
}

fn encode_moment(base: u8, moment: &Moment, packer: &mut Packer) {
    match moment {
        Moment::Relative(ms) | Moment::Fixed(Timestamp(ms)) => {
            packer.out.u8(base + u8::from(matches!(moment, Moment::Fixed(_))));
            packer.out.i64(*ms);
        }
        Moment::Path(path) => {
            packer.out.u8(base + 2);
            encode_path(path, packer);
        }
    }
}

fn decode_moment(kind: u8, source: &mut Unpacker<'_>) -> Result<Moment, CodecError> {
    Ok(match kind {
        0 => Moment::Relative(source.reader.i64()?),
        1 => Moment::Fixed(Timestamp(source.reader.i64()?)),
        _ => Moment::Path(decode_path(source)?),
    })
}

fn encode_literal(literal: &Literal, packer: &mut Packer) {
    match literal {
        Literal::Value(Value::String(text)) => {
            packer.out.u8(0);
            packer.text(text);
        }
        Literal::Value(value) => {
            packer.out.u8(1);
            value.encode(&mut packer.out);
        }
        Literal::Path(path) => {
            packer.out.u8(2);
            encode_path(path, packer);
        }
        Literal::List(items) => {
            packer.out.u8(3);
            packer.out.len(items.len());
            items.iter().for_each(|item| encode_literal(item, packer));
        }
    }
}

fn literal_within(source: &mut Unpacker<'_>, depth: usize) -> Result<Literal, CodecError> {
    let inner = depth.checked_sub(1).ok_or(CodecError)?;
    Ok(match source.reader.u8()? {
        0 => Literal::Value(Value::String(source.text()?)),
        1 => Literal::Value(Value::decode(&mut source.reader)?),
        2 => Literal::Path(decode_path(source)?),
        3 => Literal::List(source.list(|item| literal_within(item, inner))?),
        _ => return Err(CodecError),
    })
}
