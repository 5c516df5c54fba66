//! The two clocks of the page.

use web_sys::window;

/// Wall time in milliseconds since 1970.
pub fn wall_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// Milliseconds since the page began; never runs backwards.
pub fn monotonic_ms() -> u64 {
    window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now()) as u64
}
