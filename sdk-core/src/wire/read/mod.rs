//! Reading batches on a server: the envelope first, then each event alone, so that one bad event spoils no other.

mod defaults;
mod direct;
mod envelope;
mod error;
mod event;
mod skew;
mod strict;
mod whole;

pub use defaults::EventDefaults;
pub use envelope::Envelope;
pub use error::{EnvelopeError, EventError, EventField};
pub use event::{parse_event, peek_event_id};
