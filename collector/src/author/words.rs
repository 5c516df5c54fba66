//! Explanations in words, made from the types that evaluation gives.

use attune_core::condition::{
    Condition, Document, Literal, Moment, Outlook, PathRef, Test, each_leaf, plain_text, resolve,
};
use attune_core::id::SignalId;
use attune_core::profile::{SignalTable, Warming};
use attune_core::rules::{Reason, Refusal, RuleRef, Unmet, Verdict};
use attune_core::value::{Value, ValueRef};

/// Why a rule holds or does not, with the values found.
pub fn verdict(
    verdict: &Verdict,
    rule: &RuleRef<'_>,
    signals: &SignalTable,
    document: &dyn Document,
) -> String {
    match verdict {
        Verdict::Holds(Reason::Level) => "it holds: its condition is true (level)".to_owned(),
        Verdict::Holds(Reason::Latched { at, until }) => match until {
            Some(until) => format!("it holds since {at} until {until} (latched)"),
            None => format!("it holds since {at} (latched)"),
        },
        Verdict::Refused(refusal) => {
            let said = match refusal {
                Refusal::Inactive(reason) => format!("it takes no part: {reason}"),
                Refusal::NotMatched(parts) => unmet(parts, rule, signals, document),
                Refusal::NotLatched => match rule.head().on {
                    Some("*") | None => "it waits for an event that matches".to_owned(),
                    Some(on) => format!("it waits for an event {on} that matches"),
                },
                lost => lost_text(lost),
            };
            format!("{said} ({})", refusal.code())
        }
    }
}

/// Why a rule that would hold does not hold its slot.
fn lost_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::CapReached => "its cap is reached".to_owned(),
        Refusal::LostToHigherPriority(winner) => format!("{winner} holds the slot and ranks above it"),
        other => format!("it is kept away: {}", other.code()),
    }
}

/// What is not met of a rule's condition, with what was found and what had to hold.
pub fn unmet(parts: &[Unmet], rule: &RuleRef<'_>, signals: &SignalTable, document: &dyn Document) -> String {
    let tree = rule.to_rule();
    let said: Vec<String> = parts.iter().map(|part| one_unmet(part, &tree.when, signals, document)).collect();
    match said.as_slice() {
        [] => "its condition is not met".to_owned(),
        said => said.join("; "),
    }
}

/// Since when signals that a rule reads are counted, where that is not long enough yet.
pub fn warming(found: &[(SignalId, Warming)], signals: &SignalTable) -> String {
    let said = found.iter().map(|(id, Warming { since, until })| {
        let name = signals.by_id(*id).map_or("", |signal| signal.name());
        match until {
            Some(until) => format!("signals.{name} counts since {since} only, and is complete from {until}"),
            None => format!("signals.{name} counts since {since} only, and is never complete"),
        }
    });
    said.collect::<Vec<_>>().join("; ")
}

fn one_unmet(part: &Unmet, when: &Condition, signals: &SignalTable, document: &dyn Document) -> String {
    let mut wanted = Vec::new();
    match part {
        Unmet::Path { path, found } => {
            each_leaf(when, &mut |leaf| match leaf {
                Condition::Path { path: other, test } if other == path => wanted.push(test_text(test)),
                _ => {}
            });
            format!(
                "{path} is {}{}",
                found.as_ref().map_or_else(|| "missing".to_owned(), json),
                must(&wanted)
            )
        }
        Unmet::Signal { signal, key } => {
            each_leaf(when, &mut |leaf| match leaf {
                Condition::Signal { signal: other, test, .. } if other == signal => {
                    wanted.push(test_text(test))
                }
                _ => {}
            });
            let name = signals.by_id(*signal).map_or("", |signal| signal.name());
            let path = key.as_ref().map_or_else(|| name.to_owned(), |key| format!("{name}.{key}"));
            let root = format!("signals.{path}");
            let found =
                PathRef::parse(&root).and_then(|path| resolve(path, document, &mut Outlook::default()));
            let found = found.map_or_else(|| "missing".to_owned(), value_text);
            format!("{root} is {found}{}", must(&wanted))
        }
        _ => "no alternative of a group is met, or a negated part is".to_owned(),
    }
}

fn must(wanted: &[String]) -> String {
    if wanted.is_empty() { String::new() } else { format!(", which must be {}", wanted.join(" and ")) }
}

fn test_text(test: &Test) -> String {
    match test {
        Test::All(tests) => tests.iter().map(test_text).collect::<Vec<_>>().join(" and "),
        Test::Not(inner) => format!("not {}", test_text(inner)),
        Test::Is(literal) | Test::Eq(literal) => literal_text(literal),
        Test::Ne(literal) => format!("other than {}", literal_text(literal)),
        Test::In(literal) => format!("one of {}", literal_text(literal)),
        Test::Nin(literal) => format!("none of {}", literal_text(literal)),
        Test::Gt(literal) => format!("above {}", literal_text(literal)),
        Test::Gte(literal) => format!("at least {}", literal_text(literal)),
        Test::Lt(literal) => format!("below {}", literal_text(literal)),
        Test::Lte(literal) => format!("at most {}", literal_text(literal)),
        Test::Exists(true) => "there".to_owned(),
        Test::Exists(false) => "missing".to_owned(),
        other => moment_test_text(other),
    }
}

fn moment_test_text(test: &Test) -> String {
    match test {
        Test::Before(moment) => format!("before {}", moment_text(moment)),
        Test::After(moment) => format!("after {}", moment_text(moment)),
        _ => "as its test says".to_owned(),
    }
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Value(value) => json(value),
        Literal::Path(path) => path.to_string(),
        Literal::Caseless { lower, .. } => json(&Value::string(lower)),
        Literal::List(items) => {
            format!("[{}]", items.iter().map(literal_text).collect::<Vec<_>>().join(", "))
        }
    }
}

fn moment_text(moment: &Moment) -> String {
    match moment {
        Moment::Relative(ms) if *ms < 0 => format!("{} ago", duration_text(ms.saturating_neg())),
        Moment::Relative(ms) => format!("{} from now", duration_text(*ms)),
        Moment::Fixed(at) => at.to_string(),
        Moment::Path(path) => path.to_string(),
    }
}

/// A duration in the largest unit that it is a whole number of.
pub fn duration_text(ms: i64) -> String {
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if ms != 0 && ms % size == 0 {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}

/// A value as JSON.
pub fn json(value: &Value) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

fn value_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(_) => json(&value.to_tree()),
        other => plain_text(other, &mut [0; 40]).map_or_else(|| json(&other.to_tree()), str::to_owned),
    }
}
