//! What has been said in the log lately: a destination that is down fails a thousand deliveries and is one piece of news.

use crate::limits::TROUBLE_LOG_INTERVAL;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// When each trouble of each destination was last told.
#[derive(Debug, Default)]
pub struct Told(Mutex<BTreeMap<(String, &'static str), Instant>>);

impl Told {
    /// Whether a trouble is to be told now, and notes that it is. Names and codes are as many as rules and this room have.
    pub fn is_news(&self, destination: &str, code: &'static str, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.entry((destination.to_owned(), code));
        let is_news = match &last {
            std::collections::btree_map::Entry::Vacant(_) => true,
            std::collections::btree_map::Entry::Occupied(last) => {
                now.saturating_duration_since(*last.get()) >= TROUBLE_LOG_INTERVAL
            }
        };
        if is_news {
            last.insert_entry(now);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_once_in_a_while_for_each_destination() {
        let (told, now) = (Told::default(), Instant::now());
        let later = now + TROUBLE_LOG_INTERVAL;
        for (destination, code, at, expected) in [
            ("crm", "status", now, true),
            ("crm", "status", now, false),
            ("crm", "gone", now, true),
            ("erp", "status", now, true),
            ("crm", "status", later, true),
            ("crm", "status", later, false),
        ] {
            assert_eq!(told.is_news(destination, code, at), expected, "{destination} {code}");
        }
    }
}
