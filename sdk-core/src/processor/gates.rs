//! The event rules of a bundle, each behind what its condition cannot hold without: numbers and texts that are compared
//! with values which the event and its signals are asked for once.

use crate::bundle::Bundle;
use crate::condition::{
    ANY, Condition, Document, Literal, Outlook, Path, PathRef, Reading, Root, Test, decode_condition,
    evaluate, plain_text,
};
use crate::id::SignalId;
use crate::rules::{Match, RuleTable, admit};
use crate::value::{Value, ValueRef, cut};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// The event rules of a bundle by the event type at which they are judged.
#[derive(Debug, Default)]
pub(super) struct Gates {
    by_type: BTreeMap<Box<str>, Gate>,
}

/// The rules that are judged at events of a type.
#[derive(Debug, Default)]
struct Gate {
    /// What the bars look at, each once.
    subjects: Vec<Subject>,
    bars: Vec<Bar>,
    /// In order of index.
    rules: Vec<Barred>,
    looks_beyond: bool,
}

/// A value that several rules ask for.
#[derive(Clone, Debug, PartialEq)]
enum Subject {
    /// What stands at a path of the event.
    Field(Box<str>),
    /// The value of a signal under a key.
    Signal(SignalId, Key),
}

#[derive(Clone, Debug, PartialEq)]
enum Key {
    Text(Box<str>),
    /// The value of the subject with this number.
    Subject(usize),
}

/// A rule, and its part of all bars.
#[derive(Debug)]
struct Barred {
    rule: usize,
    bars: Range<usize>,
    /// Whether its condition is made of its bars and nothing else.
    is_whole: bool,
}

/// What must hold of the value of the subject with this number.
#[derive(Debug)]
struct Bar {
    subject: usize,
    test: Bound,
}

/// A comparison whose outcome is plain where both sides are numbers, or both texts.
#[derive(Clone, Debug)]
enum Bound {
    Above(f64),
    AtLeast(f64),
    Below(f64),
    AtMost(f64),
    Number(f64),
    Text(Box<str>),
}

impl Gates {
    pub fn new(bundle: &Bundle) -> Self {
        let gate = |event_type: &str| (Box::from(event_type), Gate::new(bundle, event_type));
        let types = bundle.rules.event_types();
        Self { by_type: types.map(gate).filter(|(_, gate)| !gate.rules.is_empty()).collect() }
    }

    /// Whether no rule is judged at events of a type.
    pub fn is_open(&self, event_type: &str) -> bool {
        self.gate(event_type).is_none()
    }

    /// Whether a rule of the type may read something else than what bars are made of, as of the context.
    pub fn look_beyond(&self, event_type: &str) -> bool {
        self.gate(event_type).is_some_and(|gate| gate.looks_beyond)
    }

    /// What [`crate::rules::judge`] gives at an event of a type.
    pub fn judge(&self, rules: &RuleTable, document: &dyn Document, event_type: &str) -> Vec<Match> {
        self.gate(event_type).map(|gate| gate.judge(rules, document)).unwrap_or_default()
    }

    fn gate(&self, event_type: &str) -> Option<&Gate> {
        self.by_type.get(event_type).or_else(|| self.by_type.get(ANY))
    }
}

impl Gate {
    fn new(bundle: &Bundle, event_type: &str) -> Self {
        let mut gate = Self::default();
        bundle.rules.each_for_type(event_type, &mut |rule| {
            let from = gate.bars.len();
            let is_whole = gate.bar(bundle, &decode_condition(&mut { rule.when }));
            // What stands in the event is cheaper to ask for than what has to be added up.
            let subjects = &gate.subjects;
            if let Some(bars) = gate.bars.get_mut(from..) {
                bars.sort_by_key(|bar| matches!(subjects.get(bar.subject), Some(Subject::Signal(..))));
            }
            let is_of_event = |key: Option<PathRef<'_>>| key.is_none_or(|key| key.root == Root::Event);
            gate.looks_beyond |= !is_whole || !is_of_event(rule.head().key);
            gate.rules.push(Barred { rule: rule.index, bars: from..gate.bars.len(), is_whole });
        });
        gate
    }

    /// Adds the bars that a condition sets; says whether it is made of nothing else.
    fn bar(&mut self, bundle: &Bundle, condition: &Condition) -> bool {
        match condition {
            Condition::All(parts) => {
                // Every part sets its bars, whatever the others do.
                parts.iter().filter(|part| !self.bar(bundle, part)).count() == 0
            }
            Condition::Path { path: Path { root: Root::Event, rest }, test } => {
                self.bounds(&Subject::Field(rest.clone()), test)
            }
            Condition::Path { path: Path { root: Root::Signals, rest }, test } => {
                let (name, key) = cut(rest, b'.');
                let Some(signal) = bundle.signals.by_name(name) else { return false };
                let key = Key::Text(Box::from(key.unwrap_or_default()));
                self.bounds(&Subject::Signal(signal.id, key), test)
            }
            Condition::Signal { signal, key, test } => {
                let key = match key {
                    None => Key::Text(Box::default()),
                    Some(Literal::Value(Value::String(text))) => Key::Text(text.clone()),
                    Some(Literal::Path(Path { root: Root::Event, rest })) => {
                        Key::Subject(self.number(&Subject::Field(rest.clone())))
                    }
                    Some(_) => return false,
                };
                self.bounds(&Subject::Signal(*signal, key), test)
            }
            _ => false,
        }
    }

    fn bounds(&mut self, subject: &Subject, test: &Test) -> bool {
        if let Test::All(tests) = test {
            // Of an unknown value an empty list of tests is unknown.
            let others = tests.iter().filter(|test| !self.bounds(subject, test)).count();
            return others == 0 && !tests.is_empty();
        }
        let Some(test) = Bound::of(test) else { return false };
        let subject = self.number(subject);
        self.bars.push(Bar { subject, test });
        true
    }

    /// The number of a subject, which is its own from now on.
    fn number(&mut self, subject: &Subject) -> usize {
        let known = self.subjects.iter().position(|known| known == subject);
        known.unwrap_or_else(|| {
            self.subjects.push(subject.clone());
            self.subjects.len() - 1
        })
    }

    fn judge(&self, rules: &RuleTable, document: &dyn Document) -> Vec<Match> {
        let (mut asked, mut matches) = (vec![None; self.subjects.len()], Vec::new());
        for Barred { rule, bars, is_whole } in &self.rules {
            let bars = self.bars.get(bars.clone()).unwrap_or_default();
            let mut holds = Some(true);
            for Bar { subject, test } in bars {
                match self.ask(*subject, document, &mut asked).and_then(|value| test.is_met(value)) {
                    Some(true) => {}
                    Some(false) => {
                        holds = Some(false);
                        break;
                    }
                    None => holds = None,
                }
            }
            if holds == Some(false) {
                continue;
            }
            let Some(rule) = rules.get(*rule).filter(|rule| rule.is_granted(document)) else { continue };
            let is_known = *is_whole && holds.is_some();
            if is_known || evaluate(rule.when, document, &mut Outlook::default()) {
                matches.extend(admit(&rule, document));
            }
        }
        matches
    }

    /// The value of a subject, asked for once; nothing where it cannot be known.
    fn ask<'a>(
        &self,
        subject: usize,
        document: &'a dyn Document,
        asked: &mut [Option<Option<ValueRef<'a>>>],
    ) -> Option<ValueRef<'a>> {
        if let Some(known) = asked.get(subject)? {
            return *known;
        }
        let field = |rest: &str| document.value(PathRef { root: Root::Event, rest });
        let found = match self.subjects.get(subject)? {
            Subject::Field(rest) => Some(field(rest)),
            Subject::Signal(signal, Key::Text(key)) => read(document, *signal, key),
            Subject::Signal(signal, Key::Subject(key)) => {
                let key = self.ask(*key, document, asked)?;
                plain_text(key, &mut [0; 40]).and_then(|key| read(document, *signal, key))
            }
        };
        if let Some(place) = asked.get_mut(subject) {
            *place = Some(found);
        }
        found
    }
}

fn read<'a>(document: &'a dyn Document, signal: SignalId, key: &str) -> Option<ValueRef<'a>> {
    match document.signal(signal, key) {
        Reading::Value(value, _) => Some(value),
        Reading::Missing | Reading::Truncated => None,
    }
}

impl Bound {
    fn of(test: &Test) -> Option<Self> {
        let number = |literal: &Literal| match literal {
            Literal::Value(Value::Number(number)) => Some(*number),
            _ => None,
        };
        match test {
            Test::Gt(literal) => number(literal).map(Self::Above),
            Test::Gte(literal) => number(literal).map(Self::AtLeast),
            Test::Lt(literal) => number(literal).map(Self::Below),
            Test::Lte(literal) => number(literal).map(Self::AtMost),
            Test::Is(Literal::Value(Value::String(text))) | Test::Eq(Literal::Value(Value::String(text))) => {
                Some(Self::Text(text.clone()))
            }
            Test::Is(literal) | Test::Eq(literal) => number(literal).map(Self::Number),
            _ => None,
        }
    }

    /// Whether a value meets it; nothing where that is no matter of two numbers or two texts, and the condition says.
    fn is_met(&self, value: ValueRef<'_>) -> Option<bool> {
        match (self, value) {
            (Self::Text(text), ValueRef::Text(value)) => Some(**text == *value),
            (Self::Above(bound), ValueRef::Number(value)) => Some(value > *bound),
            (Self::AtLeast(bound), ValueRef::Number(value)) => Some(value >= *bound),
            (Self::Below(bound), ValueRef::Number(value)) => Some(value < *bound),
            (Self::AtMost(bound), ValueRef::Number(value)) => Some(value <= *bound),
            (Self::Number(bound), ValueRef::Number(value)) => Some(value == *bound),
            _ => None,
        }
    }
}
