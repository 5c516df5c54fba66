//! `attune bundle diff`: what differs between two bundles or folders of rule files.

use super::source::{Folder, read_bundle};
use super::words;
use super::{Outcome, print, print_json};
use crate::settings::{DiffArguments, Format};
use attune_core::bundle::author::{DefinitionChange, Definitions, Difference, PartChange, compare};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Compares two bundles; differences are a finding, as for `diff`.
pub fn run(arguments: &DiffArguments) -> Result<Outcome, String> {
    let (before, after) = (read(&arguments.before)?, read(&arguments.after)?);
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

/// The values as JSON; one that is not there is left out.
fn part_json(change: &PartChange) -> Value {
    let mut fields = Map::from_iter([("part".to_owned(), json!(change.part))]);
    for (name, value) in [("before", &change.before), ("after", &change.after)] {
        // What the core writes is JSON.
        let value = value.as_ref().and_then(|value| serde_json::from_str(&words::json(value)).ok());
        fields.extend(value.map(|value: Value| (name.to_owned(), value)));
    }
    Value::Object(fields)
}

fn read(path: &Path) -> Result<Definitions, String> {
    if !path.is_dir() {
        return Ok(Definitions::of_bundle(&read_bundle(path)?));
    }
    let Folder { files, compiled } = Folder::read_sound(path)?;
    Ok(Definitions::of_files(&files, &compiled.bundle))
}
