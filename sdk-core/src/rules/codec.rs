//! One rule inside a bundle: written from its definition, read in place.

use super::actions::{Lookup, encode_actions, take_actions};
use super::terms::TermsRef;
use super::{Action, Actions, Cap, CapPeriod, Hold, Mode, Rule, RuleHead, RuleRef};
use crate::condition::{
    Code, Packer, PathRef, decode_condition, encode_condition, encode_path, pass_condition,
};
use crate::id::SignalId;
use crate::limits::PLACE_BYTES;
use alloc::boxed::Box;
use alloc::string::String;

const HAS_SLOT: u8 = 1;
const AT_EVENT: u8 = 2;
const HAS_KEY: u8 = 4;
const HAS_CAP: u8 = 8;
const IS_INACTIVE: u8 = 16;
const FIRES_ON_PUBLISH: u8 = 32;
const HAS_PLACES: u8 = 64;

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
        (has_places(&rule.actions), HAS_PLACES),
    ] {
        flags |= if is_set { flag } else { 0 };
    }
    packer.out.u8(flags);
    packer.sized(|packer| encode_head(rule, packer));
    packer.sized(|packer| encode_actions(&rule.actions, rule.slot.as_deref(), packer));
    encode_condition(&rule.when, packer);
}

/// Whether a text of actions has places to be filled in.
fn has_places(actions: &[Action]) -> bool {
    let mut found = false;
    actions.iter().for_each(|action| action.each_place(&mut |_| found = true));
    found
}

fn encode_head(rule: &Rule, packer: &mut Packer) {
    rule.terms.encode(packer);
    if let Some(slot) = &rule.slot {
        // Where each rule has a slot of its own, all are as far from their ids.
        let (mut id, slot) = (packer.number(&rule.id), packer.number(slot));
        packer.difference(&mut id, slot);
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
}

impl<'a> RuleRef<'a> {
    /// Reads the rule the code begins with and moves to its condition.
    pub(super) fn read(code: &mut Code<'a>, index: usize, id_number: u32) -> Self {
        let (flags, head, actions) = (code.byte(), code.sized(), code.sized());
        let id = { *code }.text_of(u64::from(id_number));
        Self { index, id, when: *code, flags, id_number, head, actions }
    }

    /// Moves the code behind the rule, and makes it unsound if there is none.
    pub(super) fn pass(code: &mut Code<'a>, id_number: u32) {
        let rule = Self::read(code, 0, id_number);
        let mut read = rule;
        let slot = read.read_head().slot;
        let mut places = 0_usize;
        let mut count = |_: &str, _: &mut String| places += 1;
        let lookup: Option<Lookup<'_>> = if rule.has(HAS_SLOT) { Some(&mut count) } else { None };
        take_actions(&mut read.actions, slot, lookup);
        code.name(places.saturating_mul(PLACE_BYTES));
        code.join(&read.head);
        code.join(&read.actions);
        pass_condition(code);
        // Any condition will do as a schedule: one may be named whose leaf has gone, and that is written anew as what it is.
        let is_odd = rule.terms().is_scheduled() && ({ rule.when }.byte() != 0 || rule.schedule().is_empty());
        if is_odd || !read.head.is_whole() || !read.actions.is_whole() {
            code.fail();
        }
    }

    /// Whether it fills a slot; a trigger does not.
    pub const fn has_slot(&self) -> bool {
        self.has(HAS_SLOT)
    }

    /// Whether it holds by state, and is not judged at events.
    pub const fn is_level(&self) -> bool {
        !self.has(AT_EVENT)
    }

    /// Whether it holds by state, without a key and without a cap.
    pub const fn is_plain(&self) -> bool {
        !self.has(AT_EVENT | HAS_KEY | HAS_CAP)
    }

    /// Whether it takes part.
    pub const fn is_active(&self) -> bool {
        !self.has(IS_INACTIVE)
    }

    /// Whether a newly published trigger fires at once for those it already holds for.
    pub const fn fires_on_publish(&self) -> bool {
        self.has(FIRES_ON_PUBLISH)
    }

    /// What it says besides its condition and its actions.
    pub fn head(&self) -> RuleHead<'a> {
        { *self }.read_head()
    }

    /// The terms on which it takes part.
    pub(super) fn terms(&self) -> TermsRef<'a> {
        TermsRef::read(&mut { self.head })
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn read_head(&mut self) -> RuleHead<'a> {
        TermsRef::read(&mut self.head);
        let flags = self.flags;
        let has = |flag: u8| flags & flag != 0;
        let code = &mut self.head;
        let mut slot = self.id_number;
        let slot = has(HAS_SLOT).then(|| {
            let slot = code.difference(&mut slot);
            code.text_of(u64::from(slot))
        });
        let (mut on, mut hold) = (None, Hold::Session);
        if has(AT_EVENT) {
            on = Some(code.text());
            hold = match code.byte() {
                0 => Hold::Session,
                1 => Hold::UntilNextHolder,
                _ => Hold::Duration(code.signed()),
            };
        }
        RuleHead {
            slot,
            on,
            hold,
            key: has(HAS_KEY).then(|| code.path()),
            cap: has(HAS_CAP).then(|| read_cap(code)),
            inactive: has(IS_INACTIVE).then(|| code.text()),
            priority: code.signed() as i32,
            specificity: code.number() as u32,
        }
    }

    /// Its actions, with places filled in where there is somebody to ask.
    pub(super) fn take_actions(self, lookup: Option<Lookup<'_>>) -> Actions {
        take_actions(&mut { self.actions }, self.head().slot, lookup)
    }

    /// Its actions as they are written, places and calls of the server included.
    pub fn written_actions(self) -> Actions {
        self.take_actions(None)
    }

    /// Whether a text of its actions has places to be filled in.
    pub const fn has_places(&self) -> bool {
        self.has(HAS_PLACES)
    }

    /// The definition as the compiler has written it, for tools.
    pub fn to_rule(self) -> Rule {
        let head = self.head();
        Rule {
            id: Box::from(self.id),
            slot: head.slot.map(Box::from),
            priority: head.priority,
            specificity: head.specificity,
            when: decode_condition(&mut { self.when }),
            mode: match head.on {
                Some(on) => Mode::Event { on: Box::from(on), hold: head.hold },
                None => Mode::Level,
            },
            key: head.key.map(PathRef::to_path),
            cap: head.cap,
            terms: self.terms().to_terms(),
            actions: self.written_actions().iter().map(|action| action.to_action()).collect(),
            fire_on_publish: self.fires_on_publish(),
            inactive: head.inactive.map(Box::from),
        }
    }
}

#[inline(never)]
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
