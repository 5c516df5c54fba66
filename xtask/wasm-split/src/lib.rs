//! Divides the page's core by what a first visit runs: `attune_first.wasm`, with which a page captures and decides, and
//! `attune_rest.wasm`, which follows behind the first decision. Both are one instance: one memory, one table.
//!
//! What is in which file is found by running: every function notes that it has been entered, and a recorded first visit
//! is played. A call from the first file into the rest goes through the table, whose place is empty until the rest is
//! there; then it traps, and the host takes the call back and makes it again once the rest is there.

mod divide;
mod observe;
pub mod run;
pub mod visit;

pub use divide::{Parts, divide};
pub use observe::observe;

/// What is wrong with a module or with running it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
