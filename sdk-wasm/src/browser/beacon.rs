//! Requests that outlive their page.

use web_sys::window;

/// Hands a text to the browser to be posted even if the page is gone; says whether the browser took it.
pub fn send_beacon(url: &str, body: &str) -> bool {
    window()
        .is_some_and(|window| window.navigator().send_beacon_with_opt_str(url, Some(body)).unwrap_or(false))
}
