//! From a GrowthBook payload to a rule file: each feature is a variable in a slot of its own name.
//!
//! Rules keep their order as priorities, so what a rule leaves open falls through to the next one, and the default comes
//! last. What has no counterpart is left out and named, never weakened: a rule without its prerequisite would be for
//! too many.

mod condition;
mod experiment;

use super::GrowthBookError;
use super::evaluator::object;
use super::field::{field, fields, is_set, list, text};
use super::text::json_of;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use condition::LeftOut;
use core::fmt;
use experiment::{gate, trial};

/// A rule file and what did not make it there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// The rule file, as JSON.
    pub rules: String,
    /// What has no counterpart, in order of the payload.
    pub notes: Vec<Note>,
}

/// Something of the payload that is left out or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// JSON pointer (RFC 6901) into the payload.
    pub at: String,
    /// Stable name.
    pub code: &'static str,
    /// What it means.
    pub message: &'static str,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warning[{}] {} (at {})", self.code, self.message, self.at)
    }
}

/// Turns a payload into a rule file.
///
/// # Errors
/// Text that is no JSON object.
pub fn import(payload: &str) -> Result<Imported, GrowthBookError> {
    let payload = object(payload)?;
    let groups = payload.field("savedGroups").cloned().unwrap_or(Value::Null);
    let mut import = Import { groups, experiments: Vec::new(), rules: Vec::new(), notes: Vec::new() };
    if let Some(Value::Object(features)) = payload.field("features") {
        for (key, feature) in features {
            import.feature(key, feature);
        }
    }
    for index in 0..list(&payload, "experiments").unwrap_or_default().len() {
        let at = format!("/experiments/{index}");
        import.note(
            &at,
            "experiment_not_imported",
            "experiments that change pages by themselves have no counterpart",
        );
    }
    let mut rules = String::from("{");
    write_list("experiments", &import.experiments, &mut rules);
    rules.push_str(",\n");
    write_list("rules", &import.rules, &mut rules);
    rules.push_str("}\n");
    Ok(Imported { rules, notes: import.notes })
}

/// Appends a list of definitions, each on a line of its own, so that diagnostics name it.
fn write_list(name: &str, definitions: &[Value], out: &mut String) {
    out.push_str(&format!("\"{name}\":["));
    for (index, definition) in definitions.iter().enumerate() {
        out.push_str(if index > 0 { ",\n" } else { "\n" });
        out.push_str(&json_of(definition));
    }
    out.push_str("\n]");
}

/// A rule file in the making.
struct Import {
    groups: Value,
    experiments: Vec<Value>,
    rules: Vec<Value>,
    notes: Vec<Note>,
}

impl Import {
    fn feature(&mut self, key: &str, feature: &Value) {
        let rules = list(feature, "rules").unwrap_or_default();
        let place = format!("/features/{}/rules", key.replace('~', "~0").replace('/', "~1"));
        for (index, rule) in rules.iter().enumerate() {
            let at = format!("{place}/{index}");
            let head = Head { feature: key, id: format!("{key}/{index}"), priority: rules.len() - index };
            if let Err((code, message)) = self.rule(&head, rule) {
                self.note(&at, code, message);
            }
        }
        if let Some(default) = feature.field("defaultValue").filter(|value| **value != Value::Null) {
            let head = Head { feature: key, id: String::from(key), priority: 0 };
            self.rules.push(head.rule(&head.id, None, default));
        }
    }

    fn rule(&mut self, head: &Head<'_>, rule: &Value) -> Result<(), LeftOut> {
        if is_set(rule, "parentConditions") {
            return Err((
                "prerequisite_not_imported",
                "rules cannot read the value of a feature; this one is left out",
            ));
        }
        if is_set(rule, "contextualVariations") {
            return Err((
                "bandit_not_imported",
                "weights cannot depend on the visitor; this rule is left out",
            ));
        }
        let when = field(rule, "condition").map(|one| condition::visitor(one, &self.groups)).transpose()?;
        if let Some(value) = rule.field("force") {
            let is_gated =
                rule.field("coverage").is_some() || is_set(rule, "range") || is_set(rule, "filters");
            let gate = is_gated.then(|| gate(head.feature, rule));
            let reads = gate.map(|gate| self.experiment(gate, &head.id));
            self.rules.push(head.rule(
                &head.id,
                both(when, reads.map(|id| reads_variation(&id, "on"))),
                value,
            ));
            return Ok(());
        }
        let Some(variations) = list(rule, "variations").filter(|variations| variations.len() > 1) else {
            return Err(("rule_not_imported", "it has neither a value nor two variations"));
        };
        let (definition, keys) = trial(head.feature, rule, when, variations.len());
        let wanted = text(rule, "key").unwrap_or_else(|| head.feature.into());
        let id = self.experiment(definition, &wanted);
        for (index, (key, value)) in keys.iter().zip(variations).enumerate() {
            let meta = list(rule, "meta").and_then(|meta| meta.get(index));
            if !meta.is_some_and(|meta| is_set(meta, "passthrough")) {
                let rule = format!("{}/{key}", head.id);
                self.rules.push(head.rule(&rule, Some(reads_variation(&id, key)), value));
            }
        }
        Ok(())
    }

    /// Adds an experiment under an id made of the wanted one; an equal one is not added twice.
    fn experiment(&mut self, definition: Vec<(Box<str>, Value)>, wanted: &str) -> Box<str> {
        let plain = |sign: char| if sign.is_alphanumeric() || sign == '_' { sign } else { '-' };
        let wanted: String = wanted.chars().map(plain).collect();
        for number in 1_u32.. {
            let id = if number == 1 { wanted.clone() } else { format!("{wanted}-{number}") };
            let known =
                self.experiments.iter().find(|one| one.field("id").and_then(Value::as_str) == Some(&id));
            let named = [("id".into(), Value::string(&id))].into_iter().chain(definition.iter().cloned());
            let named = Value::Object(named.collect());
            match known {
                Some(known) if *known != named => {}
                Some(_) => return id.into_boxed_str(),
                None => {
                    self.experiments.push(named);
                    return id.into_boxed_str();
                }
            }
        }
        Box::default()
    }

    fn note(&mut self, at: &str, code: &'static str, message: &'static str) {
        self.notes.push(Note { at: String::from(at), code, message });
    }
}

/// What the rules that come of one rule share.
struct Head<'a> {
    feature: &'a str,
    id: String,
    priority: usize,
}

impl Head<'_> {
    fn rule(&self, id: &str, when: Option<Value>, value: &Value) -> Value {
        let action = fields([
            ("kind", Value::string("variable")),
            ("name", Value::string(self.feature)),
            ("value", value.clone()),
        ]);
        fields([
            ("id", Value::string(id)),
            ("slot", Value::string(self.feature)),
            ("priority", Value::Number(self.priority as f64)),
            ("when", when.unwrap_or(Value::Object(Vec::new()))),
            ("actions", Value::Array(Vec::from([action]))),
        ])
    }
}

fn reads_variation(experiment: &str, key: &str) -> Value {
    Value::Object(Vec::from([(format!("experiments.{experiment}").into_boxed_str(), Value::string(key))]))
}

/// A condition under which both hold.
fn both(one: Option<Value>, other: Option<Value>) -> Option<Value> {
    match (one, other) {
        (Some(one), Some(other)) => Some(fields([("$and", Value::Array(Vec::from([one, other])))])),
        (one, other) => one.or(other),
    }
}
