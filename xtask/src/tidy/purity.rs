//! The core reads no clock, no random source and no outside world, and derives serde only on the wire.

use super::Finding;
use super::tree::{File, Tree};

/// What the core must not name, whatever clippy would say of it.
const IMPURE: [&str; 11] = [
    "std::time",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "Instant::now",
    "SystemTime",
    "rand::",
    "getrandom",
    "js_sys",
    "web_sys",
];

/// Where serde may be named: what crosses a process boundary, its ids and times, and the bundle's authors.
const SERDE_ROOMS: [&str; 4] =
    ["sdk-core/src/wire/", "sdk-core/src/id.rs", "sdk-core/src/time/mod.rs", "sdk-core/src/bundle/author"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.code_below("sdk-core/src").chain(tree.code_below("core-abi/src")).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let may_name_serde = SERDE_ROOMS.iter().any(|room| file.path.starts_with(room));
    let mut findings = Vec::new();
    for (number, line) in file.code_lines() {
        let place = format!("{}:{number}", file.path);
        if let Some(word) = IMPURE.iter().find(|word| line.contains(**word)) {
            findings.push(Finding::new(
                &place,
                format!("`{word}`: the core takes time and chance from its host"),
            ));
        }
        if line.contains("serde") && !may_name_serde {
            findings.push(Finding::new(&place, "serde outside of wire, id, time and bundle::author"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_and_a_stray_derive_are_found() {
        let bad = "use std::time::Instant;\n#[derive(serde::Serialize)]\nstruct A;\n";
        let tree = Tree::of(&[("sdk-core/src/rules/x.rs", bad), ("collector/src/x.rs", bad)]);
        assert_eq!(check(&tree).len(), 2);
    }

    #[test]
    fn comments_tests_and_the_wire_may_name_them() {
        let wire = "// std::time is not for us\n#[derive(serde::Serialize)]\nstruct A;\n#[cfg(test)]\nmod tests { use std::time::Instant; }\n";
        assert_eq!(check(&Tree::of(&[("sdk-core/src/wire/x.rs", wire)])), []);
    }
}
