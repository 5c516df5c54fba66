//! Reading values out: signals, variables, and everything at once for a developer panel.

use super::Client;
use crate::condition::Reading;
use crate::profile::{Signal, Tiles};
use crate::rules::Action;
use crate::time::Now;
use crate::value::Value;

impl Client {
    /// The live value of a signal; nothing for a name the bundle does not have and for a missing value.
    pub fn signal(&self, name: &str, key: Option<&str>, now: Now) -> Option<Value> {
        let signal = self.bundle.signals.by_name(name)?;
        let key = key.unwrap_or_default();
        match Tiles::read(&self.overlay.parts(), signal, key, self.instant(now), Some(self.session)) {
            Reading::Value(value, _) => Some(value),
            Reading::Missing | Reading::Truncated => None,
        }
    }

    /// The value that the decisions in effect give a variable; where several slots set it, the first slot by name.
    pub fn variable(&self, name: &str) -> Option<&Value> {
        let mut actions = self.decisions.all().iter().flat_map(|decision| &decision.actions);
        actions.find_map(|action| match action {
            Action::Variable { name: known, value } if &**known == name => Some(value),
            _ => None,
        })
    }

    /// Every signal's value, by key where it is counted by one, for a developer panel; the SDK's own are left out.
    pub fn signals_now(&self, now: Now) -> Value {
        let parts = self.overlay.parts();
        let value_of = |signal: &Signal| match signal.by {
            None => self.signal(&signal.name, None, now).unwrap_or(Value::Null),
            Some(_) => Value::Object(Tiles::entries(&parts, signal, self.instant(now), Some(self.session))),
        };
        let signals = self.bundle.signals.signals().iter();
        let own = signals.filter(|signal| !signal.name.starts_with("attune."));
        Value::Object(own.map(|signal| (signal.name.clone(), value_of(signal))).collect())
    }
}
