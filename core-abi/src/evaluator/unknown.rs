//! What is said of a rule or a path that there is not: what was given, and what may have been meant.

use crate::answer::failure;
use attune_core::condition::{listed, nearest, suggestion};
use attune_core::rules::RuleTable;

/// Characters of what was given that a message repeats.
const MAX_QUOTED: usize = 100;
/// What the paths that a host sets begin with.
const ROOTS: [&str; 2] = ["traits", "context"];

/// That the bundle has no such rule.
pub(super) fn rule_unknown(rules: &RuleTable, id: &str) -> String {
    let ids = || rules.iter().map(|rule| rule.id);
    let hint = suggestion(id, ids(), || match ids().next() {
        Some(_) => format!("; its rules are {}", listed(ids())),
        None => "; it has no rules".into(),
    });
    failure("rule_unknown", &format!("the bundle has no rule {}{hint}", quoted(id)))
}

/// That a host sets no value at a path: another root, too much of it, or more paths than are kept.
pub(super) fn path_unknown(path: &str) -> String {
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let hint = match (ROOTS.contains(&root), rest) {
        (true, "") => format!(", such as {root}.plan"),
        (true, _) => " of at most 1,024 bytes and 32 names, and 10,000 paths in all".into(),
        (false, "") if root.is_empty() => ", such as traits.plan".into(),
        (false, "") => format!("; did you mean traits.{}?", cut(root)),
        (false, rest) => nearest(root, ROOTS)
            .map_or_else(String::new, |meant| format!("; did you mean {meant}.{}?", cut(rest))),
    };
    failure("path_unknown", &format!("{}: expected a path below traits or context{hint}", quoted(path)))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", cut(text))
}

/// As much of a text as a message repeats.
fn cut(text: &str) -> String {
    let mut signs = text.chars();
    let begin: String = signs.by_ref().take(MAX_QUOTED).collect();
    if signs.next().is_some() { begin + "…" } else { begin }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::value::Value;

    fn message(failure: &str) -> String {
        Value::parse(failure).unwrap().at("message").and_then(Value::as_str).map(String::from).unwrap()
    }

    #[test]
    fn a_path_that_no_host_sets_is_repeated_with_the_one_that_is_meant() {
        let expected = "expected a path below traits or context";
        for (path, hint) in [
            ("signals.views", String::new()),
            ("traits", ", such as traits.plan".into()),
            ("", ", such as traits.plan".into()),
            ("plan", "; did you mean traits.plan?".into()),
            ("trait.plan", "; did you mean traits.plan?".into()),
            ("contxt.page.path", "; did you mean context.page.path?".into()),
        ] {
            assert_eq!(message(&path_unknown(path)), format!("\"{path}\": {expected}{hint}"));
        }
        let long = message(&path_unknown(&format!("traits.{}", "ä".repeat(1_100))));
        let quoted = format!("\"traits.{}…\": ", "ä".repeat(93));
        assert_eq!(
            long,
            format!("{quoted}{expected} of at most 1,024 bytes and 32 names, and 10,000 paths in all")
        );
    }

    #[test]
    fn a_rule_that_there_is_not_is_repeated_with_the_nearest_or_with_those_there_are() {
        let rule =
            |id: &str| format!(r#"{{"id":"{id}","slot":"s","actions":[{{"kind":"hide","target":"p"}}]}}"#);
        let text = format!(r#"{{"rules":[{},{}]}}"#, rule("card"), rule("welcome"));
        let rules = compile(&[SourceFile { name: "a.json".into(), text }]).bundle.rules;
        for (id, expected) in [
            ("crad", "the bundle has no rule \"crad\"; did you mean card?"),
            ("nobody", "the bundle has no rule \"nobody\"; its rules are card, welcome"),
        ] {
            assert_eq!(message(&rule_unknown(&rules, id)), expected);
        }
        let none = compile(&[]).bundle.rules;
        assert_eq!(message(&rule_unknown(&none, "r")), "the bundle has no rule \"r\"; it has no rules");
    }
}
