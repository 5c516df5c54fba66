//! sdk-core as core.wasm for any host: a byte interface with zero imports.
//!
//! # The byte interface
//! Buffers are named by their address. `buffer_new(length)` makes one, the host writes into it, and a call that takes a
//! buffer uses it up. A call that answers returns the address of a buffer of `buffer_length(address)` bytes, which the
//! host frees with `buffer_free(address)`. All texts are UTF-8. An address or handle that names nothing is answered
//! with 0 (or, by functions that answer with JSON, an object with `error`), never with a trap. docs/core-abi.md has every
//! form, code and limit.
//!
//! | export | takes | gives |
//! |---|---|---|
//! | `buffer_new(length)` | bytes wanted | address, or 0 above 64 MiB |
//! | `buffer_length(address)` | | its length |
//! | `buffer_free(address)` | | |
//! | `evaluator_new(address)` | bundle envelope | handle, or 0: see `last_error()` |
//! | `last_error()` | | address of `{"error","message"}` of what was refused last, 0 where nothing was |
//! | `evaluator_absorb(handle, address)` | JSON array of events | address of what it changed, see [`Evaluator::absorb`] |
//! | `evaluator_publish(handle, address, at)` | bundle envelope, milliseconds since 1970 | address of what it changed, see [`Evaluator::publish`] |
//! | `evaluator_decisions(handle, address)` | `anonymous_id` | address of a JSON array of decisions |
//! | `evaluator_summary(handle)` | | address of totals, see [`Evaluator::summary`] |
//! | `evaluator_names(handle)` | | address of slots and rules by number, see [`Evaluator::names`] |
//! | `evaluator_fixed(handle, rule)` | number of a rule | 1 where a decision for it is the same for everybody, otherwise 0 |
//! | `evaluator_rules(handle)` | | address of a JSON array of rules' ids, by number |
//! | `evaluator_variables(handle)` | | address of a JSON array of variables |
//! | `evaluator_free(handle)` | | |
//! | `scratch(length)` | bytes wanted | address of a place for the next call to read, or 0 above 64 MiB |
//! | `visitor_name(handle, address)` | `anonymous_id` | |
//! | `visitor_identify(handle, length)` | `anonymous_id` in the scratch | how many slots differ, or −1 |
//! | `visitor_set(handle, length)` | attributes in the scratch | how many slots differ, or −1: see `last_error()` |
//! | `visitor_path(handle, length)` | path in the scratch | its number, or −1 |
//! | `visitor_change(handle, path, length)` | number of a path, value in the scratch | how many slots differ, or −1 |
//! | `visitor_change_number(handle, path, value)` | number of a path, number | how many slots differ, or −1 |
//! | `visitor_time(handle, ms)` | milliseconds since 1970 | how many slots differ, or −1 |
//! | `visitor_wake(handle)` | | milliseconds since 1970, NaN where time alone changes nothing |
//! | `visitor_session(handle, length)` | session in the scratch | how many slots differ, or −1 |
//! | `visitor_changed(handle)` | | how many slots the last call has changed |
//! | `visitor_changes(handle)` | | address of that many pairs of u32, see [`Evaluator::changes`] |
//! | `visitor_moved(handle)` | | how many slots there are, or −1 where the last publication has left all their numbers |
//! | `visitor_moves(handle)` | | address of that many u32, see [`Evaluator::moves`] |
//! | `visitor_decision(handle, slot)` | number of a slot | address of a decision, see [`Evaluator::decision`] |
//! | `visitor_explain(handle, address)` | id of a rule | address of why, see [`Evaluator::explain`] |
//! | `visitor_preview(handle, address)` | id of a rule | address of what it would do, see [`Evaluator::preview`] |
//! | `visitor_assignments(handle)` | | address of who has which variation and why, see [`Evaluator::assignments`] |
//! | `visitor_exposures(handle)` | | address of what is to be tracked, see [`Evaluator::take_exposures`] |
//! | `processor_new(address, at)` | bundle envelope, milliseconds since 1970 | handle, or 0: see `last_error()` |
//! | `processor_publish(handle, address, at)` | the same of a later bundle | 0, or −1: see `last_error()` |
//! | `processor_rollout(handle, statement, candidate, at)` | statement of what is current or 0, its candidate, milliseconds since 1970 | 0, or −1: see `last_error()` |
//! | `processor_absorb(handle, member, address)` | handle of a member's state, JSON array of records | address of the changes, see [`Steps::absorb`] |
//! | `processor_combine(handle, profile, left, address)` | handles of profiles' states, JSON array of changes | address of the firings, see [`Steps::combine`] |
//! | `processor_wake(handle, profile, at)` | handle of a profile's state, milliseconds since 1970 | address of the firings |
//! | `processor_decide(handle, profile, address)` | handle of a profile's state, context as JSON | address of the slots that differ |
//! | `processor_profile(handle, profile)` | handle of a profile's state | address of the profile as JSON |
//! | `processor_read(handle, profile, address)` | handle of a profile's state, JSON array of questions | address of the readings of signals, see [`Steps::read`] |
//! | `processor_free(handle)` | | |
//! | `member_open(member, address)` | `anonymous_id`, saved state or 0 | handle of a state, or 0: see `last_error()` |
//! | `profile_open(address)` | saved state or 0 | handle of a state, or 0: see `last_error()` |
//! | `state_save(handle)` | | address of the saved state, or 0: see `last_error()` |
//! | `state_close(handle)` | | |
//! | `bucket_hash(seed, unit, version)` | two texts by address, a number | bucket from 0 to 1, NaN for an unknown version |
//! | `bucket_ranges(address)` | count, coverage and weights of variations as JSON | address of their ranges, see [`bucket_ranges`] |
//! | `current_bundles(statement, address)` | statement of what is current, JSON array of units | address of the bundles and whose is which, see [`current_bundles`] |
//! | `bundle_apply(bundle, delta, sha256)` | bundle envelope, a delta from it, its SHA-256 in hexadecimal digits or 0 | address of the envelope that follows, or 0: see `last_error()` |
//! | `growthbook_new(address)` | GrowthBook payload as JSON | handle, or 0: see `last_error()` |
//! | `growthbook_set(handle, address)` | options as JSON, see [`GrowthBook::set`] | 0, or address of `{"error","message"}` |
//! | `growthbook_feature(handle, address)` | key of a feature | address of its result as JSON |
//! | `growthbook_run(handle, address)` | experiment as JSON, see [`GrowthBook::run`] | address of its result as JSON |
//! | `growthbook_sticky(handle)` | | address of the documents of assignments |
//! | `growthbook_free(handle)` | | |
//! | `conditions_hold(address)` | JSON array of `[attributes, condition, groups]` | address of a byte for each, see [`conditions_hold`] |
//! | `conditions_judge(address)` | JSON array of objects with `condition` and `document` | address of how each stands, see [`conditions_judge`] |

#[cfg(any(target_arch = "wasm32", feature = "exports"))]
mod abi;
mod answer;
mod attributes;
mod conditions;
mod current;
mod cut;
mod delta;
mod evaluator;
mod event;
mod judge;
mod ranges;
mod record;
mod state;
mod steps;
mod visitor;

pub use attune_core::growthbook::GrowthBook;
pub use conditions::conditions_hold;
pub use current::current_bundles;
pub use delta::bundle_apply;
pub use evaluator::Evaluator;
pub use event::{EventError, read_event};
pub use judge::conditions_judge;
pub use ranges::bucket_ranges;
pub use state::{OpenProfile, State};
pub use steps::Steps;
