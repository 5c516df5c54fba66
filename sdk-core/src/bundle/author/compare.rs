//! What differs between two bundles: definitions added, removed and changed, and in what.

use super::super::Bundle;
use crate::condition::{Packer, encode_condition};
use crate::profile::{Signal, SignalRef};
use crate::rules::{Rule, RuleRef};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// One definition that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind of definition it is.
    pub kind: DefinitionKind,
    /// Its name or id.
    pub name: Box<str>,
    /// In what it differs.
    pub change: DefinitionChange,
}

/// Kinds of definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefinitionKind {
    /// A signal.
    Signal,
    /// A rule that fills a slot.
    Rule,
    /// A trigger.
    Trigger,
}

impl DefinitionKind {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Rule => "rule",
            Self::Trigger => "trigger",
        }
    }
}

/// How a definition differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefinitionChange {
    /// It is only in the second bundle.
    Added,
    /// It is only in the first.
    Removed,
    /// It is in both, and these parts of it differ, by their names in rule files.
    Changed(Vec<&'static str>),
}

impl DefinitionChange {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed(_) => "changed",
        }
    }
}

/// The definitions in which `after` differs from `before`, in order of kind and name. The signals that count showings
/// of capped rules are part of those rules and are not named.
pub fn compare(before: &Bundle, after: &Bundle) -> Vec<Difference> {
    let mut differences = Vec::new();
    let signals = |bundle: &Bundle| -> BTreeMap<Box<str>, Signal> {
        let own = bundle.signals.iter().filter(|signal| !signal.name().contains('.'));
        own.map(SignalRef::to_signal).map(|signal| (signal.name.clone(), signal)).collect()
    };
    pair(DefinitionKind::Signal, &signals(before), &signals(after), signal_parts, &mut differences);
    for (kind, has_slot) in [(DefinitionKind::Rule, true), (DefinitionKind::Trigger, false)] {
        let rules = |bundle: &Bundle| -> BTreeMap<Box<str>, Rule> {
            let rules = bundle.rules.iter().filter(|rule| rule.has_slot() == has_slot);
            rules.map(RuleRef::to_rule).map(|rule| (rule.id.clone(), rule)).collect()
        };
        pair(kind, &rules(before), &rules(after), rule_parts, &mut differences);
    }
    differences
}

fn pair<T>(
    kind: DefinitionKind,
    before: &BTreeMap<Box<str>, T>,
    after: &BTreeMap<Box<str>, T>,
    parts: fn(&T, &T) -> Vec<&'static str>,
    differences: &mut Vec<Difference>,
) {
    let mut names: Vec<&Box<str>> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let change = match (before.get(name), after.get(name)) {
            (Some(one), Some(other)) => match parts(one, other) {
                parts if parts.is_empty() => continue,
                parts => DefinitionChange::Changed(parts),
            },
            (Some(_), None) => DefinitionChange::Removed,
            (None, _) => DefinitionChange::Added,
        };
        differences.push(Difference { kind, name: name.clone(), change });
    }
}

fn signal_parts(one: &Signal, other: &Signal) -> Vec<&'static str> {
    parts(&[
        ("on", one.on == other.on),
        ("where", one.filter == other.filter),
        ("by", one.by == other.by),
        ("of", one.of == other.of),
        ("aggregate", one.aggregate == other.aggregate),
        ("window", one.window == other.window),
    ])
}

fn rule_parts(one: &Rule, other: &Rule) -> Vec<&'static str> {
    let condition = |rule: &Rule| -> Vec<u8> {
        let mut packer = Packer::canonical();
        encode_condition(&rule.when, &mut packer);
        packer.finish()
    };
    // What counts showings follows from the cap and the id.
    let cap = |rule: &Rule| rule.cap.map(|cap| (cap.per, cap.count, cap.min_gap_ms));
    parts(&[
        ("slot", one.slot == other.slot),
        ("priority", one.priority == other.priority),
        ("when", condition(one) == condition(other)),
        ("on", one.mode == other.mode),
        ("key", one.key == other.key),
        ("cap", cap(one) == cap(other)),
        ("actions", one.actions == other.actions),
        ("on_publish", one.fire_on_publish == other.fire_on_publish),
        ("inactive", one.inactive == other.inactive),
    ])
}

fn parts(equal: &[(&'static str, bool)]) -> Vec<&'static str> {
    equal.iter().filter(|(_, is_equal)| !is_equal).map(|(name, _)| *name).collect()
}

/// A short name of a difference, such as `rule hero changed: priority, actions`.
impl core::fmt::Display for Difference {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {} {}", self.kind.code(), self.name, self.change.code())?;
        match &self.change {
            DefinitionChange::Changed(parts) => write!(f, ": {}", parts.join(", ")),
            DefinitionChange::Added | DefinitionChange::Removed => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile};
    use super::*;
    use alloc::string::{String, ToString};

    fn bundle(text: &str) -> Bundle {
        compile(&[SourceFile { name: "a".to_string(), text: text.to_string() }]).bundle
    }

    #[test]
    fn definitions_that_differ_are_named_with_what_differs() {
        let before = bundle(
            r#"{"signals":[{"name":"n","on":"a","aggregate":"count","window":"1h"},{"name":"same","on":"a","aggregate":"count","window":"1h"}],
            "rules":[{"id":"a","slot":"s","when":{"traits.x":1},"actions":[]},{"id":"gone","slot":"s","actions":[]}]}"#,
        );
        let after = bundle(
            r#"{"signals":[{"name":"n","on":"a","aggregate":"count","window":"2h"},{"name":"same","on":"a","aggregate":"count","window":"1h"}],
            "rules":[{"id":"a","slot":"s","priority":2,"when":{"traits.x":2},"cap":{"per":"day"},"actions":[]}],
            "triggers":[{"id":"new","on":"a"}]}"#,
        );
        let said = |before: &Bundle, after: &Bundle| -> Vec<String> {
            compare(before, after).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            said(&before, &after),
            [
                "signal n changed: window",
                "rule a changed: priority, when, cap",
                "rule gone removed",
                "trigger new added"
            ]
        );
        assert!(said(&after, &after).is_empty());
    }
}
