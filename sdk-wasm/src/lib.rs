//! The browser shell of Attune: exports, the driver loop, one web API per file.

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Small and constant in time; the standard one is larger than the rest of the standard library in this file.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

mod browser;
mod driver;
mod host;

use attune_core::client::Track;
use attune_core::id::{EventId, MemberId, SessionId, Uuid};
use attune_core::time::Timestamp;
use attune_core::value::{ValueRef, write_value};
use attune_core::wire::Priority;
use driver::Driver;
use host::Host;
use wasm_bindgen::prelude::*;

/// One site's client on one page, as the TypeScript half drives it: ids as texts, structures as JSON texts.
#[wasm_bindgen]
pub struct Shell {
    driver: &'static Driver,
}

#[wasm_bindgen]
impl Shell {
    /// Starts a client; it calls `host.started()` in a later task, when it has taken back what is stored.
    #[wasm_bindgen(constructor)]
    pub fn new(host: Host, write_key: &str, collector: &str, session_id: &str) -> Self {
        Self { driver: Driver::start(host, write_key, collector, session_of(session_id)) }
    }

    /// Captures an event; priority counts up from 0, low.
    pub fn track(
        &self,
        event_id: &str,
        event_type: &str,
        timestamp_ms: f64,
        session_id: &str,
        metadata: Option<String>,
        priority: u8,
    ) {
        self.driver.track(&Track {
            event_id: EventId(uuid_of(event_id)),
            event_type,
            timestamp: Timestamp(timestamp_ms as i64),
            session: session_of(session_id),
            metadata: metadata.as_deref(),
            priority: match priority {
                0 => Priority::Low,
                1 => Priority::Normal,
                _ => Priority::Critical,
            },
        });
    }

    /// Binds the visitor to a user; the caller tracks `attune.identify` after it.
    pub fn identify(&self, user_id: &str) {
        self.driver.identify(user_id);
    }

    /// Begins as a new visitor.
    pub fn reset(&self, session_id: &str) {
        self.driver.reset(session_of(session_id));
    }

    /// Becomes the visitor that another tab has begun.
    pub fn follow(&self, anonymous_id: &str, session_id: &str) {
        self.driver.follow(MemberId(anonymous_id.into()), session_of(session_id));
    }

    /// Takes the member token that another tab has stored.
    pub fn take_token(&self, stored: &str) {
        self.driver.take_token(stored);
    }

    /// Merges a JSON object into the context.
    pub fn set_context(&self, values: &str) {
        self.driver.set_context(values);
    }

    /// The value of a variable as JSON.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.driver.ask(|client, _| client.variable(name).map(json_of))
    }

    /// The value of a signal as JSON.
    pub fn signal(&self, name: &str, key: Option<String>) -> Option<String> {
        self.driver.ask(|client, now| client.signal(name, key.as_deref(), now).map(json_of))
    }

    /// Stores and sends now what waits for it.
    pub fn flush(&self) {
        self.driver.flush();
    }

    /// Ends the client: says farewell and takes every change of the page back.
    pub fn shutdown(&self) {
        self.driver.shutdown();
    }

    /// The inside as JSON, for a developer panel.
    pub fn inspect(&self) -> String {
        self.driver.inspect()
    }
}

fn json_of(value: ValueRef<'_>) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

fn session_of(text: &str) -> SessionId {
    SessionId(uuid_of(text))
}

/// The TypeScript half makes these ids itself; the empty one stands for a text that is none.
fn uuid_of(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap_or_default()
}
