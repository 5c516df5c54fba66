//! From the index of a bundle's rules to that of the rules that follow, by what differs.
//!
//! Numbers of subjects and leaves stay what they were, or are nobody's any more; rules change their places where others
//! come or go, and so do their gates.

use super::build::Compared;
use super::gates::{Counters, Gates, seen};
use super::keys::Keyed;
use super::{Edge, Index, Kind, Marks};
use crate::codec::is_same;
use crate::profile::SignalTable;
use crate::rules::{RuleTable, Succession};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// Stands for a place or gate that there is not.
const NONE: u32 = u32::MAX;
/// Of how many rules one may be new, and how many may be besides, so that following is less work than building.
const NEW_PART: usize = 8;
const FEW: usize = 16;
/// How many leaves and keys may come or go besides, since each moves all that stands behind it.
const FEW_KEYS: usize = 256;

/// Which rules stay, in the order in which they are.
struct Stays {
    /// Places that rules have now, and the place that the first of them had.
    runs: Vec<(Range<usize>, usize)>,
    /// How many places there are now.
    count: usize,
    /// Whether all that stay keep their places.
    in_place: bool,
}

impl Index {
    /// Brings the index of the rules `before` up to date with those that follow; whether that could be done. Where it
    /// could not, it is to be built anew.
    pub fn follow(
        &mut self,
        before: &RuleTable,
        after: &RuleTable,
        signals: &SignalTable,
        succession: &Succession,
    ) -> bool {
        let Some(stays) = self.stays(before, after, succession) else { return false };
        self.move_gates(&stays);
        let mut room = FEW_KEYS + (self.kinds.len() + self.keys.len()) / NEW_PART;
        if !self.drop_leaves(before, succession, &mut room) {
            return false;
        }
        self.move_rules(&stays, after, succession);
        if !succession.has_subjects() {
            self.add_subjects(after, signals);
        } else if !is_same(before.shown_bytes(), after.shown_bytes()) {
            self.add_shown(after);
        }
        if !self.add_leaves(after, succession, &mut room) {
            return false;
        }
        let (inner, mut found) = (self.gates.parents.len(), Vec::new());
        for place in stays.new_places() {
            self.add_rule(place, after, &mut found);
        }
        let is_sound = self.connect(&found, after);
        self.count_gates(inner);
        is_sound && self.keys.is_sound(after.form(), succession.is_any_gone())
    }

    /// Which rules stay; nothing where few do, or not in the same order.
    fn stays(&self, before: &RuleTable, after: &RuleTable, succession: &Succession) -> Option<Stays> {
        let (_, order) = after.order();
        let most = order.len() / NEW_PART + FEW;
        if !succession.is_known() {
            return None;
        }
        if succession.has_lists() && succession.other_rules().count() <= FEW {
            let mut new: Vec<usize> =
                succession.other_rules().filter_map(|rule| self.place_of(rule)).collect();
            new.sort_unstable();
            let (mut runs, mut next) = (Vec::new(), 0);
            for place in new.iter().chain([&order.len()]) {
                runs.push((next..*place, next));
                next = place + 1;
            }
            return Some(Stays { runs, count: order.len(), in_place: true });
        }
        let place_of = self.places_of_rules(before.len());
        let (mut runs, mut new) = (Vec::<(Range<usize>, usize)>::new(), 0);
        for (place, rule) in order.iter().enumerate() {
            let then = succession.rule_before(*rule as usize).and_then(|rule| place_of.get(rule));
            match (then.filter(|then| **then != NONE), runs.last_mut()) {
                (None, _) => new += 1,
                (Some(then), Some((now, first)))
                    if now.end == place && *first + now.len() == *then as usize =>
                {
                    now.end += 1;
                }
                (Some(then), last) => {
                    if last.is_some_and(|(now, first)| *first + now.len() > *then as usize) {
                        return None;
                    }
                    runs.push((place..place + 1, *then as usize));
                }
            }
        }
        (new <= most).then_some(Stays { runs, count: order.len(), in_place: false })
    }

    /// Moves the gates of rules that stay, makes room for those of new rules, and lets go of all others with the edges that
    /// lead there.
    fn move_gates(&mut self, stays: &Stays) {
        self.late = self.late.rearranged(stays.count, stays.runs.iter().cloned());
        if stays.in_place && self.gates.parents.is_empty() {
            let new: Vec<usize> = stays.new_places().collect();
            let (Some(first), Some(last)) = (new.first(), new.last()) else { return };
            for place in &new {
                if let Some(start) = self.gates.start.get_mut(*place) {
                    *start = Counters::default();
                }
            }
            return self
                .replace_edges(*first, *last, |edge| new.binary_search(&edge.to()).is_err().then_some(edge));
        }
        let was = core::mem::take(&mut self.gates);
        let mut now = vec![NONE; was.start.len()];
        let mut gates = Gates { rules: stays.count, ..Gates::default() };
        for (places, then) in &stays.runs {
            let then = *then..*then + places.len();
            gates.start.resize(places.start, Counters::default());
            gates.start.extend(was.start.get(then.clone()).unwrap_or_default());
            for (now, place) in now.get_mut(then).unwrap_or_default().iter_mut().zip(places.start as u32..) {
                *now = place;
            }
        }
        gates.start.resize(stays.count, Counters::default());
        for (inner, parent) in was.parents.iter().enumerate() {
            // A gate stands behind the one it is part of.
            let Some(above) = moved(&now, *parent) else { continue };
            if let Some(now) = now.get_mut(was.rules + inner) {
                *now = gates.start.len() as u32;
            }
            gates.parents.push(above);
            gates.start.push(was.start.get(was.rules + inner).copied().unwrap_or_default());
        }
        let is_other = |(gate, now): (usize, &u32)| gate as u32 != *now;
        if let Some(first) = now.iter().enumerate().position(is_other) {
            let last = now.iter().enumerate().rposition(is_other).unwrap_or(first);
            self.replace_edges(first, last, |edge| moved(&now, edge));
        }
        self.gates = gates;
    }

    /// Replaces all edges that lead to a range of gates.
    fn replace_edges(&mut self, first: usize, last: usize, by: impl Fn(Edge) -> Option<Edge>) {
        let (range, by) =
            (Edge::new(first, false).0..=Edge::new(last, true).0, |edge| Some(by(Edge(edge))?.0));
        self.edges.replace(range.clone(), by);
        self.keys.replace_edges(range.clone(), by);
        self.bounds.iter_mut().for_each(|bounds| bounds.edges.replace(range.clone(), by));
    }

    /// Lets go of leaves that are not what they were; whether nothing that stays is made of them, and there are few.
    fn drop_leaves(&mut self, before: &RuleTable, succession: &Succession, room: &mut usize) -> bool {
        for number in succession.other_leaves(self.kinds.len()) {
            let known = self.kind(number).zip(before.form().leaves().get(number));
            let Some((kind, place)) = known else { continue };
            if !self.edges.get(number).is_empty() {
                return false;
            }
            let atom = number as u32;
            let (literals, compared) = compared(*place, before);
            if !take_room(room, &literals) {
                return false;
            }
            match (kind, compared) {
                (Kind::Keyed { usual }, Some((subject, _))) => {
                    self.keyed.remove(subject as usize, atom);
                    for literal in literals {
                        self.keys.remove((subject, literal, Keyed::new(number, usual)), before.form());
                    }
                }
                (Kind::Bound, Some((subject, Compared::Bound(bound)))) => {
                    if let Some(bounds) = self.bounds.get_mut(bound.direction()) {
                        bounds.remove(subject, atom);
                    }
                }
                _ => {
                    let mut reads = before.form().at(*place).sized();
                    while !reads.is_empty() {
                        self.asked.remove(reads.number() as usize, atom);
                    }
                }
            }
        }
        true
    }

    /// Takes in what follows from the order of the rules, and moves what is known of those that stay.
    fn move_rules(&mut self, stays: &Stays, after: &RuleTable, succession: &Succession) {
        if succession.has_lists() {
            return;
        }
        self.add_order(after);
        let (plain, filled) = (core::mem::take(&mut self.plain), core::mem::take(&mut self.filled));
        self.plain = Marks::none(stays.count);
        for (places, then) in &stays.runs {
            for (place, then) in places.clone().zip(*then..) {
                self.plain.set(place, plain.has(then));
            }
        }
        self.filled = Marks::none(after.len());
        for rule in 0..after.len() {
            self.filled.set(rule, succession.rule_before(rule).is_some_and(|rule| filled.has(rule)));
        }
    }

    /// Takes in the leaves that are new; whether there are few.
    fn add_leaves(&mut self, after: &RuleTable, succession: &Succession, room: &mut usize) -> bool {
        let (subjects, leaves) = (self.subjects.len(), after.form().leaves());
        self.keyed.grow(subjects);
        self.asked.grow(subjects);
        self.bounds.iter_mut().for_each(|bounds| bounds.leaves.grow(subjects));
        self.edges.grow(leaves.len());
        let known = self.kinds.len();
        self.kinds.resize(leaves.len(), Kind::Late);
        for number in succession.other_leaves(known).chain(known..leaves.len()) {
            let Some(place) = leaves.get(number) else { continue };
            let (literals, compared) = compared(*place, after);
            if !take_room(room, &literals) {
                return false;
            }
            let kind = self.add_leaf(number, *place, &literals, compared, after);
            if let Some(known) = self.kinds.get_mut(number) {
                *known = kind;
            }
        }
        true
    }

    fn add_leaf(
        &mut self,
        number: usize,
        place: u32,
        literals: &[u32],
        compared: Option<(u32, Compared)>,
        after: &RuleTable,
    ) -> Kind {
        let atom = number as u32;
        match compared {
            Some((subject, Compared::Keys { usual })) => {
                self.keyed.insert(subject as usize, None, atom);
                for literal in literals {
                    self.keys.add((subject, *literal, Keyed::new(number, usual)), after.form());
                }
                return Kind::Keyed { usual };
            }
            Some((subject, Compared::Bound(bound))) => {
                let bounds = self.bounds.get_mut(bound.direction());
                if bounds.is_some_and(|bounds| bounds.add(subject, atom, bound)) {
                    return Kind::Bound;
                }
            }
            None => {}
        }
        let mut reads = after.form().at(place).sized();
        while !reads.is_empty() {
            self.asked.insert(reads.number() as usize, None, atom);
        }
        Kind::Late
    }

    /// Takes in edges of new rules; whether every leaf can be asked when it has to be.
    fn connect(&mut self, found: &[(u32, u32)], after: &RuleTable) -> bool {
        for (atom, edge) in found {
            let is_late = self.kind(*atom as usize) == Some(Kind::Late);
            if is_late && Edge(*edge).to() >= self.gates.rules {
                // What counts inside of a rule must be known before the rest of it is.
                if !self.edges.get(*atom as usize).is_empty() {
                    return false;
                }
                self.set_asked(*atom as usize);
            }
        }
        for (atom, edge) in found {
            self.connect_one(*atom, Edge(*edge), after);
        }
        true
    }

    fn connect_one(&mut self, atom: u32, edge: Edge, after: &RuleTable) {
        let known = self.kind(atom as usize).zip(after.form().leaves().get(atom as usize).copied());
        let Some((kind, place)) = known else { return };
        self.edges.insert(atom as usize, None, edge.0);
        let mut usual = false;
        match kind {
            Kind::Late => {
                return self.late.insert(edge.to(), None, Edge::new(atom as usize, edge.is_negated()).0);
            }
            Kind::Keyed { usual: is_usual } => {
                usual = is_usual;
                let (literals, compared) = compared(place, after);
                if let Some((subject, _)) = compared {
                    let leaf = Keyed::new(atom as usize, usual);
                    self.keys.connect_one(subject, &literals, leaf, edge, after.form());
                }
            }
            Kind::Bound => {
                if let (_, Some((subject, Compared::Bound(bound)))) = compared(place, after)
                    && let Some(bounds) = self.bounds.get_mut(bound.direction())
                {
                    bounds.connect_one(subject, atom, edge);
                }
            }
            Kind::Asked => {}
        }
        self.count(edge.to(), seen(Some(usual), edge));
    }
}

/// Takes the room of a leaf with its keys; whether there was as much.
fn take_room(room: &mut usize, literals: &[u32]) -> bool {
    let left = room.checked_sub(1 + literals.len());
    *room = left.unwrap_or_default();
    left.is_some()
}

impl Stays {
    /// The places of rules that were not there.
    fn new_places(&self) -> impl Iterator<Item = usize> {
        let ends = core::iter::once(0).chain(self.runs.iter().map(|(now, _)| now.end));
        let starts = self.runs.iter().map(|(now, _)| now.start).chain(core::iter::once(self.count));
        ends.zip(starts).flat_map(|(end, start)| end..start)
    }
}

/// An edge to where its gate is now.
fn moved(now: &[u32], edge: Edge) -> Option<Edge> {
    let to = now.get(edge.to()).copied().filter(|to| *to != NONE)?;
    Some(Edge::new(to as usize, edge.is_negated()))
}

/// With what the leaf at a place compares what it reads, and where each literal stands.
fn compared(place: u32, rules: &RuleTable) -> (Vec<u32>, Option<(u32, Compared)>) {
    let mut literals = Vec::new();
    let compared = Compared::read(place, rules, &mut |_, literal, _| literals.push(literal));
    (literals, compared)
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::*;
    use crate::bundle::author::{SourceFile, compile};
    use crate::bundle::{Bundle, Header, attach_signature, seal_envelope, settle_body};
    use alloc::format;
    use alloc::string::{String, ToString};

    const RULES: usize = 60;

    fn rule(number: usize, salt: usize) -> String {
        let (plan, bound) = ((number + salt) % 7, number * 5 + salt);
        format!(
            r#"{{"id":"r{number}","slot":"s{}","when":{{"traits.plan":"p{plan}","traits.list":{{"$in":["a{bound}","b{plan}"]}},
            "traits.age":{{"$gt":{bound}}},"traits.at":{{"$before":"-{bound}m"}},"$or":[{{"traits.x{salt}":1}},{{"traits.y":{bound}}}]}},
            "actions":[]}}"#,
            number % 9
        )
    }

    fn body(rules: &[String]) -> Vec<u8> {
        let text = format!("{{\"rules\":[{}]}}", rules.join(","));
        let compiled = compile(&[SourceFile { name: "rules.json".to_string(), text }]);
        assert_eq!(compiled.diagnostics, []);
        compiled.body
    }

    fn opened(body: &[u8]) -> Vec<u8> {
        attach_signature(
            seal_envelope(&Header { project: "p", revision: 1, ..Header::default() }, body),
            &[0; 64],
        )
    }

    /// How much there is of everything, to which rules every leaf belongs, and how each rule starts.
    fn measure(index: &Index) -> ([usize; 8], Vec<Vec<usize>>, Vec<Counters>) {
        let lists = [&index.keyed, &index.asked, &index.shown, &index.edges, &index.late];
        let [keyed, asked, shown, edges, late] = lists.map(|lists| lists.items().len());
        let bounds = index.bounds.each_ref().map(|bounds| bounds.at.len() + bounds.edges.items().len());
        let top = |edge: &u32| {
            let mut gate = Edge(*edge).to();
            while let Some(parent) = gate.checked_sub(index.gates.rules) {
                gate = index.gates.parents[parent].to();
            }
            gate
        };
        let rules = |atom: usize| {
            let mut rules: Vec<usize> = index.edges.get(atom).iter().map(top).collect();
            rules.sort_unstable();
            rules
        };
        (
            [keyed, asked, shown, edges, late, bounds[0], bounds[1], index.gates.parents.len()],
            (0..index.kinds.len()).map(rules).collect(),
            index.gates.start[..index.gates.rules].to_vec(),
        )
    }

    #[test]
    fn an_index_that_follows_holds_what_one_that_is_built_holds_and_nothing_else() {
        let mut rules: Vec<String> = (0..RULES).map(|number| rule(number, 0)).collect();
        let mut body_before = body(&rules);
        let mut before = Bundle::open(&opened(&body_before)).unwrap();
        let mut index = Index::new(&before.rules, &before.signals);
        for step in 1..20 {
            let at = step * 17 % rules.len();
            match step % 4 {
                0 => drop(rules.remove(at)),
                1 => rules.insert(at, rule(100 + step, step)),
                // The rules before it keep their places.
                _ => rules[at] = rule(200 + step, step % 3),
            }
            let body_after = settle_body(&body(&rules), &body_before).unwrap();
            let (after, succession) = Bundle::open_after(&opened(&body_after), &before).unwrap();
            let is_followed = index.follow(&before.rules, &after.rules, &after.signals, &succession);
            let built = Index::new(&after.rules, &after.signals);
            if !is_followed {
                index = built.clone();
            }
            assert!(is_followed || !succession.is_known(), "step {step}");
            assert_eq!(measure(&index), measure(&built), "step {step}");
            (before, body_before) = (after, body_after);
        }
    }

    #[test]
    fn rules_that_move_under_lists_that_are_written_alike_are_moved() {
        let rule =
            |id: &&str| format!(r#"{{"id":"{id}","slot":"s","when":{{"traits.plan":"{id}"}},"actions":[]}}"#);
        let bodies = [["a", "b", "c", "d"], ["b", "c", "d", "e"]].map(|ids| body(&ids.each_ref().map(rule)));
        let before = Bundle::open(&opened(&bodies[0])).unwrap();
        let body_after = settle_body(&bodies[1], &bodies[0]).unwrap();
        let (after, succession) = Bundle::open_after(&opened(&body_after), &before).unwrap();
        assert!(is_same(before.rules.list_bytes(), after.rules.list_bytes()) && succession.is_known());
        let mut index = Index::new(&before.rules, &before.signals);
        assert!(index.follow(&before.rules, &after.rules, &after.signals, &succession));
        assert_eq!(measure(&index), measure(&Index::new(&after.rules, &after.signals)));
    }

    #[test]
    fn an_index_is_built_anew_where_one_rule_brings_many_keys() {
        let listed = |count: usize| {
            let texts: Vec<String> = (0..count).map(|text| format!("\"t{text}\"")).collect();
            format!(
                r#"{{"id":"list","slot":"s","when":{{"traits.sku":{{"$in":[{}]}}}},"actions":[]}}"#,
                texts.join(",")
            )
        };
        let base = body(&[rule(1, 0)]);
        let before = Bundle::open(&opened(&base)).unwrap();
        for (count, is_followed) in [(50, true), (2 * FEW_KEYS, false)] {
            let with = settle_body(&body(&[rule(1, 0), listed(count)]), &base).unwrap();
            let (after, succession) = Bundle::open_after(&opened(&with), &before).unwrap();
            let mut index = Index::new(&before.rules, &before.signals);
            let found = index.follow(&before.rules, &after.rules, &after.signals, &succession);
            assert_eq!(found, is_followed, "{count} keys");
        }
    }
}
