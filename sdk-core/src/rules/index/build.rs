//! From a bundle's rules to their index.

use super::gates::{Counters, seen};
use super::keys::{KeyEntries, Keyed, read_literal};
use super::{Atom, Bound, Bounds, Edge, Index, Kind, Lists, Marks, Subject, SubjectEntry};
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
    let subjects = rules.subjects().len();
    for place in rules.subjects() {
        let mut code = rules.form().at(*place);
        let subject = Subject::read(&mut code);
        if matches!(subject, Subject::Anything) {
            builder.index.anything.push(builder.index.subjects.len());
        }
        let signal = subject.signal(signals);
        builder.index.subjects.push(SubjectEntry { place: *place, signal });
    }
    // The order of the table is that of the bounds; the numbers may be those of an earlier bundle.
    let mut leaves: Vec<(u32, u32)> = rules.form().leaves().iter().copied().zip(0..).collect();
    leaves.sort_unstable();
    builder.index.atoms = vec![Atom { place: 0, kind: Kind::Late }; leaves.len()];
    for (place, atom) in leaves {
        builder.add_leaf(place, atom, rules);
    }
    let Builder { mut index, keys, keyed, bounds, asked, .. } = builder;
    let [keyed, asked, shown] = [keyed, asked, rules.shown()].map(|pairs| Lists::new(subjects, &pairs));
    let bounds = bounds.map(|mut found| Bounds::new(subjects, &mut found));
    let (keys, grouped) = (keys.index(rules.form()), rules.grouped_slots());
    index = Index { keys, keyed, bounds, asked, shown, grouped, ..index };
    index.add_rules(rules);
    index.keys.connect(&index.edges);
    index.bounds.iter_mut().for_each(|bounds| bounds.connect(&index.edges));
    index
}

/// An index in the making, with pairs of subject and leaf.
#[derive(Default)]
struct Builder {
    index: Index,
    keys: KeyEntries,
    keyed: Vec<(u32, u32)>,
    /// Leaves with their subjects, for each direction.
    bounds: [Vec<(u32, u32, Bound)>; 2],
    asked: Vec<(u32, u32)>,
}

impl Builder {
    /// Takes a leaf in: the numbers of what it reads, then its condition.
    fn add_leaf(&mut self, place: u32, atom: u32, rules: &RuleTable) {
        let mut code = rules.form().at(place);
        let mut reads = code.sized();
        let mut kind = Kind::Late;
        if !reads.is_empty() {
            let mut rest = reads;
            let subject = rest.number() as u32;
            if rest.is_empty() {
                kind = self.classify(subject, &mut code, atom);
                match kind {
                    Kind::Keyed { .. } => self.keyed.push((subject, atom)),
                    Kind::Asked | Kind::Late => self.asked.push((subject, atom)),
                    Kind::Bound => {}
                }
            } else {
                while !reads.is_empty() {
                    self.asked.push((reads.number() as u32, atom));
                }
            }
        }
        if let Some(known) = self.index.atoms.get_mut(atom as usize) {
            *known = Atom { place, kind };
        }
    }

    /// What kind of leaf the code begins with; one that compares its subject with literals is entered under them.
    fn classify(&mut self, subject: u32, code: &mut Code<'_>, atom: u32) -> Kind {
        if code.byte() == SIGNAL {
            code.id();
            if code.byte() == 1 {
                pass_literal(code);
            }
        } else {
            code.path();
        }
        let test = code.byte();
        match test {
            // A bare literal, `$eq`, `$ne`.
            2..=4 => {
                let usual = test == 4;
                if self.keys.add(subject, code, Keyed::new(atom as usize, usual)) {
                    return Kind::Keyed { usual };
                }
            }
            // `$in`, `$nin` of literals that stand one by one.
            5 | 6 if code.byte() == 3 => {
                let (usual, before, mut items) = (test == 6, self.keys.len(), code.sized());
                while !items.is_empty() {
                    if !self.keys.add(subject, &mut items, Keyed::new(atom as usize, usual)) {
                        self.keys.shorten(before);
                        return Kind::Late;
                    }
                }
                return Kind::Keyed { usual };
            }
            // `$gt`, `$gte`, `$lt`, `$lte`.
            7..=10 => {
                if let ValueRef::Number(at) = read_literal(code) {
                    let bound = Bound { at, includes: test.is_multiple_of(2), is_lower: test < 9 };
                    return self.add_bound(subject, bound, atom);
                }
            }
            _ => {}
        }
        Kind::Late
    }

    fn add_bound(&mut self, subject: u32, bound: Bound, atom: u32) -> Kind {
        let Some(found) = self.bounds.get_mut(usize::from(!bound.is_lower)) else { return Kind::Late };
        // An earlier bound must hold wherever this one does.
        let is_next = |(known, _, last): &(u32, u32, Bound)| {
            *known != subject
                || (last.holds(bound.at) && last.includes >= (bound.includes && last.at == bound.at))
        };
        if !found.last().is_none_or(is_next) {
            return Kind::Late;
        }
        found.push((subject, atom, bound));
        Kind::Bound
    }
}

impl Index {
    fn add_rules(&mut self, rules: &RuleTable) {
        let count = (0..rules.slot_count()).filter_map(|slot| rules.slot(slot));
        let count = count.map(|(_, ranking)| ranking.count()).sum();
        self.first_rule.reserve_exact(rules.slot_count() + 1);
        self.order.reserve_exact(count);
        self.slots.reserve_exact(count);
        for slot in 0..rules.slot_count() {
            self.first_rule.push(self.order.len() as u32);
            let ranking = rules.slot(slot).into_iter().flat_map(|(_, ranking)| ranking);
            self.order.extend(ranking.map(|rule| rule.index as u32));
            self.slots.resize(self.order.len(), slot as u32);
        }
        self.first_rule.push(self.order.len() as u32);
        self.gates.rules = self.order.len();
        self.gates.start = vec![Counters::default(); self.order.len()];
        let mut found = Vec::with_capacity(2 * self.order.len());
        self.plain = Marks::none(self.order.len());
        self.filled = Marks::none(rules.len());
        for place in 0..self.order.len() {
            let rule = rules.get(self.rule(place));
            if let Some(rule) = &rule {
                let is_usual = rule.terms().purpose() == Purpose::default();
                self.plain.set(place, rule.is_plain() && is_usual);
                self.filled.set(rule.index, rule.has_places());
            }
            match rule.filter(|rule| rule.is_level()) {
                Some(rule) => {
                    self.walk(&mut { rule.when }, Edge::new(place, false), MAX_CONDITION_DEPTH, &mut found)
                }
                // A rule that is judged at events holds by its latch alone.
                None => self.count(place, Some(false)),
            }
        }
        self.place_edges(&found);
        self.count_gates();
        self.place_ranked_rules(rules);
    }

    /// Notes where the rules stand that exclusion groups rank; hostile rules rank some that no slot has.
    fn place_ranked_rules(&mut self, rules: &RuleTable) {
        let mut places = vec![u32::MAX; rules.len()];
        for (place, rule) in self.order.iter().enumerate() {
            if let Some(known) = places.get_mut(*rule as usize) {
                *known = place as u32;
            }
        }
        let place = |rule: RuleRef<'_>| places.get(rule.index).copied().unwrap_or(u32::MAX);
        self.ranked = rules.ranked().map(place).collect();
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

    fn count(&mut self, gate: usize, truth: Option<bool>) {
        if let Some(counters) = self.gates.start.get_mut(gate) {
            counters.count(truth);
        }
    }

    /// Sorts the edges by leaf, and sets the late ones of each rule apart.
    fn place_edges(&mut self, found: &[(u32, u32)]) {
        for (atom, edge) in found {
            // Whatever counts inside of a rule must be known before the rest of it is.
            if Edge(*edge).to() >= self.gates.rules
                && let Some(atom) = self.atoms.get_mut(*atom as usize).filter(|atom| atom.kind == Kind::Late)
            {
                atom.kind = Kind::Asked;
            }
        }
        self.edges = Lists::new(self.atoms.len(), found);
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
