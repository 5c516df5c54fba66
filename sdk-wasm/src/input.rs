//! Reading the input of an operation: what cannot be read is empty, and is asked about once at the end.

use alloc::boxed::Box;
use alloc::vec::Vec;
use attune_core::codec::Source;
use attune_core::id::{EventId, LaneId, MemberId, SessionId, Uuid};
use attune_core::time::{Monotonic, Now, Timestamp};
use attune_core::value::Packed;
use attune_core::wire::Priority;

/// An input being read.
pub struct Input<'a>(Source<'a>);

impl<'a> Input<'a> {
    /// An input from its first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(Source::new(bytes))
    }

    /// Whether all that was read was there.
    pub const fn is_sound(&self) -> bool {
        self.0.is_sound()
    }

    pub fn now(&mut self) -> Now {
        let (wall, monotonic) = (self.time(), self.time());
        Now { wall, monotonic: Monotonic(monotonic.0.max(0) as u64) }
    }

    pub fn byte(&mut self) -> u8 {
        self.0.u8()
    }

    pub fn flag(&mut self) -> bool {
        self.byte() == 1
    }

    pub fn count(&mut self) -> u64 {
        self.0.u64()
    }

    pub fn size(&mut self) -> usize {
        self.count() as usize
    }

    pub fn time(&mut self) -> Timestamp {
        Timestamp(self.0.f64() as i64)
    }

    pub fn uuid(&mut self) -> Uuid {
        Uuid::from_bytes(self.0.array())
    }

    pub fn event_id(&mut self) -> EventId {
        EventId(self.uuid())
    }

    pub fn lane(&mut self) -> LaneId {
        LaneId(self.uuid())
    }

    pub fn session(&mut self) -> SessionId {
        SessionId(self.uuid())
    }

    pub fn random(&mut self) -> u64 {
        u64::from_le_bytes(self.0.array())
    }

    pub fn text(&mut self) -> &'a str {
        self.0.str()
    }

    pub fn member(&mut self) -> MemberId {
        MemberId(Box::from(self.text()))
    }

    pub fn bytes(&mut self) -> &'a [u8] {
        self.0.bytes()
    }

    pub fn rest(&mut self) -> &'a [u8] {
        self.0.rest()
    }

    pub fn priority(&mut self) -> Priority {
        match self.byte() {
            0 => Priority::Low,
            1 => Priority::Normal,
            _ => Priority::Critical,
        }
    }

    pub fn value(&mut self) -> Packed {
        Packed::read(&mut self.0)
    }

    /// Metadata with its size as JSON, where there is any.
    pub fn metadata(&mut self) -> (usize, Option<Packed>) {
        if self.flag() { (self.size(), Some(self.value())) } else { (0, None) }
    }

    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(read(self)) } else { None }
    }

    /// Reads items until there is one that cannot be read.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        for _ in 0..self.count() {
            let read = item(self);
            if !self.is_sound() {
                break;
            }
            items.push(read);
        }
        items
    }
}
