//! Which file a function is in.

use crate::cut::Cuts;
use walrus::LocalFunction;

/// The part of a function that visits must leave aside for it to come twice, in percent: what the first file saves is paid
/// with the whole function in the rest.
const LEAST_PERCENT: usize = 12;

/// Which file a function is in.
#[derive(Clone, Debug)]
pub enum Fate {
    /// The first, and the rest calls it there.
    Shared,
    /// Both. The first has what visits reach of it and traps at everything else; the rest has all of it, and takes its
    /// places.
    Both(Cuts),
    /// The rest.
    Rest,
}

impl Fate {
    /// The fate of a function, by which of its points have been reached.
    pub fn of(function: &LocalFunction, reached: &[bool]) -> Self {
        if !reached.first().copied().unwrap_or_default() {
            return Self::Rest;
        }
        let cuts = Cuts::of(function, reached);
        if cuts.out * 100 >= cuts.whole * LEAST_PERCENT { Self::Both(cuts) } else { Self::Shared }
    }

    /// Whether it is in the first file alone.
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Shared)
    }

    /// Whether it is in both.
    pub const fn is_both(&self) -> bool {
        matches!(self, Self::Both(_))
    }

    /// Whether it is in the rest alone.
    pub const fn is_rest(&self) -> bool {
        matches!(self, Self::Rest)
    }
}
