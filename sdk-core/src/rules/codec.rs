//! The binary form of rules and actions inside a bundle.

use super::{Action, Cap, CapPeriod, Hold, Mode, Rule};
use crate::condition::{Packer, Unpacker, decode_condition, decode_path, encode_condition, encode_path};
use crate::value::Value;

/// Appends a rule.
pub fn encode_rule(rule: &Rule, packer: &mut Packer) {
    packer.text(&rule.id);
    packer.option(rule.slot.as_ref(), |slot, packer| packer.text(slot));
    packer.out.i64(i64::from(rule.priority));
    packer.out.u64(u64::from(rule.specificity));
    encode_condition(&rule.when, packer);
    encode_mode(&rule.mode, packer);
    packer.option(rule.key.as_ref(), encode_path);
    packer.option(rule.cap.as_ref(), encode_cap);
    packer.list(&rule.actions, encode_action);
    packer.out.bool(rule.fire_on_publish);
    packer.option(rule.inactive.as_ref(), |reason, packer| packer.text(reason));
}

/// Reads a rule; bytes that are none fail the source.
pub fn decode_rule(source: &mut Unpacker<'_>) -> Rule {
    Rule {
        id: source.text(),
        slot: source.option(Unpacker::text),
        priority: source.signed() as i32,
        specificity: source.number() as u32,
        when: decode_condition(source),
        mode: decode_mode(source),
        key: source.option(decode_path),
        cap: source.option(decode_cap),
        actions: source.list(decode_action),
        fire_on_publish: source.bool(),
        inactive: source.option(Unpacker::text),
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

fn decode_mode(source: &mut Unpacker<'_>) -> Mode {
    let hold = match source.byte() {
        1 => Hold::Session,
        2 => Hold::UntilNextHolder,
        3 => Hold::Duration(source.signed()),
        tag => {
            if tag != 0 {
                source.fail();
            }
            return Mode::Level;
        }
    };
    Mode::Event { on: source.text(), hold }
}

fn encode_cap(cap: &Cap, packer: &mut Packer) {
    packer.out.u8(cap.per as u8);
    packer.out.u64(u64::from(cap.count));
    packer.out.option(cap.min_gap_ms, |out, ms| out.i64(ms));
    packer.option(cap.shown.as_ref(), |id, packer| packer.id(*id));
    packer.option(cap.shown_at.as_ref(), |id, packer| packer.id(*id));
}

fn decode_cap(source: &mut Unpacker<'_>) -> Cap {
    let per = match source.byte() {
        0 => CapPeriod::Session,
        1 => CapPeriod::Day,
        2 => CapPeriod::Lifetime,
        _ => {
            source.fail();
            CapPeriod::Lifetime
        }
    };
    Cap {
        per,
        count: source.number() as u32,
        min_gap_ms: source.option(Unpacker::signed),
        shown: source.option(Unpacker::id),
        shown_at: source.option(Unpacker::id),
    }
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
                packer.list(names, |name, packer| packer.text(name));
            }
        }
        Action::Variable { name, value } => {
            texts(7, &[name]);
            value.encode(&mut packer.out);
        }
    }
}

fn decode_action(source: &mut Unpacker<'_>) -> Action {
    let tag = source.byte();
    let first = source.text();
    match tag {
        0 => Action::Text { target: first, value: source.text() },
        1 => Action::Attribute { target: first, name: source.text(), value: source.text() },
        2 => Action::Style { target: first, property: source.text(), value: source.text() },
        4 => Action::Show { target: first },
        5 => Action::Webhook { url: first },
        6 => Action::Class {
            target: first,
            add: source.list(Unpacker::text),
            remove: source.list(Unpacker::text),
        },
        7 => Action::Variable { name: first, value: source.read(Value::Null, Value::decode) },
        _ => {
            if tag != 3 {
                source.fail();
            }
            Action::Hide { target: first }
        }
    }
}
