//! Whether a cap leaves room for one more showing; what cannot be known counts as reached.

use super::Cap;
use crate::condition::{Document, Outlook, Reading, instant};
use crate::value::ValueRef;

/// Whether a slot rule under this cap may newly take its slot, by the tiles of its hidden signals.
///
/// Where it may not, `outlook` receives the instant at which time alone makes room. Triggers have no hidden signals:
/// their firings are counted by whoever keeps the profile.
pub fn cap_allows(cap: &Cap, key: &str, document: &dyn Document, outlook: &mut Outlook) -> bool {
    let mut allows = true;
    if let Some(signal) = cap.shown {
        allows = match document.signal(signal, key) {
            Reading::Missing => true,
            Reading::Value(ValueRef::Number(shown), until) => {
                let has_room = shown < f64::from(cap.count);
                if let (false, Some(at)) = (has_room, until) {
                    outlook.note(at);
                }
                has_room
            }
            Reading::Value(..) | Reading::Truncated => false,
        };
    }
    if let (Some(gap_ms), Some(signal)) = (cap.min_gap_ms, cap.shown_at) {
        allows &= match document.signal(signal, key) {
            Reading::Missing => true,
            Reading::Value(last, _) => match instant(last).map(|at| at.plus(gap_ms)) {
                Some(over) if over > document.now() => {
                    outlook.note(over);
                    false
                }
                found => found.is_some(),
            },
            Reading::Truncated => false,
        };
    }
    allows
}
