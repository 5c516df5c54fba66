//! What is known of a visitor: absorbed numbers, tiles of signals, traits.

mod lanes;
mod member;
mod ranges;
mod signal;
mod tile;
mod tiles;
mod view;

pub use lanes::{LaneState, Lanes, Marked};
pub use member::{Absorbed, Change, MemberState, Traits, absorb};
pub use ranges::Ranges;
pub use signal::{Aggregate, Signal, SignalTable, Window};
pub use tile::Tile;
pub use tiles::{Bucket, SignalTiles, Tiles};
pub use view::{Latch, ProfileView};
