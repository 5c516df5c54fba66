//! Mixpanel's ingestion: events of `/track` and `/import`, changes of profiles of `/engage`.

mod payload;
mod posted;
mod record;

pub use payload::Payload;
pub use posted::{Posted, Takes};
