//! A part of a list whose rows are lines, within a number and a size.

use crate::limits::MAX_LISTED_BYTES;

/// Rows in their order, and from where to go on; `C` is a place in the list.
#[derive(Clone, Debug)]
pub struct Page<C> {
    lines: String,
    rows: usize,
    limit: usize,
    last: Option<C>,
    next: Option<C>,
}

impl<C: Copy> Page<C> {
    /// One that is empty and takes so many rows at most.
    pub fn new(limit: usize) -> Self {
        Self { lines: String::new(), rows: 0, limit, last: None, next: None }
    }

    /// Takes a row without its line break; says whether a further one may be there as well. The first one fits always.
    pub fn take(&mut self, place: C, row: &str) -> bool {
        let is_too_long = self.rows > 0 && self.lines.len() + row.len() >= MAX_LISTED_BYTES;
        if self.rows == self.limit || is_too_long {
            self.next = self.last;
            return false;
        }
        self.lines.push_str(row);
        self.lines.push('\n');
        (self.rows, self.last) = (self.rows + 1, Some(place));
        true
    }

    /// The rows as NDJSON.
    pub fn into_lines(self) -> String {
        self.lines
    }

    /// The place behind which the list goes on; nothing at its end.
    pub const fn next(&self) -> Option<C> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_at_its_rows_or_its_bytes_and_says_whether_there_are_more() {
        let mut whole = Page::new(2);
        assert!(whole.take(1, "a") && whole.take(2, "b"));
        assert_eq!((whole.next(), &*whole.into_lines()), (None, "a\nb\n"));

        let mut part = Page::new(2);
        assert!(part.take(1, "a") && part.take(5, "b") && !part.take(7, "c"));
        assert_eq!((part.next(), &*part.into_lines()), (Some(5), "a\nb\n"));

        let long = "x".repeat(MAX_LISTED_BYTES / 2);
        let mut long_rows = Page::new(1_000);
        assert!(long_rows.take(1, &long) && !long_rows.take(2, &long));
        assert_eq!(long_rows.next(), Some(1));
        let mut one = Page::new(1_000);
        assert!(one.take(1, &"x".repeat(2 * MAX_LISTED_BYTES)), "a list goes on behind whatever is in it");
        assert!(!one.take(2, ""));
    }
}
