//! `attune bundle compile`: one bundle file, or one canonical source file, from a folder of rule files.

use super::Outcome;
use super::source::{Folder, named};
use crate::bundle::{SecretKey, Signer};
use crate::limits::{DEFAULT_ENVIRONMENT, DEFAULT_PROJECT};
use crate::secret::Secret;
use crate::settings::CompileArguments;
use attune_core::bundle::author::DEFINITION_LISTS;
use serde_json::{Map, Value};
use std::fs;

/// Compiles a folder into an envelope of revision 1, signed with a key that is thrown away.
pub fn run(arguments: &CompileArguments) -> Result<Outcome, String> {
    let folder = match arguments.keep_going {
        true => Folder::read(&arguments.folder)?,
        false => Folder::read_sound(&arguments.folder)?,
    };
    folder.compiled.diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}"));
    let bytes = if arguments.json {
        canonical_source(&folder)?.into_bytes()
    } else {
        let secret = Secret::random().map_err(|error| format!("random source: {error}"))?;
        let key = SecretKey::for_development(&secret);
        let (project, environment) = (DEFAULT_PROJECT.to_owned(), DEFAULT_ENVIRONMENT.to_owned());
        Signer { key, project, environment }.envelope(1, None, None, &folder.compiled.body)
    };
    fs::write(&arguments.output, bytes).map_err(|error| named(&arguments.output, &error))?;
    Ok(Outcome::Clean)
}

/// All definitions in one document: lists sorted by name, fields by key, so that equal rules give equal bytes.
fn canonical_source(folder: &Folder) -> Result<String, String> {
    let mut whole = Map::new();
    for file in &folder.files {
        let source: Value =
            serde_json::from_str(&file.text).map_err(|error| format!("{}: {error}", file.name))?;
        if let Some(filter) = source.get("filter") {
            whole.insert("filter".to_owned(), filter.clone());
        }
        for (list, _) in DEFINITION_LISTS {
            if let Some(Value::Array(definitions)) = source.get(list) {
                let known = whole.entry(list).or_insert_with(|| Value::Array(Vec::new()));
                known.as_array_mut().into_iter().for_each(|known| known.extend(definitions.iter().cloned()));
            }
        }
    }
    for (list, name) in DEFINITION_LISTS {
        if let Some(Value::Array(definitions)) = whole.get_mut(list) {
            definitions.sort_by(|a, b| a[name].as_str().cmp(&b[name].as_str()));
        }
    }
    Ok(format!("{:#}\n", Value::Object(whole)))
}
