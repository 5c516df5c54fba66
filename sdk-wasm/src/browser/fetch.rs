//! HTTP requests: a POST of plain text that needs no preflight, and a GET that asks the server first.

use super::compression::gzip;
use super::promise::{Ending, when_settled};
use super::timer::Timer;
use js_sys::{ArrayBuffer, Object, Reflect, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, RequestCache, RequestCredentials, RequestInit, Response, window};

/// Time after which a request is given up: longer than any answer of a healthy server takes.
const TIMEOUT_MS: u64 = 30_000;
/// Bodies of more bytes are compressed.
const COMPRESS_ABOVE_BYTES: usize = 1024;
/// All requests that may outlive the page share 64 KiB; a larger body has to do without.
const MAX_KEEPALIVE_BYTES: usize = 60 * 1024;

/// An answer of a server.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After` as sent.
    pub retry_after: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Called once with the answer, or with nothing where there was none.
pub type Done = Box<dyn FnOnce(Option<Answer>)>;

/// Posts a text as `text/plain`; it may outlive its page.
pub fn post(url: &str, body: &str, done: Done) {
    if body.len() <= COMPRESS_ABOVE_BYTES {
        return send_text(url, body, done);
    }
    let (url, text) = (url.to_owned(), body.to_owned());
    gzip(body, move |compressed| match compressed {
        Some(buffer) => send_body(&url, &buffer, buffer.byte_length() as usize, done),
        None => send_text(&url, &text, done),
    });
}

/// Gets a body; the browser's cache answers only after the server has confirmed it.
pub fn get(url: &str, done: Done) {
    let options = RequestInit::new();
    options.set_cache(RequestCache::NoCache);
    send(url, &options, done);
}

fn send_text(url: &str, body: &str, done: Done) {
    send_body(url, &JsValue::from_str(body), body.len(), done);
}

fn send_body(url: &str, body: &JsValue, bytes: usize, done: Done) {
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_body(body);
    let headers = Object::new();
    // The only content type besides form data that costs no preflight.
    let _ = Reflect::set(&headers, &"content-type".into(), &"text/plain".into());
    options.set_headers(&headers);
    if bytes <= MAX_KEEPALIVE_BYTES {
        // Neither web-sys nor gloo knows this field.
        let _ = Reflect::set(&options, &"keepalive".into(), &JsValue::TRUE);
    }
    send(url, &options, done);
}

fn send(url: &str, options: &RequestInit, done: Done) {
    let Some(window) = window() else { return done(None) };
    options.set_credentials(RequestCredentials::Omit);
    let timer = Rc::new(Timer::default());
    if let Ok(controller) = AbortController::new() {
        options.set_signal(Some(&controller.signal()));
        timer.set(TIMEOUT_MS, move || controller.abort());
    }
    when_settled(&window.fetch_with_str_and_init(url, options), move |ending| {
        let Ok(response) = ending.map(JsCast::unchecked_into::<Response>) else { return done(None) };
        let status = response.status();
        let retry_after = response.headers().get("retry-after").ok().flatten();
        let Ok(reading) = response.array_buffer() else { return done(None) };
        when_settled(&reading, move |ending| {
            // The timer covers the body too, so it lives until here.
            timer.clear();
            done(bytes_of(ending).map(|body| Answer { status, retry_after, body }));
        });
    });
}

fn bytes_of(ending: Ending) -> Option<Vec<u8>> {
    let buffer: ArrayBuffer = ending.ok()?.unchecked_into();
    Some(Uint8Array::new(&buffer).to_vec())
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use crate::browser::promise::test::until;
    use std::cell::RefCell;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    async fn an_answer_has_status_and_body_and_its_absence_is_told() {
        let heard = Rc::new(RefCell::new(Vec::new()));
        for url in ["data:text/plain,hello", "nowhere:"] {
            let heard = Rc::clone(&heard);
            get(
                url,
                Box::new(move |answer| {
                    heard.borrow_mut().push(answer.map(|answer| (answer.status, answer.body)));
                }),
            );
        }
        until(|| heard.borrow().len() == 2).await;
        let mut heard = heard.borrow().clone();
        heard.sort();
        assert_eq!(heard, [None, Some((200, b"hello".to_vec()))]);
    }
}
