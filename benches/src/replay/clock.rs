//! A deterministic clock for clicks whose recording has only days.
//!
//! The gap between two clicks follows the quantiles of real shop traffic, drawn by a hash of session and click, so
//! that every run gives every click the same instant.

use attune_core::hash::key_hash;
use attune_core::time::Timestamp;

/// Quantiles of the gap between two clicks of a session: probability in thousandths, gap in milliseconds. The last
/// gap stays below the 30 minutes that end a session.
const GAP_QUANTILES: [(u64, i64); 9] = [
    (0, 1_000),
    (50, 3_000),
    (250, 24_000),
    (500, 55_000),
    (750, 127_000),
    (900, 296_000),
    (950, 526_000),
    (990, 1_714_000),
    (1_000, 1_799_000),
];
/// Sessions begin within this part of their day, in milliseconds: the shop's 24 hours less the time a long one takes.
const START_SPAN_MS: u64 = 16 * 3_600_000;

/// The instants of one session, one after another.
#[derive(Debug)]
pub struct SessionClock {
    session: u32,
    at: Timestamp,
}

impl SessionClock {
    /// The clock of a session that begins on this day; its first instant is [`SessionClock::start`].
    pub fn new(session: u32, day: (u32, u32, u32)) -> Self {
        let (year, month, day) = day;
        let midnight =
            Timestamp::parse(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")).unwrap_or_default();
        let offset_ms = draw("start", session, 0) % START_SPAN_MS;
        Self { session, at: midnight.plus(offset_ms as i64) }
    }

    /// The instant of the session's latest click.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Moves on to the click of this number.
    pub fn advance(&mut self, order: u32) -> Timestamp {
        self.at = self.at.plus(gap_ms(draw("gap", self.session, order)));
        self.at
    }
}

/// Ten bytes for an id, the same at every run.
pub fn id_bytes(purpose: &str, session: u32, order: u32) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&draw(purpose, session, order).to_be_bytes());
    bytes[8..].copy_from_slice(&draw(purpose, order, session).to_be_bytes()[..2]);
    bytes
}

/// A number that depends on its arguments alone.
pub fn draw(purpose: &str, session: u32, order: u32) -> u64 {
    key_hash(format!("{purpose}/{session}/{order}").as_bytes())
}

/// Interpolates linearly between the quantiles.
fn gap_ms(random: u64) -> i64 {
    let millionth = random % 1_000_000;
    for pair in GAP_QUANTILES.windows(2) {
        let [(low, low_ms), (high, high_ms)] = pair else { continue };
        if millionth < high * 1_000 {
            let share = (millionth - low * 1_000) as i64;
            return low_ms + (high_ms - low_ms) * share / ((high - low) as i64 * 1_000);
        }
    }
    GAP_QUANTILES[GAP_QUANTILES.len() - 1].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_follow_the_quantiles_and_stay_within_a_session() {
        let mut gaps: Vec<i64> = (0..20_000).map(|order| gap_ms(draw("gap", 7, order))).collect();
        gaps.sort_unstable();
        for (share, expected_ms) in [(0.25, 24_000.0), (0.5, 55_000.0), (0.75, 127_000.0), (0.95, 526_000.0)]
        {
            let found = gaps[(gaps.len() as f64 * share) as usize] as f64;
            assert!((found / expected_ms - 1.0).abs() < 0.06, "{share}: {found} ms");
        }
        assert!(gaps.iter().all(|gap| (1_000..30 * 60_000).contains(gap)));
    }

    #[test]
    fn a_session_has_the_same_instants_at_every_run() {
        let instants = || {
            let mut clock = SessionClock::new(7, (2008, 4, 1));
            (0..5).map(|order| clock.advance(order)).collect::<Vec<_>>()
        };
        assert_eq!(instants(), instants());
        assert!(instants().is_sorted());
    }
}
