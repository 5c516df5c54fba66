//! Event scripts over simulated time: a page that decides slots and a server that fires triggers, side by side.

mod outcome;
mod page;
mod script;
mod server;
mod stage;

pub use outcome::{Mismatch, Played};
pub use script::read_scripts;
pub use stage::play;
