//! The hours in which the ids of a generation were made: what says that it cannot hold an id, without a look at its filter.
//!
//! An id of version 7 says when it was made (RFC 9562, section 5.7). New events have new ids, so generations before that hour
//! need not be asked; nobody has to be believed for that, since an id that is known has said the same hour before.

use crate::limits::DOOR_GENERATION_HOURS;
use std::collections::BTreeSet;

const HOUR_MS: u64 = 3_600_000;

/// The hours of the ids that have one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// Nothing where there are too many to tell apart.
    known: Option<BTreeSet<u32>>,
}

impl Hours {
    /// None so far.
    pub const fn none() -> Self {
        Self { known: Some(BTreeSet::new()) }
    }

    /// Those of a list, or any where there is none.
    pub fn from_list(list: Option<Vec<u32>>) -> Self {
        Self { known: list.map(|list| list.into_iter().collect()) }
    }

    /// The hours in order; nothing where they are any.
    pub const fn list(&self) -> Option<&BTreeSet<u32>> {
        self.known.as_ref()
    }

    /// Adds that of an id.
    pub fn note(&mut self, id: u128) {
        let (Some(hour), Some(known)) = (hour_of(id), &mut self.known) else { return };
        known.insert(hour);
        if known.len() > DOOR_GENERATION_HOURS {
            self.known = None;
        }
    }

    /// Whether an id of this hour, if it has one, may be there.
    pub fn may_hold(&self, hour: Option<u32>) -> bool {
        let (Some(hour), Some(known)) = (hour, &self.known) else { return true };
        known.contains(&hour)
    }
}

/// The hour in which an id of version 7 says that it was made.
pub const fn hour_of(id: u128) -> Option<u32> {
    let is_of_time = (id >> 76) & 0xf == 7 && (id >> 62) & 3 == 2;
    if is_of_time { Some(((id >> 80) as u64 / HOUR_MS) as u32) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::id::uuid_v7;
    use attune_core::time::Timestamp;

    fn made_in(hour: i64) -> u128 {
        uuid_v7(Timestamp(hour * HOUR_MS as i64 + 7), &[9; 10]).as_u128()
    }

    #[test]
    fn only_ids_of_its_hours_and_those_without_one_may_be_there() {
        let mut hours = Hours::none();
        hours.note(made_in(490_000));
        hours.note(5);
        let may_hold = [made_in(490_000), made_in(490_001), 5, 6].map(|id| hours.may_hold(hour_of(id)));
        assert_eq!(may_hold, [true, false, true, true]);
        let list = hours.list().map(|hours| hours.iter().copied().collect());
        assert_eq!(Hours::from_list(list), hours);
    }

    #[test]
    fn too_many_hours_are_any() {
        let mut hours = Hours::none();
        (0..=DOOR_GENERATION_HOURS as i64).for_each(|hour| hours.note(made_in(hour)));
        assert!(hours.may_hold(Some(u32::MAX)));
    }
}
