//! Base64 through the browser's own decoder.

use web_sys::window;

/// Decodes base64 text; nothing where it is none.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let binary = window()?.atob(text).ok()?;
    Some(binary.chars().map(|character| character as u8).collect())
}
