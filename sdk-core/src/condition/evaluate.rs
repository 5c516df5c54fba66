//! The evaluation of packed conditions in place: GrowthBook's semantics, with "unknown" as a third truth that no
//! negation turns true.
//!
//! One walk over the code serves three purposes. With a document it evaluates; without one it only passes over, which
//! skips the rest of what is decided already, and checks the code when a bundle is opened.

use super::calendar;
use super::coerce::{compare, instant, is, plain_text};
use super::{Code, Document, Outlook, PathRef, Reading, Root};
use crate::hash::bucket;
use crate::id::SignalId;
use crate::limits::MAX_CONDITION_DEPTH;
use crate::time::Timestamp;
use crate::value::{ValueRef, cut};
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
    Scene { code, document: Some(document), outlook }.condition(MAX_CONDITION_DEPTH)
}

/// Moves the code behind the condition it begins with. Code that is none, and nesting beyond [`MAX_CONDITION_DEPTH`],
/// make it unsound.
pub fn pass_condition(code: &mut Code<'_>) {
    let mut scene = Scene { code: *code, document: None, outlook: &mut Outlook::default() };
    scene.condition(MAX_CONDITION_DEPTH);
    *code = scene.code;
}

/// Moves the code behind the literal it begins with.
pub fn pass_literal(code: &mut Code<'_>) {
    let mut scene = Scene { code: *code, document: None, outlook: &mut Outlook::default() };
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
            4 => {
                let signal = self.code.id();
                match self.code.byte() {
                    0 => self.signal(signal, ""),
                    1 => {
                        let key = self.literal(inner);
                        key.and_then(|key| match plain_text(key, &mut [0; 40]) {
                            Some(key) => self.signal(signal, key),
                            None => Some(ValueRef::Null),
                        })
                    }
                    _ => {
                        self.code.fail();
                        None
                    }
                }
            }
            9 => return calendar::holds(&mut self.code, self.document, self.outlook),
            6 => {
                let model = self.code.model();
                self.document.and_then(|document| {
                    let reading = document.score(model, self.outlook);
                    taken(reading, document, self.outlook)
                })
            }
            _ => {
                self.code.fail();
                None
            }
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
            2 => is(value, self.literal(inner)?),
            3 => value == self.literal(inner)?,
            4 => value != self.literal(inner)?,
            5 => self.contains(value, inner)?,
            6 => !self.contains(value, inner)?,
            7..=10 => {
                let order = compare(value, self.literal(inner)?);
                order == Some(if tag < 9 { Ordering::Greater } else { Ordering::Less })
                    || (matches!(tag, 8 | 10) && order == Some(Ordering::Equal))
            }
            11 | 12 => value.is_null() != (tag == 12),
            13..=18 => return self.distance(value, tag),
            _ => {
                self.code.fail();
                return None;
            }
        })
    }

    /// Whether the unit falls into one of the ranges; one without a name falls into none.
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
        if !self.code.is_sound() {
            behind.fail();
        }
        self.code = behind;
    }

    /// Whether the value, or one of its elements, is in the list.
    fn contains(&mut self, value: ValueRef<'a>, depth: usize) -> Truth {
        let mut ahead = self.code;
        if ahead.byte() == 3 {
            self.code = ahead;
            return self.until(true, Self::contains_one, value, depth.saturating_sub(1));
        }
        let list = self.literal(depth)?;
        let is_list = matches!(list, ValueRef::List(_));
        Some(is_list && list.entries().any(|(_, item)| is_among(item, value)))
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

    fn literal(&mut self, depth: usize) -> Option<ValueRef<'a>> {
        match self.tag(depth) {
            0 => Some(ValueRef::Text(self.code.text())),
            1 => Some(self.code.value(self.document.is_none())),
            4 => Some(ValueRef::Number(self.code.signed() as f64)),
            2 => {
                let path = self.code.path();
                value_at(self.document?, path, self.outlook)
            }
            3 => {
                // A list with paths in it means something to `$in` and `$nin` alone.
                self.pass_over(|scene| {
                    scene.until(true, Self::contains_one, ValueRef::Null, depth.saturating_sub(1))
                });
                Some(ValueRef::Null)
            }
            _ => {
                self.code.fail();
                None
            }
        }
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

/// Whether an item is a value or one of its elements.
fn is_among(item: ValueRef<'_>, value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::List(_) => value.entries().any(|(_, element)| element == item),
        single => single == item,
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

#[cfg(test)]
mod tests {
    use super::super::{Calendar, Condition, Form, Literal, Moment, Packer, Path, Test, encode_condition};
    use super::*;
    use crate::id::{ModelId, SessionId};
    use crate::time::{Span, ZoneTable};
    use crate::value::Value;
    use alloc::boxed::Box;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// A document in which everything is a short list, and every signal a number that changes.
    struct Anything;

    impl Document for Anything {
        fn value(&self, _path: PathRef<'_>) -> ValueRef<'_> {
            ValueRef::List(&[2, 4, 1, b'a', 0])
        }

        fn signal(&self, _signal: SignalId, _key: &str) -> Reading<'_> {
            Reading::Value(ValueRef::Number(3.0), Some(Timestamp(9)))
        }

        fn signal_named(&self, _name: &str, _key: &str) -> Reading<'_> {
            Reading::Truncated
        }

        fn score(&self, _model: ModelId, outlook: &mut Outlook) -> Reading<'_> {
            outlook.note(Timestamp(7));
            Reading::Value(ValueRef::Number(0.25), None)
        }

        fn now(&self) -> Timestamp {
            Timestamp(1)
        }

        fn session(&self) -> Option<SessionId> {
            None
        }
    }

    /// A condition with every kind of part in it.
    fn everything() -> Condition {
        let path = |text: &str| Path::parse(text).unwrap();
        let value = |value: Value| Literal::Value(value);
        let tests = vec![
            Test::Is(value(Value::string("a"))),
            Test::Not(Box::new(Test::In(Literal::List(vec![
                Literal::Path(path("traits.a")),
                value(Value::Array(vec![Value::Number(1.0), Value::Null])),
            ])))),
            Test::Gte(Literal::Path(path("signals.b.c"))),
            Test::Exists(true),
            Test::Before(Moment::Relative(-5)),
            Test::After(Moment::Path(path("event.timestamp"))),
        ];
        let key = Some(value(Value::Number(2.0)));
        let zone = ZoneTable::new([1, b'z', 120, 20, 1, 30, 119].as_slice());
        let (starts, ends) = (Timestamp(-5), Span::NO_END);
        let span = Span { days: 3, from_minute: 300, minutes: 200, starts, ends, is_local: true };
        Condition::Any(vec![
            Condition::All(vec![Condition::Path { path: path("context.x"), test: Test::All(tests.clone()) }]),
            Condition::Calendar(Calendar { span: Span::default(), zone: None }),
            Condition::Not(Box::new(Condition::Calendar(Calendar { span, zone: Some(zone) }))),
            Condition::Score { model: ModelId(8), test: Test::Lt(value(Value::Number(0.5))) },
            Condition::Not(Box::new(Condition::Signal { signal: SignalId(7), key, test: Test::All(tests) })),
        ])
    }

    fn packed(condition: &Condition) -> Vec<u8> {
        let mut packer = Packer::new();
        encode_condition(condition, &mut packer);
        packer.finish()
    }

    fn ask(bytes: &[u8]) {
        let Ok(form) = Form::open(bytes) else { return };
        let mut outlook = Outlook::default();
        evaluate(form.at(0), &Anything, &mut outlook);
        pass_condition(&mut form.at(0));
    }

    proptest! {
        #[test]
        fn random_and_damaged_code_is_evaluated_to_an_end(
            random: Vec<u8>, at: prop::sample::Index, byte: u8, cut: prop::sample::Index,
        ) {
            ask(&random);
            ask(&[[0, 0].as_slice(), &random].concat());
            let mut bytes = packed(&everything());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            ask(&bytes);
            ask(&bytes[..cut.index(bytes.len())]);
        }

        #[test]
        fn code_that_passes_the_check_holds_as_its_tree_does(
            at: prop::sample::Index, byte: u8,
        ) {
            let mut bytes = packed(&everything());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let Ok(form) = Form::open(&bytes) else { return Ok(()) };
            let mut code = form.at(0);
            pass_condition(&mut code);
            if code.is_whole() {
                // What is sound is a tree, and the tree is the same code.
                let tree = super::super::decode_condition(&mut form.at(0));
                let again = Form::open(&packed(&tree)).unwrap();
                let holds = |form: &Form| evaluate(form.at(0), &Anything, &mut Outlook::default());
                prop_assert_eq!(holds(&form), holds(&again));
            }
        }
    }

    #[test]
    fn nesting_beyond_its_bound_is_unsound() {
        let nested = |depth: usize| {
            let leaf = Condition::Any(Vec::new());
            let condition = (1..depth).fold(leaf, |inner, _| Condition::Not(Box::new(inner)));
            let form = Form::open(&packed(&condition)).unwrap();
            let mut code = form.at(0);
            pass_condition(&mut code);
            code.is_whole()
        };
        assert!(nested(MAX_CONDITION_DEPTH));
        assert!(!nested(MAX_CONDITION_DEPTH + 1) && !nested(10_000));
    }
}
