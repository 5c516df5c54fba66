//! The terms on which a rule takes part: its purpose, its schedule, its exclusion group.

use super::RuleRef;
use crate::condition::{Code, Document, Outlook, Packer, Purpose, evaluate, pass_condition};
use alloc::boxed::Box;

const PURPOSE: u8 = 3;
const IS_SCHEDULED: u8 = 4;
const HAS_GROUP: u8 = 8;

/// When and to whom a rule may be shown at all, and beside what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What it is for: it takes no part where the visitor has not agreed to that.
    pub purpose: Purpose,
    /// Whether its condition is an `All` that ends with its schedule, a `Calendar`: asked last, it wakes only those for
    /// whom all else holds.
    pub is_scheduled: bool,
    /// Of the rules of a group one at most holds a slot.
    pub group: Option<Box<str>>,
}

/// The terms of a rule, read in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct TermsRef<'a> {
    kind: u8,
    pub group: Option<&'a str>,
    /// The number of the group's name among the texts.
    pub group_number: Option<usize>,
}

impl Terms {
    pub(super) fn encode(&self, packer: &mut Packer) {
        let scheduled = if self.is_scheduled { IS_SCHEDULED } else { 0 };
        let grouped = if self.group.is_some() { HAS_GROUP } else { 0 };
        packer.out.u8(self.purpose as u8 | scheduled | grouped);
        if let Some(group) = &self.group {
            packer.text(group);
        }
    }
}

impl<'a> TermsRef<'a> {
    pub(super) fn read(code: &mut Code<'a>) -> Self {
        let kind = code.byte();
        if kind >= 2 * HAS_GROUP || kind & PURPOSE == PURPOSE {
            code.fail();
        }
        let number = (kind & HAS_GROUP != 0).then(|| code.number());
        let group = number.map(|number| code.text_of(number));
        Self { kind, group, group_number: number.map(|number| number as usize) }
    }

    pub(super) const fn purpose(&self) -> Purpose {
        match self.kind & PURPOSE {
            0 => Purpose::Functional,
            1 => Purpose::Analytics,
            _ => Purpose::Personalization,
        }
    }

    pub(super) const fn is_scheduled(&self) -> bool {
        self.kind & IS_SCHEDULED != 0
    }

    pub(super) fn to_terms(self) -> Terms {
        Terms { purpose: self.purpose(), is_scheduled: self.is_scheduled(), group: self.group.map(Box::from) }
    }
}

impl<'a> RuleRef<'a> {
    /// Its schedule, a condition; meaningless where it has none.
    pub(super) fn schedule(&self) -> Code<'a> {
        let mut when = self.when;
        when.byte();
        let mut parts = when.sized();
        loop {
            let last = parts;
            pass_condition(&mut parts);
            if parts.is_empty() {
                return last;
            }
        }
    }

    /// Whether its schedule, if it has one, says that it is on.
    pub(super) fn is_on(&self, document: &dyn Document, outlook: &mut Outlook) -> bool {
        !self.terms().is_scheduled() || evaluate(self.schedule(), document, outlook)
    }

    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        self.terms().purpose()
    }

    /// Whether the visitor has agreed to what it is for.
    pub fn is_granted(&self, document: &dyn Document) -> bool {
        document.grants(self.purpose())
    }
}
