//! The binary form of rules and actions inside a bundle.

use super::{Action, Cap, CapPeriod, Hold, Mode, Rule};
use crate::codec::CodecError;
use crate::condition::{Packer, Unpacker, decode_condition, decode_path, encode_condition, encode_path};
use crate::value::Value;
use alloc::boxed::Box;

/// Appends a rule.
pub fn encode_rule(rule: &Rule, packer: &mut Packer) {
    packer.text(&rule.id);
    option(rule.slot.as_ref(), packer, |slot, packer| packer.text(slot));
    packer.out.i64(i64::from(rule.priority));
    packer.out.u64(u64::from(rule.specificity));
    encode_condition(&rule.when, packer);
    encode_mode(&rule.mode, packer);
    option(rule.key.as_ref(), packer, encode_path);
    option(rule.cap.as_ref(), packer, encode_cap);
    packer.out.len(rule.actions.len());
    rule.actions.iter().for_each(|action| encode_action(action, packer));
    packer.out.bool(rule.fire_on_publish);
    option(rule.inactive.as_ref(), packer, |reason, packer| packer.text(reason));
}

/// Reads a rule.
///
/// # Errors
/// Fails on bytes that are no rule.
pub fn decode_rule(source: &mut Unpacker<'_>) -> Result<Rule, CodecError> {
    Ok(Rule {
        id: source.text()?,
        slot: source.option(Unpacker::text)?,
        priority: i32::try_from(source.reader.i64()?).map_err(|_| CodecError)?,
        specificity: u32::try_from(source.reader.u64()?).map_err(|_| CodecError)?,
        when: decode_condition(source)?,
        mode: decode_mode(source)?,
        key: source.option(decode_path)?,
        cap: source.option(decode_cap)?,
        actions: source.list(decode_action)?,
        fire_on_publish: source.reader.bool()?,
        inactive: source.option(Unpacker::text)?,
    })
}

fn option<T: ?Sized>(value: Option<&T>, packer: &mut Packer, write: impl FnOnce(&T, &mut Packer)) {
    packer.out.bool(value.is_some());
    if let Some(inner) = value {
        write(inner, packer);
    }
}

fn encode_mode(mode: &Mode, packer: &mut Packer) {
    match mode {
        Mode::Level => packer.out.u8(0),
        Mode::Event { on, hold } => {
            match hold {
                Hold::Session => packer.out.u8(1),
                Hold::UntilNextHolder => packer.out.u8(2),
                Hold::Duration(ms) => {
                    packer.out.u8(3);
                    packer.out.i64(*ms);
                }
            }
            packer.text(on);
        }
    }
}

fn decode_mode(source: &mut Unpacker<'_>) -> Result<Mode, CodecError> {
    let hold = match source.reader.u8()? {
        0 => return Ok(Mode::Level),
        1 => Hold::Session,
        2 => Hold::UntilNextHolder,
        3 => Hold::Duration(source.reader.i64()?),
        _ => return Err(CodecError),
    };
    Ok(Mode::Event { on: source.text()?, hold })
}

fn encode_cap(cap: &Cap, packer: &mut Packer) {
    packer.out.u8(cap.per as u8);
    packer.out.u64(u64::from(cap.count));
    packer.out.option(cap.min_gap_ms, |out, ms| out.i64(ms));
    option(cap.shown.as_ref(), packer, |id, packer| packer.id(*id));
    option(cap.shown_at.as_ref(), packer, |id, packer| packer.id(*id));
}

fn decode_cap(source: &mut Unpacker<'_>) -> Result<Cap, CodecError> {
    let per = match source.reader.u8()? {
        0 => CapPeriod::Session,
        1 => CapPeriod::Day,
        2 => CapPeriod::Lifetime,
        _ => return Err(CodecError),
    };
    let count = u32::try_from(source.reader.u64()?).map_err(|_| CodecError)?;
    let min_gap_ms = source.reader.option(|reader| reader.i64())?;
    Ok(Cap {
        per,
        count,
        min_gap_ms,
        shown: source.option(Unpacker::id)?,
        shown_at: source.option(Unpacker::id)?,
    })
}

fn encode_action(action: &Action, packer: &mut Packer) {
    let mut texts = |tag: u8, texts: &[&str]| {
        packer.out.u8(tag);
        texts.iter().for_each(|text| packer.text(text));
    };
    match action {
        Action::Text { target, value } => texts(0, &[target, value]),
        Action::Attribute { target, name, value } => texts(1, &[target, name, value]),
        Action::Style { target, property, value } => texts(2, &[target, property, value]),
        Action::Hide { target } => texts(3, &[target]),
        Action::Show { target } => texts(4, &[target]),
        Action::Webhook { url } => texts(5, &[url]),
        Action::Class { target, add, remove } => {
            texts(6, &[target]);
            for names in [add, remove] {
                packer.out.len(names.len());
                names.iter().for_each(|name| packer.text(name));
            }
        }
        Action::Variable { name, value } => {
            texts(7, &[name]);
            value.encode(&mut packer.out);
        }
    }
}

fn decode_action(source: &mut Unpacker<'_>) -> Result<Action, CodecError> {
    let tag = source.reader.u8()?;
    let first: Box<str> = source.text()?;
    Ok(match tag {
        0 => Action::Text { target: first, value: source.text()? },
        1 => Action::Attribute { target: first, name: source.text()?, value: source.text()? },
        2 => Action::Style { target: first, property: source.text()?, value: source.text()? },
        3 => Action::Hide { target: first },
        4 => Action::Show { target: first },
        5 => Action::Webhook { url: first },
        6 => Action::Class {
            target: first,
            add: source.list(Unpacker::text)?,
            remove: source.list(Unpacker::text)?,
        },
        7 => Action::Variable { name: first, value: Value::decode(&mut source.reader)? },
        _ => return Err(CodecError),
    })
}
