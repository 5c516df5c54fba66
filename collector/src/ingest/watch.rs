//! Watching what goes into the log about somebody, so that a write can depend on what was read before it: either nothing
//! stands between the two in the log, or the write is not made.

use crate::log::{Batch, LogError, Submitted};
use attune_core::wire::{Record, decode_record};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Those who watch.
#[derive(Debug, Default)]
pub struct Watches {
    /// Held while a batch is looked through and handed over, so that who begins to watch knows every earlier one handed over.
    open: RwLock<Vec<Arc<Watched>>>,
}

#[derive(Debug)]
struct Watched {
    names: Vec<Box<str>>,
    /// Whether something has been handed over that may be about one of the names.
    touched: AtomicBool,
}

/// Somebody who watches, until dropped.
#[derive(Debug)]
pub struct Watch<'a> {
    watches: &'a Watches,
    watched: Arc<Watched>,
}

impl Watches {
    /// Begins to watch the ids of members and users.
    pub fn watch(&self, names: Vec<Box<str>>) -> Watch<'_> {
        let watched = Arc::new(Watched { names, touched: AtomicBool::new(false) });
        self.open.write().unwrap_or_else(PoisonError::into_inner).push(watched.clone());
        Watch { watches: self, watched }
    }

    /// Hands a batch over by `submit`, and tells those whom it may be about.
    ///
    /// # Errors
    /// Those of `submit`.
    pub fn hand_over(
        &self,
        batch: Batch,
        submit: impl FnOnce(Batch) -> Result<Submitted, LogError>,
    ) -> Result<Submitted, LogError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        tell(&open, &batch);
        submit(batch)
    }
}

impl Watch<'_> {
    /// Whether all of these are watched.
    pub fn covers<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> bool {
        names.all(|name| self.watched.names.iter().any(|known| &**known == name))
    }

    /// From now on, only what is handed over after this counts.
    pub fn begin(&self) {
        self.watched.touched.store(false, Ordering::SeqCst);
    }

    /// Hands a batch over by `submit`, unless something about one of the names has been since [`Watch::begin`]; nothing then.
    ///
    /// # Errors
    /// Those of `submit`.
    pub fn hand_over(
        &self,
        batch: Batch,
        submit: impl FnOnce(Batch) -> Result<Submitted, LogError>,
    ) -> Result<Option<Submitted>, LogError> {
        // Nobody else hands anything over between the look and the write.
        let open = self.watches.open.write().unwrap_or_else(PoisonError::into_inner);
        if self.watched.touched.load(Ordering::SeqCst) {
            return Ok(None);
        }
        tell(&open, &batch);
        submit(batch).map(Some)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut open = self.watches.open.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|watched| !Arc::ptr_eq(watched, &self.watched));
    }
}

/// Records hold ids as they are, so whatever is about somebody has the name in it; other texts may have it too, so what has it is
/// read.
fn tell(open: &[Arc<Watched>], batch: &Batch) {
    for watched in open {
        let may_be = |name: &str| memchr::memmem::find(batch.bytes(), name.as_bytes()).is_some();
        let names: Vec<&str> = watched.names.iter().map(|name| &**name).filter(|name| may_be(name)).collect();
        if !names.is_empty() && batch.records().any(|record| is_about(record, &names)) {
            watched.touched.store(true, Ordering::SeqCst);
        }
    }
}

/// Whether a record is about somebody, or cannot be read.
fn is_about(record: &[u8], names: &[&str]) -> bool {
    let is_one = |name: &str| names.contains(&name);
    match decode_record(record) {
        Ok(Record::Event { event, .. }) => {
            is_one(&event.member.0) || event.user_id.as_deref().is_some_and(is_one)
        }
        Ok(Record::Void { member, .. } | Record::Close { member, .. } | Record::Clocks { member, .. }) => {
            is_one(&member.0)
        }
        Ok(Record::Erase { member, .. }) => member.is_some_and(|member| is_one(&member.0)),
        Ok(_) => false,
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &str) -> Batch {
        let mut batch = Batch::default();
        batch.push(None, |out| out.extend_from_slice(text.as_bytes()));
        batch
    }

    /// Nothing is written here: what is refused by the log is refused as busy.
    fn refuse(_: Batch) -> Result<Submitted, LogError> {
        Err(LogError::Busy)
    }

    #[test]
    fn a_write_is_not_made_behind_one_about_the_same_names() {
        let watches = Watches::default();
        let watch = watches.watch(vec!["m1".into(), "ada".into()]);
        let is_let_in = || watch.hand_over(batch("x"), refuse).is_err();
        assert!(watches.hand_over(batch("about m2 and eve"), refuse).is_err() && is_let_in());
        for text in ["..m1..", "..ada.."] {
            assert!(watches.hand_over(batch(text), refuse).is_err());
            assert!(!is_let_in(), "{text}");
            watch.begin();
            assert!(is_let_in(), "{text}");
        }
    }

    #[test]
    fn of_two_who_watch_the_same_the_second_is_told_of_the_first() {
        let watches = Watches::default();
        let [first, second] = ["m1", "m1"].map(|name| watches.watch(vec![name.into()]));
        assert!(first.hand_over(batch("m1"), refuse).is_err());
        assert!(matches!(second.hand_over(batch("m1"), refuse), Ok(None)));
        drop((first, second));
        assert!(watches.open.read().unwrap().is_empty());
    }
}
