//! Server-sent events.

use gloo::events::EventListener;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{EventSource, MessageEvent};

/// What a stream tells.
#[derive(Debug)]
pub enum StreamEvent {
    /// A named message with its data and its id.
    Message {
        /// Its name.
        name: &'static str,
        /// Its data.
        data: String,
        /// The id to resume after.
        id: String,
    },
    /// The connection has failed; nothing more will come.
    Failed,
}

/// An open stream; dropping it closes it.
pub struct Stream {
    source: EventSource,
    _listeners: Vec<EventListener>,
}

impl Stream {
    /// Opens a stream and listens for messages of these names; nothing where the browser has no such streams.
    pub fn open(url: &str, names: &[&'static str], callback: impl Fn(StreamEvent) + 'static) -> Option<Self> {
        // A browser that has none throws.
        let source = EventSource::new(url).ok()?;
        let callback: Rc<dyn Fn(StreamEvent)> = Rc::new(callback);
        let mut listeners = Vec::new();
        for &name in names {
            let callback = Rc::clone(&callback);
            listeners.push(EventListener::new(&source, name, move |event| {
                let message: &MessageEvent = event.unchecked_ref();
                let data = message.data().as_string().unwrap_or_default();
                callback(StreamEvent::Message { name, data, id: message.last_event_id() });
            }));
        }
        let failing = source.clone();
        listeners.push(EventListener::new(&source, "error", move |_| {
            // The browser would open the same address again, whose token may have run out.
            failing.close();
            callback(StreamEvent::Failed);
        }));
        Some(Self { source, _listeners: listeners })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.close();
    }
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use crate::browser::promise::test::until;
    use std::cell::Cell;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    async fn a_stream_that_cannot_open_fails_once() {
        let failures = Rc::new(Cell::new(0));
        let counted = Rc::clone(&failures);
        let stream = Stream::open("http://127.0.0.1:7199/none", &["hello"], move |event| {
            assert!(matches!(event, StreamEvent::Failed));
            counted.set(counted.get() + 1);
        });
        assert!(stream.is_some());
        until(|| failures.get() > 0).await;
        assert_eq!(failures.get(), 1);
    }
}
