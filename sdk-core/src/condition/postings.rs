//! Names in order, each with the indexes that belong to it: what looks at an event type, what competes for a slot.

use super::{Code, Form, Lists, Packer};
use alloc::vec::Vec;

/// The name that stands for every event type.
pub const ANY: &str = "*";

/// The lists of a form, in order of name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Postings {
    /// The number of each name among the form's texts.
    names: Vec<u32>,
    lists: Lists,
}

impl Postings {
    /// Appends lists, which are in order of name. Names and indexes are written as the difference to the one before:
    /// neighbours differ alike, which compresses well.
    pub fn pack(lists: &[(&str, Vec<usize>)], packer: &mut Packer) {
        let (mut name_before, mut index_before) = (0, 0);
        packer.list(lists, |(name, indexes), packer| {
            let name = packer.number(name);
            packer.difference(&mut name_before, name);
            packer.list(indexes, |index, packer| packer.difference(&mut index_before, *index));
        });
    }

    /// Reads the lists that the code begins with and moves behind them.
    pub fn read(code: &mut Code<'_>) -> Self {
        let (mut names, mut lists) = (Vec::new(), Lists::default());
        let (mut name, mut index) = (0, 0);
        for _ in 0..code.count() {
            names.push(code.difference(&mut name));
            for _ in 0..code.count() {
                lists.add(code.difference(&mut index));
            }
            lists.end();
        }
        Self { names, lists }
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The numbers of the names of all lists.
    pub fn names(&self) -> &[u32] {
        &self.names
    }

    /// Where each list begins among the indexes of all, and where the last one ends.
    pub fn starts(&self) -> &[u32] {
        self.lists.starts()
    }

    /// The indexes of all lists.
    pub fn items(&self) -> &[u32] {
        self.lists.items()
    }

    /// Whether every list names only things below a number, each once and in growing order.
    pub fn is_strict(&self, below: usize) -> bool {
        let is_strict = |list: &[u32]| {
            list.is_sorted_by(|one, next| one < next)
                && list.last().is_none_or(|last| (*last as usize) < below)
        };
        (0..self.len()).all(|list| is_strict(self.lists.get(list)))
    }

    /// A list by its number: its name and its indexes.
    pub fn get<'a>(&'a self, number: usize, form: &'a Form) -> Option<(&'a str, &'a [u32])> {
        let name = form.text(*self.names.get(number)? as usize)?;
        Some((name, self.lists.get(number)))
    }

    /// Shows the indexes under a name or, where there is no list of that name, under [`ANY`].
    pub fn each(&self, name: &str, form: &Form, see: &mut dyn FnMut(usize)) {
        let list = self.number(name, form).or_else(|| self.number(ANY, form));
        let indexes = list.map_or(&[][..], |list| self.lists.get(list));
        indexes.iter().for_each(|index| see(*index as usize));
    }

    /// The number of the list under a name.
    pub fn number(&self, name: &str, form: &Form) -> Option<usize> {
        place_of(&self.names, name, form)
    }

    /// The indexes under a name.
    pub fn find(&self, name: &str, form: &Form) -> Option<&[u32]> {
        self.number(name, form).map(|list| self.lists.get(list))
    }
}

/// Where a text stands among texts that are given by their numbers and in order.
pub fn place_of(names: &[u32], name: &str, form: &Form) -> Option<usize> {
    let text = |number: &u32| form.text(*number as usize);
    let place = names.partition_point(|number| text(number) < Some(name));
    names.get(place).filter(|number| text(number) == Some(name)).map(|_| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_list_is_found_by_its_name() {
        let mut packer = Packer::new();
        Postings::pack(&[("a", vec![3]), ("b", vec![]), ("c", vec![1, 200])], &mut packer);
        let form = Form::open(&packer.finish()).unwrap();
        let postings = Postings::read(&mut form.at(0));
        let indexes = |name: &str| postings.find(name, &form).map(Vec::from);
        assert_eq!(
            (indexes("a"), indexes("b"), indexes("c")),
            (Some(vec![3]), Some(vec![]), Some(vec![1, 200]))
        );
        assert_eq!((indexes(""), indexes("bb"), indexes("d")), (None, None, None));
        assert_eq!((postings.len(), postings.get(1, &form).map(|(name, _)| name)), (3, Some("b")));
    }
}
