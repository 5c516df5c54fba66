//! Questions about the dead letters.

use super::Query;
use crate::profile::{Letter, StoreError, Table};
use attune_core::time::Timestamp;
use attune_core::wire::LetterId;

/// Which letters are asked for.
#[derive(Clone, Debug, Default)]
pub struct LetterFilter {
    /// Those of this code only.
    pub code: Option<String>,
    /// Those of this event id only, as it was sent.
    pub event_id: Option<String>,
    /// Those received at this moment or later.
    pub since: Option<Timestamp>,
    /// Those behind this one in the log.
    pub after: Option<LetterId>,
    /// So many at most.
    pub limit: usize,
}

/// A part of the letters, oldest first.
#[derive(Clone, Debug, Default)]
pub struct LetterPage {
    /// The letters.
    pub letters: Vec<Letter>,
    /// Behind which one to go on; nothing where no more fit the filter.
    pub next: Option<LetterId>,
}

impl Query {
    /// The oldest letters that fit a filter.
    ///
    /// # Errors
    /// The store is broken.
    pub fn letters(&self, filter: &LetterFilter) -> Result<LetterPage, StoreError> {
        let mut page = LetterPage::default();
        let first = filter.after.map_or([0; 12], LetterId::to_key);
        let is_of_event = |letter: &Letter| {
            let content = letter.refused.content.as_ref();
            filter.event_id.is_none()
                || filter.event_id.as_deref() == content.and_then(|content| content.event_id.as_deref())
        };
        let is_wanted = |letter: &Letter| {
            filter.after.is_none_or(|after| letter.id > after)
                && filter.code.as_deref().is_none_or(|code| code == &*letter.refused.code)
                && is_of_event(letter)
                && filter.since.is_none_or(|since| letter.refused.at >= since)
        };
        self.store.scan_from(Table::DeadLetters, &first, &mut |key, value| {
            let Some(letter) = Letter::decode(key, value).filter(|letter| is_wanted(letter)) else {
                return true;
            };
            if page.letters.len() == filter.limit {
                page.next = page.letters.last().map(|letter| letter.id);
                return false;
            }
            page.letters.push(letter);
            true
        })?;
        Ok(page)
    }

    /// One letter, if there is one of this id.
    ///
    /// # Errors
    /// The store is broken.
    pub fn letter(&self, id: LetterId) -> Result<Option<Letter>, StoreError> {
        let stored = self.store.get(Table::DeadLetters, &id.to_key())?;
        Ok(stored.and_then(|value| Letter::decode(&id.to_key(), &value)))
    }
}
