//! How rules and experiments stand to a visitor, as JSON text.

use super::row::Row;
use attune_core::experiment::Assignment;
use attune_core::rules::{Reason, Refusal, Standing, Unmet, Verdict};
use attune_core::value::Value;

/// How a rule stands, and why; and how the visitor stands to the experiments it reads.
pub(crate) fn explanation(rule: &str, standing: &Standing, read: &[Assignment<'_>]) -> String {
    let mut text = String::new();
    let mut row = Row::after(&mut text);
    row.text("rule", Some(rule));
    match &standing.verdict {
        Verdict::Holds(reason) => {
            row.value("holds", &Value::Bool(true));
            row.text("reason", Some(reason.code()));
            if let Reason::Latched { at, until } = reason {
                row.text("since", Some(&at.to_string()));
                row.text("until", until.map(|until| until.to_string()).as_deref());
            }
        }
        Verdict::Refused(refusal) => {
            row.value("holds", &Value::Bool(false));
            row.text("reason", Some(refusal.code()));
            match refusal {
                Refusal::Inactive(why) => row.text("why", Some(why)),
                Refusal::LostToHigherPriority(winner) | Refusal::GroupExcluded(winner) => {
                    row.text("winner", Some(winner));
                }
                Refusal::ConsentMissing(purpose) => row.text("purpose", Some(purpose.name())),
                Refusal::NotScheduled { next } => row.text("next", next.map(|at| at.to_string()).as_deref()),
                Refusal::NotMatched(parts) => {
                    row.value("unmet", &Value::Array(parts.iter().map(unmet).collect()));
                }
                Refusal::NotLatched | Refusal::CapReached => {}
            }
        }
    }
    if !read.is_empty() {
        row.raw("experiments", &assignments(read.iter().copied()));
    }
    row.end();
    text
}

/// How a visitor stands to experiments.
pub(crate) fn assignments<'a>(of: impl Iterator<Item = Assignment<'a>>) -> String {
    let mut rows = String::new();
    for Assignment { experiment, variation, origin } in of {
        let mut row = Row::after(&mut rows);
        row.text("experiment", Some(experiment));
        row.text("variation", variation);
        row.text("origin", Some(origin.code()));
        row.end();
    }
    format!("[{rows}]")
}

fn unmet(part: &Unmet) -> Value {
    let fields = match part {
        Unmet::Path { path, found } => {
            vec![("path", Value::string(&path.to_string())), ("found", found.clone().unwrap_or(Value::Null))]
        }
        Unmet::Signal { signal, key } => vec![
            ("signal", Value::string(&format!("{:016x}", signal.0))),
            ("key", key.as_deref().map_or(Value::Null, Value::string)),
        ],
        Unmet::Score { model, found } => vec![
            ("model", Value::string(&format!("{:016x}", model.0))),
            ("found", found.clone().unwrap_or(Value::Null)),
        ],
        Unmet::Calendar { next } => {
            vec![("next", next.map_or(Value::Null, |next| Value::string(&next.to_string())))]
        }
        Unmet::Group => vec![("group", Value::Bool(true))],
    };
    Value::Object(fields.into_iter().map(|(name, value)| (Box::from(name), value)).collect())
}
