//! Whoever follows what is taken in: each accepted event once it is durable, as much as a reader keeps up with.

use crate::access::WriteKey;
use crate::limits::{FOLLOWED_EVENTS, MAX_FOLLOWERS};
use crate::log::{Appended, Batch};
use attune_core::time::Timestamp;
use attune_core::wire::{Event, Record, decode_record, write_whole_event};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};

/// Those who follow.
#[derive(Debug)]
pub struct Live {
    events: broadcast::Sender<Arc<Taken>>,
    places: Arc<Semaphore>,
    closed: watch::Sender<bool>,
}

/// An event that has been taken in.
#[derive(Debug)]
pub struct Taken {
    /// It.
    pub event: Event,
    /// When it was received.
    pub received_at: Timestamp,
    /// Where the log ends behind the batch that it came with.
    pub position: u64,
    /// Under which write key it came; nothing where it did not come from a sender.
    pub key: Option<Box<str>>,
}

impl Taken {
    /// The event as JSON, on one line.
    pub fn json(&self) -> String {
        // Metadata is as it was sent, and may have its tokens on several lines.
        write_whole_event(&self.event).replace(['\n', '\r'], " ")
    }
}

/// What a follower is told.
#[derive(Debug)]
pub enum News {
    /// An event.
    Taken(Arc<Taken>),
    /// So many have come and gone meanwhile.
    Lost(u64),
    /// The collector is shutting down.
    Closed,
}

/// Somebody who follows, until dropped.
#[derive(Debug)]
pub struct Follower {
    events: broadcast::Receiver<Arc<Taken>>,
    closed: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

/// The events of a batch that somebody follows, each with its place in it.
pub struct Seen(Vec<(usize, Event, Timestamp)>);

impl Default for Live {
    fn default() -> Self {
        let events = broadcast::Sender::new(FOLLOWED_EVENTS);
        let places = Arc::new(Semaphore::new(MAX_FOLLOWERS));
        Self { events, places, closed: watch::Sender::new(false) }
    }
}

impl Live {
    /// Follows from now on; nothing where as many do as may.
    pub fn follow(&self) -> Option<Follower> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        Some(Follower { events: self.events.subscribe(), closed: self.closed.subscribe(), _place: place })
    }

    /// Ends all of them.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The events of a batch, where anybody follows.
    pub fn look(&self, batch: &Batch) -> Seen {
        if self.events.receiver_count() == 0 {
            return Seen(Vec::new());
        }
        let decoded = batch.records().map(decode_record).enumerate();
        let events = decoded.filter_map(|(entry, record)| match record {
            Ok(Record::Event { event, received_at, .. }) => Some((entry, event, received_at)),
            _ => None,
        });
        Seen(events.collect())
    }

    /// Tells of those that are new, once they are durable. Nobody is waited for.
    pub fn tell(&self, seen: Seen, key: Option<&WriteKey>, appended: &Appended) {
        for (entry, event, received_at) in seen.0 {
            if appended.not_new.iter().any(|(old, _)| *old == entry) {
                continue;
            }
            let key = key.map(|key| key.key.clone());
            // Without anybody who follows there is nobody to tell.
            let _ = self.events.send(Arc::new(Taken { event, received_at, position: appended.end, key }));
        }
    }
}

impl Follower {
    /// What comes next.
    pub async fn next(&mut self) -> News {
        tokio::select! {
            biased;
            _ = self.closed.wait_for(|closed| *closed) => News::Closed,
            news = self.events.recv() => match news {
                Ok(taken) => News::Taken(taken),
                Err(RecvError::Lagged(lost)) => News::Lost(lost),
                Err(RecvError::Closed) => News::Closed,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Verdict;
    use attune_core::wire::{EventDefaults, encode_record, parse_event};

    fn batch(ids: &[String]) -> Batch {
        let mut batch = Batch::default();
        for id in ids {
            let raw = format!(
                r#"{{"event_id":"{id}","event_type":"click","timestamp":"2026-11-20T10:00:00Z","anonymous_id":"m","metadata":{{"id":"{id}"}}}}"#
            );
            let event = parse_event(&raw, EventDefaults::default()).unwrap();
            let record = Record::Event { event, received_at: Timestamp(7), proven: false, facts: None };
            batch.push(None, |out| encode_record(&record, out));
        }
        batch
    }

    fn named(news: &News) -> String {
        match news {
            News::Taken(taken) => taken.event.metadata.clone().unwrap_or_default().into(),
            other => format!("{other:?}"),
        }
    }

    fn ids(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| number.to_string()).collect()
    }

    #[tokio::test]
    async fn of_a_batch_the_new_events_are_told() {
        let live = Live::default();
        assert!(live.look(&batch(&ids(0..3))).0.is_empty(), "nobody follows");
        let mut follower = live.follow().unwrap();
        let appended = Appended { not_new: vec![(1, Verdict::Duplicate)], end: 900 };
        live.tell(live.look(&batch(&ids(0..3))), None, &appended);
        live.close();
        let mut told = Vec::new();
        while let Ok(taken) = follower.events.try_recv() {
            told.push((taken.event.metadata.clone().unwrap(), taken.position, taken.received_at.0));
        }
        assert_eq!(told, [(r#"{"id":"0"}"#.into(), 900, 7), (r#"{"id":"2"}"#.into(), 900, 7)]);
        assert_eq!(named(&follower.next().await), "Closed");
    }

    #[tokio::test]
    async fn who_is_slow_is_told_how_many_were_lost_and_goes_on() {
        let live = Live::default();
        let (mut slow, mut quick) = (live.follow().unwrap(), live.follow().unwrap());
        for number in 0..FOLLOWED_EVENTS + 5 {
            let id = [number.to_string()];
            live.tell(live.look(&batch(&id)), None, &Appended::default());
            assert_eq!(named(&quick.next().await), format!(r#"{{"id":"{number}"}}"#));
        }
        assert_eq!(named(&slow.next().await), "Lost(5)");
        assert_eq!(named(&slow.next().await), r#"{"id":"5"}"#);
    }

    #[test]
    fn only_so_many_follow_and_who_leaves_makes_room() {
        let live = Live::default();
        let mut followers: Vec<_> = (0..MAX_FOLLOWERS).map(|_| live.follow().unwrap()).collect();
        assert!(live.follow().is_none());
        followers.pop();
        assert!(live.follow().is_some());
    }
}
