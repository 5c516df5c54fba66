//! Many short lists of small numbers, one behind the other.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

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
}
