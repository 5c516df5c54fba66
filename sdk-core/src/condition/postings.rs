//! Names in order, each with the indexes that belong to it: what looks at an event type, what competes for a slot.

use super::{Code, Form, Packer};
use alloc::vec::Vec;

/// The name that stands for every event type.
pub const ANY: &str = "*";

/// Where each list of a form stands, in order of name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Postings {
    places: Vec<u32>,
}

impl Postings {
    /// Appends lists, which are in order of name.
    pub fn pack(lists: &[(&str, Vec<usize>)], packer: &mut Packer) {
        packer.list(lists, |(name, indexes), packer| {
            packer.text(name);
            packer.group(indexes, |index, packer| packer.out.len(*index));
        });
    }

    /// Reads the lists that the code begins with and moves behind them.
    pub fn read(code: &mut Code<'_>) -> Self {
        let mut places = Vec::new();
        for _ in 0..code.count() {
            places.push(code.place());
            code.text();
            code.sized();
        }
        Self { places }
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A list by its number: its name and its indexes, to be read to the end.
    pub fn get<'a>(&self, number: usize, form: &'a Form) -> Option<(&'a str, Code<'a>)> {
        let mut code = form.at(*self.places.get(number)?);
        Some((code.text(), code.sized()))
    }

    /// Shows the indexes under a name or, where there is no list of that name, under [`ANY`].
    pub fn each(&self, name: &str, form: &Form, see: &mut dyn FnMut(usize)) {
        let Some(mut indexes) = self.find(name, form).or_else(|| self.find(ANY, form)) else { return };
        while !indexes.is_empty() {
            see(indexes.number() as usize);
        }
    }

    /// The indexes under a name, to be read to the end.
    pub fn find<'a>(&self, name: &str, form: &'a Form) -> Option<Code<'a>> {
        self.get(self.number(name, form)?, form).map(|(_, indexes)| indexes)
    }

    /// The number of the list under a name.
    pub fn number(&self, name: &str, form: &Form) -> Option<usize> {
        let number = self.places.partition_point(|place| form.at(*place).text() < name);
        self.get(number, form).filter(|(found, _)| *found == name).map(|_| number)
    }
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
        let indexes = |name: &str| {
            let mut found = postings.find(name, &form)?;
            let mut indexes = Vec::new();
            while !found.is_empty() {
                indexes.push(found.number());
            }
            Some(indexes)
        };
        assert_eq!(
            (indexes("a"), indexes("b"), indexes("c")),
            (Some(vec![3]), Some(vec![]), Some(vec![1, 200]))
        );
        assert_eq!((indexes(""), indexes("bb"), indexes("d")), (None, None, None));
        assert_eq!((postings.len(), postings.get(1, &form).map(|(name, _)| name)), (3, Some("b")));
    }
}
