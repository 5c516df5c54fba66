//! The page's half of the core as WebAssembly: the façade `client` behind a byte interface with zero imports, as
//! `docs/page-abi.md` describes it.
#![cfg_attr(feature = "page", no_std)]

extern crate alloc;

#[cfg(feature = "page")]
mod abi;
mod effects;
mod input;
mod page;

pub use page::{Operation, Page};
