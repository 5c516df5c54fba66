//! One rule inside a bundle: written from its definition, read in place.

use super::actions::{encode_actions, take_actions};
use super::{Actions, Cap, CapPeriod, Hold, Mode, Rule, RuleRef};
use crate::condition::{Code, Packer, PathRef, decode_condition, encode_condition, encode_path};
use crate::id::SignalId;
use alloc::boxed::Box;

const HAS_SLOT: u8 = 1;
const AT_EVENT: u8 = 2;
const HAS_KEY: u8 = 4;
const HAS_CAP: u8 = 8;
const IS_INACTIVE: u8 = 16;
const FIRES_ON_PUBLISH: u8 = 32;

/// Appends a rule. What is read most stands first, the condition last.
pub(super) fn encode_rule(rule: &Rule, packer: &mut Packer) {
    let mut flags = 0;
    for (is_set, flag) in [
        (rule.slot.is_some(), HAS_SLOT),
        (rule.mode != Mode::Level, AT_EVENT),
        (rule.key.is_some(), HAS_KEY),
        (rule.cap.is_some(), HAS_CAP),
        (rule.inactive.is_some(), IS_INACTIVE),
        (rule.fire_on_publish, FIRES_ON_PUBLISH),
    ] {
        flags |= if is_set { flag } else { 0 };
    }
    packer.out.u8(flags);
    packer.text(&rule.id);
    if let Some(slot) = &rule.slot {
        packer.text(slot);
    }
    if let Mode::Event { on, hold } = &rule.mode {
        packer.text(on);
        match hold {
            Hold::Session => packer.out.u8(0),
            Hold::UntilNextHolder => packer.out.u8(1),
            Hold::Duration(ms) => {
                packer.out.u8(2);
                packer.out.i64(*ms);
            }
        }
    }
    if let Some(key) = &rule.key {
        encode_path(key, packer);
    }
    if let Some(cap) = &rule.cap {
        packer.out.u8(cap.per as u8);
        packer.out.u64(u64::from(cap.count));
        packer.option(cap.min_gap_ms.as_ref(), |ms, packer| packer.out.i64(*ms));
        packer.option(cap.shown.as_ref(), |id, packer| packer.id(*id));
        packer.option(cap.shown_at.as_ref(), |id, packer| packer.id(*id));
    }
    if let Some(reason) = &rule.inactive {
        packer.text(reason);
    }
    packer.out.i64(i64::from(rule.priority));
    packer.out.u64(u64::from(rule.specificity));
    packer.sized(|packer| encode_actions(&rule.actions, packer));
    encode_condition(&rule.when, packer);
}

impl<'a> RuleRef<'a> {
    /// Reads the id alone of the rule the code begins with.
    pub(super) fn read_id(code: &mut Code<'a>) -> &'a str {
        code.byte();
        code.text()
    }

    /// Reads the rule the code begins with and moves to its condition.
    pub(super) fn read(code: &mut Code<'a>, index: usize) -> Self {
        let flags = code.byte();
        let has = |flag: u8| flags & flag != 0;
        let id = code.text();
        let slot = has(HAS_SLOT).then(|| code.text());
        let (mut on, mut hold) = (None, Hold::Session);
        if has(AT_EVENT) {
            on = Some(code.text());
            hold = match code.byte() {
                0 => Hold::Session,
                1 => Hold::UntilNextHolder,
                _ => Hold::Duration(code.signed()),
            };
        }
        let key = has(HAS_KEY).then(|| code.path());
        let cap = has(HAS_CAP).then(|| read_cap(code));
        let inactive = has(IS_INACTIVE).then(|| code.text());
        let (priority, specificity) = (code.signed() as i32, code.number() as u32);
        let actions = code.sized();
        let fire_on_publish = has(FIRES_ON_PUBLISH);
        Self {
            index,
            id,
            slot,
            on,
            hold,
            key,
            cap,
            fire_on_publish,
            inactive,
            priority,
            specificity,
            actions,
            when: *code,
        }
    }

    /// Its actions as they are written, places and calls of the server included.
    pub fn written_actions(self) -> Actions {
        take_actions(&mut { self.actions }, None)
    }

    /// The definition as the compiler has written it, for tools.
    pub fn to_rule(self) -> Rule {
        Rule {
            id: Box::from(self.id),
            slot: self.slot.map(Box::from),
            priority: self.priority,
            specificity: self.specificity,
            when: decode_condition(&mut { self.when }),
            mode: match self.on {
                Some(on) => Mode::Event { on: Box::from(on), hold: self.hold },
                None => Mode::Level,
            },
            key: self.key.map(PathRef::to_path),
            cap: self.cap,
            actions: self.written_actions().iter().map(|action| action.to_action()).collect(),
            fire_on_publish: self.fire_on_publish,
            inactive: self.inactive.map(Box::from),
        }
    }
}

fn read_cap(code: &mut Code<'_>) -> Cap {
    Cap {
        per: match code.byte() {
            0 => CapPeriod::Session,
            1 => CapPeriod::Day,
            2 => CapPeriod::Lifetime,
            _ => {
                code.fail();
                CapPeriod::Lifetime
            }
        },
        count: code.number() as u32,
        min_gap_ms: (code.byte() == 1).then(|| code.signed()),
        shown: optional_id(code),
        shown_at: optional_id(code),
    }
}

fn optional_id(code: &mut Code<'_>) -> Option<SignalId> {
    (code.byte() == 1).then(|| code.id())
}
