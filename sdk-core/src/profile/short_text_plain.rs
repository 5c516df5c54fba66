//! The same text for pages, where the code has to be small.

use alloc::boxed::Box;

/// A text of its own.
pub type ShortText = Box<str>;
