//! May this event leave the page, and may it enter the log: one answer for both sides.

mod validate;

pub use validate::{Rejection, check_bounds};
