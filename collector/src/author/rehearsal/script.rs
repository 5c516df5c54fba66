//! Test scripts as their authors write them, in JSON or YAML.

use crate::author::source::{named, read_file};
use crate::limits::{MAX_SCRIPT_BYTES, MAX_SCRIPT_FILES};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// A file of scripts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptFile {
    tests: Vec<Script>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    #[serde(default, rename = "$schema")]
    _schema: Option<String>,
}

/// One visitor's story and what is expected on the way.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// A sentence that says what is expected.
    pub name: String,
    /// When it begins, RFC 3339.
    #[serde(default)]
    pub start: Option<String>,
    /// Who comes.
    #[serde(default)]
    pub visitor: Visitor,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// Who comes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visitor {
    /// Traits, given by an `attune.identify` at the start.
    #[serde(default)]
    pub traits: Map<String, Value>,
    /// The page's context.
    #[serde(default)]
    pub context: Map<String, Value>,
}

/// One thing that happens, and what is expected then.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A remark.
    #[serde(default, rename = "note")]
    _note: Option<String>,
    /// How long after the step before, such as `90s`.
    #[serde(default)]
    pub after: Option<String>,
    /// When the step takes place, RFC 3339; no earlier than the step before.
    #[serde(default)]
    pub at: Option<String>,
    /// Who acts from here on: an `anonymous_id`, each with a page of its own.
    #[serde(default)]
    pub member: Option<String>,
    /// The user who is logged in on the member's page from here on.
    #[serde(default)]
    pub user: Option<String>,
    /// The session from here on; any name.
    #[serde(default)]
    pub session: Option<String>,
    /// The purposes that the member has agreed to from here on.
    #[serde(default)]
    pub consent: Option<Vec<String>>,
    /// Rules that are published now, in place of all that there are: a rule file as an object, or the path of a folder of
    /// them, from the script's own folder.
    #[serde(default)]
    pub publish: Option<Value>,
    /// The page's context from here on.
    #[serde(default)]
    pub context: Option<Map<String, Value>>,
    /// Whether the page is loaded anew.
    #[serde(default)]
    pub reload: bool,
    /// Traits learned now, by an `attune.identify`.
    #[serde(default)]
    pub traits: Option<Map<String, Value>>,
    /// The type of an event that is tracked now.
    #[serde(default)]
    pub track: Option<String>,
    /// That event's metadata.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    /// Why the bundle's filter lets the event of this step not through, as its code; null where it does.
    #[serde(default, deserialize_with = "present")]
    pub dropped: Option<Option<String>>,
    /// For each slot named: the rule that holds it, as `rule` or `rule:key`, or null.
    #[serde(default)]
    pub holds: Map<String, Value>,
    /// For each variable named: its value; null where no rule sets it.
    #[serde(default)]
    pub variables: Map<String, Value>,
    /// The triggers that fire in this step, as `trigger` or `trigger:key`, in order.
    #[serde(default)]
    pub fires: Option<Vec<String>>,
    /// The variations that the page has exposed in this step, as `experiment:variation`, in order.
    #[serde(default)]
    pub exposes: Option<Vec<String>>,
    /// How long after this step time alone may change a decision; null for never.
    #[serde(default, deserialize_with = "present")]
    pub wake_after: Option<Option<String>>,
}

/// Tells a field that is null from one that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// Reads a script file, or every one of a folder, in order of name.
pub fn read_scripts(path: &Path) -> Result<Vec<(PathBuf, Vec<Script>)>, String> {
    if !path.is_dir() {
        return Ok(vec![(path.to_owned(), read_one(path)?)]);
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| named(path, &error))? {
        let path = entry.map_err(|error| named(path, &error))?.path();
        if path.is_file() && is_script(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    match paths.len() {
        0 => Err(format!("{}: the folder holds no .json, .yaml or .yml file", path.display())),
        count if count > MAX_SCRIPT_FILES => {
            Err(format!("{}: {count} script files; the limit is {MAX_SCRIPT_FILES}", path.display()))
        }
        _ => paths.into_iter().map(|path| read_one(&path).map(|scripts| (path, scripts))).collect(),
    }
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["json", "yaml", "yml"].iter().any(|known| extension == *known))
}

fn read_one(path: &Path) -> Result<Vec<Script>, String> {
    let bytes = read_file(path)?;
    if bytes.len() > MAX_SCRIPT_BYTES {
        return Err(format!("{}: {} bytes; the limit is {MAX_SCRIPT_BYTES}", path.display(), bytes.len()));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{}: the text is not UTF-8", path.display()))?;
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let read: Result<ScriptFile, String> = if is_json {
        serde_json::from_str(&text).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            format!("{place}: {}", error.to_string().replace(&format!(" at {place}"), ""))
        })
    } else {
        serde_saphyr::from_str(&text).map_err(|error| error.to_string())
    };
    let scripts = read.map_err(|error| placed(path, one_line(&error)))?.tests;
    if scripts.is_empty() {
        return Err(format!("{}: it has no tests", path.display()));
    }
    Ok(scripts)
}

/// A message of a reader, `line 4 column 9: …`, behind the file and line that it is about.
fn placed(path: &Path, text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let parts = text.strip_prefix("line ").and_then(|rest| rest.split_once(" column "));
    let parts = parts.and_then(|(line, rest)| Some((line, rest.split_once(": ")?)));
    match parts {
        Some((line, (column, said))) => format!("{}:{line}: {said} (column {column})", path.display()),
        None => format!("{}: {text}", path.display()),
    }
}

/// The first line of a message that may go on with an excerpt.
fn one_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or(text).trim()
}
