//! Whether a cap leaves room for one more showing; what cannot be known counts as reached.

use super::Cap;
use crate::condition::{Document, Outlook, Reading};
use crate::value::ValueRef;

/// Whether a slot rule under this cap may newly take its slot, by the tiles of its hidden signals.
///
/// Where it may not, `outlook` receives the instant at which time alone makes room. Triggers have no hidden signals:
/// their firings are counted by whoever keeps the profile.
pub fn cap_allows(cap: &Cap, key: &str, document: &dyn Document, outlook: &mut Outlook) -> bool {
    let count = cap.shown.map(|signal| document.signal(signal, key));
    let counted = match count {
        None | Some(Reading::Missing) => true,
        Some(Reading::Value(ValueRef::Number(shown), until)) => {
            let room = shown < f64::from(cap.count);
            if let (false, Some(at)) = (room, until) {
                outlook.note(at);
            }
            room
        }
        Some(Reading::Value(..) | Reading::Truncated) => false,
    };
    let gap = cap.min_gap_ms.zip(cap.shown_at);
    let spaced = gap.is_none_or(|(gap_ms, signal)| match document.signal(signal, key) {
        Reading::Missing => true,
        Reading::Value(last, _) => match crate::condition::instant(last) {
            Some(at) if at.plus(gap_ms) > document.now() => {
                outlook.note(at.plus(gap_ms));
                false
            }
            found => found.is_some(),
        },
        Reading::Truncated => false,
    });
    counted && spaced
}
