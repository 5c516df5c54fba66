//! No script imports across a boundary that the architecture draws: the shop knows the package, not its insides.

use super::Finding;
use super::rooms::SCRIPTS;
use super::tree::Tree;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, allowed) in SCRIPTS {
        for file in tree.below(folder, "ts") {
            let depth = file.path.matches('/').count() - folder.matches('/').count() - 1;
            for (index, line) in file.text.lines().enumerate() {
                let Some(name) = imported(line) else { continue };
                let climbs = name.split('/').filter(|part| *part == "..").count();
                let known = allowed.iter().any(|beginning| {
                    let folderlike =
                        beginning.ends_with('/') || beginning.ends_with(':') || beginning.starts_with('@');
                    name == *beginning
                        || name
                            .strip_prefix(beginning)
                            .is_some_and(|rest| folderlike || rest.starts_with('/'))
                });
                if !known || climbs > depth {
                    let place = format!("{}:{}", file.path, index + 1);
                    findings.push(Finding::new(place, format!("`{folder}` may not import `{name}`")));
                }
            }
        }
    }
    findings
}

/// The module that a line imports or re-exports from.
fn imported(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = match line.split_once(" from ") {
        Some((head, rest))
            if head.starts_with("import") || head.starts_with("export") || head.starts_with('}') =>
        {
            rest
        }
        _ => line.strip_prefix("import ").or_else(|| line.split_once("import(").map(|(_, rest)| rest))?,
    };
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    rest[1..].split(quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_across_the_boundary_is_found() {
        let shop = "import { init } from 'attune';\nimport { x } from '../../sdk-wasm/js/clock.ts';\nimport 'left-pad';\n";
        let tree = Tree::of(&[
            ("demo-site/src/main.ts", shop),
            (
                "sdk-wasm/js/a.ts",
                "export { b } from './b.ts';\nconst c = await import('../../demo-site/src/main.ts');\n",
            ),
        ]);
        let places: Vec<String> = check(&tree).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["sdk-wasm/js/a.ts:2", "demo-site/src/main.ts:2", "demo-site/src/main.ts:3"]);
    }

    #[test]
    fn a_browser_adapter_that_knows_the_driver_is_found() {
        let adapter = "import { timer } from './timer.ts';\nimport { a } from '../driver/a.ts';\n";
        let tree = Tree::of(&[
            ("sdk-wasm/js/browser/http.ts", adapter),
            ("sdk-wasm/js/driver/a.ts", "import { get } from '../browser/http.ts';\n"),
        ]);
        let places: Vec<String> = check(&tree).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["sdk-wasm/js/browser/http.ts:2"]);
    }
}
