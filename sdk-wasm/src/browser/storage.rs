//! localStorage with queued writes; nothing is kept where the browser blocks it.

use super::timer::Timer;
use gloo::storage::{LocalStorage, Storage as _};
use js_sys::Map;
use std::cell::Cell;
use wasm_bindgen::JsValue;
use web_sys::window;

/// Longest time a write waits; together they cost one pass over the disk.
const WRITE_DELAY_MS: u64 = 50;

/// The entries of one site under a prefix. Values are bytes, stored as one character each.
pub struct Storage {
    prefix: String,
    backing: Option<web_sys::Storage>,
    /// Writes that wait, by full key: a text, or `undefined` for what is to be removed. It keeps their order.
    pending: Map,
    timer: Timer,
    is_full: Cell<bool>,
    filled: Box<dyn Fn()>,
}

impl Storage {
    /// Opens the entries under a prefix, for as long as the page lives; calls back once when the quota is used up.
    pub fn open(prefix: String, filled: impl Fn() + 'static) -> &'static Self {
        Box::leak(Box::new(Self {
            prefix,
            backing: open_local_storage(),
            pending: Map::new(),
            timer: Timer::default(),
            is_full: Cell::new(false),
            filled: Box::new(filled),
        }))
    }

    /// Whether the browser blocks the store, so that nothing outlives the page.
    pub const fn is_blocked(&self) -> bool {
        self.backing.is_none()
    }

    /// Queues a write.
    pub fn put(&'static self, key: &str, value: &[u8]) {
        let text: String = value.iter().map(|byte| char::from(*byte)).collect();
        self.queue(key, &JsValue::from_str(&text));
    }

    /// Queues a removal.
    pub fn delete(&'static self, key: &str) {
        self.queue(key, &JsValue::UNDEFINED);
    }

    /// The stored value of a key; writes that wait are not seen.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        let text = self.backing.as_ref()?.get_item(&self.full(key)).ok().flatten()?;
        Some(bytes_of(&text))
    }

    /// Every stored entry whose key starts with `prefix`, without that prefix.
    pub fn entries(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let full = self.full(prefix);
        let Some(backing) = &self.backing else { return Vec::new() };
        let keys = (0..backing.length().unwrap_or(0)).filter_map(|index| backing.key(index).ok().flatten());
        let ours = keys.filter_map(|key| {
            let value = bytes_of(&backing.get_item(key.strip_prefix(&*full).map(|_| &*key)?).ok().flatten()?);
            Some((key.get(full.len()..)?.to_owned(), value))
        });
        ours.collect()
    }

    /// Performs every write that waits.
    pub fn flush(&self) {
        self.timer.clear();
        let Some(backing) = &self.backing else { return self.pending.clear() };
        self.pending.for_each(&mut |value, key| {
            let key = key.as_string().unwrap_or_default();
            let written = match value.as_string() {
                Some(text) => backing.set_item(&key, &text),
                None => backing.remove_item(&key),
            };
            if written.is_err() && !self.is_full.replace(true) {
                (self.filled)();
            }
        });
        self.pending.clear();
    }

    /// Performs every write that waits in the next task.
    pub fn flush_soon(&'static self) {
        self.flush_after(0);
    }

    fn queue(&'static self, key: &str, value: &JsValue) {
        let key = JsValue::from_str(&self.full(key));
        // Deleted first so that a repeated write moves to the end.
        self.pending.delete(&key);
        self.pending.set(&key, value);
        if !self.timer.is_set() {
            self.flush_after(WRITE_DELAY_MS);
        }
    }

    fn flush_after(&'static self, delay_ms: u64) {
        self.timer.set(delay_ms, || self.flush());
    }

    fn full(&self, key: &str) -> String {
        [&*self.prefix, key].concat()
    }
}

/// gloo panics where the storage is blocked, so web-sys is asked first.
fn open_local_storage() -> Option<web_sys::Storage> {
    window()?.local_storage().ok().flatten()?;
    let storage = LocalStorage::raw();
    let probe = "attune/probe";
    storage.set_item(probe, "").ok()?;
    storage.remove_item(probe).ok()?;
    Some(storage)
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().map(|character| character as u8).collect()
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use js_sys::Reflect;
    use std::rc::Rc;
    use wasm_bindgen::JsCast;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn open(name: &str) -> &'static Storage {
        Storage::open(["attune-test/", name, "/"].concat(), || {})
    }

    #[wasm_bindgen_test]
    fn every_byte_survives_the_store() {
        let storage = open("bytes");
        let value: Vec<u8> = (0..=255).collect();
        storage.put("a", &value);
        assert_eq!(storage.get("a"), None);
        storage.flush();
        assert_eq!(open("bytes").get("a"), Some(value));
    }

    #[wasm_bindgen_test]
    fn the_last_write_of_a_key_counts() {
        let storage = open("order");
        storage.put("gone", b"1");
        storage.delete("gone");
        storage.delete("kept");
        storage.put("kept", b"2");
        storage.flush();
        assert_eq!((storage.get("gone"), storage.get("kept")), (None, Some(b"2".to_vec())));
    }

    #[wasm_bindgen_test]
    fn entries_are_those_under_the_prefix() {
        let storage = open("entries");
        for key in ["core/a", "core/b", "member"] {
            storage.put(key, key.as_bytes());
        }
        storage.flush();
        let mut entries = storage.entries("core/");
        entries.sort();
        assert_eq!(entries, [("a".into(), b"core/a".to_vec()), ("b".into(), b"core/b".to_vec())]);
    }

    #[wasm_bindgen_test]
    fn a_full_store_is_reported_once() {
        let reports = Rc::new(Cell::new(0));
        let seen = Rc::clone(&reports);
        let storage = Storage::open("attune-test/full/".into(), move || seen.set(seen.get() + 1));
        for key in ["a", "b"] {
            storage.put(key, &vec![b'x'; 8 * 1024 * 1024]);
        }
        storage.flush();
        assert_eq!((reports.get(), storage.get("a")), (1, None));
    }

    #[wasm_bindgen_test]
    fn a_blocked_store_keeps_nothing_and_breaks_nothing() {
        let script = "const own = Object.getOwnPropertyDescriptor(window, 'localStorage');
            Object.defineProperty(window, 'localStorage', { configurable: true, get() { throw new Error('blocked') } });
            return own";
        let window = window().unwrap();
        let own = js_sys::Function::new_no_args(script).call0(&JsValue::UNDEFINED).unwrap();
        let storage = open("blocked");
        storage.put("a", b"1");
        storage.flush();
        let found = (storage.is_blocked(), storage.get("a"), storage.entries("").len());
        Reflect::define_property(&window, &"localStorage".into(), own.unchecked_ref()).unwrap();
        assert_eq!(found, (true, None, 0));
    }
}
