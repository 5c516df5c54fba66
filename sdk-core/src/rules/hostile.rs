//! Tests: bodies that name one thing many times are refused, or cost no more than the names that they may have.

use super::codec::encode_rule;
use super::leaves::pack_leaves;
use super::settle::Before;
use super::slot::slots_of;
use super::{Action, Decider, Mode, Rule, RuleTable, Terms, Touched};
use crate::codec::Writer;
use crate::condition::{
    ANY, Condition, Document, Literal, Outlook, Packer, Path, PathRef, Postings, Reading, Test, evaluate,
};
use crate::id::{ModelId, SessionId, SignalId};
use crate::limits::{MAX_NAMED_BYTES, PLACE_BYTES, QUESTION_BYTES};
use crate::profile::SignalTable;
use crate::time::Timestamp;
use crate::value::{Value, ValueRef};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

const MOST: usize = MAX_NAMED_BYTES as usize;

/// A visitor of whom everything is "1", and who counts what is read.
#[derive(Default)]
struct Counting {
    read: Cell<usize>,
}

impl Document for Counting {
    fn value(&self, _path: PathRef<'_>) -> ValueRef<'_> {
        self.read.set(self.read.get() + 1);
        ValueRef::Text("1")
    }

    fn signal(&self, _signal: SignalId, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn signal_named(&self, _name: &str, _key: &str) -> Reading<'_> {
        Reading::Missing
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }

    fn session(&self) -> Option<SessionId> {
        None
    }
}

fn rule(when: Condition, actions: Vec<Action>) -> Rule {
    Rule {
        id: Box::from("r"),
        slot: Some(Box::from("s")),
        priority: 0,
        specificity: 0,
        when,
        mode: Mode::Level,
        key: None,
        cap: None,
        terms: Terms::default(),
        actions,
        fire_on_publish: false,
        inactive: None,
    }
}

/// A table with one rule, whose condition is that a leaf holds, named so many times.
pub(super) fn naming(leaf: &Condition, times: usize) -> Vec<u8> {
    let rules = [rule(Condition::All(vec![leaf.clone()]), Vec::new())];
    let mut packer = Packer::new();
    pack_leaves(&rules, &slots_of(&rules), &Before::default(), &mut packer);
    packer.list(&["r"], |id, packer| {
        let id = packer.number(id);
        packer.difference(&mut 0, id);
    });
    encode_rule(&rule(Condition::All(Vec::new()), Vec::new()), &mut packer);
    // In place of no parts stand the names.
    let mut bytes = core::mem::take(&mut packer.out).into_bytes();
    assert_eq!(bytes.pop(), Some(0));
    packer.out = Writer::from(bytes);
    packer.sized(|packer| (0..times).for_each(|_| packer.out.raw(&[5, 0])));
    Postings::pack(&[(ANY, Vec::new())], &mut packer);
    Postings::pack(&[("s", vec![0])], &mut packer);
    packer.group(&[], |_: &usize, _| {});
    packer.finish()
}

/// A leaf that holds and reads so many things.
pub(super) fn reading(count: usize) -> Condition {
    let path = |number: usize| Path::parse(&format!("traits.t{number}")).unwrap();
    let others = (1..count).map(|number| Literal::Path(path(number))).collect();
    let none_of = Test::Not(Box::new(Test::Nin(Literal::List(others))));
    Condition::Path { path: path(0), test: none_of }
}

#[test]
fn a_leaf_that_is_named_too_often_is_refused_and_below_that_no_more_is_read() {
    let (reads, bytes) = (400, |times| naming(&reading(400), times));
    assert!(RuleTable::open(&bytes(MOST / (8 * reads))).is_err());
    let times = MOST / (40 * reads);
    let table = RuleTable::open(&bytes(times)).unwrap();
    let document = Counting::default();
    assert!(evaluate(table.get(0).unwrap().when, &document, &mut Outlook::default()));
    // The first of the others equals the value, so each name reads two.
    assert_eq!(document.read.get(), 2 * times);
}

#[test]
fn a_text_that_actions_name_too_often_is_refused() {
    let text = "x".repeat(1 << 20);
    let table = |times: usize| {
        let action = Action::Text { target: Box::from("h1"), value: Box::from(&*text) };
        RuleTable::open(&RuleTable::pack(&[rule(Condition::All(Vec::new()), vec![action; times])]))
    };
    let times = MOST / text.len();
    assert!(table(times).is_err(), "the targets are named as well");
    let written = table(times - 1).unwrap().get(0).unwrap().written_actions();
    assert_eq!(written.iter().count(), times - 1);
}

#[test]
fn places_count_by_what_may_stand_there() {
    let text = "{{traits.a}}".repeat(100);
    let table = |times: usize| {
        let action = Action::Text { target: Box::from("h1"), value: Box::from(&*text) };
        RuleTable::open(&RuleTable::pack(&[rule(Condition::All(Vec::new()), vec![action; times])])).is_ok()
    };
    let times = MOST / (100 * PLACE_BYTES + text.len() + "h1".len());
    assert!(table(times) && !table(times + 1));
}

#[test]
fn questions_to_models_and_to_all_keys_of_a_signal_are_counted() {
    let test = Test::Exists(true);
    for leaf in [
        Condition::Score { model: ModelId(1), test: test.clone() },
        Condition::Keys { signal: SignalId(1), over: crate::condition::Over::Any, test },
    ] {
        let is_taken = |times: usize| RuleTable::open(&naming(&leaf, times)).is_ok();
        assert!(is_taken(MOST / QUESTION_BYTES - 1_000) && !is_taken(MOST / QUESTION_BYTES));
    }
}

#[test]
fn a_leaf_is_asked_once_about_a_literal_that_it_names_many_times() {
    let ones = vec![Literal::Value(Value::Number(1.0)); 5_000];
    let path = Path::parse("traits.a").unwrap();
    let rules = [rule(Condition::Path { path, test: Test::In(Literal::List(ones)) }, Vec::new())];
    let table = RuleTable::open(&RuleTable::pack(&rules)).unwrap();
    let (mut decider, document) = (Decider::new(&table, &SignalTable::default(), &[]), Counting::default());
    decider.touch(Touched::All, &table);
    decider.decide(&table, &document, &[], &mut |_, _| {});
    assert!(document.read.get() < 10, "{}", document.read.get());
}
