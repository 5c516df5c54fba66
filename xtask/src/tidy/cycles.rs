//! No import cycles between the files of a room, nor between the rooms of a crate.
//!
//! A room's `mod.rs` is its door: what a file takes through the door counts as taken from the file that the door
//! re-exports it from, and what the door defines itself counts for nobody.

use super::Finding;
use super::references::{module_of, references};
use super::tree::{File, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// The crates whose files are checked.
const FOLDERS: [&str; 4] = ["sdk-core/src", "core-abi/src", "sdk-wasm/src", "collector/src"];

type Graph = BTreeMap<String, BTreeSet<String>>;

pub fn check(tree: &Tree) -> Vec<Finding> {
    FOLDERS.iter().filter_map(|folder| check_folder(tree, folder)).collect()
}

fn check_folder(tree: &Tree, folder: &str) -> Option<Finding> {
    let files: Vec<&File> = tree.code_below(folder).collect();
    let names: BTreeSet<String> = files.iter().map(|file| module_of(&file.path).join("::")).collect();
    let doors = doors(&files, &names);
    let mut graph = Graph::new();
    for file in &files {
        let own = module_of(&file.path).join("::");
        let children = format!("{own}::");
        let is_door = names.iter().any(|name| name.starts_with(&children)) || own.is_empty();
        if is_door {
            continue;
        }
        let targets =
            references(file).into_iter().filter_map(|reference| target(&reference.segments, &names, &doors));
        graph.entry(own.clone()).or_default().extend(targets.filter(|target| *target != own));
    }
    let cycle = find_cycle(&graph)?;
    Some(Finding::new(folder, format!("import cycle: {}", cycle.join(" -> "))))
}

/// For each door, where the names come from that it re-exports.
fn doors(files: &[&File], names: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut doors = BTreeMap::new();
    for file in files {
        let own = module_of(&file.path);
        for statement in file.text.split(';').filter_map(|part| part.split_once("pub use ")) {
            let Some((from, items)) = statement.1.split_once("::") else { continue };
            let from: Vec<String> = own.iter().cloned().chain([from.trim().to_owned()]).collect();
            if !names.contains(&from.join("::")) {
                continue;
            }
            for item in
                items.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|item| !item.is_empty())
            {
                let shown: Vec<String> = own.iter().cloned().chain([item.to_owned()]).collect();
                doors.insert(shown.join("::"), from.join("::"));
            }
        }
    }
    doors
}

/// The file that a path leads to: the longest prefix that is one, after following the doors.
fn target(segments: &[String], names: &BTreeSet<String>, doors: &BTreeMap<String, String>) -> Option<String> {
    for length in (1..=segments.len()).rev() {
        let path = segments.get(..length)?.join("::");
        if let Some(behind) = doors.get(&path) {
            return Some(behind.clone());
        }
        if names.contains(&path) {
            return Some(path);
        }
    }
    None
}

fn find_cycle(graph: &Graph) -> Option<Vec<String>> {
    let mut finished = BTreeSet::new();
    graph.keys().find_map(|start| walk(graph, start, &mut Vec::new(), &mut finished))
}

fn walk(
    graph: &Graph,
    at: &str,
    path: &mut Vec<String>,
    finished: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(from) = path.iter().position(|visited| visited == at) {
        return Some(path[from..].iter().cloned().chain([at.to_owned()]).collect());
    }
    if finished.contains(at) {
        return None;
    }
    path.push(at.to_owned());
    let cycle = graph.get(at).into_iter().flatten().find_map(|next| walk(graph, next, path, finished));
    path.pop();
    finished.insert(at.to_owned());
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_through_the_door_is_found() {
        let tree = Tree::of(&[
            ("sdk-core/src/lib.rs", "pub mod queue;\n"),
            ("sdk-core/src/queue/mod.rs", "mod buffer;\nmod retry;\npub use retry::{Delay, Policy};\n"),
            ("sdk-core/src/queue/buffer.rs", "use super::Delay;\n"),
            ("sdk-core/src/queue/retry.rs", "use crate::queue::buffer::Buffer;\n"),
        ]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].message.contains("queue::buffer -> queue::retry -> queue::buffer"),
            "{findings:?}"
        );
    }

    #[test]
    fn what_the_door_defines_itself_makes_no_cycle() {
        let tree = Tree::of(&[
            ("sdk-core/src/queue/mod.rs", "mod buffer;\nuse buffer::Buffer;\npub struct Event;\n"),
            ("sdk-core/src/queue/buffer.rs", "use super::Event;\n"),
        ]);
        assert_eq!(check(&tree), []);
    }
}
