//! From a bundle's rules to their index.

use super::gates::{Counters, seen};
use super::keys::{Key, KeyEntry, KeyIndex, Keyed};
use super::{Bound, Bounds, Edge, Index, Kind, Lists, Marks, Subject, SubjectEntry};
use crate::condition::{Code, Purpose, pass_condition, pass_literal};
use crate::limits::MAX_CONDITION_DEPTH;
use crate::profile::SignalTable;
use crate::rules::{RuleRef, RuleTable};
use crate::value::ValueRef;
use alloc::vec;
use alloc::vec::Vec;

/// Tag of a conjunction, as [`crate::condition::encode_condition`] writes it.
const ALL: u8 = 0;
const ANY: u8 = 1;
const NOT: u8 = 2;
const SIGNAL: u8 = 4;
const LEAF: u8 = 5;

pub(super) fn build(rules: &RuleTable, signals: &SignalTable) -> Index {
    let mut builder = Builder::default();
    builder.index.add_subjects(rules, signals);
    let count = rules.form().leaves().len();
    builder.index.kinds = vec![Kind::Late; count];
    // The order of the table is that of the bounds; the numbers may be those of an earlier bundle.
    rules.each_leaf(&mut |atom| builder.add_leaf(atom, rules));
    let Builder { mut index, keys, keyed, bounds, asked } = builder;
    let subjects = index.subjects.len();
    let [keyed, asked] = [keyed, asked].map(|pairs| Lists::new(subjects, &pairs));
    let bounds = bounds.map(|mut found| Bounds::new(subjects, &mut found));
    index = Index { keys: KeyIndex::new(&keys, rules.form()), keyed, bounds, asked, ..index };
    index.add_rules(rules);
    index.keys.connect(&index.edges);
    index.bounds.iter_mut().for_each(|bounds| bounds.connect(&index.edges));
    index
}

/// An index in the making, with pairs of subject and leaf.
#[derive(Default)]
struct Builder {
    index: Index,
    keys: Vec<KeyEntry>,
    keyed: Vec<(u32, u32)>,
    /// Leaves with their subjects, for each direction.
    bounds: [Vec<(u32, u32, Bound)>; 2],
    asked: Vec<(u32, u32)>,
}

impl Builder {
    fn add_leaf(&mut self, atom: u32, rules: &RuleTable) {
        let Some(place) = rules.form().leaves().get(atom as usize) else { return };
        let mut kind = Kind::Late;
        let (mut reads, before) = (rules.form().at(*place).sized(), self.keys.len());
        match Compared::read(*place, rules, &mut |subject, literal, usual| {
            self.keys.push((subject, literal, Keyed::new(atom as usize, usual)));
        }) {
            Some((subject, Compared::Keys { usual })) => {
                self.keyed.push((subject, atom));
                kind = Kind::Keyed { usual };
            }
            Some((subject, Compared::Bound(bound))) if self.add_bound(subject, bound, atom) => {
                kind = Kind::Bound;
            }
            _ => {
                self.keys.truncate(before);
                while !reads.is_empty() {
                    self.asked.push((reads.number() as u32, atom));
                }
            }
        }
        if let Some(known) = self.index.kinds.get_mut(atom as usize) {
            *known = kind;
        }
    }

    fn add_bound(&mut self, subject: u32, bound: Bound, atom: u32) -> bool {
        let Some(found) = self.bounds.get_mut(bound.direction()) else { return false };
        // An earlier bound must hold wherever this one does.
        let is_next =
            found.last().is_none_or(|(known, _, last)| *known != subject || last.holds_where(bound));
        if is_next {
            found.push((subject, atom, bound));
        }
        is_next
    }
}

/// With what a leaf compares the one subject it reads.
pub(super) enum Compared {
    /// With texts and numbers, which have been shown; what it is for all others.
    Keys { usual: bool },
    /// With a number, as a bound.
    Bound(Bound),
}

impl Compared {
    /// Reads the leaf at a place: the numbers of what it reads, then its condition. The places of keys are shown, also some of a leaf
    /// that turns out not to be decided by them.
    pub fn read(place: u32, rules: &RuleTable, see: &mut dyn FnMut(u32, u32, bool)) -> Option<(u32, Self)> {
        let mut code = rules.form().at(place);
        let mut reads = code.sized();
        if reads.is_empty() {
            return None;
        }
        let subject = reads.number() as u32;
        if !reads.is_empty() {
            return None;
        }
        if code.byte() == SIGNAL {
            code.id();
            if code.byte() == 1 {
                pass_literal(&mut code);
            }
        } else {
            code.path();
        }
        let test = code.byte();
        let compared = match test {
            // A bare literal, `$eq`, `$ne`.
            2..=4 => {
                let usual = test == 4;
                see(subject, code.place(), usual);
                Key::read(&mut code)?;
                Self::Keys { usual }
            }
            // `$in`, `$nin` of literals that stand one by one.
            5 | 6 if code.byte() == 3 => {
                let (usual, mut items) = (test == 6, code.sized());
                while !items.is_empty() {
                    see(subject, items.place(), usual);
                    Key::read(&mut items)?;
                }
                Self::Keys { usual }
            }
            // `$gt`, `$gte`, `$lt`, `$lte`.
            7..=10 => match Key::read(&mut code)?.value(rules.form()) {
                ValueRef::Number(at) => {
                    Self::Bound(Bound { at, includes: test.is_multiple_of(2), is_lower: test < 9 })
                }
                _ => return None,
            },
            _ => return None,
        };
        Some((subject, compared))
    }
}

impl Index {
    /// Takes in what is read, and what slots show.
    pub(super) fn add_subjects(&mut self, rules: &RuleTable, signals: &SignalTable) {
        self.subjects.clear();
        self.anything.clear();
        for place in rules.subjects() {
            let subject = Subject::read(&mut rules.form().at(*place));
            if matches!(subject, Subject::Anything) {
                self.anything.push(self.subjects.len());
            }
            let is_value = !matches!(subject, Subject::Keys(_) | Subject::Anything);
            self.subjects.push(SubjectEntry { place: *place, signal: subject.signal(signals), is_value });
        }
        self.add_shown(rules);
    }

    /// Takes in which slots show what is read, or are counted by it.
    pub(super) fn add_shown(&mut self, rules: &RuleTable) {
        self.shown = Lists::new(self.subjects.len(), &rules.shown());
    }

    fn add_rules(&mut self, rules: &RuleTable) {
        self.add_order(rules);
        let count = self.order.len();
        self.gates.rules = count;
        self.gates.start = vec![Counters::default(); count];
        let mut found = Vec::with_capacity(2 * count);
        self.plain = Marks::none(count);
        self.filled = Marks::none(rules.len());
        for place in 0..count {
            self.add_rule(place, rules, &mut found);
        }
        self.place_edges(&found);
        self.count_gates(0);
    }

    /// Takes in which rules each slot has, in order of rank, and which of them exclusion groups rank.
    pub(super) fn add_order(&mut self, rules: &RuleTable) {
        let (starts, order) = rules.order();
        (self.first_rule, self.order) = (starts.to_vec(), order.to_vec());
        self.slots.clear();
        self.slots.reserve_exact(self.order.len());
        for (slot, end) in starts.iter().skip(1).enumerate() {
            self.slots.resize(*end as usize, slot as u32);
        }
        (self.ranked, self.grouped) = (Vec::new(), Vec::new());
        if !rules.ranked_indexes().is_empty() {
            // Hostile rules rank some that no slot has.
            let places = self.places_of_rules(rules.len());
            let place = |rule: &u32| places.get(*rule as usize).copied().unwrap_or(u32::MAX);
            self.ranked = rules.ranked_indexes().iter().map(place).collect();
            let mut slots = Marks::none(rules.slot_count());
            self.ranked.iter().for_each(|place| slots.add(self.slot_of(*place as usize)));
            self.grouped = slots.numbers().collect();
        }
    }

    /// By index of a rule its place; none for those that no slot has.
    pub(super) fn places_of_rules(&self, rules: usize) -> Vec<u32> {
        let mut places = vec![u32::MAX; rules];
        for (place, rule) in self.order.iter().enumerate() {
            if let Some(known) = places.get_mut(*rule as usize) {
                *known = place as u32;
            }
        }
        places
    }

    /// Has a leaf asked whenever what it reads changes.
    pub(super) fn set_asked(&mut self, atom: usize) {
        if let Some(kind) = self.kinds.get_mut(atom) {
            *kind = Kind::Asked;
        }
    }

    /// Takes in the rule at a place, and notes the edges that lead to its parts.
    pub(super) fn add_rule(&mut self, place: usize, rules: &RuleTable, found: &mut Vec<(u32, u32)>) {
        let rule = rules.get(self.rule(place));
        if let Some(rule) = &rule {
            let is_usual = rule.terms().purpose() == Purpose::default();
            self.plain.set(place, rule.is_plain() && is_usual);
            self.filled.set(rule.index, rule.has_places());
        }
        match rule.filter(RuleRef::is_level) {
            Some(rule) => {
                self.walk(&mut { rule.when }, Edge::new(place, false), MAX_CONDITION_DEPTH, found);
            }
            // A rule that is judged at events holds by its latch alone.
            None => self.count(place, Some(false)),
        }
    }

    /// Adds the condition that the code begins with to the gate that `under` leads to.
    fn walk(&mut self, code: &mut Code<'_>, under: Edge, depth: usize, found: &mut Vec<(u32, u32)>) {
        let mut ahead = *code;
        let tag = ahead.byte();
        match tag {
            NOT if depth > 0 => {
                *code = ahead;
                self.walk(code, Edge::new(under.to(), !under.is_negated()), depth - 1, found);
            }
            ALL | ANY if depth > 0 => {
                *code = ahead;
                let mut parts = code.sized();
                // An alternative is the negation of the conjunction of its negated parts; an empty one holds.
                let is_any = tag == ANY && !parts.is_empty();
                let inner = match is_any == under.is_negated() {
                    true => under.to(),
                    false => self.add_gate(under, is_any),
                };
                while !parts.is_empty() {
                    self.walk(&mut parts, Edge::new(inner, is_any), depth - 1, found);
                }
            }
            LEAF => {
                *code = ahead;
                found.push((code.number() as u32, under.0));
            }
            // The compiler names every leaf by its number, so whoever wrote another one gets a rule that never holds.
            _ => {
                pass_condition(code);
                self.count(under.to(), Some(false));
            }
        }
    }

    /// A new gate as part of another, which sees it negated where an alternative is not, or a conjunction is.
    fn add_gate(&mut self, under: Edge, is_any: bool) -> usize {
        self.gates.parents.push(Edge::new(under.to(), under.is_negated() != is_any));
        self.gates.start.push(Counters::default());
        self.gates.start.len() - 1
    }

    pub(super) fn count(&mut self, gate: usize, truth: Option<bool>) {
        if let Some(counters) = self.gates.start.get_mut(gate) {
            counters.count(truth);
        }
    }

    /// Sorts the edges by leaf, and sets the late ones of each rule apart.
    fn place_edges(&mut self, found: &[(u32, u32)]) {
        for (atom, edge) in found {
            // Whatever counts inside of a rule must be known before the rest of it is.
            if Edge(*edge).to() >= self.gates.rules && self.kind(*atom as usize) == Some(Kind::Late) {
                self.set_asked(*atom as usize);
            }
        }
        self.edges = Lists::new(self.kinds.len(), found);
        let mut late = Vec::new();
        for (atom, edge) in found {
            let edge = Edge(*edge);
            let usual = match self.kind(*atom as usize) {
                Some(Kind::Late) => {
                    late.push((edge.to() as u32, Edge::new(*atom as usize, edge.is_negated()).0));
                    continue;
                }
                Some(Kind::Keyed { usual }) => usual,
                _ => false,
            };
            self.count(edge.to(), seen(Some(usual), edge));
        }
        self.late = Lists::new(self.gates.rules, &late);
    }

    /// Counts the inner gates from a number on, each in the one above; a gate stands behind the one it is part of.
    pub(super) fn count_gates(&mut self, from: usize) {
        for inner in (from..self.gates.parents.len()).rev() {
            let truth = self.gates.start.get(self.gates.rules + inner).map(|counters| counters.truth());
            if let (Some(truth), Some(edge)) = (truth, self.gates.parents.get(inner).copied()) {
                self.count(edge.to(), seen(truth, edge));
            }
        }
    }
}
