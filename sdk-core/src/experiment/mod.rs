//! Who sees which variation: hashing into buckets, ranges, filters, preview and the identity of exposures.
//!
//! The results are GrowthBook's, number by number, so that an experiment that moves here keeps everybody's variation.

mod address;
#[cfg(feature = "author")]
mod exclusion;
mod exposure;
mod hash;
mod namespace;
mod preview;
mod range;
mod target;

pub use address::Address;
#[cfg(feature = "author")]
pub use exclusion::{Claim, ExclusionError, share_out};
pub use exposure::{Exposure, exposure_id};
pub use hash::{HashVersion, bucket};
pub use namespace::in_namespace;
pub use preview::previewed;
#[cfg(feature = "author")]
pub use range::bucket_ranges;
pub use range::{Range, choose};
pub use target::{Targeting, UrlTarget, is_targeted, simple_matches};
