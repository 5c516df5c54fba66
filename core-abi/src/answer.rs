//! What hosts are answered, as JSON text.

mod division;
mod explanation;
mod judgement;
mod reading;
mod row;

use attune_core::condition::Reading;
use attune_core::experiment::Exposed;
use attune_core::id::{ProfileId, write_uuid};
use attune_core::processor::{Cause, Firing, ProfileState};
use attune_core::profile::{Change, SignalRef, SignalTable, TileChanges, Tiles};
use attune_core::rules::{Actions, Decision, RuleRef, RuleTable, SlotChange};
use attune_core::time::Timestamp;
use attune_core::value::{JsonError, Value, write_string};
use row::{Row, object};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use division::{bundles, ranges};
pub(crate) use explanation::{assignments, explanation};
pub(crate) use judgement::{Fault, Judgement, judgements};
pub(crate) use reading::reading;
pub(crate) use row::list;

/// The refusal of a text that is no JSON.
pub(crate) fn no_json(error: JsonError) -> String {
    failure(error.code(), &format!("the text is no JSON from byte {} on", error.offset()))
}

/// What calls about events, records and profiles have to tell.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub accepted: u64,
    pub duplicates: u64,
    decisions: String,
    changes: String,
    firings: String,
    errors: String,
}

impl Answer {
    /// A text that is no array: one error for all of it.
    pub fn unreadable(&mut self, what: &str) {
        let message = format!("expected a JSON array of at most 250,000 {what}");
        self.refuse(None, None, &format!("{what}_unreadable"), what, &message);
    }

    /// Something that was not taken in.
    pub fn refuse(
        &mut self,
        index: impl Into<Option<usize>>,
        event_id: Option<Box<str>>,
        code: &str,
        field: &str,
        message: &str,
    ) {
        let mut row = Row::after(&mut self.errors);
        row.value("index", &index.into().map_or(Value::Null, |index| Value::Number(index as f64)));
        row.text("event_id", event_id.as_deref());
        row.text("code", Some(code));
        row.text("field", Some(field));
        row.text("message", Some(message));
        row.end();
    }

    /// A record whose number or lane cannot be taken.
    pub fn refuse_lane(&mut self, index: usize, event_id: Option<Box<str>>, is_full: bool) {
        let (code, message) = match is_full {
            true => ("lane_full", "this lane has more gaps than a page load can have"),
            false => ("lane_conflict", "this lane's number belongs to another event"),
        };
        self.refuse(index, event_id, code, "seq", message);
    }

    /// A change of a member, with its binary form as text.
    pub fn change(&mut self, change: &Change, signals: &SignalTable, bytes: &str) {
        let touched = match &change.tiles {
            TileChanges::Touched(tiles) => tiles.iter().map(|tile| tile.signal).collect(),
            TileChanges::Whole(_) => signals.iter().map(|signal| signal.id).collect::<BTreeSet<_>>(),
        };
        let named = signals.iter().filter(|signal| is_named(signal) && touched.contains(&signal.id));
        let mut row = Row::after(&mut self.changes);
        row.text("profile", Some(&change.profile.0));
        row.text("moved_from", change.moved_from.as_ref().map(|from| &*from.0));
        row.value("signals", &Value::Array(named.map(|signal| Value::string(signal.name())).collect()));
        row.text("change", Some(bytes));
        row.end();
    }

    /// A trigger that fired.
    pub fn firing(&mut self, firing: &Firing) {
        let mut row = Row::after(&mut self.firings);
        let mut id = String::new();
        write_uuid(firing.id, &mut id);
        row.text("id", Some(&id));
        row.text("rule", Some(&firing.rule));
        row.text("profile", Some(&firing.profile.0));
        row.text("anonymous_id", Some(&firing.member.0));
        row.text("key", firing.key.as_deref());
        row.text("at", Some(&firing.at.to_string()));
        match firing.cause {
            Cause::Event(event_id) => {
                let mut id = String::new();
                write_uuid(event_id.0, &mut id);
                row.text("event_id", Some(&id));
            }
            Cause::Due(at) => row.text("due_at", Some(&at.to_string())),
        }
        row.raw("bundle_revision", &firing.revision.to_string());
        row.actions(&firing.actions);
        row.end();
    }

    /// A slot with another decision than before.
    pub fn decision(&mut self, profile: &ProfileId, change: &SlotChange) {
        let mut row = Row::after(&mut self.decisions);
        row.text("profile", Some(&profile.0));
        row.text("slot", Some(&change.slot));
        row.decision(change.decision.as_ref());
        let shown = change.decision.as_ref().filter(|_| change.is_shown);
        row.raw("shown", &shown.map_or_else(|| String::from("null"), shown_json));
        row.end();
    }

    /// The answer to events of an evaluator.
    pub fn finish(self) -> String {
        object(|row| {
            self.counts(row);
            row.rows("decisions", &self.decisions);
            row.rows("firings", &self.firings);
            row.rows("errors", &self.errors);
        })
    }

    /// The answer to records of a member.
    pub fn absorbed(self) -> String {
        object(|row| {
            self.counts(row);
            row.rows("changes", &self.changes);
            row.rows("errors", &self.errors);
        })
    }

    /// The answer to changes of a profile.
    pub fn combined(self, wake_at: Option<Timestamp>) -> String {
        object(|row| {
            self.counts(row);
            row.rows("firings", &self.firings);
            row.instant("wake_at", wake_at);
            row.rows("errors", &self.errors);
        })
    }

    /// The answer to a profile whose slots have been decided.
    pub fn decided(self, wake_at: Option<Timestamp>) -> String {
        object(|row| {
            row.rows("decisions", &self.decisions);
            row.instant("wake_at", wake_at);
        })
    }

    fn counts(&self, row: &mut Row<'_>) {
        row.value("accepted", &Value::Number(self.accepted as f64));
        row.value("duplicates", &Value::Number(self.duplicates as f64));
    }
}

/// A profile: who, when, how much, traits and the values of signals at profile time.
pub(crate) fn profile(state: &ProfileState, signals: &SignalTable) -> String {
    let count = |count: u64| Value::Number(count as f64);
    let members = state.members().map(|member| Value::string(&member.0)).collect();
    let named = signals.iter().filter(is_named);
    let values = named.map(|signal| (Box::from(signal.name()), signal_value(state, &signal))).collect();
    object(|row| {
        row.text("profile", Some(&state.profile().0));
        row.value("version", &count(state.version()));
        row.instant("time", Some(state.time()));
        row.value("members", &Value::Array(members));
        row.value("events", &count(state.events()));
        row.value("firings", &count(state.firings()));
        row.instant("wake_at", state.wake_at());
        row.value("traits", &state.traits().to_object());
        row.value("signals", &Value::Object(values));
    })
}

/// A signal's value at profile time, null where it is missing; of a signal with keys an object of those it has.
fn signal_value(state: &ProfileState, signal: &SignalRef<'_>) -> Value {
    let (parts, from) = (state.tiles(), state.viewpoint());
    if signal.by.is_none() {
        return match Tiles::read(&parts, signal, "", from) {
            Reading::Value(value, _) => value.to_tree(),
            Reading::Missing | Reading::Truncated => Value::Null,
        };
    }
    let mut fields = Vec::new();
    Tiles::each_entry(&parts, signal, from, &mut |key, value| fields.push((Box::from(key), value.to_tree())));
    Value::Object(fields)
}

/// Whether an author has named the signal, other than those that count for caps.
fn is_named(signal: &SignalRef<'_>) -> bool {
    !signal.name().starts_with("attune.")
}

/// Why a call could not be answered.
pub(crate) fn failure(code: &str, message: &str) -> String {
    let mut text = String::new();
    let mut row = Row::after(&mut text);
    row.text("error", Some(code));
    row.text("message", Some(message));
    row.end();
    text
}

/// Decisions as an array.
pub(crate) fn decisions(decisions: &[&Decision]) -> String {
    let mut rows = String::new();
    for decision in decisions {
        let mut row = Row::after(&mut rows);
        row.text("slot", Some(&decision.slot));
        row.decision(Some(decision));
        row.end();
    }
    format!("[{rows}]")
}

/// One decision as an object.
pub(crate) fn decision(decision: &Decision) -> String {
    let mut text = String::new();
    let mut row = Row::after(&mut text);
    row.text("slot", Some(&decision.slot));
    row.decision(Some(decision));
    row.end();
    text
}

/// What a rule would do, as a decision without key and reason.
pub(crate) fn preview(slot: &str, rule: &str, actions: &Actions) -> String {
    object(|row| {
        row.text("slot", Some(slot));
        row.text("rule", Some(rule));
        row.actions(actions);
    })
}

/// The slots in order of number, and for each rule whether a decision for it is the same for everybody.
pub(crate) fn names(rules: &RuleTable) -> String {
    let slots = || (0..rules.slot_count()).filter_map(|slot| rules.slot(slot));
    // Most names need no escapes; bundles have thousands.
    let room = slots().map(|(name, _)| name.len() + 3).sum::<usize>() + rules.len() + 32;
    let mut text = String::with_capacity(room);
    text.push_str("{\"slots\":[");
    for (number, (name, _)) in slots().enumerate() {
        if number > 0 {
            text.push(',');
        }
        write_string(name, &mut text);
    }
    text.push_str("],\"fixed\":\"");
    text.extend(rules.iter().map(|rule| if is_fixed(rule) { '1' } else { '0' }));
    text.push_str("\"}");
    text
}

/// Whether a decision for a rule is the same for everybody.
pub(crate) fn is_fixed(rule: RuleRef<'_>) -> bool {
    rule.is_level() && rule.head().key.is_none() && !rule.has_places()
}

/// The ids of rules, by number.
pub(crate) fn rule_ids(rules: &RuleTable) -> String {
    let ids = || rules.iter().map(|rule| rule.id);
    let mut text = String::with_capacity(ids().map(|id| id.len() + 3).sum::<usize>() + 2);
    for id in ids() {
        text.push(if text.is_empty() { '[' } else { ',' });
        write_string(id, &mut text);
    }
    text.push_str(if text.is_empty() { "[]" } else { "]" });
    text
}

/// The variables that rules of slots may give, each once, in order of name.
pub(crate) fn variables(rules: &RuleTable) -> String {
    let mut names = BTreeSet::new();
    for rule in rules.iter().filter(RuleRef::has_slot) {
        let actions = rule.written_actions();
        names.extend(actions.variables().map(|(name, _)| Box::<str>::from(name)));
    }
    let mut text = String::new();
    Value::Array(names.iter().map(|name| Value::string(name)).collect()).write(&mut text);
    text
}

/// Variations to be tracked.
pub(crate) fn exposures(exposed: &[Exposed]) -> String {
    let mut rows = String::new();
    for one in exposed {
        let mut id = String::new();
        write_uuid(one.event_id.0, &mut id);
        let mut row = Row::after(&mut rows);
        row.text("event_id", Some(&id));
        row.text("experiment", Some(&one.experiment));
        row.text("variation", Some(&one.variation));
        row.value("bucket_version", &Value::Number(one.bucket_version.into()));
        row.end();
    }
    format!("[{rows}]")
}

/// Number of profiles, events and firings, and each signal added up over its keys and all profiles.
pub(crate) fn totals<'a>(
    [profiles, events, firings]: [u64; 3],
    signals: &SignalTable,
    states: impl Iterator<Item = &'a ProfileState>,
) -> String {
    let mut sums: BTreeMap<&str, f64> = signals.iter().map(|signal| (signal.name(), 0.0)).collect();
    for state in states {
        for signal in signals.iter() {
            let mut sum = 0.0;
            Tiles::each_entry(&state.tiles(), &signal, state.viewpoint(), &mut |_, value| {
                sum += value.as_number().unwrap_or(0.0);
            });
            *sums.entry(signal.name()).or_default() += sum;
        }
    }
    let sums = sums.into_iter().map(|(name, sum)| (Box::from(name), Value::Number(sum))).collect();
    let count = |count: u64| Value::Number(count as f64);
    let mut text = String::new();
    let mut row = Row::after(&mut text);
    row.value("profiles", &count(profiles));
    row.value("events", &count(events));
    row.value("firings", &count(firings));
    row.value("signals", &Value::Object(sums));
    row.end();
    text
}

/// The metadata under which the showing of a capped rule is tracked. An empty key is written out, so that a keyed count
/// sees the showing as well.
fn shown_json(decision: &Decision) -> String {
    let mut text = String::from("{\"rule\":");
    write_string(&decision.rule, &mut text);
    text.push_str(",\"key\":");
    write_string(decision.key.as_deref().unwrap_or_default(), &mut text);
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_is_an_object_with_every_list() {
        let text = Answer::default().finish();
        assert_eq!(text, r#"{"accepted":0,"duplicates":0,"decisions":[],"firings":[],"errors":[]}"#);
    }
}
