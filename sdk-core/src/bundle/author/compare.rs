//! What differs between two bundles: definitions added, removed and changed, and in what.

use super::super::Bundle;
use crate::condition::{Packer, Path, encode_condition};
use crate::profile::{Signal, SignalRef, Window};
use crate::rules::{Hold, Mode, Rule, RuleRef};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

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
    /// It is in both, and these parts of it differ.
    Changed(Vec<PartChange>),
}

/// A part of a definition that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartChange {
    /// Its name in rule files.
    pub part: &'static str,
    /// What it was and what it is, where that is one short text.
    pub values: Option<(String, String)>,
}

impl fmt::Display for PartChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.part)?;
        match &self.values {
            Some((before, after)) => write!(f, " from {before} to {after}"),
            None => Ok(()),
        }
    }
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
    parts: fn(&T, &T) -> Vec<PartChange>,
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

fn signal_parts(one: &Signal, other: &Signal) -> Vec<PartChange> {
    let path = |path: &Option<Path>| path.as_ref().map_or_else(nothing, |path| format!("{path}"));
    let aggregate = |signal: &Signal| name_of(&signal.aggregate);
    let mut parts = Vec::new();
    short("on", one.on.to_string(), other.on.to_string(), &mut parts);
    long("where", one.filter == other.filter, &mut parts);
    short("by", path(&one.by), path(&other.by), &mut parts);
    short("of", path(&one.of), path(&other.of), &mut parts);
    short("aggregate", aggregate(one), aggregate(other), &mut parts);
    short("window", window(one.window), window(other.window), &mut parts);
    parts
}

fn rule_parts(one: &Rule, other: &Rule) -> Vec<PartChange> {
    let condition = |rule: &Rule| -> Vec<u8> {
        let mut packer = Packer::canonical();
        encode_condition(&rule.when, &mut packer);
        packer.finish()
    };
    let text = |text: &Option<Box<str>>| text.as_ref().map_or_else(nothing, ToString::to_string);
    let key = |rule: &Rule| rule.key.as_ref().map_or_else(nothing, |path| format!("{path}"));
    let on = |rule: &Rule| match &rule.mode {
        Mode::Level => nothing(),
        Mode::Event { on, .. } => on.to_string(),
    };
    let hold = |rule: &Rule| match &rule.mode {
        Mode::Level => nothing(),
        Mode::Event { hold: Hold::Session, .. } => String::from("session"),
        Mode::Event { hold: Hold::UntilNextHolder, .. } => String::from("until_next_holder"),
        Mode::Event { hold: Hold::Duration(ms), .. } => duration(*ms),
    };
    let publish = |rule: &Rule| String::from(if rule.fire_on_publish { "fire" } else { "arm" });
    let mut parts = Vec::new();
    short("slot", text(&one.slot), text(&other.slot), &mut parts);
    short("priority", one.priority.to_string(), other.priority.to_string(), &mut parts);
    long("when", condition(one) == condition(other), &mut parts);
    short("on", on(one), on(other), &mut parts);
    short("hold", hold(one), hold(other), &mut parts);
    short("key", key(one), key(other), &mut parts);
    short("cap", cap(one), cap(other), &mut parts);
    long("actions", one.actions == other.actions, &mut parts);
    short("on_publish", publish(one), publish(other), &mut parts);
    short("inactive", text(&one.inactive), text(&other.inactive), &mut parts);
    parts
}

fn short(part: &'static str, before: String, after: String, parts: &mut Vec<PartChange>) {
    if before != after {
        parts.push(PartChange { part, values: Some((before, after)) });
    }
}

fn long(part: &'static str, is_equal: bool, parts: &mut Vec<PartChange>) {
    if !is_equal {
        parts.push(PartChange { part, values: None });
    }
}

fn nothing() -> String {
    String::from("none")
}

fn cap(rule: &Rule) -> String {
    let Some(cap) = &rule.cap else { return nothing() };
    let per = name_of(&cap.per);
    match cap.min_gap_ms {
        Some(ms) => format!("{} per {per} with a gap of {}", cap.count, duration(ms)),
        None => format!("{} per {per}", cap.count),
    }
}

fn window(window: Window) -> String {
    match window {
        Window::Sliding { window_ms, bucket_ms } => {
            format!("{} in steps of {}", duration(window_ms), duration(bucket_ms))
        }
        other => name_of(&other),
    }
}

/// The name of a variant in rule files, which is the one in code with words set apart.
fn name_of(variant: &dyn fmt::Debug) -> String {
    let mut name = String::new();
    for letter in format!("{variant:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// A duration in the largest unit of which it is a whole number.
fn duration(ms: i64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let whole = units.iter().find(|(_, size)| ms != 0 && ms % size == 0);
    whole.map_or_else(|| format!("{ms}ms"), |(unit, size)| format!("{}{unit}", ms / size))
}

impl fmt::Display for Difference {
    /// Writes a line such as `rule hero changed: priority from 1 to 2, actions`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind.code(), self.name, self.change.code())?;
        if let DefinitionChange::Changed(parts) = &self.change {
            for (place, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if place == 0 { ": " } else { ", " })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile};
    use super::*;

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
                "signal n changed: window from 1h in steps of 2m to 2h in steps of 4m",
                "rule a changed: priority from 0 to 2, when, cap from none to 1 per day",
                "rule gone removed",
                "trigger new added"
            ]
        );
        assert!(said(&after, &after).is_empty());
        let signal = |aggregate: &str, window: &str| {
            bundle(&format!(
                r#"{{"signals":[{{"name":"n","on":"a","aggregate":"{aggregate}","window":"{window}"}}]}}"#
            ))
        };
        assert_eq!(
            said(&signal("count", "session"), &signal("last_at", "lifetime")),
            ["signal n changed: aggregate from count to last_at, window from session to lifetime"]
        );
    }
}
