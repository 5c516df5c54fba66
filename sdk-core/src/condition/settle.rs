//! Numbers that stay: what a packed form has in common with the one before it is written under the same numbers, so that
//! a delta between the two is small.

use super::{Form, Packer};
use crate::id::SignalId;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

/// The text under numbers that are nobody's. Who writes it gets a number for it that was nobody's before.
pub const NO_TEXT: &str = "\0";
/// The id under numbers that are nobody's.
pub const NO_ID: SignalId = SignalId(0);

/// What has a number, and how many numbers there are.
#[derive(Debug)]
pub struct Numbers<T> {
    known: BTreeMap<T, usize>,
    count: usize,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), count: 0 }
    }
}

impl<T: Ord> Numbers<T> {
    /// Numbers things from 0 on; nothing stands under a number that is nobody's.
    pub fn of(things: impl Iterator<Item = Option<T>>) -> Self {
        let (mut known, mut count) = (BTreeMap::new(), 0);
        for thing in things {
            known.extend(thing.map(|thing| (thing, count)));
            count += 1;
        }
        Self { known, count }
    }

    /// Numbers for things without repeats: those that are known keep theirs.
    pub fn settle<'k, K: Ord + ?Sized + 'k>(&self, things: impl Iterator<Item = &'k K>) -> Settled
    where
        T: core::borrow::Borrow<K>,
    {
        settle(things.map(|thing| self.known.get(thing).copied()).collect(), self.count)
    }
}

/// The numbers that things have been given, below a count.
#[derive(Debug, PartialEq, Eq)]
pub struct Settled {
    /// The number of each thing.
    pub numbers: Vec<usize>,
    /// How many numbers there are.
    pub count: usize,
}

impl Settled {
    /// The numbers that are nobody's.
    pub fn gaps(&self) -> Vec<usize> {
        let taken: BTreeSet<usize> = self.numbers.iter().copied().collect();
        (0..self.count).filter(|number| !taken.contains(number)).collect()
    }

    /// Things by their numbers, and `nothing` under those that are nobody's.
    fn in_order<T: Copy>(&self, things: &[T], nothing: T) -> Vec<T> {
        let mut ordered = vec![nothing; self.count];
        for (number, thing) in self.numbers.iter().zip(things) {
            if let Some(place) = ordered.get_mut(*number) {
                *place = *thing;
            }
        }
        ordered
    }
}

/// Packs twice: the second time with the texts and ids of the form before under the numbers that they have there.
pub fn pack_like(before: &Form, pack: &dyn Fn(Packer) -> Vec<u8>) -> Vec<u8> {
    let fresh = pack(Packer::new());
    let Ok(form) = Form::open(&fresh) else { return fresh };
    let known = Numbers::of(before.texts().map(|text| Some(text).filter(|text| *text != NO_TEXT)));
    let texts: Vec<&str> = form.texts().filter(|text| *text != NO_TEXT).collect();
    let mut texts = known.settle(texts.iter().copied()).in_order(&texts, NO_TEXT);
    if form.texts().any(|text| text == NO_TEXT) {
        // Its number is the last. Where that stood for something before, whatever names it would look as it did.
        let is_new = texts.len() + 1 != before.text_count();
        texts.extend(if is_new { &[NO_TEXT][..] } else { &[NO_TEXT; 2] });
    }
    let known = Numbers::of(before.ids().map(|id| Some(id).filter(|id| *id != NO_ID)));
    let ids: Vec<SignalId> = form.ids().filter(|id| *id != NO_ID).collect();
    let ids = known.settle(ids.iter()).in_order(&ids, NO_ID);
    pack(Packer::with_tables(&texts, &ids))
}

/// One gap is kept for so many numbers.
const GAPS_PART: usize = 4;

/// Numbers for so many things: each has the one it asks for, and the others take those from `next` on in their order. Where
/// some have gone there are gaps, which nobody takes: whoever has the earlier table can be sure that a number stands for
/// what it stood for, or for nothing. Once too many have gathered, all are closed.
fn settle(asked: Vec<Option<usize>>, next: usize) -> Settled {
    let mut free = next..;
    let number = |asked: &Option<usize>| asked.or_else(|| free.next()).unwrap_or_default();
    let numbers: Vec<usize> = asked.iter().map(number).collect();
    let count = free.start;
    if count - numbers.len() <= numbers.len() / GAPS_PART {
        Settled { numbers, count }
    } else {
        settle_close(asked)
    }
}

/// The same without gaps: whoever asks for a number above how many there are takes what is free, too.
fn settle_close(asked: Vec<Option<usize>>) -> Settled {
    let count = asked.len();
    let taken: BTreeSet<usize> = asked.iter().flatten().copied().filter(|number| *number < count).collect();
    let mut free = (0..count).filter(|number| !taken.contains(number));
    let number = |asked: Option<usize>| asked.filter(|number| *number < count).or_else(|| free.next());
    Settled { numbers: asked.into_iter().map(number).map(Option::unwrap_or_default).collect(), count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_number_keeps_it_and_what_is_new_takes_none_that_was_somebodys() {
        let asked = |known: &[usize]| known.iter().copied().map(Some).chain([None]).collect::<Vec<_>>();
        let mut kept: Vec<usize> = (0..15).filter(|number| *number != 3).collect();
        let settled = settle(asked(&kept), 16);
        assert_eq!((settled.numbers.last(), settled.count, settled.gaps()), (Some(&16), 17, vec![3, 15]));
        assert_eq!(settled.numbers.get(..14), Some(&kept[..]));
        kept.retain(|number| ![5, 7, 9, 11].contains(number));
        let close = settle(asked(&kept), 16);
        assert_eq!(
            (close.numbers.last(), close.count, close.gaps()),
            (Some(&9), 11, vec![]),
            "too many gaps"
        );
    }

    #[test]
    fn a_text_that_stands_for_none_has_a_number_that_was_nobodys_where_it_is_written() {
        let pack = |texts: [&'static str; 3]| {
            move |mut packer: Packer| {
                texts.iter().for_each(|text| packer.text(text));
                packer.finish()
            }
        };
        let before = Form::open(&pack(["a", "b", "c"])(Packer::new())).unwrap();
        let after = Form::open(&pack_like(&before, &pack(["a", "b", NO_TEXT]))).unwrap();
        let mut code = after.at(0);
        assert_eq!([(); 3].map(|()| code.number()), [0, 1, 3]);
        assert!(code.is_whole());
    }
}
