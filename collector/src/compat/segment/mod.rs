//! Segment's Tracking API, which RudderStack's libraries speak as well.

mod message;
mod posted;
mod stamp;

pub use message::Kind;
pub use posted::{Call, Posted};
