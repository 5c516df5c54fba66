//! How a script went: what was expected and not found, and why the rules concerned stand as they do.

use serde_json::{Value, json};

/// A script that has been played.
#[derive(Debug)]
pub struct Played {
    /// Its name.
    pub name: String,
    /// Expectations that were looked at.
    pub checked: usize,
    /// Those that were not met, in order.
    pub mismatches: Vec<Mismatch>,
}

/// One expectation that was not met.
#[derive(Debug)]
pub struct Mismatch {
    /// The step, from 1.
    pub step: usize,
    /// What happened in it, in words.
    pub event: String,
    /// What was looked at.
    pub subject: Subject,
    /// What the script expects.
    pub expected: Value,
    /// What there is.
    pub found: Value,
    /// The rules concerned, each with why it stands as it does.
    pub explain: Vec<(String, String)>,
}

/// What an expectation looks at.
#[derive(Debug)]
pub enum Subject {
    /// Who holds a slot.
    Slot(String),
    /// The value of a variable.
    Variable(String),
    /// Why an event is not let through.
    Dropped,
    /// Which triggers fire.
    Firings,
    /// Which variations are exposed.
    Exposures,
    /// When time alone changes something.
    Wake,
}

impl Subject {
    /// Stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Slot(_) => "slot",
            Self::Variable(_) => "variable",
            Self::Dropped => "dropped",
            Self::Firings => "fires",
            Self::Exposures => "exposes",
            Self::Wake => "wake_after",
        }
    }

    /// The slot or variable.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Slot(name) | Self::Variable(name) => Some(name),
            Self::Dropped | Self::Firings | Self::Exposures | Self::Wake => None,
        }
    }
}

impl Mismatch {
    /// The mismatch in lines, as a reader of a terminal wants it.
    pub fn text(&self) -> String {
        let subject = match self.subject.name() {
            Some(name) => format!("{} {name}", self.subject.code()),
            None => self.subject.code().to_owned(),
        };
        let mut text = format!(
            "  step {} ({}): {subject}\n    - expected {}\n    + found    {}\n",
            self.step,
            self.event,
            plain(&self.expected),
            plain(&self.found),
        );
        for (rule, why) in &self.explain {
            text.push_str(&format!("    {rule}: {why}\n"));
        }
        text
    }

    /// The mismatch as JSON.
    pub fn json(&self) -> Value {
        let explain: Vec<Value> =
            self.explain.iter().map(|(rule, why)| json!({"rule": rule, "why": why})).collect();
        json!({
            "step": self.step,
            "event": self.event,
            "subject": self.subject.code(),
            "name": self.subject.name(),
            "expected": self.expected,
            "found": self.found,
            "explain": explain,
        })
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
