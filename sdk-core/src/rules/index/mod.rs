//! The index over the rules of slots: built once per bundle, it says what a changed value can change.
//!
//! A rule's condition is a tree of conjunctions over leaves (an alternative is the negation of a conjunction of
//! negations), each with counters of the parts that are false or unknown. A value that changes turns only the leaves it
//! decides: those under its old and new text or number, and the bounds between its old and new number. A leaf that turns
//! moves the counters above it. What remains, such as times relative to now, is asked when it alone decides its rule.

mod agenda;
mod build;
mod follow;
mod gates;
mod keys;
mod live;
mod marks;
mod subject;

use crate::condition::{Document, Lists, Outlook, Truth, truth};
use crate::id::SignalId;
use crate::profile::SignalTable;
use crate::rules::RuleTable;
use alloc::vec::Vec;
use core::ops::Range;
use gates::Gates;
use keys::KeyIndex;

pub use agenda::Agenda;
pub use live::Live;
pub use marks::Marks;
pub use subject::Subject;
pub(super) use subject::{ALL_KEYS, ANYTHING, ONE_KEY};

/// What follows from a bundle's rules and signals alone.
#[derive(Clone, Debug, Default)]
pub struct Index {
    subjects: Vec<SubjectEntry>,
    /// By subject: leaves that compare with texts and numbers.
    keyed: Lists,
    /// Leaves that hold from a number on, and those that hold up to one.
    bounds: [Bounds; 2],
    /// By subject: leaves that must be asked whatever the value.
    asked: Lists,
    /// By subject: slots that show it or are counted by it.
    shown: Lists,
    /// By leaf.
    kinds: Vec<Kind>,
    keys: KeyIndex,
    gates: Gates,
    /// By leaf: the edges to what it is part of.
    edges: Lists,
    /// The rules of all slots in order of slot, and of rank within each.
    order: Vec<u32>,
    /// The subjects that stand for whatever there is.
    anything: Vec<usize>,
    /// Rules by place that hold by state, for the purpose that is usual, without a key and without a cap.
    plain: Marks,
    /// Rules by index whose texts have places to be filled in.
    filled: Marks,
    /// The slots that exclusion groups concern.
    grouped: Vec<usize>,
    /// The places of the rules that exclusion groups rank, in order of rank.
    ranked: Vec<u32>,
    /// Of each slot the place of its first rule in `order`, and one more for the end.
    first_rule: Vec<u32>,
    /// By rule in `order`: its slot.
    slots: Vec<u32>,
    /// By rule in `order`: edges from its late leaves, which lead to the leaf here.
    late: Lists,
}

#[derive(Clone, Debug)]
struct SubjectEntry {
    /// Where it stands in the rules' code.
    place: u32,
    signal: Option<SignalId>,
    /// Whether it may have a value.
    is_value: bool,
}

/// How it becomes known whether a leaf holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Differs from `usual` only under its keys.
    Keyed {
        /// What it is for all other values.
        usual: bool,
    },
    /// Holds beyond a number.
    Bound,
    /// Asked whenever something it reads changes or its time has come.
    Asked,
    /// Asked only once the rest of its rule holds.
    Late,
}

/// Leaves that hold beyond a number, all in one direction.
#[derive(Clone, Debug, Default)]
struct Bounds {
    /// By subject: leaves, those first that hold whenever a later one does.
    leaves: Lists,
    /// What each leaf of all subjects compares with.
    at: Vec<Bound>,
    /// By leaf of all subjects: its edges.
    edges: Lists,
}

/// A number that a leaf compares with.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bound {
    at: f64,
    /// Whether it holds for the number itself.
    includes: bool,
    /// Whether it holds for greater numbers.
    is_lower: bool,
}

impl Bounds {
    /// From leaves with their subjects and bounds, those of a subject in order.
    fn new(subjects: usize, found: &mut [(u32, u32, Bound)]) -> Self {
        found.sort_by_key(|(subject, ..)| *subject);
        let pairs: Vec<(u32, u32)> = found.iter().map(|(subject, atom, _)| (*subject, *atom)).collect();
        let at = found.iter().map(|(.., bound)| *bound).collect();
        Self { leaves: Lists::new(subjects, &pairs), at, edges: Lists::default() }
    }

    /// Takes the edges of each leaf in.
    fn connect(&mut self, edges: &Lists) {
        self.edges = Lists::of(self.at.len(), &|see| {
            for (place, atom) in self.leaves.items().iter().enumerate() {
                edges.get(*atom as usize).iter().for_each(|edge| see(place as u32, *edge));
            }
        });
    }

    /// Where a leaf with a bound belongs among those of its subject, if an earlier bound holds wherever a later one does.
    fn place_for(&self, subject: usize, bound: Bound) -> Option<usize> {
        let known = self.at.get(self.leaves.range(subject)).unwrap_or_default();
        let place = known.partition_point(|earlier| earlier.holds_where(bound));
        known.get(place).is_none_or(|later| bound.holds_where(*later)).then_some(place)
    }

    /// Adds a leaf that as yet is part of nothing; whether it could be.
    fn add(&mut self, subject: u32, atom: u32, bound: Bound) -> bool {
        let subject = subject as usize;
        let Some(place) = self.place_for(subject, bound) else { return false };
        let at = self.leaves.range(subject).start + place;
        self.leaves.insert(subject, Some(place), atom);
        self.at.insert(at, bound);
        self.edges.insert_list(at);
        true
    }

    /// Takes a leaf out that is part of nothing any more.
    fn remove(&mut self, subject: u32, atom: u32) {
        let start = self.leaves.range(subject as usize).start;
        if let Some(place) = self.leaves.remove(subject as usize, atom) {
            self.at.remove(start + place);
            self.edges.remove_list(start + place);
        }
    }

    /// Takes an edge of a leaf in.
    fn connect_one(&mut self, subject: u32, atom: u32, edge: Edge) {
        let range = self.leaves.range(subject as usize);
        let place = self.leaves.get(subject as usize).iter().position(|known| *known == atom);
        if let Some(place) = place {
            self.edges.insert(range.start + place, None, edge.0);
        }
    }

    /// The edges of some of a subject's leaves, which are told by their places among these.
    fn edges(&self, subject: usize, places: Range<usize>) -> &[u32] {
        let first = self.leaves.range(subject).start;
        self.edges.span(first + places.start..first + places.end)
    }

    /// How many of a subject's leaves, which are the first ones, hold for a number.
    fn holding(&self, subject: usize, number: f64) -> usize {
        let bounds = self.at.get(self.leaves.range(subject)).unwrap_or_default();
        bounds.partition_point(|bound| bound.holds(number))
    }
}

impl Bound {
    /// Which of the lists of bounds it belongs to.
    const fn direction(self) -> usize {
        !self.is_lower as usize
    }

    /// Whether it holds wherever another of its direction does.
    fn holds_where(&self, other: Self) -> bool {
        self.holds(other.at) && self.includes >= (other.includes && self.at == other.at)
    }

    fn holds(&self, number: f64) -> bool {
        if number == self.at {
            self.includes
        } else {
            !number.is_nan() && (number > self.at) == self.is_lower
        }
    }
}

/// A leaf or gate as part of another gate, perhaps negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge(u32);

impl Edge {
    const fn new(to: usize, is_negated: bool) -> Self {
        Self((to as u32) << 1 | is_negated as u32)
    }

    const fn to(self) -> usize {
        (self.0 >> 1) as usize
    }

    const fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }
}

impl Index {
    /// Builds the index over a bundle's rules.
    pub fn new(rules: &RuleTable, signals: &SignalTable) -> Self {
        build::build(rules, signals)
    }

    /// How many subjects there are.
    pub fn subject_count(&self) -> usize {
        self.subjects.len()
    }

    /// The subject of a number.
    pub fn subject<'a>(&self, number: usize, rules: &'a RuleTable) -> Option<Subject<'a>> {
        let entry = self.subjects.get(number)?;
        Some(Subject::read(&mut rules.form().at(entry.place)))
    }

    /// Whether leaves compare a subject with keys or bounds.
    fn compares(&self, subject: usize) -> bool {
        let lists = [&self.keyed, &self.bounds[0].leaves, &self.bounds[1].leaves];
        lists.into_iter().any(|list| !list.get(subject).is_empty())
    }

    /// What a leaf is while nothing says otherwise.
    fn usual(&self, atom: usize) -> Truth {
        Some(matches!(self.kind(atom), Some(Kind::Keyed { usual: true })))
    }

    /// What a leaf is now.
    fn ask(&self, atom: usize, rules: &RuleTable, document: &dyn Document, outlook: &mut Outlook) -> Truth {
        let mut code = rules.form().at(*rules.form().leaves().get(atom)?);
        code.sized();
        truth(code, document, outlook)
    }

    fn kind(&self, atom: usize) -> Option<Kind> {
        self.kinds.get(atom).copied()
    }

    /// The places of a slot's rules in order of rank.
    pub fn places(&self, slot: usize) -> core::ops::Range<usize> {
        let first = |slot: usize| self.first_rule.get(slot).map_or(0, |first| *first as usize);
        // Hostile rules name slots that are not there.
        first(slot)..first(slot.saturating_add(1))
    }

    /// The slot that the rule at a place belongs to.
    pub fn slot_of(&self, place: usize) -> usize {
        self.slots.get(place).map_or(usize::MAX, |slot| *slot as usize)
    }

    /// The index of the rule at a place.
    pub fn rule(&self, place: usize) -> usize {
        self.order.get(place).map_or(usize::MAX, |rule| *rule as usize)
    }

    /// Whether the rule at a place holds by state, for the purpose that is usual, without a key and without a cap.
    pub fn is_plain(&self, place: usize) -> bool {
        self.plain.has(place)
    }

    /// Whether texts of the rule of an index have places to be filled in.
    pub fn is_filled(&self, rule: usize) -> bool {
        self.filled.has(rule)
    }

    /// The place of the rule that has a place in the ranking of exclusion groups.
    pub fn place_ranked(&self, ranked: usize) -> Option<usize> {
        self.ranked.get(ranked).map(|place| *place as usize)
    }

    /// The place of a rule of a slot, by its index.
    pub fn place_of(&self, rule: usize) -> Option<usize> {
        self.order.iter().position(|index| *index as usize == rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_is_not_there_has_no_places() {
        let index = Index { first_rule: alloc::vec![0, 2, 3], ..Index::default() };
        assert_eq!([0, 1, 9, usize::MAX].map(|slot| index.places(slot).len()), [2, 1, 0, 0]);
    }
}
