//! Reading values out: signals, variables, and the names under which a developer panel asks for them.

use super::Client;
use crate::condition::Reading;
use crate::profile::{SignalRef, Tiles, Viewpoint};
use crate::time::Now;
use crate::value::ValueRef;

impl Client {
    /// The live value of a signal; nothing for a name the bundle does not have and for a missing value.
    #[inline(never)]
    pub fn signal(&self, name: &str, key: Option<&str>, now: Now) -> Option<ValueRef<'_>> {
        self.value_of(&self.bundle.signals.by_name(name)?, key.unwrap_or_default(), now)
    }

    /// The value that the decisions in effect give a variable; where several slots set it, the first slot by name.
    pub fn variable(&self, name: &str) -> Option<ValueRef<'_>> {
        let mut variables = self.decisions.all().iter().flat_map(|decision| decision.actions.variables());
        variables.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The signals of the bundle in effect, but for those that the compiler made for caps.
    pub fn signals(&self) -> impl Iterator<Item = SignalRef<'_>> {
        self.bundle.signals.iter().filter(|signal| !signal.name().starts_with("attune."))
    }

    /// Shows every key that a tile of a signal has, in any order and some of them several times.
    pub fn each_key(&self, signal: &SignalRef<'_>, see: &mut dyn FnMut(&str)) {
        for part in self.overlay.parts() {
            part.each_key(signal.id, see);
        }
    }

    fn value_of(&self, signal: &SignalRef<'_>, key: &str, now: Now) -> Option<ValueRef<'_>> {
        let from = Viewpoint { now: self.instant(now), session: Some(self.session), zone: &self.clocks() };
        match Tiles::read(&self.overlay.parts(), signal, key, from) {
            Reading::Value(value, _) => Some(value),
            Reading::Missing | Reading::Truncated => None,
        }
    }
}
