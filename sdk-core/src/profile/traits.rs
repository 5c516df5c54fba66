//! What the site has told about a visitor: names with values, the latest write of each name winning.

use super::keys::Found;
use super::order::places_in_order;
use super::{EventDocument, Keys};
use crate::codec::{Source, Writer};
use crate::id::{EventId, Uuid};
use crate::limits::MAX_TRAIT_BYTES;
use crate::time::Timestamp;
use crate::value::{Packed, Value, ValueRef, cut};
use crate::wire::IDENTIFY;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The trait that says whether a visitor's browser sends Global Privacy Control.
pub const GPC_TRAIT: &str = "$gpc";

/// Traits by name. Equal in whatever order the writes come; of too many names those with the smallest hash stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traits {
    names: Keys<Trait>,
}

#[derive(Clone, Debug, PartialEq)]
struct Trait {
    value: Packed,
    at: Timestamp,
    event_id: EventId,
}

impl Traits {
    /// The value of a trait; one that was set to null has none.
    pub fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        match self.names.get(name) {
            Found::Value(found) => Some(found.value.get()).filter(|value| !value.is_null()),
            _ => None,
        }
    }

    /// The value at a dotted path whose first step is the name; the empty path is nothing.
    #[inline(never)]
    pub fn at(&self, path: &str) -> Option<ValueRef<'_>> {
        // A trait may have a dot in its name.
        if let Some(value) = self.get(path) {
            return Some(value);
        }
        let (name, rest) = cut(path, b'.');
        self.get(name)?.at(rest?)
    }

    /// The event whose write of a name stands, with the time by which it does; also of one that was set to null.
    pub fn written_by(&self, name: &str) -> Option<(Timestamp, EventId)> {
        match self.names.get(name) {
            Found::Value(found) => Some((found.at, found.event_id)),
            _ => None,
        }
    }

    /// Names and values, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        let all = self.names.iter().map(|(name, found)| (name, found.value.get()));
        all.filter(|(_, value)| !value.is_null())
    }

    /// All traits as one object, in order of name.
    pub fn to_object(&self) -> Value {
        let traits: Vec<(&str, ValueRef<'_>)> = self.iter().collect();
        let places = places_in_order(traits.len(), &|a, b| traits[a].0.cmp(traits[b].0));
        let in_order = places.into_iter().filter_map(|place| traits.get(place));
        Value::Object(in_order.map(|(name, value)| (Box::from(*name), value.to_tree())).collect())
    }

    /// Whether there is no trait.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Takes `metadata.traits` of an `attune.identify` event in, and returns what that changed. Other events, names
    /// and values larger than [`MAX_TRAIT_BYTES`] change nothing.
    pub fn apply(&mut self, document: &EventDocument) -> Self {
        let mut changed = Self::default();
        if &*document.event().event_type != IDENTIFY {
            return changed;
        }
        let Some(traits @ ValueRef::Object(_)) = document.metadata().field("traits") else {
            return changed;
        };
        let (at, event_id) = (document.event().timestamp, document.event().event_id);
        for (name, value) in traits.entries() {
            let value = Packed::of(value);
            if name.len() > MAX_TRAIT_BYTES || value.bytes().len() > MAX_TRAIT_BYTES {
                continue;
            }
            let written = Trait { value, at, event_id };
            if self.write(name, &written) {
                changed.write(name, &written);
            }
        }
        changed
    }

    /// Takes in that a browser's privacy control is on at an event, as the trait [`GPC_TRAIT`], and returns what that changed.
    /// It stays: a signal that is sent no more is no agreement. What the site has written there, as where a visitor has agreed,
    /// stays as well.
    pub fn apply_gpc(&mut self, document: &EventDocument) -> Self {
        let mut changed = Self::default();
        if !matches!(self.get(GPC_TRAIT), Some(ValueRef::Bool(_))) {
            let (at, event_id) = (document.event().timestamp, document.event().event_id);
            let written = Trait { value: Packed::of(ValueRef::Bool(true)), at, event_id };
            if self.write(GPC_TRAIT, &written) {
                changed.write(GPC_TRAIT, &written);
            }
        }
        changed
    }

    /// Whether the visitor's browser has asked not to sell or share what it sends.
    pub fn opts_out(&self) -> bool {
        self.get(GPC_TRAIT) == Some(ValueRef::Bool(true))
    }

    /// Adds other writes, such as those of another member.
    pub fn merge(&mut self, other: &Self) {
        self.names.merge(&other.names, Trait::take_later);
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Writer) {
        self.names.encode(out, |found, out| {
            found.value.encode(out);
            out.i64(found.at.0);
            out.raw(found.event_id.0.as_bytes());
        });
    }

    /// Reads the binary form; what is out of bounds fails the source.
    pub fn decode(source: &mut Source<'_>) -> Self {
        let names = Keys::decode(source, |source| Trait {
            value: Packed::read(source),
            at: Timestamp(source.i64()),
            event_id: EventId(Uuid::from_bytes(source.array())),
        });
        Self { names }
    }

    #[inline(never)]
    fn write(&mut self, name: &str, written: &Trait) -> bool {
        let mut changed = false;
        let place = self.names.or_insert_with(name, || {
            changed = true;
            written.clone()
        });
        if let Some(mine) = place
            && !changed
        {
            changed = mine.is_before(written);
            mine.take_later(written);
        }
        changed
    }
}

impl Trait {
    fn is_before(&self, other: &Self) -> bool {
        (self.at, self.event_id) < (other.at, other.event_id)
    }

    fn take_later(&mut self, other: &Self) {
        if self.is_before(other) {
            self.clone_from(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::fixture::event;
    use alloc::format;
    use alloc::string::String;

    fn traits(writes: &[(i64, &str)]) -> Traits {
        let mut traits = Traits::default();
        for (at, fields) in writes {
            traits.apply(&event(*at, IDENTIFY, &format!(r#"{{"traits":{fields}}}"#)));
        }
        traits
    }

    #[test]
    fn the_latest_write_of_a_name_wins_in_any_order() {
        let (early, late) = ((1, r#"{"plan":"free","name":"Ada"}"#), (2, r#"{"plan":"pro"}"#));
        let ordered = traits(&[early, late]);
        assert_eq!(ordered, traits(&[late, early]));
        assert_eq!(ordered.at("plan"), Some(ValueRef::Text("pro")));
        assert_eq!(ordered.at("name"), Some(ValueRef::Text("Ada")));
        let mut merged = traits(&[early]);
        merged.merge(&traits(&[late]));
        assert_eq!(merged, ordered);
    }

    #[test]
    fn null_takes_a_trait_away_and_paths_lead_into_values() {
        let traits = traits(&[(1, r#"{"address":{"city":"Oslo"},"plan":"pro"}"#), (2, r#"{"plan":null}"#)]);
        assert_eq!(traits.at("address.city"), Some(ValueRef::Text("Oslo")));
        assert_eq!(traits.at("plan"), None);
        let written = |name| traits.written_by(name).map(|(at, _)| at);
        assert_eq!(
            (written("plan"), written("address"), written("x")),
            (Some(Timestamp(2)), Some(Timestamp(1)), None)
        );
        assert_eq!(traits.to_object().field("plan"), None);
    }

    #[test]
    fn only_identify_writes_and_only_values_within_the_bound() {
        let mut traits = Traits::default();
        assert!(traits.apply(&event(1, "page_view", r#"{"traits":{"plan":"pro"}}"#)).is_empty());
        let long: String = "x".repeat(MAX_TRAIT_BYTES);
        let changed = traits.apply(&event(1, IDENTIFY, &format!(r#"{{"traits":{{"a":1,"b":"{long}"}}}}"#)));
        assert_eq!(changed.iter().count(), 1);
        let mut out = Writer::new();
        traits.encode(&mut out);
        let bytes = out.into_bytes();
        let mut source = Source::new(&bytes);
        assert_eq!((Traits::decode(&mut source), source.finish()), (traits, Ok(())));
    }
}
