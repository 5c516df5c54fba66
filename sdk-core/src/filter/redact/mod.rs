//! Takes personal data out of texts: e-mail and internet addresses, card, account and phone numbers.
//!
//! What is looked for is ASCII: digits of other scripts, such as full-width ones, are letters here, and what is encoded
//! other than by `%` is not decoded. `docs/filter.md` says what each kind matches and what it leaves alone.

mod byte;
mod card;
mod chain;
mod email;
mod iban;
mod ip;
mod kind;
mod number;
mod phone;

use crate::limits::MAX_REDACT_ROUNDS;
use alloc::string::String;

pub(super) use byte::escaped;
pub use kind::{Counts, Kind, Kinds};

/// Personal data in a text: its kind, its first byte and the one behind its last.
struct Hit {
    kind: Kind,
    from: usize,
    to: usize,
}

/// Finds the first hit that begins at a byte or behind it; for addresses, the first whose `@` does.
type Find = fn(&[u8], usize, Kinds) -> Option<Hit>;

const FINDERS: [Find; 2] = [email::find, number::find];

/// Replaces each hit in a text by its kind in brackets, such as `[email]`; nothing where there is none.
///
/// It is repeated until nothing is found, so that what is left has no hit either: a number can be one only once its
/// neighbour is gone. A text that has hits after [`MAX_REDACT_ROUNDS`] becomes the mark of the next one as a whole.
pub fn redact_text(text: &str, kinds: Kinds, counts: &mut Counts) -> Option<String> {
    let mut redacted: Option<String> = None;
    for _ in 0..MAX_REDACT_ROUNDS {
        let mut is_done = true;
        for find in FINDERS {
            if let Some(next) = replace(redacted.as_deref().unwrap_or(text), find, kinds, counts) {
                redacted = Some(next);
                is_done = false;
            }
        }
        if is_done {
            return redacted;
        }
    }
    let left = redacted.as_deref().unwrap_or(text).as_bytes();
    match FINDERS.iter().find_map(|find| find(left, 0, kinds)) {
        None => redacted,
        Some(hit) => {
            let mut mark = String::new();
            hit.kind.mark(counts, &mut mark);
            Some(mark)
        }
    }
}

fn replace(text: &str, find: Find, kinds: Kinds, counts: &mut Counts) -> Option<String> {
    let (mut out, mut copied) = (String::new(), 0);
    while let Some(Hit { kind, from, to }) = find(text.as_bytes(), copied, kinds) {
        out.push_str(text.get(copied..from).unwrap_or_default());
        kind.mark(counts, &mut out);
        copied = to;
    }
    out.push_str(text.get(copied..).filter(|_| copied > 0)?);
    Some(out)
}
