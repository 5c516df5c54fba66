//! May this event leave the page, and may it enter the log, and with what of its metadata: one answer for both sides.

mod pattern;
mod redact;
mod strip;
mod url;
mod validate;

pub use redact::{Counts, Kind, Kinds, redact_text};
pub use strip::{redact_value, strip};
pub use url::{SENSITIVE_PARAMS, UrlMode, UrlParams, scrub_url};
pub use validate::{Rejection, check_bounds};
