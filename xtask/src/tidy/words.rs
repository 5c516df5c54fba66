//! No words that do not belong in the repository: paths of one machine, registry hosts, unfinished business.

use super::Finding;
use super::tree::Tree;

/// Each entry is written in two halves, so that this list does not find itself.
const FORBIDDEN: [(&str, &str, &str); 11] = [
    ("/work", "/", "a path of one machine"),
    ("/fa", "rm/", "a path of one machine"),
    ("/tmp/", "bash", "a path of one machine"),
    ("/root", "/", "a path of one machine"),
    ("registry.", "npmjs", "a registry host; only lock files name one"),
    ("index.", "crates.io", "a registry host; only lock files name one"),
    ("arti", "factory", "a registry host; only lock files name one"),
    ("TO", "DO", "unfinished business"),
    ("FIX", "ME", "unfinished business"),
    ("for n", "ow,", "a sentence that will not be true next year"),
    ("not yet impl", "emented", "unfinished business"),
];

const LOCK_FILES: [&str; 2] = ["Cargo.lock", "package-lock.json"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.0 {
        if LOCK_FILES.iter().any(|name| file.path.ends_with(name)) {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            for (head, tail, why) in FORBIDDEN {
                if line.contains(&format!("{head}{tail}")) {
                    let place = format!("{}:{}", file.path, index + 1);
                    findings.push(Finding::new(place, format!("`{head}{tail}`: {why}")));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_words_are_found_except_in_lock_files() {
        let line = format!("// TO{}: read /work{}x", "DO", "/");
        let tree =
            Tree::of(&[("a.rs", &line), ("Cargo.lock", &line), ("b.rs", "// nothing to do at work\n")]);
        assert_eq!(check(&tree).len(), 2);
    }
}
