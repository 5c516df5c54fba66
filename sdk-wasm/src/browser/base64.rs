//! Base64 through the browser's own decoder.

use web_sys::window;

/// Decodes base64 text; nothing where it is none.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let binary = window()?.atob(text).ok()?;
    Some(binary.chars().map(|character| character as u8).collect())
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn decodes_every_byte_and_refuses_what_is_no_base64() {
        assert_eq!(decode_base64("AAH+/w=="), Some(vec![0, 1, 254, 255]));
        assert_eq!(decode_base64("%"), None);
    }
}
