//! `attune bundle diff`: what differs between two bundles or folders of rule files.

use super::source::read_bundle;
use super::{Outcome, print, print_json};
use crate::settings::{DiffArguments, Format};
use attune_core::bundle::author::{DefinitionChange, Difference, PartChange, compare};
use serde_json::{Value, json};

/// Compares two bundles; differences are a finding, as for `diff`.
pub fn run(arguments: &DiffArguments) -> Result<Outcome, String> {
    let (before, after) = (read_bundle(&arguments.before)?, read_bundle(&arguments.after)?);
    let differences = compare(&before, &after);
    match arguments.format {
        Format::Text if differences.is_empty() => print("no differences\n")?,
        Format::Text => {
            print(&differences.iter().map(|difference| format!("{difference}\n")).collect::<String>())?;
        }
        Format::Json => {
            let differences: Vec<Value> = differences.iter().map(difference_json).collect();
            print_json(&json!({ "differences": differences }))?;
        }
    }
    Ok(if differences.is_empty() { Outcome::Clean } else { Outcome::Found })
}

fn difference_json(difference: &Difference) -> Value {
    let parts: Vec<Value> = match &difference.change {
        DefinitionChange::Changed(parts) => parts.iter().map(part_json).collect(),
        DefinitionChange::Added | DefinitionChange::Removed => Vec::new(),
    };
    json!({
        "kind": difference.kind.code(),
        "name": difference.name,
        "change": difference.change.code(),
        "parts": parts,
    })
}

/// Values that are more than one short text are left out.
fn part_json(change: &PartChange) -> Value {
    match &change.values {
        Some((before, after)) => json!({"part": change.part, "before": before, "after": after}),
        None => json!({"part": change.part}),
    }
}
