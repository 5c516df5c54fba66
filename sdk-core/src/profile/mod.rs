//! What is known of a visitor: absorbed numbers, tiles of signals, traits.

mod absorb;
mod bucket;
mod calendar;
mod change;
mod decay;
mod distinct;
mod event_document;
mod event_ids;
#[cfg(not(target_arch = "wasm32"))]
mod few;
#[cfg(target_arch = "wasm32")]
#[path = "few_plain.rs"]
mod few;
#[cfg(not(target_arch = "wasm32"))]
mod fields;
#[cfg(target_arch = "wasm32")]
#[path = "fields_plain.rs"]
mod fields;
#[cfg(test)]
pub(crate) mod fixture;
mod keys;
mod lane;
mod lanes;
mod member;
pub(crate) mod order;
mod ranges;
mod reading;
#[cfg(not(target_arch = "wasm32"))]
mod short_text;
#[cfg(target_arch = "wasm32")]
#[path = "short_text_plain.rs"]
mod short_text;
mod signal;
mod signal_table;
pub(crate) mod snapshot;
pub(crate) mod sorted;
mod tile;
mod tiles;
mod tiles_codec;
mod traits;
mod view;
mod warming;

pub use absorb::{Absorbed, absorb, absorb_owned};
pub use bucket::Bucket;
pub use calendar::{CalendarUnit, Period, Utc, Zone};
pub use change::{Change, TileChanges};
pub use distinct::Distinct;
pub use event_document::EventDocument;
pub(crate) use keys::bounded_key;
pub use keys::{Found, Keys, key_text};
pub use lane::{LaneState, Marked};
pub use lanes::Lanes;
pub use member::MemberState;
pub use ranges::Ranges;
pub use reading::Viewpoint;
pub use short_text::ShortText;
pub use signal::{Aggregate, Signal, SignalHead, SignalRef, Window, signal_id};
pub use signal_table::SignalTable;
pub use snapshot::SnapshotError;
pub use tile::{Micros, Picked, Tile};
pub use tiles::{SignalTiles, TileChange, Tiles};
pub use traits::Traits;
pub use view::{Latch, ProfileView};
pub use warming::Warming;
