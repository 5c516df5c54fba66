//! Mutual exclusion groups, shared out as parts of a namespace, so that one unit is in one of the group's experiments.

use super::Range;
use alloc::vec::Vec;
use core::fmt;

/// What an experiment claims of its group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim<'a> {
    /// The experiment's id.
    pub experiment: &'a str,
    /// Its share of the group, from 0 to 1; absent, it takes an equal part of what the others leave.
    pub share: Option<f64>,
}

/// Claims that do not fit their group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExclusionError {
    /// A share that is not between 0 and 1.
    BadShare,
    /// Shares that add up to more than the whole.
    TooMuch,
}

impl ExclusionError {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadShare => "exclusion_share_out_of_range",
            Self::TooMuch => "exclusion_shares_exceed_one",
        }
    }
}

impl fmt::Display for ExclusionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadShare => "a share of an exclusion group is not between 0 and 1",
            Self::TooMuch => "the shares of an exclusion group add up to more than 1",
        })
    }
}

impl core::error::Error for ExclusionError {}

/// The part of the group's namespace that each claim gets, one behind the other in the order of the claims.
///
/// A group hands out ten thousandths, so that parts meet without a gap and nothing depends on how sums round.
///
/// # Errors
/// Shares out of range, or more than there is.
pub fn share_out(claims: &[Claim<'_>]) -> Result<Vec<Range>, ExclusionError> {
    let mut steps = Vec::with_capacity(claims.len());
    let (mut claimed, mut open) = (0_u32, 0_u32);
    for claim in claims {
        let share = match claim.share {
            Some(share) if (0.0..=1.0).contains(&share) => Some((share * WHOLE + 0.5) as u32),
            Some(_) => return Err(ExclusionError::BadShare),
            None => None,
        };
        claimed = claimed.saturating_add(share.unwrap_or_default());
        open += u32::from(share.is_none());
        steps.push(share);
    }
    let left = (WHOLE as u32).checked_sub(claimed).ok_or(ExclusionError::TooMuch)?;
    let (mut from, mut nth) = (0, 0);
    let part = |share: Option<u32>| {
        let length = share.unwrap_or_else(|| {
            nth += 1;
            left * nth / open - left * (nth - 1) / open
        });
        let until = from + length;
        let range = Range { from: f64::from(from) / WHOLE, until: f64::from(until) / WHOLE };
        from = until;
        range
    };
    Ok(steps.into_iter().map(part).collect())
}

/// Steps in which shares are counted.
const WHOLE: f64 = 10_000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn parts(shares: &[Option<f64>]) -> Result<Vec<(f64, f64)>, ExclusionError> {
        let claims: Vec<Claim<'_>> =
            shares.iter().map(|share| Claim { experiment: "e", share: *share }).collect();
        Ok(share_out(&claims)?.into_iter().map(|range| (range.from, range.until)).collect())
    }

    #[test]
    fn parts_follow_each_other_without_a_gap() {
        assert_eq!(parts(&[None, None]), Ok(vec![(0.0, 0.5), (0.5, 1.0)]));
        assert_eq!(parts(&[Some(0.2), None, None]), Ok(vec![(0.0, 0.2), (0.2, 0.6), (0.6, 1.0)]));
        assert_eq!(parts(&[None, None, None]).unwrap().last(), Some(&(0.6666, 1.0)));
        assert_eq!(parts(&[Some(0.1), Some(0.2)]), Ok(vec![(0.0, 0.1), (0.1, 0.3)]));
        assert_eq!(parts(&[]), Ok(vec![]));
    }

    #[test]
    fn claims_beyond_the_whole_are_refused() {
        assert_eq!(parts(&[Some(0.6), Some(0.5)]), Err(ExclusionError::TooMuch));
        assert_eq!(parts(&[Some(1.5)]), Err(ExclusionError::BadShare));
        assert_eq!(parts(&[Some(f64::NAN)]), Err(ExclusionError::BadShare));
        assert_eq!(parts(&[Some(1.0), None]), Ok(vec![(0.0, 1.0), (1.0, 1.0)]));
    }
}
