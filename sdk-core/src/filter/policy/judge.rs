//! The answer to one event that asks to leave.

use super::reason::Reason;
use super::{Asking, BotRule, Others, Policy, RateState, Sender, TypePolicy};
use crate::filter::redact::Counts;
use crate::filter::strip::strip;
use crate::value::{Packed, PackedObject, ValueRef};

/// Whether an event may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may, with what is left of its metadata.
    Keep(Kept),
    /// It may not; it gets no number, and the reason is counted.
    Drop(Reason),
}

/// What leaves of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The metadata without what may not leave.
    pub metadata: Packed,
    /// What has been redacted.
    pub redacted: Counts,
}

impl Policy {
    /// Judges an event before it gets a number: who sends it, its type, its visitor, its properties, how many there have
    /// been; then removes what it may not carry. An event that is dropped takes nothing of a rate.
    pub fn judge(&self, asking: &Asking<'_>, rates: &mut RateState) -> Verdict {
        match self.admit(asking, rates) {
            Ok(of_type) => Verdict::Keep(self.strip(of_type, asking.metadata)),
            Err(reason) => Verdict::Drop(reason),
        }
    }

    /// What would leave of the metadata of an event of this type, whether or not the event may: for what is kept of one that
    /// may not.
    pub fn strip_only(&self, event_type: &str, metadata: ValueRef<'_>) -> Packed {
        self.strip(self.of_type(event_type).map(|(_, of_type)| of_type), metadata).metadata
    }

    fn admit(&self, asking: &Asking<'_>, rates: &mut RateState) -> Result<Option<&TypePolicy>, Reason> {
        if self.bots == BotRule::Drop && asking.sender == Sender::Bot {
            return Err(Reason::Bot);
        }
        if self.denies(asking.event_type) {
            return Err(Reason::DeniedType);
        }
        let found = self.of_type(asking.event_type);
        if let Some((_, of_type)) = found {
            if !of_type.lets_in(&self.seed, asking.member) {
                return Err(Reason::SampledOut);
            }
            for property in &of_type.properties {
                if let Err(expected) = property.check(asking.metadata) {
                    return Err(Reason::SchemaMismatch { property: property.name.clone(), expected });
                }
            }
        }
        let rate = found.and_then(|(place, of_type)| Some((place, of_type.per_minute?)));
        rates.take(rate, self.per_minute, asking.now.monotonic).map_err(Reason::RateLimited)?;
        Ok(found.map(|(_, of_type)| of_type))
    }

    /// Removes properties, then parameters of addresses, then what is redacted.
    fn strip(&self, of_type: Option<&TypePolicy>, metadata: ValueRef<'_>) -> Kept {
        let (mut listed, mut redacted) = (None, Counts::default());
        if let Some(of_type) = of_type.filter(|of_type| of_type.others == Others::Remove) {
            let mut object = PackedObject::default();
            for (name, value) in metadata.entries() {
                if of_type.properties.iter().any(|property| *property.name == *name) {
                    object.put(name, value);
                }
            }
            listed = Some(object.finish());
        }
        let kinds = of_type.and_then(|of_type| of_type.redact).unwrap_or(self.redact);
        let left = listed.as_ref().map_or(metadata, Packed::get);
        let metadata = strip(left, kinds, &self.url_params, &mut redacted);
        Kept { metadata, redacted }
    }
}
