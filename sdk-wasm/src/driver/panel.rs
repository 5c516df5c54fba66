//! The inside as JSON, for a developer panel.

use super::Driver;
use super::fresh::text_of;
use attune_core::value::{number_text, write_string, write_value};

impl Driver {
    /// Member, lane, delivery, signals, bundle and stream.
    pub fn inspect(&'static self) -> String {
        self.ask(|client, now| {
            let (member, lane) = client.sender();
            let status = client.status();
            let mut text = String::from("{\"member\":");
            write_string(&member.0, &mut text);
            text.push_str(",\"lane\":");
            write_string(&text_of(lane.0), &mut text);
            text.push_str(",\"user_id\":");
            match client.user_id() {
                Some(user_id) => write_string(user_id, &mut text),
                None => text.push_str("null"),
            }
            let mut number = |name: &str, value: usize| {
                text.push_str(name);
                text.push_str(&number_text(value as f64));
            };
            number(",\"queue\":{\"events\":", status.events);
            number(",\"bytes\":", status.bytes);
            number(",\"in_flight\":", status.in_flight);
            number(",\"failures\":", status.failures as usize);
            let breaker = if status.breaker_open { "true" } else { "false" };
            text.push_str(&[",\"breaker_open\":", breaker, "},\"bundle_revision\":"].concat());
            text.push_str(&number_text(client.bundle_revision() as f64));
            text.push_str(",\"stream\":");
            write_string(self.push.name(), &mut text);
            text.push_str(",\"signals\":");
            write_value(client.signals(now).get(), &mut text);
            text.push('}');
            text
        })
    }
}
