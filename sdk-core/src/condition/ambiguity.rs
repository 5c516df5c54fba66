//! How many ways a pattern leaves a backtracking engine to read one text: one, a power of its length, or exponentially many.
//!
//! The pattern becomes its position automaton (Glushkov, "The abstract theory of automata", 1961), in which every edge
//! knows whether it comes about in more ways than one. Two ways around a loop over one text make exponentially many;
//! two loops behind each other that share a text make one power more (Weber and Seidl, "On the degree of ambiguity of
//! finite automata", 1991; Weideman et al., "Analyzing matching time behavior of backtracking regular expression
//! matchers by using ambiguity of NFA", 2016).

use super::syntax::{Letters, Node};
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

/// Most positions of a pattern, repetition written out.
pub(super) const MAX_POSITIONS: usize = 256;
/// Most parts that are built, so that repeated emptiness ends.
const MAX_PARTS: usize = 16_384;
/// Most steps of one analysis; a pattern that needs more is refused.
const MAX_STEPS: usize = 2_000_000;

/// A part that has been built: in how many ways it is empty (2 for more), where it begins and where it ends.
#[derive(Clone, Default)]
struct Part {
    empty: u8,
    first: Vec<(usize, u8)>,
    last: Vec<(usize, u8)>,
}

/// The positions of a pattern, what follows each in how many ways, and which may be the last.
#[derive(Default)]
pub(super) struct Automaton {
    letters: Vec<Letters>,
    follow: Vec<Vec<(usize, u8)>>,
    last: BTreeSet<usize>,
    parts: usize,
}

impl Automaton {
    /// Builds it; nothing where it becomes too large.
    pub fn build(node: &Node) -> Option<Self> {
        let mut automaton = Self::default();
        let whole = automaton.part(node)?;
        automaton.last = whole.last.into_iter().map(|(position, _)| position).collect();
        Some(automaton)
    }

    fn part(&mut self, node: &Node) -> Option<Part> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return None;
        }
        Some(match node {
            Node::Start | Node::Nothing => Part { empty: 1, ..Part::default() },
            Node::One(letters) => {
                let position = self.letters.len();
                if position == MAX_POSITIONS {
                    return None;
                }
                self.letters.push(*letters);
                self.follow.push(Vec::new());
                Part { empty: 0, first: vec![(position, 1)], last: vec![(position, 1)] }
            }
            Node::Sequence(nodes) => {
                let mut whole = Part { empty: 1, ..Part::default() };
                for node in nodes {
                    let next = self.part(node)?;
                    whole = self.join(whole, next);
                }
                whole
            }
            Node::Either(nodes) => {
                let mut whole = Part::default();
                for node in nodes {
                    let part = self.part(node)?;
                    whole.empty = (whole.empty + part.empty).min(2);
                    whole.first.extend(part.first);
                    whole.last.extend(part.last);
                }
                whole
            }
            Node::Repeat(inner, least, most) => self.repeat(inner, *least, *most)?,
        })
    }

    fn repeat(&mut self, inner: &Node, least: u32, most: Option<u32>) -> Option<Part> {
        let mut whole = Part { empty: 1, ..Part::default() };
        // What may follow as often as it likes: a loop, or one optional part inside the other.
        match most {
            None => {
                let part = self.part(inner)?;
                self.connect(&part.last, &part.first);
                whole = Part { empty: if least > 0 { part.empty } else { 1 }, ..part };
            }
            Some(most) => {
                for _ in least..most {
                    let part = self.part(inner)?;
                    whole = self.join(part, whole);
                    whole.empty = 1;
                }
            }
        }
        let copies = if most.is_none() { least.saturating_sub(1) } else { least };
        for _ in 0..copies {
            let part = self.part(inner)?;
            whole = self.join(part, whole);
        }
        Some(whole)
    }

    fn join(&mut self, one: Part, next: Part) -> Part {
        self.connect(&one.last, &next.first);
        let through = |ways: u8, list: Vec<(usize, u8)>| {
            list.into_iter()
                .filter(move |_| ways > 0)
                .map(move |(place, count)| (place, (count * ways).min(2)))
        };
        let (mut first, mut last) = (one.first, next.last);
        first.extend(through(one.empty, next.first));
        last.extend(through(next.empty, one.last));
        Part { empty: (one.empty * next.empty).min(2), first, last }
    }

    fn connect(&mut self, from: &[(usize, u8)], to: &[(usize, u8)]) {
        for (one, ways) in from {
            let Some(follow) = self.follow.get_mut(*one) else { continue };
            for (next, more) in to {
                let count = (ways * more).min(2);
                match follow.iter_mut().find(|(known, _)| known == next) {
                    Some((_, known)) => *known = (*known + count).min(2),
                    None => follow.push((*next, count)),
                }
            }
        }
    }

    /// The power of a text's length that bounds the time to read it from one place on; nothing where no power does.
    ///
    /// A loop all of whose positions may be the last ends nothing but a match that is found already, unless something
    /// is asserted behind it.
    pub fn degree(&self, asserts: bool) -> Option<usize> {
        let mut steps = 0;
        let reach = self.reach();
        let together = |one: usize, other: usize| has(&reach, one, other) && has(&reach, other, one);
        let mut loops: Vec<Vec<usize>> = Vec::new();
        for position in (0..self.letters.len()).filter(|position| together(*position, *position)) {
            match loops.iter_mut().find(|known| known.iter().all(|other| together(position, *other))) {
                Some(known) => known.push(position),
                None => loops.push(vec![position]),
            }
        }
        for turn in &loops {
            if self.is_exponential(turn, &mut steps)? {
                return None;
            }
        }
        loops.retain(|turn| asserts || !turn.iter().all(|position| self.last.contains(position)));
        let count = loops.len();
        let mut shares = vec![vec![false; count]; count];
        for (one, first) in loops.iter().enumerate() {
            for (other, second) in loops.iter().enumerate().filter(|(other, _)| *other != one) {
                let is_before = first.iter().zip(second.first()).any(|(from, to)| has(&reach, *from, *to));
                if is_before && self.share(first, second, &mut steps)? {
                    *shares.get_mut(one)?.get_mut(other)? = true;
                }
            }
        }
        // The longest chain of loops that share a text with the next.
        let mut longest = vec![1; count];
        for _ in 0..count {
            for (one, row) in shares.iter().enumerate() {
                for (other, _) in row.iter().enumerate().filter(|(_, shares)| **shares) {
                    let behind = longest.get(other)? + 1;
                    let chain = longest.get_mut(one)?;
                    *chain = (*chain).max(behind);
                }
            }
        }
        Some(longest.into_iter().max().unwrap_or(0))
    }

    /// Which positions can follow which, after any number of steps.
    fn reach(&self) -> Vec<BTreeSet<usize>> {
        let from = |start: usize| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
            while let Some(position) = open.pop() {
                for (next, _) in self.after(position) {
                    if seen.insert(*next) {
                        open.push(*next);
                    }
                }
            }
            seen
        };
        (0..self.letters.len()).map(from).collect()
    }

    fn after(&self, position: usize) -> &[(usize, u8)] {
        self.follow.get(position).map_or(&[], Vec::as_slice)
    }

    fn meet(&self, positions: &[usize]) -> bool {
        let mut letters = positions.iter().filter_map(|position| self.letters.get(*position));
        let Some(first) = letters.next() else { return false };
        !letters.fold(*first, |common, other| common.common(*other)).is_empty()
    }

    /// Whether there are two ways around a loop over one text.
    fn is_exponential(&self, turn: &[usize], steps: &mut usize) -> Option<bool> {
        let inside: BTreeSet<usize> = turn.iter().copied().collect();
        let next = |position: usize| self.after(position).iter().filter(|(next, _)| inside.contains(next));
        if turn.iter().any(|position| next(*position).any(|(_, ways)| *ways > 1)) {
            return Some(true);
        }
        let mut edges: Vec<((usize, usize), (usize, usize))> = Vec::new();
        let mut seen: BTreeSet<(usize, usize)> = turn.iter().map(|position| (*position, *position)).collect();
        let mut open: Vec<(usize, usize)> = seen.iter().copied().collect();
        while let Some((one, other)) = open.pop() {
            for (one_next, _) in next(one) {
                for (other_next, _) in next(other) {
                    spend(steps)?;
                    if !self.meet(&[*one_next, *other_next]) {
                        continue;
                    }
                    let pair = (*one_next, *other_next);
                    edges.push(((one, other), pair));
                    if seen.insert(pair) {
                        open.push(pair);
                    }
                }
            }
        }
        // Back from where both ways are at one place again.
        let mut back: BTreeSet<(usize, usize)> = turn.iter().map(|position| (*position, *position)).collect();
        loop {
            let before = back.len();
            for (from, to) in &edges {
                spend(steps)?;
                if back.contains(to) {
                    back.insert(*from);
                }
            }
            if back.len() == before {
                return Some(back.iter().any(|(one, other)| one != other));
            }
        }
    }

    /// Whether a text leads around a first loop, from it to a second, and around that.
    fn share(&self, first: &[usize], second: &[usize], steps: &mut usize) -> Option<bool> {
        for one in first {
            for other in second {
                let (mut seen, mut open) = (BTreeSet::new(), vec![[*one, *one, *other]]);
                while let Some([a, b, c]) = open.pop() {
                    for (a, _) in self.after(a).iter().filter(|(next, _)| first.contains(next)) {
                        for (b, _) in self.after(b) {
                            for (c, _) in self.after(c).iter().filter(|(next, _)| second.contains(next)) {
                                spend(steps)?;
                                let next = [*a, *b, *c];
                                if next == [*one, *other, *other] && self.meet(&next) {
                                    return Some(true);
                                }
                                if self.meet(&next) && seen.insert(next) {
                                    open.push(next);
                                }
                            }
                        }
                    }
                }
            }
        }
        Some(false)
    }
}

fn has(reach: &[BTreeSet<usize>], from: usize, to: usize) -> bool {
    reach.get(from).is_some_and(|seen| seen.contains(&to))
}

fn spend(steps: &mut usize) -> Option<()> {
    *steps += 1;
    (*steps <= MAX_STEPS).then_some(())
}
