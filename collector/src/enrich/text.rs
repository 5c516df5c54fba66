//! Texts of senders within bounds.

/// The beginning of a text, of so many bytes at most.
pub fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}
