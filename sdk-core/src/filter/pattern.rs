//! Names of event types and parameters as a policy writes them: exact, or with a `*` at the end for anything.

/// Whether a pattern stands for a text.
pub(super) fn covers(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [prefix @ .., b'*'] => text.starts_with(prefix),
        exact => exact == text,
    }
}
