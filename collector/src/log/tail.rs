//! The newest part of the log in memory, shared between the writer and its readers.

use super::frame::Form;
use crate::limits::LOG_TAIL_BYTES;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Durable groups, oldest first, without gaps up to the end of the log.
#[derive(Debug)]
pub struct Tail {
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    groups: VecDeque<(u64, Arc<Vec<u8>>, Form)>,
    bytes: usize,
    end: u64,
}

impl Tail {
    /// An empty tail of a log that ends at `end`.
    pub fn new(end: u64) -> Self {
        Self { held: Mutex::new(Held { groups: VecDeque::new(), bytes: 0, end }) }
    }

    /// The position behind the last durable record.
    pub fn end(&self) -> u64 {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).end
    }

    /// Takes in a group of frames of a form that has become durable at `position`.
    pub fn push(&self, position: u64, group: Vec<u8>, form: Form) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.end = position + group.len() as u64;
        held.bytes += group.len();
        held.groups.push_back((position, Arc::new(group), form));
        while held.bytes > LOG_TAIL_BYTES && held.groups.len() > 1 {
            if let Some((_, oldest, _)) = held.groups.pop_front() {
                held.bytes -= oldest.len();
            }
        }
    }

    /// The group that holds `position`, the offset within it, and the form of its frames.
    pub fn find(&self, position: u64) -> Option<(Arc<Vec<u8>>, usize, Form)> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let after = held.groups.partition_point(|(start, ..)| *start <= position);
        let (start, group, form) = held.groups.get(after.checked_sub(1)?)?;
        let offset = (position - start) as usize;
        (offset < group.len()).then(|| (group.clone(), offset, *form))
    }
}
