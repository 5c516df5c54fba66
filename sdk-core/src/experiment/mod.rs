//! Who sees which variation: hashing into buckets, ranges, filters, preview and the identity of exposures.
//!
//! The results are GrowthBook's, number by number, so that an experiment that moves here keeps everybody's variation.

mod address;
mod assign;
#[cfg(feature = "author")]
mod exclusion;
mod exposure;
mod hash;
mod namespace;
mod preview;
mod range;
mod table;
mod target;
mod trial;

pub use address::Address;
pub use assign::{Assigned, Assignment, Exposed, Origin};
#[cfg(feature = "author")]
pub use exclusion::{Claim, ExclusionError, share_out};
pub use exposure::{Exposure, exposure_id};
pub use hash::{HashVersion, bucket, bucket_number};
pub use namespace::in_namespace;
pub use preview::previewed;
#[cfg(feature = "author")]
pub use range::bucket_ranges;
pub use range::{Range, Span, choose};
pub use table::TrialTable;
pub use target::{Targeting, UrlTarget, is_targeted, simple_matches};
pub use trial::{Filter, Hashing, Sticky, Trial, TrialRef};
