//! The numbers that an earlier table of rules has given.

use super::RuleTable;
use super::index::Subject;
use crate::condition::{Numbers, PathRef, Reads, Settled, decode_condition, leaf_key};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The numbers of what an earlier table's rules read, and of their leaves.
#[derive(Debug, Default)]
pub(super) struct Before {
    leaves: Numbers<Vec<u8>>,
    subjects: Numbers<Reads>,
}

impl Before {
    /// The numbers of a table.
    pub fn new(table: &RuleTable) -> Self {
        let form = table.form();
        let leaf = |place: &u32| {
            let mut code = form.at(*place);
            code.sized();
            Some(leaf_key(&decode_condition(&mut code)))
        };
        let subject = |place: &u32| match Subject::read(&mut form.at(*place)) {
            Subject::Path(PathRef { root, rest }) => Some(Reads::Path(root as u8, Box::from(rest))),
            Subject::Signal(signal, key) => Some(Reads::Signal(signal, Box::from(key))),
            Subject::NOTHING => None,
            Subject::Keys(signal) => Some(Reads::Keys(signal)),
            Subject::Anything => Some(Reads::Anything),
        };
        Self {
            leaves: Numbers::of(form.leaves().iter().map(leaf)),
            subjects: Numbers::of(table.subjects().iter().map(subject)),
        }
    }

    /// Numbers for leaves, by their keys.
    pub fn leaf_numbers<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> Settled {
        self.leaves.settle(keys)
    }

    /// Numbers for what is read.
    pub fn subject_numbers<'k>(&self, reads: impl Iterator<Item = &'k Reads>) -> Settled {
        self.subjects.settle(reads)
    }
}
