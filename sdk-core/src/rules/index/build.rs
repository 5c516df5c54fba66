//! From a bundle's rules to their index.

use super::gates::{Counters, seen};
use super::{Atom, Bound, Edge, Index, Kind, Subject, SubjectEntry};
use crate::condition::{Code, pass_condition, pass_literal};
use crate::limits::MAX_CONDITION_DEPTH;
use crate::profile::SignalTable;
use crate::rules::RuleTable;
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
    let mut index = Index::default();
    for place in rules.subjects() {
        let mut code = rules.form().at(*place);
        let signal = Subject::read(&mut code).signal(signals);
        let mut entry = SubjectEntry { place: *place, signal, ..SubjectEntry::default() };
        let mut slots = code.sized();
        while !slots.is_empty() {
            entry.slots.push(slots.number() as u32);
        }
        index.subjects.push(entry);
    }
    for place in rules.form().leaves() {
        index.add_leaf(*place, rules);
    }
    index.keys.finish();
    index.add_rules(rules);
    index
}

impl Index {
    /// Takes a leaf in: the numbers of what it reads, then its condition.
    fn add_leaf(&mut self, place: u32, rules: &RuleTable) {
        let atom = self.atoms.len();
        let mut code = rules.form().at(place);
        let mut reads = code.sized();
        let mut kind = Kind::Late;
        if !reads.is_empty() {
            let mut rest = reads;
            let subject = rest.number() as usize;
            if rest.is_empty() {
                kind = self.classify(subject, &mut code, atom);
            }
        }
        while kind == Kind::Late && !reads.is_empty() {
            if let Some(entry) = self.subjects.get_mut(reads.number() as usize) {
                entry.asked.push(atom as u32);
            }
        }
        self.atoms.push(Atom { place, kind });
    }

    /// What kind of leaf the code begins with; one that compares its subject with literals is entered under them.
    fn classify(&mut self, subject: usize, code: &mut Code<'_>, atom: usize) -> Kind {
        let Some(entry) = self.subjects.get_mut(subject) else { return Kind::Late };
        match code.byte() {
            SIGNAL => {
                code.id();
                if code.byte() == 1 {
                    pass_literal(code);
                }
            }
            _ => {
                code.path();
            }
        }
        let before = self.keys.len();
        match code.byte() {
            // A bare literal, `$eq`, `$ne`.
            test @ 2..=4 if self.keys.add(subject, code, atom) => {
                entry.keyed.push(atom as u32);
                Kind::Keyed { usual: test == 4 }
            }
            // `$in`, `$nin` of literals that stand one by one.
            test @ (5 | 6) if code.byte() == 3 => {
                let mut items = code.sized();
                while !items.is_empty() {
                    if !self.keys.add(subject, &mut items, atom) {
                        self.keys.shorten(before);
                        return Kind::Late;
                    }
                }
                entry.keyed.push(atom as u32);
                Kind::Keyed { usual: test == 6 }
            }
            // `$gt`, `$gte`, `$lt`, `$lte`.
            test @ 7..=10 if code.byte() == 1 => {
                let ValueRef::Number(at) = code.value(false) else { return Kind::Late };
                let bound = Bound { at, includes: test % 2 == 0, atom: atom as u32 };
                let bounds = if test < 9 { &mut entry.lower } else { &mut entry.upper };
                // An earlier bound must hold wherever this one does.
                let in_order = bounds.last().is_none_or(|last| {
                    (last.at != at && (last.at < at) == (test < 9))
                        || (last.at == at && last.includes >= bound.includes)
                });
                if in_order {
                    bounds.push(bound);
                    return Kind::Bound;
                }
                Kind::Late
            }
            _ => Kind::Late,
        }
    }

    fn add_rules(&mut self, rules: &RuleTable) {
        for slot in 0..rules.slot_count() {
            self.first_rule.push(self.order.len() as u32);
            let ranking = rules.slot(slot).into_iter().flat_map(|(_, ranking)| ranking);
            self.order.extend(ranking.map(|rule| rule.index as u32));
        }
        self.first_rule.push(self.order.len() as u32);
        self.gates.rules = self.order.len();
        self.gates.start = vec![Counters::default(); self.order.len()];
        let mut found = Vec::new();
        for place in 0..self.order.len() {
            match rules.get(self.rule(place)).filter(|rule| rule.is_level()) {
                Some(rule) => {
                    self.walk(&mut { rule.when }, Edge::new(place, false), MAX_CONDITION_DEPTH, &mut found)
                }
                // A rule that is judged at events holds by its latch alone.
                None => self.count(place, Some(false)),
            }
        }
        self.place_edges(&found);
        self.count_gates();
    }

    /// Adds the condition that the code begins with to the gate that `under` leads to.
    fn walk(&mut self, code: &mut Code<'_>, under: Edge, depth: usize, found: &mut Vec<(u32, Edge)>) {
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
                found.push((code.number() as u32, under));
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

    fn count(&mut self, gate: usize, truth: Option<bool>) {
        if let Some(counters) = self.gates.start.get_mut(gate) {
            counters.count(truth);
        }
    }

    /// Sorts the edges by leaf, and sets the late ones of each rule apart.
    fn place_edges(&mut self, found: &[(u32, Edge)]) {
        for (atom, edge) in found {
            // Whatever counts inside of a rule must be known before the rest of it is.
            if edge.to() >= self.gates.rules
                && let Some(atom) = self.atoms.get_mut(*atom as usize).filter(|atom| atom.kind == Kind::Late)
            {
                atom.kind = Kind::Asked;
            }
        }
        let by_atom = found.iter().map(|(atom, edge)| (*atom as usize, *edge));
        (self.first_edge, self.edges) = grouped(self.atoms.len(), by_atom);
        let late = found.iter().filter(|(atom, _)| self.kind(*atom as usize) == Some(Kind::Late));
        let late = late.map(|(atom, edge)| (edge.to(), Edge::new(*atom as usize, edge.is_negated())));
        (self.first_late, self.late) = grouped(self.gates.rules, late);
        for (atom, edge) in found {
            match self.kind(*atom as usize) {
                Some(Kind::Late) => {}
                Some(Kind::Keyed { usual }) => self.count(edge.to(), seen(Some(usual), *edge)),
                _ => self.count(edge.to(), seen(Some(false), *edge)),
            }
        }
    }

    /// Counts every inner gate in the one above; a gate stands behind the one it is part of.
    fn count_gates(&mut self) {
        for inner in (0..self.gates.parents.len()).rev() {
            let truth = self.gates.start.get(self.gates.rules + inner).map(|counters| counters.truth());
            if let (Some(truth), Some(edge)) = (truth, self.gates.parents.get(inner).copied()) {
                self.count(edge.to(), seen(truth, edge));
            }
        }
    }
}

/// Edges by group: where each group begins, with one more for the end, and the edges in order of group.
fn grouped(groups: usize, edges: impl Iterator<Item = (usize, Edge)> + Clone) -> (Vec<u32>, Vec<Edge>) {
    let mut first = vec![0_u32; groups + 1];
    for (group, _) in edges.clone() {
        if let Some(next) = first.get_mut(group + 1) {
            *next += 1;
        }
    }
    let mut sum = 0;
    for next in &mut first {
        sum += *next;
        *next = sum;
    }
    let (mut at, mut sorted) = (first.clone(), vec![Edge::new(0, false); sum as usize]);
    for (group, edge) in edges {
        if let Some(at) = at.get_mut(group)
            && let Some(place) = sorted.get_mut(*at as usize)
        {
            (*place, *at) = (edge, *at + 1);
        }
    }
    (first, sorted)
}
