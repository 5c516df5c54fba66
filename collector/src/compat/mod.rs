//! What other senders' libraries send, in our form: pure, from the text of a body to the events that ingest takes.

mod json;
mod message;
mod posted;
mod stamp;

pub use message::Kind;
pub use posted::{Arrived, Call, Posted, PostedError, Refusal, Translation};
