//! Recorded input as events: read, given a deterministic clock, sent through the core's queue.

pub mod clock;
pub mod eshop;
pub mod order;
pub mod report;
pub mod rule;
pub mod sender;
pub mod visit;
pub mod wasm;
