//! Reading values out: signals, variables, and everything at once for a developer panel.

use super::Client;
use crate::condition::Reading;
use crate::profile::{SignalRef, Tiles};
use crate::time::Now;
use crate::value::{Packed, PackedObject, ValueRef};

impl Client {
    /// The live value of a signal; nothing for a name the bundle does not have and for a missing value.
    pub fn signal(&self, name: &str, key: Option<&str>, now: Now) -> Option<ValueRef<'static>> {
        self.value_of(&self.bundle.signals.by_name(name)?, key.unwrap_or_default(), now)
    }

    /// The value that the decisions in effect give a variable; where several slots set it, the first slot by name.
    pub fn variable(&self, name: &str) -> Option<ValueRef<'_>> {
        let mut variables = self.decisions.all().iter().flat_map(|decision| decision.actions.variables());
        variables.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Every signal with its values as one object: a number, an instant or null by name, or an object by key for
    /// signals with `by`. Signals that the compiler made for caps are left out.
    pub fn signals(&self, now: Now) -> Packed {
        let mut fields = PackedObject::default();
        for signal in self.bundle.signals.iter().filter(|signal| !signal.name().starts_with("attune.")) {
            match signal.taking().by {
                None => fields.put(signal.name(), self.value_of(&signal, "", now).unwrap_or(ValueRef::Null)),
                Some(_) => {
                    let mut entries = PackedObject::default();
                    let (parts, at) = (self.overlay.parts(), self.instant(now));
                    Tiles::each_entry(&parts, &signal, at, Some(self.session), &mut |key, value| {
                        entries.put(key, value);
                    });
                    fields.put(signal.name(), entries.finish().get());
                }
            }
        }
        fields.finish()
    }

    fn value_of(&self, signal: &SignalRef<'_>, key: &str, now: Now) -> Option<ValueRef<'static>> {
        match Tiles::read(&self.overlay.parts(), signal, key, self.instant(now), Some(self.session)) {
            Reading::Value(value, _) => Some(value),
            Reading::Missing | Reading::Truncated => None,
        }
    }
}
