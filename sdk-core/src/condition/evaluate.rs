//! The evaluation of packed conditions in place: GrowthBook's semantics, with "unknown" as a third truth that no
//! negation turns true.
//!
//! One walk over the code serves three purposes. With a document it evaluates; without one it only passes over, which
//! skips the rest of what is decided already, and checks the code when a bundle is opened.

use super::calendar;
use super::coerce::{compare, equal, instant, is, plain_text, text_of, text_order};
use super::geo::{Place, in_circle, in_polygon, place};
use super::network::{address, holds};
use super::text::occurs;
use super::version::padded;
use super::{Code, Document, Outlook, PathRef, Pattern, Reading, Root};
use crate::hash::bucket;
use crate::id::SignalId;
use crate::limits::{MAX_CONDITION_DEPTH, MAX_MATCHED_BYTES, QUESTION_BYTES};
use crate::time::Timestamp;
use crate::value::{ValueRef, cut};
use alloc::string::String;
use core::cmp::Ordering;

/// Whether the condition that the code begins with holds; what cannot be known, because a tile was truncated, does
/// not hold.
///
/// `outlook` receives the first later instant at which time alone can change the answer.
pub fn evaluate(code: Code<'_>, document: &dyn Document, outlook: &mut Outlook) -> bool {
    truth(code, document, outlook) == Some(true)
}

/// As [`evaluate`], with what cannot be known told apart.
pub fn truth(code: Code<'_>, document: &dyn Document, outlook: &mut Outlook) -> Truth {
    Scene { code, document: Some(document), item: None, outlook }.condition(MAX_CONDITION_DEPTH)
}

/// Moves the code behind the condition it begins with. Code that is none, and nesting beyond [`MAX_CONDITION_DEPTH`],
/// make it unsound.
pub fn pass_condition(code: &mut Code<'_>) {
    let mut scene = Scene { code: *code, document: None, item: None, outlook: &mut Outlook::default() };
    scene.condition(MAX_CONDITION_DEPTH);
    *code = scene.code;
}

/// Moves the code behind the literal it begins with.
pub fn pass_literal(code: &mut Code<'_>) {
    let mut scene = Scene { code: *code, document: None, item: None, outlook: &mut Outlook::default() };
    scene.literal(MAX_CONDITION_DEPTH);
    *code = scene.code;
}

/// The value at a path, signals included; nothing where it is missing or cannot be known.
pub fn resolve<'a>(
    path: PathRef<'_>,
    document: &'a dyn Document,
    outlook: &mut Outlook,
) -> Option<ValueRef<'a>> {
    value_at(document, path, outlook).filter(|value| !value.is_null())
}

/// True, false, or nothing where it cannot be known (Kleene's strong three-valued logic).
pub type Truth = Option<bool>;

struct Scene<'a, 'o> {
    code: Code<'a>,
    /// Whom to ask; nobody while code is only passed over.
    document: Option<&'a dyn Document>,
    /// The element looked at, inside a condition about elements. Nothing but elements is asked for there, so that
    /// lists multiply with the code only, and never with each other.
    item: Option<ValueRef<'a>>,
    outlook: &'o mut Outlook,
}

impl<'a> Scene<'a, '_> {
    fn condition(&mut self, depth: usize) -> Truth {
        let tag = self.tag(depth);
        let inner = depth.saturating_sub(1);
        let value = match tag {
            0 => return self.until(false, Self::part, ValueRef::Null, inner),
            1 => {
                let is_empty = { self.code }.sized().is_empty();
                let truth = self.until(true, Self::part, ValueRef::Null, inner);
                return if is_empty { Some(true) } else { truth };
            }
            2 => return self.condition(inner).map(|truth| !truth),
            10 => {
                let path = self.code.text();
                let Some(item) = self.item else { return self.fail() };
                Some(item.at(path).unwrap_or(ValueRef::Null))
            }
            _ if self.item.is_some() => return self.fail(),
            7 => return self.bucket(),
            5 => {
                let leaf = self.code.leaf();
                let behind = core::mem::replace(&mut self.code, leaf);
                // A leaf has been checked where it stands, and names no other.
                let truth = self.document.and_then(|_| self.condition(MAX_CONDITION_DEPTH));
                self.code = behind;
                return truth;
            }
            3 => {
                let path = self.code.path();
                self.document.and_then(|document| value_at(document, path, self.outlook))
            }
            11 => self.condition(inner).map(ValueRef::Bool),
            12 | 13 => return self.keys(tag == 13, inner),
            4 => {
                let signal = self.code.id();
                match self.code.byte() {
                    0 => self.signal(signal, ""),
                    1 => {
                        let key = self.literal(inner);
                        key.and_then(|(key, _)| match plain_text(key, &mut [0; 40]) {
                            Some(key) => self.signal(signal, key),
                            None => Some(ValueRef::Null),
                        })
                    }
                    _ => return self.fail(),
                }
            }
            9 => return calendar::holds(&mut self.code, self.document, self.outlook),
            6 => {
                let model = self.code.model();
                self.code.name(QUESTION_BYTES);
                self.document.and_then(|document| {
                    let reading = document.score(model, self.outlook);
                    taken(reading, document, self.outlook)
                })
            }
            _ => return self.fail(),
        };
        match value {
            Some(value) => self.test(value, inner),
            None => {
                self.pass_over(|scene| scene.test(ValueRef::Null, inner));
                None
            }
        }
    }

    fn part(&mut self, _value: ValueRef<'a>, depth: usize) -> Truth {
        self.condition(depth)
    }

    fn test(&mut self, value: ValueRef<'a>, depth: usize) -> Truth {
        let tag = self.tag(depth);
        let inner = depth.saturating_sub(1);
        Some(match tag {
            0 => return self.until(false, Self::test, value, inner),
            1 => !self.test(value, inner)?,
            2..=4 => {
                let (literal, other) = self.literal(inner)?;
                if tag == 2 { is(value, literal, other) } else { equal(value, literal, other) == (tag == 3) }
            }
            5 => self.contains(value, inner)?,
            6 => !self.contains(value, inner)?,
            7..=10 => {
                let order = compare(value, self.literal(inner)?.0);
                order == Some(if tag < 9 { Ordering::Greater } else { Ordering::Less })
                    || (matches!(tag, 8 | 10) && order == Some(Ordering::Equal))
            }
            11 | 12 => value.is_null() != (tag == 12),
            13..=18 => return self.distance(value, tag),
            27..=29 => {
                let (sought, other) = self.literal(inner)?;
                let (mut room, mut sought_room) = ([0; 40], [0; 40]);
                let texts = plain_text(value, &mut room).zip(plain_text(sought, &mut sought_room));
                let place = (tag == 27, tag == 28);
                texts.is_some_and(|(text, sought)| {
                    occurs(text, [sought, other.as_str().unwrap_or(sought)], place)
                })
            }
            _ => return self.seldom(tag, value, inner),
        })
    }

    /// The tests that few rules make.
    #[inline(never)]
    fn seldom(&mut self, tag: u8, value: ValueRef<'a>, inner: usize) -> Truth {
        Some(match tag {
            19 | 20 => return self.some(value, tag == 20, inner),
            21 => {
                let outer = self.item.replace(value);
                let truth = self.condition(inner);
                self.item = outer;
                return truth;
            }
            22 => {
                if !matches!(value, ValueRef::List(_)) {
                    self.pass_over(|scene| scene.test(ValueRef::Null, inner));
                    return Some(false);
                }
                return self.test(value.at("length").unwrap_or(ValueRef::Null), inner);
            }
            23 => {
                let kind = self.code.byte();
                if kind > 5 {
                    self.code.fail();
                }
                kind == kind_of(value)
            }
            24..=26 => {
                let order = text_order(&padded(value), &padded(self.literal(inner)?.0));
                order as i8 == [0, 1, -1][usize::from(tag - 24) % 3]
            }
            30 => {
                let (divisor, remainder) = (self.code.signed(), self.code.signed());
                value
                    .as_number()
                    .is_some_and(|number| (number as i64).checked_rem(divisor) == Some(remainder))
            }
            31 => {
                let pattern = Pattern { source: self.code.text(), flags: self.code.text() };
                let document = self.document?;
                let mut made = String::new();
                let text = text_of(value, &mut made);
                return if text.len() > MAX_MATCHED_BYTES { None } else { document.matches(pattern, text) };
            }
            32 => {
                let address = value.as_str().and_then(address).unwrap_or_default();
                let mut behind = self.code;
                self.code = behind.sized();
                let mut found = false;
                while !self.code.is_empty() {
                    found |= holds(&mut self.code, &address);
                }
                self.leave(behind);
                found
            }
            33 => {
                let [lat, lon, reach] = [(); 3].map(|()| self.code.double());
                place(value).is_some_and(|place| in_circle(place, Place { lat, lon }, reach))
            }
            34 => {
                let mut behind = self.code;
                let inside;
                (inside, self.code) = in_polygon(place(value), behind.sized());
                self.leave(behind);
                inside
            }
            _ => return self.fail(),
        })
    }

    /// Whether the unit falls into one of the ranges; one without a name falls into none.
    #[inline(never)]
    fn bucket(&mut self) -> Truth {
        let (path, seed, version) = (self.code.path(), self.code.text(), self.code.byte());
        let value = self.document.map(|document| value_at(document, path, self.outlook));
        let place = value.flatten().and_then(|value| {
            let mut room = [0; 40];
            bucket(seed, plain_text(value, &mut room).filter(|unit| !unit.is_empty())?, version)
        });
        let mut is_in = false;
        for _ in 0..self.code.count() {
            let (from, to) = (self.code.number(), self.code.number());
            is_in |= place.is_some_and(|place| (from..to).contains(&u64::from(place)));
        }
        value?.map(|_| is_in)
    }

    /// Whether some element of a list, which is not null if `of_values`, passes the test that follows.
    #[inline(never)]
    fn some(&mut self, value: ValueRef<'a>, of_values: bool, depth: usize) -> Truth {
        let start = self.code;
        self.pass_over(|scene| scene.test(ValueRef::Null, depth));
        let behind = self.code;
        let mut whole = Some(false);
        if matches!(value, ValueRef::List(_)) {
            for (_, element) in value.entries().filter(|(_, element)| !(of_values && element.is_null())) {
                self.code = start;
                whole = either(whole, self.test(element, depth));
                if whole == Some(true) {
                    break;
                }
            }
        }
        self.code = behind;
        whole
    }

    /// Whether the values under all keys of a signal, one of them or the largest, pass the test that follows.
    #[inline(never)]
    fn keys(&mut self, is_largest: bool, depth: usize) -> Truth {
        let signal = self.code.id();
        self.code.name(QUESTION_BYTES);
        let start = self.code;
        self.pass_over(|scene| scene.test(ValueRef::Null, depth));
        let behind = self.code;
        let document = self.document?;
        let (mut whole, mut largest) = (Some(false), Some(ValueRef::Null));
        let is_complete = document.each_key(signal, &mut |key| {
            let value = self.signal(signal, key);
            if is_largest {
                largest = largest.zip(value).map(|(largest, value)| {
                    let is_larger = largest.is_null() || compare(value, largest) == Some(Ordering::Greater);
                    if is_larger { value } else { largest }
                });
            } else {
                self.code = start;
                let truth = value.and_then(|value| self.test(value, depth));
                whole = either(whole, truth);
            }
        });
        if is_largest {
            self.code = start;
            whole = largest.and_then(|largest| self.test(largest, depth)).filter(|_| is_complete);
        }
        self.code = behind;
        if is_complete { whole } else { either(whole, None) }
    }

    fn fail(&mut self) -> Truth {
        self.code.fail();
        None
    }

    /// Asks the parts in turn until one gives `decisive`; an unknown part leaves the whole unknown unless one does.
    fn until(
        &mut self,
        decisive: bool,
        ask: fn(&mut Self, ValueRef<'a>, usize) -> Truth,
        value: ValueRef<'a>,
        depth: usize,
    ) -> Truth {
        let mut behind = self.code;
        self.code = behind.sized();
        let mut whole = Some(!decisive);
        while !self.code.is_empty() {
            let truth = ask(self, value, depth);
            if self.document.is_some() && truth != Some(!decisive) {
                whole = truth;
                if truth.is_some() {
                    break;
                }
            }
        }
        self.leave(behind);
        whole
    }

    /// Goes on behind a group, which is unsound if a part of it is.
    fn leave(&mut self, mut behind: Code<'a>) {
        behind.join(&self.code);
        self.code = behind;
    }

    /// Whether the value, or one of its elements, is in the list.
    fn contains(&mut self, value: ValueRef<'a>, depth: usize) -> Truth {
        let mut ahead = self.code;
        if ahead.byte() == 3 {
            self.code = ahead;
            return self.until(true, Self::contains_one, value, depth.saturating_sub(1));
        }
        let (list, _) = self.literal(depth)?;
        let is_list = matches!(list, ValueRef::List(_));
        Some(is_list && list.entries().any(|(_, item)| is_among((item, item), value)))
    }

    fn contains_one(&mut self, value: ValueRef<'a>, depth: usize) -> Truth {
        self.literal(depth).map(|item| is_among(item, value))
    }

    /// Whether the value's instant lies strictly before (or after) the moment; notes when time alone flips that.
    fn distance(&mut self, value: ValueRef<'a>, tag: u8) -> Truth {
        let is_before = tag < 16;
        let kind = if is_before { tag - 13 } else { tag - 16 };
        let (mut ms, mut path) = (0, None);
        if kind == 2 {
            path = Some(self.code.path());
        } else {
            ms = self.code.signed();
        }
        let document = self.document?;
        let Some(at) = instant(value) else { return Some(false) };
        let other = match path {
            Some(path) => match instant(value_at(document, path, self.outlook)?) {
                Some(found) => found,
                None => return Some(false),
            },
            None if kind == 1 => Timestamp(ms),
            None => {
                // With every passing millisecond the moment moves on, so "before" becomes true and "after" false.
                let flips = at.plus(ms.saturating_neg()).plus(i64::from(is_before));
                self.outlook.note_after(document.now(), flips);
                document.now().plus(ms)
            }
        };
        Some(if is_before { at < other } else { at > other })
    }

    /// The literal, and the same in its other case; most have only one.
    fn literal(&mut self, depth: usize) -> Option<(ValueRef<'a>, ValueRef<'a>)> {
        let value = match self.tag(depth) {
            0 => ValueRef::Text(self.code.text()),
            1 => self.code.value(self.document.is_none()),
            2 => {
                let path = self.code.path();
                value_at(self.document?, path, self.outlook)?
            }
            3 => {
                // A list with paths in it means something to `$in` and `$nin` alone.
                self.pass_over(|scene| {
                    scene.until(true, Self::contains_one, ValueRef::Null, depth.saturating_sub(1))
                });
                ValueRef::Null
            }
            4 => return Some((ValueRef::Text(self.code.text()), ValueRef::Text(self.code.text()))),
            5 => ValueRef::Number(self.code.signed() as f64),
            _ => {
                self.code.fail();
                return None;
            }
        };
        Some((value, value))
    }

    fn signal(&mut self, signal: SignalId, key: &str) -> Option<ValueRef<'a>> {
        let document = self.document?;
        taken(document.signal(signal, key), document, self.outlook)
    }

    fn pass_over<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) {
        let document = self.document.take();
        walk(self);
        self.document = document;
    }

    /// The next tag; at depth 0 nothing may follow, and the tag that nothing has says so.
    fn tag(&mut self, depth: usize) -> u8 {
        if depth == 0 { u8::MAX } else { self.code.byte() }
    }
}

/// Whether an item, given in both its cases, is a value or one of its elements.
fn is_among((item, other): (ValueRef<'_>, ValueRef<'_>), value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::List(_) => value.entries().any(|(_, element)| equal(element, item, other)),
        single => equal(single, item, other),
    }
}

/// One or the other (Kleene).
const fn either(one: Truth, other: Truth) -> Truth {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// The kind's place in [`super::Kind`].
const fn kind_of(value: ValueRef<'_>) -> u8 {
    match value {
        ValueRef::Null => 0,
        ValueRef::Bool(_) => 1,
        ValueRef::Number(_) => 2,
        ValueRef::Text(_) | ValueRef::Instant(_) => 3,
        ValueRef::List(_) => 4,
        ValueRef::Object(_) => 5,
    }
}

/// The value at a path, signals included: null where it is missing, nothing where it cannot be known.
pub fn value_at<'a>(
    document: &'a dyn Document,
    path: PathRef<'_>,
    outlook: &mut Outlook,
) -> Option<ValueRef<'a>> {
    if path.root != Root::Signals {
        return Some(document.value(path));
    }
    let (name, key) = cut(path.rest, b'.');
    taken(document.signal_named(name, key.unwrap_or_default()), document, outlook)
}

/// The value of a reading, null where it is missing, nothing where it cannot be known; the outlook hears when time
/// alone changes it.
pub fn taken<'a>(
    reading: Reading<'a>,
    document: &'a dyn Document,
    outlook: &mut Outlook,
) -> Option<ValueRef<'a>> {
    match reading {
        Reading::Value(value, until) => {
            if let Some(at) = until {
                outlook.note_after(document.now(), at);
            }
            Some(value)
        }
        Reading::Missing => Some(ValueRef::Null),
        Reading::Truncated => None,
    }
}
