//! What other makers' libraries send, in our form: pure, from the text of a body to the events that ingest takes.

mod json;
pub mod measurement;
pub mod mixpanel;
pub mod segment;
mod translation;

pub use translation::{Arrived, PostedError, Problem, Refusal, Translated, Translation};
use translation::{check_shared, derived_id};

/// The event type of the SDK's `page()`.
const PAGE_VIEW: &str = "page_view";
/// What event types begin with that only calls of their own stand for.
const RESERVED: &str = "attune.";
