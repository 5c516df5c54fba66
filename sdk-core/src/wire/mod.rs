//! All that crosses a process boundary: events, batches, receipts and log records.

mod batch;
mod event;
mod letter_id;
#[cfg(feature = "serde")]
mod read;
mod receipt;
mod record;
mod refused;
#[cfg(test)]
pub(crate) mod sample;

pub use batch::{Batch, Closed, VoidRange, write_batch, write_whole_event, written_bytes};
pub use event::{EXPOSURE, Event, IDENTIFY, LaneSeq, Priority, SHOWN};
pub use letter_id::LetterId;
#[cfg(feature = "serde")]
pub use read::{Envelope, EnvelopeError, EventDefaults, EventError, EventField, parse_event, peek_event_id};
pub use receipt::{
    Receipt, ReceiptError, ResultKind, ResultRow, parse_offending, parse_receipt, write_receipt,
};
pub use record::{
    Facts, LoggedCandidate, Record, TOMBSTONE_BYTES, blank_record, decode_record, encode_record,
};
pub use refused::{Refused, RefusedBy, RefusedContent, Replayed};
