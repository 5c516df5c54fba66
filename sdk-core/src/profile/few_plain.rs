//! The same list for pages, which hold one visitor: there the code has to be small, and a pointer more costs nothing.

use alloc::vec::Vec;

/// Elements in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Few<T>(Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Few<T> {
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.0
    }

    /// Puts an element at a place from 0 to the length.
    pub fn insert(&mut self, at: usize, value: T) {
        self.0.insert(at, value);
    }

    /// Keeps the elements for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&mut T) -> bool) {
        self.0.retain_mut(keep);
    }

    /// Changes the elements as a vector.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        change(&mut self.0)
    }
}
