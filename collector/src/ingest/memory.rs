//! The memory that all bodies together may take: given out as their bytes arrive, and taken back from the slowest where
//! it runs out.

use crate::limits::{BODY_GRACE, MEMORY_WAIT};
use crate::metrics::Metrics;
use hyper::body::Bytes;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Memory for bodies, in bytes.
#[derive(Debug)]
pub struct Memory {
    free: Arc<Semaphore>,
    slow: Mutex<BTreeMap<u64, Arc<Slow>>>,
    next: AtomicU64,
    metrics: Arc<Metrics>,
}

/// Bodies take all the memory that they may have, and have done so for a while.
#[derive(Debug, PartialEq, Eq)]
pub struct MemoryBusy;

impl MemoryBusy {
    /// Stable name for answers and metrics.
    pub const fn code(&self) -> &'static str {
        "memory_busy"
    }
}

impl fmt::Display for MemoryBusy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the collector has no memory for another body at the moment, or for one that comes slowly",
        )
    }
}

impl std::error::Error for MemoryBusy {}

/// Room for some bytes, given back when it is dropped.
#[derive(Debug)]
pub struct Room {
    permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

/// A whole body with the room that it takes.
#[derive(Debug)]
pub struct Held {
    /// Its bytes, as they arrived.
    pub bytes: Bytes,
    _room: Option<Room>,
}

/// The text of a body, with the room that it takes where it had to be decompressed.
#[derive(Debug)]
pub struct Text<'h> {
    text: Cow<'h, str>,
    _room: Option<Room>,
}

impl<'h> Text<'h> {
    /// A text that takes a room.
    pub fn new(text: Cow<'h, str>, room: Option<Room>) -> Self {
        Self { text, _room: room }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// A body while it arrives.
#[derive(Debug)]
pub struct Arriving {
    memory: Arc<Memory>,
    room: Option<Room>,
    listed: Option<Listed>,
}

/// A body of which more has to be waited for.
#[derive(Debug)]
struct Slow {
    since: Instant,
    bytes: AtomicUsize,
    end: Notify,
}

/// Its place among those that may be ended, left when it is dropped.
#[derive(Debug)]
struct Listed {
    memory: Arc<Memory>,
    number: u64,
    slow: Arc<Slow>,
}

impl Memory {
    /// So many bytes.
    pub fn new(bytes: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        metrics.body_limit_bytes.set(bytes as u64);
        Arc::new(Self { free, slow: Mutex::default(), next: AtomicU64::default(), metrics })
    }

    /// A body of which nothing has arrived.
    pub fn begin(self: &Arc<Self>) -> Arriving {
        Arriving { memory: self.clone(), room: None, listed: None }
    }

    /// Room for so many bytes, after a short wait where there is none.
    ///
    /// # Errors
    /// None has become free.
    pub async fn take(&self, bytes: usize) -> Result<Room, MemoryBusy> {
        let count = u32::try_from(bytes).map_err(|_| MemoryBusy)?;
        let permit = match self.free.clone().try_acquire_many_owned(count) {
            Ok(permit) => permit,
            Err(_) => {
                self.end_slowest(bytes);
                let acquired = timeout(MEMORY_WAIT, self.free.clone().acquire_many_owned(count)).await;
                acquired.map_err(|_| MemoryBusy)?.map_err(|_| MemoryBusy)?
            }
        };
        self.metrics.body_bytes.add(bytes as u64);
        Ok(Room { permit, metrics: self.metrics.clone() })
    }

    /// Ends the bodies that have been arriving for the longest time until so many bytes are free. Those that have
    /// begun lately are spared: whoever sends at a fair pace is through before long.
    fn end_slowest(&self, bytes: usize) {
        let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        let mut back = self.free.available_permits();
        while back < bytes {
            let Some(oldest) = slow.first_entry() else { return };
            if oldest.get().since.elapsed() < BODY_GRACE {
                return;
            }
            let ended = oldest.remove();
            back += ended.bytes.load(Ordering::Relaxed);
            ended.end.notify_one();
        }
    }
}

impl Arriving {
    /// Room for so many bytes more.
    ///
    /// # Errors
    /// There is none, or it is this body that is ended to make some.
    pub async fn take(&mut self, bytes: usize) -> Result<(), MemoryBusy> {
        let more = tokio::select! {
            more = self.memory.take(bytes) => more?,
            busy = self.ended() => return Err(busy),
        };
        let room = match self.room.take() {
            Some(room) => room.and(more),
            None => more,
        };
        if let Some(listed) = &self.listed {
            listed.slow.bytes.store(room.bytes(), Ordering::Relaxed);
        }
        self.room = Some(room);
        Ok(())
    }

    /// More of it has to be waited for: from now on it may be ended for the sake of others.
    pub fn wait(&mut self) {
        if self.listed.is_none() {
            let bytes = AtomicUsize::new(self.room.as_ref().map_or(0, Room::bytes));
            let slow = Arc::new(Slow { since: Instant::now(), bytes, end: Notify::new() });
            self.listed = Some(Listed::among(&self.memory, slow));
        }
    }

    /// Returns when it is to end for the sake of others.
    pub async fn ended(&self) -> MemoryBusy {
        match &self.listed {
            Some(listed) => listed.slow.end.notified().await,
            None => std::future::pending().await,
        }
        MemoryBusy
    }

    /// All of it is there.
    pub fn whole(self, bytes: Bytes) -> Held {
        Held { bytes, _room: self.room }
    }
}

impl Room {
    /// Gives back what is more than so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let over = self.bytes().saturating_sub(bytes);
        if let Some(over) = self.permit.split(over) {
            self.metrics.body_bytes.subtract(over.num_permits() as u64);
        }
    }

    fn and(mut self, mut more: Self) -> Self {
        if let Some(permit) = more.permit.split(more.bytes()) {
            self.permit.merge(permit);
        }
        self
    }

    fn bytes(&self) -> usize {
        self.permit.num_permits()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.metrics.body_bytes.subtract(self.bytes() as u64);
    }
}

impl Listed {
    fn among(memory: &Arc<Memory>, slow: Arc<Slow>) -> Self {
        let number = memory.next.fetch_add(1, Ordering::Relaxed);
        let mut all = memory.slow.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(number, slow.clone());
        Self { memory: memory.clone(), number, slow }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.memory.slow.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(bytes: usize) -> (Arc<Memory>, Arc<Metrics>) {
        let metrics = Arc::new(Metrics::default());
        (Memory::new(bytes, metrics.clone()), metrics)
    }

    #[tokio::test]
    async fn what_is_given_back_is_free_again_and_all_of_it_is_counted() {
        let (memory, metrics) = memory(100);
        let mut body = memory.begin();
        body.take(30).await.unwrap();
        body.wait();
        body.take(30).await.unwrap();
        let mut text = memory.take(40).await.unwrap();
        assert_eq!((memory.free.available_permits(), metrics.body_bytes.get()), (0, 100));
        text.shrink(10);
        assert_eq!((memory.free.available_permits(), metrics.body_bytes.get()), (30, 70));
        let held = body.whole(Bytes::from_static(b"all"));
        assert!(memory.slow.lock().unwrap().is_empty(), "what is whole is not slow any more");
        assert_eq!(metrics.body_bytes.get(), 70);
        drop((held, text));
        assert_eq!((memory.free.available_permits(), metrics.body_bytes.get()), (100, 0));
    }

    #[tokio::test]
    async fn who_finds_no_room_waits_for_a_moment_only() {
        let (memory, _) = memory(100);
        let all = memory.take(100).await.unwrap();
        assert_eq!(memory.take(1).await.unwrap_err(), MemoryBusy);
        let waiting = tokio::spawn({
            let memory = memory.clone();
            async move { memory.take(1).await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop(all);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn the_body_that_has_been_arriving_for_the_longest_time_makes_room() {
        let (memory, _) = memory(100);
        let (mut first, mut second) = (memory.begin(), memory.begin());
        for body in [&mut first, &mut second] {
            body.take(40).await.unwrap();
            body.wait();
        }
        assert_eq!(memory.take(50).await.unwrap_err(), MemoryBusy, "both have just begun");
        tokio::time::sleep(BODY_GRACE).await;
        let ended = tokio::spawn(async move { first.ended().await });
        let room = memory.take(50).await.unwrap();
        assert_eq!(ended.await.unwrap(), MemoryBusy);
        assert!(timeout(std::time::Duration::ZERO, second.ended()).await.is_err(), "one was enough");
        // Who makes no room of its own accord, and asks for more, is ended by that.
        drop(room);
        let more = second.take(80).await;
        assert_eq!(more, Err(MemoryBusy));
    }
}
