//! Reading values out: signals, variables, and everything at once for a developer panel.

use super::Client;
use crate::condition::Reading;
use crate::profile::{Signal, Tiles};
use crate::rules::Action;
use crate::time::Now;
use crate::value::{Value, write_string, write_value};
use alloc::string::String;

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

    /// Every signal with its values as JSON text: a number or `null` by name, or an object by key for signals with
    /// `by`. Signals that the compiler made for caps are left out.
    pub fn signals_json(&self, now: Now) -> String {
        let mut text = String::from("{");
        for signal in
            self.bundle.signals.signals().iter().filter(|signal| !signal.name.starts_with("attune."))
        {
            if text.len() > 1 {
                text.push(',');
            }
            write_string(&signal.name, &mut text);
            text.push(':');
            match signal.by {
                None => {
                    let value = self.signal(&signal.name, None, now).unwrap_or(Value::Null);
                    write_value(&value, &mut text);
                }
                Some(_) => self.write_entries(signal, now, &mut text),
            }
        }
        text.push('}');
        text
    }

    fn write_entries(&self, signal: &Signal, now: Now, text: &mut String) {
        let entries = Tiles::entries(&self.overlay.parts(), signal, self.instant(now), Some(self.session));
        text.push('{');
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            write_string(key, text);
            text.push(':');
            write_value(value, text);
        }
        text.push('}');
    }
}
