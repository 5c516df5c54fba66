//! Gzip through the browser's own compressor.

use super::promise::when_settled;
use js_sys::{Array, ArrayBuffer};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, ReadableWritablePair, Response};

#[wasm_bindgen]
extern "C" {
    /// The browser's compressor, which web-sys knows in an unstable form only.
    #[wasm_bindgen(extends = ReadableWritablePair)]
    type CompressionStream;
    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<CompressionStream, JsValue>;
}

/// Compresses a text; nothing where the browser cannot.
pub fn gzip(text: &str, done: impl FnOnce(Option<ArrayBuffer>) + 'static) {
    match compressed(text) {
        Some(response) => match response.array_buffer() {
            Ok(reading) => when_settled(&reading, move |ending| {
                done(ending.ok().map(JsCast::unchecked_into));
            }),
            Err(_) => done(None),
        },
        None => done(None),
    }
}

fn compressed(text: &str) -> Option<Response> {
    let stream = Blob::new_with_str_sequence(&Array::of1(&text.into())).ok()?.stream();
    // A browser that has none throws.
    let compressor = CompressionStream::new("gzip").ok()?;
    let compressed = stream.pipe_through(&compressor);
    Response::new_with_opt_readable_stream(Some(&compressed)).ok()
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use crate::browser::promise::test::until;
    use std::cell::RefCell;
    use std::rc::Rc;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    async fn repeated_text_shrinks_and_begins_like_gzip() {
        let found = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&found);
        gzip(&"attune ".repeat(1_000), move |buffer| {
            *kept.borrow_mut() = js_sys::Uint8Array::new(&buffer.unwrap()).to_vec();
        });
        until(|| !found.borrow().is_empty()).await;
        let bytes = found.borrow();
        assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < 200, "{} bytes", bytes.len());
    }
}
