//! Takes out of a JSON value what may not leave: personal data of its texts, parameters of its addresses.

use super::redact::{Counts, Kinds, redact_text};
use super::url::{UrlParams, scrub_url};
use crate::codec::Writer;
use crate::value::{Packed, Room, ValueRef, text_of_number};
use alloc::string::String;
use alloc::vec::Vec;

/// The smallest number of as many digits as a card has.
const LEAST_CARD: f64 = 1e12;

/// Redacts all texts of a value and the names of its fields, as [`strip`] does without looking at addresses.
pub fn redact_value(value: ValueRef<'_>, kinds: Kinds, counts: &mut Counts) -> Packed {
    strip(value, kinds, &UrlParams::default(), counts)
}

/// Removes parameters from the addresses among the texts of a value and the names of its fields, then redacts them.
///
/// A text without a space that has a `?` or `#` is taken for an address. Of fields whose names become equal the first
/// stays. A number that is a card number becomes the text `[card]`.
pub fn strip(value: ValueRef<'_>, kinds: Kinds, params: &UrlParams, counts: &mut Counts) -> Packed {
    let mut out = Writer::new();
    Strip { kinds, params, counts }.value(value, &mut out);
    Packed::written(out.into_bytes())
}

struct Strip<'a> {
    kinds: Kinds,
    params: &'a UrlParams,
    counts: &'a mut Counts,
}

impl Strip<'_> {
    fn text(&mut self, text: &str) -> Option<String> {
        let is_address = !text.bytes().any(|byte| byte.is_ascii_whitespace());
        let scrubbed = if is_address { scrub_url(text, self.params) } else { None };
        redact_text(scrubbed.as_deref().unwrap_or(text), self.kinds, self.counts).or(scrubbed)
    }

    fn value(&mut self, value: ValueRef<'_>, out: &mut Writer) {
        let mut room: Room = [0; 40];
        let new = match value {
            ValueRef::Text(text) => self.text(text),
            ValueRef::Number(number) if number >= LEAST_CARD => self.text(text_of_number(number, &mut room)),
            ValueRef::List(_) | ValueRef::Object(_) => return self.parts(value, out),
            _ => None,
        };
        new.as_deref().map_or(value, ValueRef::Text).encode(out);
    }

    fn parts(&mut self, value: ValueRef<'_>, out: &mut Writer) {
        let is_object = matches!(value, ValueRef::Object(_));
        let (mut parts, mut count) = (Writer::new(), 0);
        // The names that are not what they were.
        let mut renamed: Vec<String> = Vec::new();
        for (place, (name, part)) in value.entries().enumerate() {
            if is_object {
                let new = self.text(name);
                let wanted = new.as_deref().unwrap_or(name);
                let is_taken = renamed.iter().any(|known| known == wanted)
                    || new.is_some() && value.entries().take(place).any(|(known, _)| known == wanted);
                if is_taken {
                    continue;
                }
                parts.str(wanted);
                renamed.extend(new);
            }
            count += 1;
            self.value(part, &mut parts);
        }
        out.u8(if is_object { 6 } else { 5 });
        out.len(count);
        out.raw(&parts.into_bytes());
    }
}
