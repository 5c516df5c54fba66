//! No module and no package names one that the architecture does not allow it to name.

use super::Finding;
use super::references::{module_of, references};
use super::rooms::{CRATES, OTHER_FACADES, PACKAGES, Room};
use super::tree::Tree;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let inner = CRATES.iter().flat_map(|(folder, rooms)| check_rooms(tree, folder, rooms));
    inner.chain(check_packages(tree)).chain(check_facades(tree)).collect()
}

fn check_rooms(tree: &Tree, folder: &str, rooms: &[Room]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.code_below(folder) {
        let module = module_of(&file.path);
        // The crate's door (lib.rs, main.rs) names all rooms by its nature.
        let Some(own) = module.first() else { continue };
        let Some(room) = rooms.iter().find(|room| room.name == own) else {
            findings.push(Finding::new(
                &file.path,
                format!("room `{own}` has no row in xtask/src/tidy/rooms.rs"),
            ));
            continue;
        };
        for reference in references(file) {
            let Some(target) = reference.segments.first() else { continue };
            let is_room = rooms.iter().any(|room| room.name == target);
            if is_room && target != own && !room.may_name.contains(&target.as_str()) {
                let place = format!("{}:{}", file.path, reference.line);
                findings.push(Finding::new(place, format!("`{own}` may not name `{target}`")));
            }
        }
    }
    findings
}

fn check_packages(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, allowed) in PACKAGES {
        let manifest = format!("{folder}/Cargo.toml");
        for (index, line) in tree.text(&manifest).unwrap_or_default().lines().enumerate() {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            let ours = name == "attune" || name.starts_with("attune-") || name == "xtask";
            if ours && line.contains('=') && !allowed.contains(&name) {
                let place = format!("{manifest}:{}", index + 1);
                findings.push(Finding::new(place, format!("`{folder}` may not depend on `{name}`")));
            }
        }
    }
    findings
}

/// Each shell uses its own façade of the core.
fn check_facades(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, forbidden) in OTHER_FACADES {
        for file in tree.code_below(folder) {
            for (number, line) in file.code_lines() {
                if let Some(facade) = forbidden.iter().find(|facade| line.contains(**facade)) {
                    let place = format!("{}:{number}", file.path);
                    findings.push(Finding::new(place, format!("`{facade}` is not for `{folder}`")));
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
    fn a_forbidden_arrow_inside_the_core_is_found() {
        let tree = Tree::of(&[
            ("sdk-core/src/queue/retry.rs", "use crate::rules::Rule;\nuse crate::wire::Event;\n"),
            ("sdk-core/src/wire/event.rs", "use crate::queue::Queue;\n"),
            ("sdk-core/src/client/mod.rs", "use crate::{queue::Queue, processor::Processor};\n"),
            ("sdk-core/src/novel.rs", ""),
        ]);
        let places: Vec<String> = check(&tree).into_iter().map(|finding| finding.place).collect();
        let expected = [
            "sdk-core/src/queue/retry.rs:1",
            "sdk-core/src/wire/event.rs:1",
            "sdk-core/src/client/mod.rs:1",
            "sdk-core/src/novel.rs",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn a_shell_that_uses_the_facade_of_the_other_is_found() {
        let tree = Tree::of(&[
            (
                "sdk-wasm/src/page.rs",
                "use attune_core::processor::Processor;\nuse attune_core::client::Client;\n",
            ),
            ("collector/src/worker/mod.rs", "use attune_core::client::Client;\n"),
        ]);
        assert_eq!(check(&tree).len(), 2);
    }

    #[test]
    fn tests_may_name_what_they_need() {
        let tree = Tree::of(&[
            ("sdk-core/src/queue/mod.rs", "mod retry;\n#[cfg(test)]\nmod rig;\n"),
            ("sdk-core/src/queue/rig.rs", "use crate::client::Client;\n"),
            (
                "sdk-core/src/queue/retry.rs",
                "#[cfg(all(test, unix))]\nmod tests {\n use crate::client::Client;\n}\n",
            ),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_forbidden_dependency_is_found() {
        let tree = Tree::of(&[
            (
                "sdk-core/Cargo.toml",
                "[package]\nname = \"attune-core\"\n[dependencies]\nxtask = { path = \"../xtask\" }\n",
            ),
            (
                "sdk-wasm/Cargo.toml",
                "[dependencies]\nattune-core.workspace = true\nattune-collector.workspace = true\n",
            ),
        ]);
        assert_eq!(check(&tree).len(), 2);
    }
}
