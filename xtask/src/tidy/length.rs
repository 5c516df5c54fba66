//! No file above 500 lines, and every file opens with one sentence that says what it is.

use super::Finding;
use super::tree::{File, Tree};

/// Longest source file, in lines: beyond it a reader loses the one job of the file.
const MAX_LINES: usize = 500;
/// Shortest opening that can be a sentence, in characters.
const MIN_SENTENCE_CHARS: usize = 16;

pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.0.iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let Some(opening) = opening_of(file.extension()) else { return Vec::new() };
    let mut findings = Vec::new();
    let lines = file.text.lines().count();
    if lines > MAX_LINES {
        findings.push(Finding::new(&file.path, format!("{lines} lines; the limit is {MAX_LINES}")));
    }
    if !opens_with_sentence(&file.text, opening) {
        findings
            .push(Finding::new(&file.path, format!("opens without a module sentence (`{}…`)", opening[0])));
    }
    findings
}

fn opening_of(extension: &str) -> Option<&'static [&'static str]> {
    match extension {
        "rs" => Some(&["//! "]),
        "ts" | "tsx" | "mts" | "js" | "mjs" | "css" => Some(&["/** ", "/**\n * "]),
        "html" => Some(&["<!-- "]),
        _ => None,
    }
}

fn opens_with_sentence(text: &str, openings: &[&str]) -> bool {
    // A shebang and a doctype have to come first by their own rules.
    let skipped = |line: &&str| line.starts_with("#!") || line.to_ascii_lowercase().starts_with("<!doctype");
    let body: Vec<&str> = text.lines().skip_while(skipped).take(8).collect();
    let body = body.join("\n");
    openings.iter().any(|opening| {
        body.strip_prefix(opening).is_some_and(|sentence| {
            let sentence = sentence.trim_start();
            sentence.len() >= MIN_SENTENCE_CHARS && sentence.contains(['.', ':'])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_and_a_missing_sentence_are_found() {
        let long = "//! A module with a sentence.\n".to_owned() + &"\n".repeat(MAX_LINES);
        let tree =
            Tree::of(&[("a.rs", &long), ("b.rs", "use x;\n"), ("c.ts", "export {};\n"), ("d.css", "a{}")]);
        let places: Vec<String> = check(&tree).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["a.rs", "b.rs", "c.ts", "d.css"]);
    }

    #[test]
    fn openings_of_every_kind_are_accepted() {
        let tree = Tree::of(&[
            ("a.rs", "//! Says what it is in a sentence.\n"),
            ("b.ts", "/** Says what it is in a sentence. */\n"),
            ("c.mjs", "#!/usr/bin/env node\n/**\n * Says what it is in a sentence.\n */\n"),
            ("d.html", "<!doctype html>\n<!-- Says what it is in a sentence. -->\n"),
            ("e.json", "{}"),
        ]);
        assert_eq!(check(&tree), []);
    }
}
