//! The file of settings: TOML whose keys are the flags of `attune serve`. What a flag or a variable says comes before it.

use super::SettingsError;
use crate::limits::MAX_CONFIG_BYTES;
use attune_core::bundle::author::nearest;
use clap::{Arg, ArgAction};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The flag that names the file, and its variable.
const FLAG: &str = "config";
const VARIABLE: &str = "ATTUNE_CONFIG";

/// Where the file says something, as `<file>:<line>`, by flag.
pub type Places = BTreeMap<String, String>;

/// What a file adds to the command line.
#[derive(Debug, Default)]
pub struct FromFile {
    /// Flags with their values.
    pub words: Vec<OsString>,
    /// Where they come from.
    pub places: Places,
}

/// What the file that the command line or the environment names adds to the command line: whatever neither of them says.
///
/// # Errors
/// One line that names file, line and key.
pub fn read(
    words: &[OsString],
    serve: &clap::Command,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<FromFile, SettingsError> {
    let path = written(words, &[FLAG]).or_else(|| variable(VARIABLE));
    let is_asked_for_help = words.iter().any(|word| word == "--help" || word == "-h");
    let Some(path) = path.filter(|path| !path.is_empty() && !is_asked_for_help) else {
        return Ok(FromFile::default());
    };
    let path = Path::new(&path);
    let told = |what: String| SettingsError(format!("--{FLAG}: {}{what}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| told(format!(": {error}")))?.len();
    if length > MAX_CONFIG_BYTES {
        return Err(told(format!(": it has {length} bytes; at most {MAX_CONFIG_BYTES} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| told(format!(": {error}")))?;
    let line_of = |byte: usize| 1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count();
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or_else(String::new, |span| format!(":{}", line_of(span.start)));
        let message: Vec<&str> = error.message().lines().collect();
        told(format!("{line}: {}", message.join("; ")))
    })?;
    let mut found = FromFile::default();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let name = &**key.get_ref();
        let argument = argument(serve, name).map_err(|what| told(format!(":{line}: {what}")))?;
        let values =
            values(argument, value).map_err(|what| told(format!(":{line}: {name} must be {what}")))?;
        let mut names = argument.get_all_aliases().unwrap_or_default();
        names.push(name);
        let is_in_environment =
            argument.get_env().is_some_and(|name| variable(&name.to_string_lossy()).is_some());
        if !is_in_environment && written(words, &names).is_none() {
            found.words.extend(values.into_iter().map(OsString::from));
            found.places.insert(format!("--{name}"), format!("{}:{line}", path.display()));
        }
    }
    Ok(found)
}

/// The value of the last of these flags on a command line; empty where it has none.
fn written(words: &[OsString], names: &[&str]) -> Option<OsString> {
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    (0..words.len()).rev().find_map(|index| {
        let word = text(&words[index]);
        let rest = names.iter().find_map(|name| word.strip_prefix("--")?.strip_prefix(*name))?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value.into()),
            None if rest.is_empty() => Some(words.get(index + 1).cloned().unwrap_or_default()),
            None => None,
        }
    })
}

/// The flags that may stand in the file.
pub fn arguments(serve: &clap::Command) -> impl Iterator<Item = &Arg> {
    serve.get_arguments().filter(|argument| argument.get_long().is_some_and(|name| name != FLAG))
}

fn argument<'c>(serve: &'c clap::Command, name: &str) -> Result<&'c Arg, String> {
    if let Some(found) = arguments(serve).find(|argument| argument.get_long() == Some(name)) {
        return Ok(found);
    }
    let meant = nearest(name, arguments(serve).filter_map(Arg::get_long));
    let meant = meant.map_or_else(
        || "attune serve --help lists what there is, without --".to_owned(),
        |meant| format!("did you mean '{meant}'?"),
    );
    Err(format!("unknown setting '{name}'; {meant}"))
}

/// The words that say a value on the command line.
///
/// # Errors
/// What it has to be.
fn values(argument: &Arg, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, String> {
    let flag = format!("--{}", argument.get_long().unwrap_or_default());
    let but = |expected: &str, value: &DeValue<'_>| format!("{expected}, not {}", kind(value));
    let value = value.get_ref();
    match argument.get_action() {
        ArgAction::SetTrue => match value.as_bool() {
            Some(is_set) => Ok(is_set.then_some(flag).into_iter().collect()),
            None => Err(but("true or false", value)),
        },
        ArgAction::Append => {
            let expected = "a list of strings such as [\"a\", \"b\"]";
            let entries = value.as_array().ok_or_else(|| but(expected, value))?;
            let entry = |entry: &Spanned<DeValue<'_>>| match entry.get_ref().as_str() {
                // On the command line it would stand between two.
                Some(text) if text.contains(',') => Err(format!("{expected}; '{text}' has a comma")),
                Some(text) => Ok(format!("{flag}={text}")),
                None => Err(format!("{expected}; an entry is {}", kind(entry.get_ref()))),
            };
            entries.iter().map(entry).collect()
        }
        _ if is_number(argument) => match value {
            DeValue::Integer(number) => {
                let number = i128::from_str_radix(number.as_str(), number.radix());
                number.map(|number| vec![format!("{flag}={number}")]).map_err(|error| error.to_string())
            }
            DeValue::Float(number) => Ok(vec![format!("{flag}={}", number.as_str())]),
            _ => Err(but("a number", value)),
        },
        _ => value.as_str().map(|text| vec![format!("{flag}={text}")]).ok_or_else(|| but("a string", value)),
    }
}

fn is_number(argument: &Arg) -> bool {
    let kind = argument.get_value_parser().type_id();
    let numbers = [
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<NonZeroU32>(),
    ];
    numbers.iter().any(|number| kind == *number)
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
