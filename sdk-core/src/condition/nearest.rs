//! The known name that an unknown one was probably meant to be, and what is said of it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Characters of a name for each mistake that it may have.
const CHARACTERS_PER_MISTAKE: usize = 3;
/// Mistakes beyond which a name is another one, however long it is.
const MAX_MISTAKES: usize = 2;
/// Characters from which on the beginning of a name stands for the whole.
const MIN_BEGINNING: usize = 3;
/// Names of an author that a message lists.
const MAX_LISTED: usize = 8;

/// The nearest of the known names, where it is near: at most one mistake in three characters, and two in all; or else
/// the only one that begins with the name.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let chars: Vec<char> = name.chars().collect();
    let most = (chars.len() / CHARACTERS_PER_MISTAKE).min(MAX_MISTAKES);
    let (mut near, mut longer) = (None, Vec::new());
    for known in known {
        let found = (distance(&chars, known), known);
        if found.0 <= most && near.is_none_or(|best| found < best) {
            near = Some(found);
        }
        if chars.len() >= MIN_BEGINNING && known.starts_with(name) {
            longer.push(known);
        }
    }
    let only = longer.first().copied().filter(|_| longer.len() == 1);
    near.map(|(_, known)| known).or(only)
}

/// The end of a message about an unknown name: the one that was probably meant, or else what there is.
pub fn suggestion<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    or_else: impl FnOnce() -> String,
) -> String {
    nearest(name, known).map_or_else(or_else, |meant| format!("; did you mean {meant}?"))
}

/// Names in a row, as many as a message lists.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let first: Vec<&str> = names.by_ref().take(MAX_LISTED).collect();
    format!("{}{}", first.join(", "), if names.next().is_some() { ", …" } else { "" })
}

/// How many characters have to be inserted, left out, replaced or swapped with their neighbour, each of them once.
fn distance(name: &[char], known: &str) -> usize {
    let known: Vec<char> = known.chars().collect();
    if name.len().abs_diff(known.len()) > MAX_MISTAKES {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = Vec::from([(0..=known.len()).collect()]);
    for (index, sign) in name.iter().enumerate() {
        let mut row = Vec::from([index + 1]);
        let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX);
        let above = rows.last().map_or(&[][..], Vec::as_slice);
        for (at, other) in known.iter().enumerate() {
            let replaced = cell(above, at) + usize::from(sign != other);
            let mut least = replaced.min(cell(above, at + 1) + 1).min(cell(&row, at) + 1);
            let before = (index.checked_sub(1), at.checked_sub(1));
            if let (Some(earlier), Some(left)) = before
                && name.get(earlier) == Some(other)
                && known.get(left) == Some(sign)
            {
                least = least.min(rows.get(earlier).map_or(usize::MAX, |row| cell(row, left) + 1));
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_mistake_or_two_is_known_again_and_another_one_is_not() {
        let known = ["id", "slot", "priority", "when", "actions", "cap", "group"];
        for (name, expected) in [
            ("priorty", Some("priority")),
            ("prioritie", Some("priority")),
            ("pirority", Some("priority")),
            ("action", Some("actions")),
            ("wehn", Some("when")),
            ("prio", Some("priority")),
            ("pr", None),
            ("Slot", Some("slot")),
            ("caps", Some("cap")),
            ("colour", None),
            ("ix", None),
            ("is", None),
            ("priorities", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(nearest("pri", ["priority", "private"]), None, "two begin with it");
        assert_eq!(
            nearest("price", ["priced", "price_list"]),
            Some("priced"),
            "a mistake is nearer than a beginning"
        );
    }

    #[test]
    fn a_list_of_names_ends_after_eight() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        assert_eq!(listed(names), "a, b, c, d, e, f, g, h, …");
        assert_eq!(listed(names.into_iter().take(8)), "a, b, c, d, e, f, g, h");
    }
}
