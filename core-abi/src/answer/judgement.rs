//! How conditions are judged, as JSON text.

use super::row::Row;
use attune_core::condition::ConditionError;
use attune_core::time::Timestamp;
use attune_core::value::Value;

/// How a condition stands to a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judgement {
    /// Whether it holds; what is unknown does not.
    pub holds: bool,
    /// When time alone can next change that.
    pub wake_at: Option<Timestamp>,
}

/// Something that is wrong with a case.
#[derive(Debug)]
pub(crate) struct Fault {
    at: String,
    code: &'static str,
    message: String,
}

impl Fault {
    /// A part of a case that is not what it has to be; `at` is its JSON pointer.
    pub fn unreadable(at: &str, expected: &str) -> Self {
        Self { at: at.into(), code: "case_unreadable", message: format!("expected {expected}") }
    }

    /// What the compiler says of a condition.
    pub fn of_condition(error: &ConditionError) -> Self {
        Self { at: error.at.clone(), code: error.kind.code(), message: error.kind.to_string() }
    }
}

/// Judgements, each with its fault instead where there is one.
pub(crate) fn judgements(of: impl Iterator<Item = Result<Judgement, Fault>>) -> String {
    let mut rows = String::new();
    for judged in of {
        let mut row = Row::after(&mut rows);
        match judged {
            Ok(judgement) => {
                row.value("holds", &Value::Bool(judgement.holds));
                row.instant("wake_at", judgement.wake_at);
            }
            Err(fault) => {
                row.text("error", Some(fault.code));
                row.text("at", Some(&fault.at));
                row.text("message", Some(&fault.message));
            }
        }
        row.end();
    }
    format!("[{rows}]")
}
