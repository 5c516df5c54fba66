//! What the TypeScript half offers to this one. None of it throws.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The TypeScript half.
    #[derive(Clone)]
    pub type Host;

    /// What earlier page loads stored has been taken back: buffered calls may follow.
    #[wasm_bindgen(method)]
    pub fn started(this: &Host);

    /// The first attempt at fetching the bundle has ended.
    #[wasm_bindgen(method)]
    pub fn ready(this: &Host);

    /// A slot's decision has changed; nothing where the slot is empty now.
    #[wasm_bindgen(method)]
    pub fn decision(this: &Host, slot: &str, json: Option<String>);

    /// A capped rule has been shown.
    #[wasm_bindgen(method)]
    pub fn shown(this: &Host, metadata: &str);

    /// Something went wrong.
    #[wasm_bindgen(method)]
    pub fn error(this: &Host, code: &str, message: &str, is_usage: bool);

    /// Anything a developer panel shows may have changed.
    #[wasm_bindgen(method)]
    pub fn changed(this: &Host);
}

/// Whose doing an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The caller's mistake.
    Usage,
    /// The world's weather.
    Environment,
}
