//! Any text as `pattern`, then a line, then `flags`, then a line, then what it is matched with: a pattern that is taken
//! ends soon on every text, one that is not has its code.
#![no_main]

use attune_core::condition::{Engine, Matcher, Pattern, check_pattern};
use attune_core::limits::MAX_MATCHED_BYTES;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(3, '\n');
    let (source, flags, text) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let flags = if flags.contains('i') { "i" } else { "" };
    match check_pattern(source, flags) {
        Err(error) => assert!(error.code().starts_with("pattern_")),
        Ok(()) => {
            let engine = Engine::default();
            let ask = |text: &str| engine.matches(Pattern { source, flags }, text);
            // An engine takes whatever the check takes. A text of the greatest length says whether time is bounded.
            assert!(ask(text).is_some(), "{source}");
            let turns = if text.is_empty() { 0 } else { MAX_MATCHED_BYTES / text.len() };
            ask(&text.repeat(turns));
        }
    }
});
