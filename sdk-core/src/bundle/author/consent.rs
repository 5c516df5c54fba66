//! The purpose of a rule, and what a rule that needs no agreement may read.

use super::fields::Fields;
use crate::condition::{Condition, Path, PathRef, Purpose, Root, visit_paths};
use crate::rules::{Mode, Rule};
use alloc::boxed::Box;
use alloc::format;

/// Compiles the `consent` of a definition.
pub(super) fn compile(fields: &mut Fields<'_, '_>) -> Purpose {
    let Some(text) = fields.text("consent") else { return Purpose::default() };
    let found = Purpose::ALL.into_iter().find(|purpose| purpose.name() == text);
    found
        .or_else(|| fields.wrong("consent", "expected functional, analytics or personalization"))
        .unwrap_or_default()
}

/// Refuses a functional rule that reads anything but context and time.
pub(super) fn check(rule: &Rule, fields: &mut Fields<'_, '_>) {
    if rule.terms.purpose != Purpose::Functional {
        return;
    }
    let mut read: Option<Box<str>> = None;
    let mut note = |what: &str| {
        read.get_or_insert_with(|| Box::from(what));
    };
    let mut note_path = |path: &Path| {
        if path.root != Root::Context {
            note(root_name(path.root));
        }
    };
    visit_paths(&rule.when, &mut note_path);
    rule.key.iter().for_each(&mut note_path);
    for action in &rule.actions {
        action.each_place(&mut |place| {
            PathRef::parse(place).map(PathRef::to_path).iter().for_each(&mut note_path);
        });
    }
    if reads_signal(&rule.when) || rule.cap.is_some() {
        note(root_name(Root::Signals));
    }
    if rule.mode != Mode::Level {
        note(root_name(Root::Event));
    }
    if let Some(what) = read {
        let message = format!("a functional rule reads context and time only; this one reads {what}");
        fields.fail("consent", "functional_reads_visitor", &message);
    }
}

const fn root_name(root: Root) -> &'static str {
    match root {
        Root::Traits => "traits",
        Root::Signals => "signals",
        Root::Context => "context",
        Root::Experiments => "experiments",
        Root::Event | Root::Bare => "events",
    }
}

fn reads_signal(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(reads_signal),
        Condition::Not(inner) => reads_signal(inner),
        Condition::Signal { .. } | Condition::Keys { .. } | Condition::Score { .. } => true,
        Condition::Truth { of, .. } => reads_signal(of),
        Condition::Path { .. } | Condition::Item { .. } | Condition::Bucket(_) | Condition::Calendar(_) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile};
    use alloc::borrow::ToOwned;
    use alloc::format;
    use alloc::string::String;

    fn messages(rule: &str) -> String {
        let signals = r#"{"name":"views","on":"page_view","aggregate":"count","window":"1h"}"#;
        let text = format!(r#"{{"signals":[{signals}],"rules":[{{"id":"r","slot":"s",{rule}}}]}}"#);
        let compiled = compile(&[SourceFile { name: "a.json".to_owned(), text }]);
        let found = compiled.diagnostics.iter().map(|found| format!("{} {}", found.code, found.message));
        found.collect()
    }

    #[test]
    fn a_functional_rule_reads_context_and_time_alone() {
        for (rule, reads) in [
            (r#""when":{"traits.plan":"pro"},"actions":[]"#, "traits"),
            (r#""when":{"$or":[{"context.a":1},{"signals.views":{"$gt":3}}]},"actions":[]"#, "signals"),
            (r#""when":{"$not":{"$signal":{"name":"views","is":{"$gt":3}}}},"actions":[]"#, "signals"),
            (r#""when":{"context.a":{"$path":"traits.a"}},"actions":[]"#, "traits"),
            (r#""on":"click","actions":[]"#, "events"),
            (r#""cap":{"per":"session"},"actions":[]"#, "signals"),
            (
                r##""actions":[{"kind":"text","target":"#a","value":"Hi {{context.a}} {{traits.name|you}}"}]"##,
                "traits",
            ),
            (r#""actions":[{"kind":"variable","name":"v","value":"{{signals.views}}"}]"#, "signals"),
        ] {
            let expected = format!(
                "functional_reads_visitor consent: a functional rule reads context and time only; this one reads {reads}"
            );
            assert_eq!(messages(&format!(r#""consent":"functional",{rule}"#)), expected);
            assert_eq!(messages(&format!(r#""consent":"analytics",{rule}"#)), "", "{rule}");
        }
        let sound = r##""consent":"functional","when":{"context.path":"/","$dow":{"in":["mon"]}},
            "schedule":{"hours":"09:00-17:00"},"actions":[{"kind":"text","target":"#a","value":"{{context.a}}"}]"##;
        assert_eq!(messages(sound), "");
    }
}
