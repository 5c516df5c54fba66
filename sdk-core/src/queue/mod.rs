//! Delivery as a pull protocol: push events in, poll for a batch, settle by event id.

mod batcher;
mod breaker;
mod buffer;
mod declarations;
mod drops;
mod flight;
#[cfg(test)]
mod interleavings;
mod protocol;
mod pull;
mod request;
mod retry;
#[cfg(test)]
mod rig;
mod separate;
mod settle;
mod weather;

pub use declarations::{Declaration, DeclarationKind, Declarations};
pub use drops::{DropReason, DropTotals};
pub use protocol::{
    Item, News, Outcome, Poll, QueueOptions, QueueStatus, Reachability, Request, Settled, Ticket,
};
pub use pull::Queue;
