//! Random bytes of the browser.

use web_sys::window;

/// Fresh random bytes; without a source of them, zeros.
pub fn random_bytes<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    if let Some(crypto) = window().and_then(|window| window.crypto().ok()) {
        // Fails beyond 65,536 bytes only.
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// A fresh random number for jitter.
pub fn random_u64() -> u64 {
    u64::from_le_bytes(random_bytes())
}

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test]
    fn bytes_differ_from_call_to_call() {
        assert_ne!(random_bytes::<16>(), random_bytes::<16>());
    }
}
