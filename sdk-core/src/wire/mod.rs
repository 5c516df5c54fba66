//! All that crosses a process boundary: events, batches, receipts and log records.

mod batch;
mod event;
mod receipt;
mod record;

pub use batch::{Batch, Closed, VoidRange, write_batch};
pub use event::{Event, IDENTIFY, LaneSeq, Priority, SHOWN};
pub use receipt::{Receipt, ReceiptError, ResultKind, ResultRow, parse_receipt};
pub use record::{Record, decode_record, encode_record};
