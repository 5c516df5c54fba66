//! sdk-core as core.wasm for any host: a byte interface with zero imports.
//!
//! # The byte interface
//! Buffers are named by their address. `buffer_new(length)` makes one, the host writes into it, and a call that takes a
//! buffer uses it up. A call that answers returns the address of a buffer of `buffer_length(address)` bytes, which the
//! host frees with `buffer_free(address)`. All texts are UTF-8. An address or handle that names nothing is answered
//! with 0 (or, by functions that answer with JSON, an object with `error`), never with a trap.
//!
//! | export | takes | gives |
//! |---|---|---|
//! | `buffer_new(length)` | bytes wanted | address, or 0 above 64 MiB |
//! | `buffer_length(address)` | | its length |
//! | `buffer_free(address)` | | |
//! | `evaluator_new(address)` | bundle envelope | handle, or 0: see `last_error()` |
//! | `last_error()` | | address of `{"error","message"}` of the last refused bundle |
//! | `evaluator_absorb(handle, address)` | JSON array of events | address of what it changed, see [`Evaluator::absorb`] |
//! | `evaluator_decisions(handle, address)` | `anonymous_id` | address of a JSON array of decisions |
//! | `evaluator_summary(handle)` | | address of totals, see [`Evaluator::summary`] |
//! | `evaluator_free(handle)` | | |
//! | `bucket_hash(seed, unit, version)` | two texts by address, a number | bucket from 0 to 1, NaN for an unknown version |
//! | `growthbook_new(address)` | GrowthBook payload as JSON | handle, or 0: see `last_error()` |
//! | `growthbook_set(handle, address)` | options as JSON, see [`GrowthBook::set`] | 0, or address of `{"error","message"}` |
//! | `growthbook_feature(handle, address)` | key of a feature | address of its result as JSON |
//! | `growthbook_run(handle, address)` | experiment as JSON, see [`GrowthBook::run`] | address of its result as JSON |
//! | `growthbook_sticky(handle)` | | address of the documents of assignments |
//! | `growthbook_free(handle)` | | |
//! | `conditions_hold(address)` | JSON array of `[attributes, condition, groups]` | address of a byte for each, see [`conditions_hold`] |

#[cfg(target_arch = "wasm32")]
mod abi;
mod answer;
mod attributes;
mod conditions;
mod cut;
mod evaluator;
mod event;
mod visitor;

pub use attune_core::growthbook::GrowthBook;
pub use conditions::conditions_hold;
pub use evaluator::Evaluator;
pub use event::{EventError, read_event};
