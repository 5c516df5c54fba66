//! Divides the page's core by what a first visit runs: `attune_first.wasm`, with which a page captures and decides, and
//! `attune_rest.wasm`, which follows behind the first decision. Both are one instance: one memory, one table.
//!
//! What is in which file is found by running: every place in a function that control can arrive at notes when it does, and
//! first visits are played. A call from the first file into the rest goes through the table, whose place is empty until
//! the rest is there; so it traps, and the host takes the call back and makes it again once the rest is there. Of a
//! function that visits reach a part of, the first file may have that part alone, with traps for all else; the rest then
//! puts the whole function in its place of the table.

mod cut;
mod divide;
mod fate;
pub mod kinds;
mod observe;
mod order;
pub mod run;
pub mod visit;

pub use divide::{Parts, divide};
pub use observe::{Reached, observe};
pub use order::order;

/// What is wrong with a module or with running it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
