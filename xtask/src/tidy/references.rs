//! Finds which modules a Rust file names, by its `crate::`, `super::` and `self::` paths.

use super::tree::File;

/// A path that a file names: its segments after `crate`, and the line.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// Segments from the crate's root.
    pub segments: Vec<String>,
    /// Line number from 1.
    pub line: usize,
}

/// The module path of a file within its crate: `src/queue/retry.rs` is `queue`, `retry`.
pub fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let stem = inside.strip_suffix(".rs").unwrap_or(inside);
    stem.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main")).map(str::to_owned).collect()
}

/// All paths into the same crate that a file names outside of its tests.
pub fn references(file: &File) -> Vec<Reference> {
    let own = module_of(&file.path);
    let mut found = Vec::new();
    let mut code = String::new();
    let mut starts = Vec::new();
    for (number, line) in file.code_lines() {
        starts.push((code.len(), number));
        code.push_str(line);
        code.push('\n');
    }
    for keyword in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(keyword) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$')) {
                continue;
            }
            let line = starts.iter().rev().find(|(start, _)| *start <= at).map_or(0, |(_, number)| *number);
            let mut segments = Vec::new();
            expand(&code[at..], &mut Vec::new(), &mut segments);
            for path in segments {
                if let Some(segments) = resolve(&own, &path) {
                    found.push(Reference { segments, line });
                }
            }
        }
    }
    found
}

/// Collects the paths of a use tree or of a plain path, and returns how many bytes were read.
fn expand(text: &str, prefix: &mut Vec<String>, out: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    let depth = prefix.len();
    loop {
        let rest = &text[at..];
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        at += word.len();
        if !word.is_empty() {
            prefix.push(word);
        }
        if let Some(after) = text[at..].strip_prefix("::") {
            at += 2;
            if after.starts_with('{') {
                at += 1;
                while at < text.len() && !text[at..].starts_with('}') {
                    let step = text[at..].chars().next().map_or(1, char::len_utf8);
                    if text[at..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
                        at += expand(&text[at..], prefix, out);
                    } else {
                        at += step;
                    }
                }
                prefix.truncate(depth);
                return (at + 1).min(text.len());
            }
            if after.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                continue;
            }
        }
        // ` as other` belongs to the name before it.
        if let Some(after) = text[at..].strip_prefix(" as ") {
            at += 4 + after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').count();
        }
        out.push(prefix.clone());
        prefix.truncate(depth);
        return at;
    }
}

fn resolve(own: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut base: Vec<String> = own.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        _ => {
            while let Some(first) = rest.first() {
                match first.as_str() {
                    "super" => drop(base.pop()),
                    "self" => {}
                    _ => break,
                }
                rest = &rest[1..];
            }
        }
    }
    base.extend(rest.iter().filter(|part| *part != "self").cloned());
    Some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(path: &str, text: &str) -> Vec<String> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        references(&file).iter().map(|reference| reference.segments.join("::")).collect()
    }

    #[test]
    fn plain_paths_and_groups_are_found() {
        let text =
            "use crate::wire::{Event, batch::{Batch, Closed as Ended}};\nfn f() { crate::id::write() }\n";
        let found = paths("sdk-core/src/queue/mod.rs", text);
        assert_eq!(found, ["wire::Event", "wire::batch::Batch", "wire::batch::Closed", "id::write"]);
    }

    #[test]
    fn super_is_resolved_from_where_the_file_stands() {
        assert_eq!(paths("sdk-core/src/queue/retry.rs", "use super::super::wire::Event;"), ["wire::Event"]);
        assert_eq!(paths("sdk-core/src/queue/retry.rs", "use super::{DropReason, buffer::X};").len(), 2);
        assert_eq!(paths("sdk-core/src/queue/retry.rs", "use super::buffer::X;"), ["queue::buffer::X"]);
    }

    #[test]
    fn comments_and_other_crates_are_not_references() {
        let text = "//! crate::wire\n// crate::wire\nuse attune_crate::wire;\nmacro!($crate::wire);\n";
        assert!(paths("sdk-core/src/queue/retry.rs", text).is_empty());
    }
}
