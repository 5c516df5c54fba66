//! Many short lists of small numbers, one behind the other.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::{Range, RangeInclusive};

/// Takes a list's number and an item of it.
pub type See<'a> = dyn FnMut(u32, u32) + 'a;

/// A list for each number below a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// Where each list begins, and one more for the end.
    first: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// So many lists, from pairs of a list's number and an item, which stay in their order.
    pub fn new(count: usize, pairs: &[(u32, u32)]) -> Self {
        Self::of(count, &|see| pairs.iter().for_each(|(list, item)| see(*list, *item)))
    }

    /// So many lists, from pairs of a list's number and an item that are shown twice, both times in one order, so that
    /// there is no need to keep them.
    pub fn of(count: usize, each: &dyn Fn(&mut See<'_>)) -> Self {
        let mut first = vec![0_u32; count + 1];
        each(&mut |list, _| {
            if let Some(next) = first.get_mut(list as usize + 1) {
                *next += 1;
            }
        });
        let mut sum = 0;
        for next in &mut first {
            sum += *next;
            *next = sum;
        }
        let (mut at, mut items) = (first.clone(), vec![0; sum as usize]);
        each(&mut |list, item| {
            if let Some(at) = at.get_mut(list as usize)
                && let Some(place) = items.get_mut(*at as usize)
            {
                (*place, *at) = (item, *at + 1);
            }
        });
        Self { first, items }
    }

    /// Where each list begins, and one more for the end.
    pub fn starts(&self) -> &[u32] {
        &self.first
    }

    /// The items of all lists.
    pub fn items(&self) -> &[u32] {
        &self.items
    }

    /// The list of a number.
    #[inline(never)]
    pub fn get(&self, list: usize) -> &[u32] {
        self.items.get(self.range(list)).unwrap_or_default()
    }

    /// The items of the lists of these numbers, one list behind the other.
    pub fn span(&self, lists: Range<usize>) -> &[u32] {
        let bounds = self.first.get(lists.start).zip(self.first.get(lists.end));
        bounds.and_then(|(from, to)| self.items.get(*from as usize..*to as usize)).unwrap_or_default()
    }

    /// Adds an item to a list behind all others, which [`Self::end`] ends.
    pub fn add(&mut self, item: u32) {
        self.items.push(item);
    }

    /// Adds a list behind all others, with the items added since the last one.
    pub fn end(&mut self) {
        if self.first.is_empty() {
            self.first.push(0);
        }
        self.first.push(self.items.len() as u32);
    }

    /// Adds empty lists until there are so many.
    pub fn grow(&mut self, count: usize) {
        while self.first.len() <= count {
            self.end();
        }
    }

    /// Adds an empty list before the one of a number.
    pub fn insert_list(&mut self, list: usize) {
        if let Some(start) = self.first.get(list) {
            self.first.insert(list, *start);
        }
    }

    /// Takes a list out.
    pub fn remove_list(&mut self, list: usize) {
        let range = self.range(list);
        if list + 1 < self.first.len() {
            self.first.remove(list + 1);
            self.shift(list, -(range.len() as i32));
            self.items.drain(range);
        }
    }

    /// Adds an item to a list, at a place of it or at its end.
    pub fn insert(&mut self, list: usize, place: Option<usize>, item: u32) {
        let range = self.range(list);
        if list + 1 < self.first.len() {
            let at = place.map_or(range.end, |place| (range.start + place).min(range.end));
            self.items.insert(at, item);
            self.shift(list, 1);
        }
    }

    /// Takes an item out of a list; its place there, if it was in.
    pub fn remove(&mut self, list: usize, item: u32) -> Option<usize> {
        let place = self.get(list).iter().position(|known| *known == item)?;
        self.items.remove(self.range(list).start + place);
        self.shift(list, -1);
        Some(place)
    }

    /// Replaces the items of a range, and takes those out that become nothing.
    pub fn replace(&mut self, range: RangeInclusive<u32>, by: impl Fn(u32) -> Option<u32>) {
        let (from, length) = (*range.start(), range.end() - range.start());
        let mut gone = Vec::new();
        for (place, item) in self.items.iter_mut().enumerate() {
            if item.wrapping_sub(from) <= length {
                match by(*item) {
                    Some(next) => *item = next,
                    None => gone.push(place as u32),
                }
            }
        }
        self.remove_places(&gone);
    }

    /// Takes the items at some places out, which are in order.
    fn remove_places(&mut self, gone: &[u32]) {
        let Some(first) = gone.first() else { return };
        let mut to = *first as usize;
        for (at, place) in gone.iter().enumerate() {
            let next = gone.get(at + 1).map_or(self.items.len(), |next| *next as usize);
            let kept = *place as usize + 1..next;
            to += kept.len();
            self.items.copy_within(kept.clone(), to - kept.len());
        }
        self.items.truncate(to);
        let mut before = 0;
        for start in &mut self.first {
            while gone.get(before).is_some_and(|place| place < start) {
                before += 1;
            }
            *start -= before as u32;
        }
    }

    /// So many lists, of which runs are those that stand here from a number on.
    pub fn rearranged(&self, count: usize, runs: impl Iterator<Item = (Range<usize>, usize)>) -> Self {
        let mut lists =
            Self { first: Vec::with_capacity(count + 1), items: Vec::with_capacity(self.items.len()) };
        lists.first.push(0);
        for (now, then) in runs {
            lists.grow(now.start);
            let Some(starts) = self.first.get(then..=then + now.len()) else { continue };
            let (Some(from), Some(to)) = (starts.first(), starts.last()) else { continue };
            let by = (lists.items.len() as u32).wrapping_sub(*from);
            lists.items.extend(self.items.get(*from as usize..*to as usize).unwrap_or_default());
            lists.first.extend(starts.iter().skip(1).map(|start| start.wrapping_add(by)));
        }
        lists.grow(count);
        lists
    }

    /// Moves the ends of a list and of all behind it.
    fn shift(&mut self, list: usize, by: i32) {
        for start in self.first.iter_mut().skip(list + 1) {
            *start = start.wrapping_add_signed(by);
        }
    }

    /// Where the list of a number stands among the items.
    #[inline]
    pub fn range(&self, list: usize) -> Range<usize> {
        let bounds = self.first.get(list).zip(self.first.get(list.wrapping_add(1)));
        bounds.map_or(0..0, |(from, to)| *from as usize..*to as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_in_the_order_in_which_they_were_named() {
        let lists = Lists::new(3, &[(2, 7), (0, 1), (2, 5), (9, 9)]);
        assert_eq!([lists.get(0), lists.get(1), lists.get(2), lists.get(3)], [&[1][..], &[], &[7, 5], &[]]);
    }

    #[test]
    fn lists_that_are_changed_are_those_made_of_what_is_left() {
        let mut lists = Lists::new(4, &[(0, 1), (0, 2), (2, 3), (3, 4), (3, 5)]);
        lists.insert(1, None, 9);
        lists.insert(3, Some(1), 7);
        assert_eq!((lists.remove(0, 2), lists.remove(0, 2), lists.remove(3, 5)), (Some(1), None, Some(2)));
        lists.add(6);
        lists.end();
        assert_eq!(lists, Lists::new(5, &[(0, 1), (1, 9), (2, 3), (3, 4), (3, 7), (4, 6)]));
        lists.replace(2..=9, |item| (item != 9 && item != 6).then_some(item * 2));
        assert_eq!(lists, Lists::new(5, &[(0, 1), (2, 6), (3, 8), (3, 14)]));
        lists.replace(0..=9, |item| (item > 1).then_some(item));
        assert_eq!(
            lists.rearranged(6, [(1..3, 2), (4..5, 2)].into_iter()),
            Lists::new(6, &[(1, 6), (2, 8), (2, 14), (4, 6)])
        );
        lists.replace(0..=99, |item| Some(item + 1));
        lists.insert(0, None, 2);
        lists.remove_list(2);
        lists.insert_list(0);
        assert_eq!(lists, Lists::new(5, &[(1, 2), (3, 9), (3, 15)]));
        lists.remove_list(9);
        lists.insert(9, None, 1);
        assert_eq!(lists.items(), [2, 9, 15]);
    }
}
