//! What differs between two sets of definitions: those added, removed and changed, and in what.

use super::super::Bundle;
use super::difference::{PartChange, parts};
use super::file::items;
use super::{SourceFile, canonical};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

/// One definition that differs.
#[derive(Clone, Debug, PartialEq)]
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
    /// A condition with a name, which only rule files have.
    Segment,
    /// A list with a name, which only rule files have.
    Group,
    /// An experiment.
    Experiment,
    /// A model.
    Model,
    /// A rule that fills a slot.
    Rule,
    /// A trigger.
    Trigger,
    /// What may leave the page; there is one at most.
    Filter,
}

impl DefinitionKind {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Segment => "segment",
            Self::Group => "group",
            Self::Experiment => "experiment",
            Self::Model => "model",
            Self::Rule => "rule",
            Self::Trigger => "trigger",
            Self::Filter => "filter",
        }
    }
}

/// How a definition differs.
#[derive(Clone, Debug, PartialEq)]
pub enum DefinitionChange {
    /// It is only in the second set.
    Added,
    /// It is only in the first.
    Removed,
    /// It is in both, and these parts of it differ.
    Changed(Vec<PartChange>),
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

/// Definitions in the one form in which they can be compared, wherever they come from.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    found: BTreeMap<(DefinitionKind, Box<str>), Value>,
    /// Whether segments and groups are among them; in a bundle they stand where they are named.
    has_names: bool,
}

impl Definitions {
    /// What a bundle holds.
    pub fn of_bundle(bundle: &Bundle) -> Self {
        let all = canonical::definitions(bundle).into_iter();
        Self { found: all.map(|(kind, name, value)| ((kind, name), value)).collect(), has_names: false }
    }

    /// What rule files hold; `bundle` is what they have been compiled to. Segments and groups are as they are written.
    pub fn of_files(files: &[SourceFile], bundle: &Bundle) -> Self {
        let mut whole = Self { has_names: true, ..Self::of_bundle(bundle) };
        for value in files.iter().filter_map(|file| Value::parse(&file.text).ok()) {
            for (list, kind) in [("segments", DefinitionKind::Segment), ("groups", DefinitionKind::Group)] {
                for (_, definition) in items(&value, list) {
                    let Value::Object(fields) = definition else { continue };
                    let Some(id) = definition.field("id").and_then(Value::as_str) else { continue };
                    let is_own = |name: &str| !matches!(name, "id" | "description");
                    let own = fields.iter().filter(|(name, _)| is_own(name)).cloned().collect();
                    whole.found.insert((kind, Box::from(id)), Value::Object(own));
                }
            }
        }
        whole
    }
}

/// The definitions in which `after` differs from `before`, in order of kind and name. Segments and groups are compared
/// where both sides have them.
pub fn compare(before: &Definitions, after: &Definitions) -> Vec<Difference> {
    let has_names = before.has_names && after.has_names;
    let is_compared =
        |kind: DefinitionKind| has_names || !matches!(kind, DefinitionKind::Segment | DefinitionKind::Group);
    let keys: BTreeSet<_> = before.found.keys().chain(after.found.keys()).collect();
    let compared = keys.into_iter().filter(|(kind, _)| is_compared(*kind));
    let each = compared.filter_map(|key| {
        let change = match (before.found.get(key), after.found.get(key)) {
            (Some(one), Some(other)) => {
                Some(parts(one, other)).filter(|parts| !parts.is_empty()).map(DefinitionChange::Changed)?
            }
            (Some(_), None) => DefinitionChange::Removed,
            (None, _) => DefinitionChange::Added,
        };
        Some(Difference { kind: key.0, name: key.1.clone(), change })
    });
    each.collect()
}

impl fmt::Display for Difference {
    /// Writes a line such as `rule hero changed`, and one for each part of it that differs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind.code(), self.name, self.change.code())?;
        if let DefinitionChange::Changed(parts) = &self.change {
            for part in parts {
                write!(f, "\n  {part}")?;
            }
        }
        Ok(())
    }
}
