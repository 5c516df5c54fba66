//! The known name that an unknown one was probably meant to be.

use alloc::vec::Vec;

/// Characters of a name for each mistake that it may have.
const CHARACTERS_PER_MISTAKE: usize = 3;
/// Mistakes beyond which a name is another one, however long it is.
const MAX_MISTAKES: usize = 2;

/// The nearest of the known names, where it is near: at most one mistake in three characters, and two in all.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.chars().collect();
    let most = (name.len() / CHARACTERS_PER_MISTAKE).min(MAX_MISTAKES);
    let near = known.into_iter().map(|known| (distance(&name, known), known));
    near.filter(|(mistakes, _)| *mistakes <= most).min().map(|(_, known)| known)
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
    }
}
