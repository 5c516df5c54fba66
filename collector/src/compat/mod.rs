//! What other makers' libraries send, in our form: pure, from the text of a body to the events that ingest takes.

mod json;
pub mod measurement;
pub mod mixpanel;
pub mod segment;
mod translation;

use translation::derived_id;
pub use translation::{Arrived, PostedError, Problem, Refusal, Translated, Translation};

/// The event type of the SDK's `page()`.
const PAGE_VIEW: &str = "page_view";
/// What event types begin with that only calls of their own stand for.
const RESERVED: &str = "attune.";
