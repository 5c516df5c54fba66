//! The comings and goings of a page.

use gloo::events::EventListener;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{PageTransitionEvent, window};

/// A turn in a page's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Hidden: on phones often the last that is heard of a page.
    Hidden,
    /// Visible again.
    Visible,
    /// Leaving; it may come back from the back/forward cache.
    Leaving,
    /// Back from the back/forward cache.
    Restored,
    /// Online again.
    Online,
}

/// Listens until it is dropped.
pub struct Lifecycle {
    _listeners: Vec<EventListener>,
}

impl Lifecycle {
    /// Calls back at every turn.
    pub fn watch(callback: impl Fn(Turn) + 'static) -> Self {
        let callback: Rc<dyn Fn(Turn)> = Rc::new(callback);
        let mut listeners = Vec::new();
        let Some(window) = window() else { return Self { _listeners: listeners } };
        for name in ["visibilitychange", "pagehide", "pageshow", "online"] {
            let callback = Rc::clone(&callback);
            // `visibilitychange` is fired at the document and bubbles.
            listeners.push(EventListener::new(&window, name, move |event| {
                if let Some(turn) = turn_of(name, event) {
                    callback(turn);
                }
            }));
        }
        Self { _listeners: listeners }
    }
}

/// Whether the page is hidden now.
pub fn is_hidden() -> bool {
    window().and_then(|window| window.document()).is_some_and(|document| document.hidden())
}

fn turn_of(name: &str, event: &web_sys::Event) -> Option<Turn> {
    match name {
        "visibilitychange" => Some(if is_hidden() { Turn::Hidden } else { Turn::Visible }),
        "pagehide" => Some(Turn::Leaving),
        "online" => Some(Turn::Online),
        _ => event.unchecked_ref::<PageTransitionEvent>().persisted().then_some(Turn::Restored),
    }
}
