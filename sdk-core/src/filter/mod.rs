//! May this event leave the page, and may it enter the log, and with what of its metadata: one answer for both sides.

mod bot;
mod pattern;
mod policy;
#[cfg(test)]
mod proofs;
mod redact;
mod strip;
mod url;
mod validate;

pub use bot::is_bot;
pub use policy::{
    Asking, BotRule, Expected, Kept, Others, Policy, Presence, Property, PropertyType, RateScope, RateState,
    Reason, Sender, TypePolicy, Verdict,
};
pub use redact::{Counts, Kind, Kinds, redact_text};
pub use strip::{redact_value, strip};
pub use url::{SENSITIVE_PARAMS, UrlMode, UrlParams, scrub_url};
pub use validate::{Rejection, check_bounds};
