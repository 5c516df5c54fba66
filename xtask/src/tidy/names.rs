//! No file or folder whose name says nothing, and the files that every repository of ours has.

use super::Finding;
use super::tree::Tree;

const SAYS_NOTHING: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "misc"];
const REQUIRED: [&str; 5] = ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "CONTRIBUTING.md", ".ci/run"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.0 {
        let empty = file.path.split('/').find(|part| {
            let stem = part.split('.').next().unwrap_or_default();
            SAYS_NOTHING.contains(&stem)
        });
        if let Some(part) = empty {
            findings.push(Finding::new(
                &file.path,
                format!("`{part}` says nothing; name what it defines or does"),
            ));
        }
    }
    for name in REQUIRED {
        if tree.text(name).is_none() {
            findings.push(Finding::new(name, "is missing"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names_and_missing_files_are_found() {
        let mut files =
            vec![("a/utils.rs", ""), ("b/common/x.ts", ""), ("c/misc.test.mjs", ""), ("d/utility.rs", "")];
        files.extend(REQUIRED.iter().skip(1).map(|name| (*name, "")));
        let places: Vec<String> = check(&Tree::of(&files)).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["a/utils.rs", "b/common/x.ts", "c/misc.test.mjs", "LICENSE-MIT"]);
    }
}
