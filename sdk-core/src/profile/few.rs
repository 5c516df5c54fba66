//! A list that is nearly always one element long and then needs no memory of its own.

use alloc::vec::Vec;

/// Elements in order; a single one lies inside. States are visited at random, so every pointer less is a wait less.
#[derive(Debug)]
pub(crate) enum Few<T> {
    /// Exactly one.
    One(T),
    /// Any number.
    Many(Vec<T>),
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T: Clone> Clone for Few<T> {
    fn clone(&self) -> Self {
        match self.as_slice() {
            [one] => Self::One(one.clone()),
            many => Self::Many(many.to_vec()),
        }
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T> Few<T> {
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => core::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    pub fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::One(one) => core::slice::from_mut(one),
            Self::Many(many) => many,
        }
    }

    /// Puts an element at a place from 0 to the length.
    pub fn insert(&mut self, at: usize, value: T) {
        match self {
            Self::Many(many) if many.capacity() == 0 => *self = Self::One(value),
            Self::Many(many) => many.insert(at, value),
            Self::One(_) => self.edit(|many| many.insert(at, value)),
        }
    }

    /// Keeps the elements for which `keep` says so. The memory of many stays for those that come in their place.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        match self {
            Self::Many(many) => many.retain_mut(keep),
            Self::One(one) => {
                if !keep(one) {
                    *self = Self::default();
                }
            }
        }
    }

    /// Changes the elements as a vector.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let mut many = match core::mem::take(self) {
            Self::Many(many) => many,
            Self::One(one) => {
                let mut many = Vec::with_capacity(4);
                many.push(one);
                many
            }
        };
        let result = change(&mut many);
        *self = match many.len() {
            1 => many.pop().map_or_else(Self::default, Self::One),
            _ => Self::Many(many),
        };
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_like_a_vector(steps: Vec<(bool, u8)>) {
            let (mut few, mut vector) = (Few::default(), Vec::new());
            for (add, place) in steps {
                if add {
                    let at = usize::from(place) % (vector.len() + 1);
                    few.insert(at, place);
                    vector.insert(at, place);
                } else if place % 2 == 0 {
                    few.retain(|element| *element > place);
                    vector.retain(|element| *element > place);
                } else {
                    few.edit(|many| many.truncate(usize::from(place % 4)));
                    vector.truncate(usize::from(place % 4));
                }
                prop_assert_eq!(few.as_slice(), vector.as_slice());
                prop_assert_eq!(&few.clone(), &few);
            }
        }
    }
}
