//! What hosts are answered, as JSON text.

use attune_core::experiment::{Assignment, Exposed};
use attune_core::id::{ProfileId, write_uuid};
use attune_core::processor::{Cause, Firing, ProfileState};
use attune_core::profile::{SignalTable, Tiles};
use attune_core::rules::{
    ActionRef, Actions, Decision, Names, Reason, Refusal, RuleRef, RuleTable, SlotChange, Standing, Unmet,
    Verdict,
};
use attune_core::value::{Value, write_string};
use std::collections::{BTreeMap, BTreeSet};

/// The answer to a set of events.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub accepted: u64,
    pub duplicates: u64,
    decisions: String,
    firings: String,
    errors: String,
}

impl Answer {
    /// A text that is no array: one error for all of it.
    pub fn unreadable(mut self) -> String {
        let message = "expected a JSON array of at most 250,000 events";
        self.refuse(None, None, "events_unreadable", "events", message);
        self.finish()
    }

    /// An event that was not taken in.
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

    /// The whole answer.
    pub fn finish(self) -> String {
        let mut text = String::new();
        let mut row = Row::after(&mut text);
        row.value("accepted", &Value::Number(self.accepted as f64));
        row.value("duplicates", &Value::Number(self.duplicates as f64));
        for (name, rows) in
            [("decisions", self.decisions), ("firings", self.firings), ("errors", self.errors)]
        {
            row.raw(name, &format!("[{rows}]"));
        }
        row.end();
        text
    }
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

/// The slots in order of number, and for each rule whether a decision for it is the same for everybody.
pub(crate) fn names(rules: &RuleTable) -> String {
    let slots = (0..rules.slot_count()).filter_map(|slot| Some(Value::string(rules.slot(slot)?.0)));
    let is_fixed = |rule: RuleRef<'_>| rule.is_level() && rule.head().key.is_none() && !rule.has_places();
    let fixed: String = rules.iter().map(|rule| if is_fixed(rule) { '1' } else { '0' }).collect();
    let mut text = String::new();
    let mut row = Row::after(&mut text);
    row.value("slots", &Value::Array(slots.collect()));
    row.text("fixed", Some(&fixed));
    row.end();
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
        row.raw("experiments", &format!("[{}]", assignments(read)));
    }
    row.end();
    text
}

fn assignments(read: &[Assignment<'_>]) -> String {
    let mut rows = String::new();
    for Assignment { experiment, variation, origin } in read {
        let mut row = Row::after(&mut rows);
        row.text("experiment", Some(experiment));
        row.text("variation", *variation);
        row.text("origin", Some(origin.code()));
        row.end();
    }
    rows
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

/// An object being written behind others.
struct Row<'a> {
    text: &'a mut String,
    fresh: bool,
}

impl<'a> Row<'a> {
    fn after(text: &'a mut String) -> Self {
        text.push_str(if text.is_empty() { "{" } else { ",{" });
        Self { text, fresh: true }
    }

    fn name(&mut self, name: &str) {
        if !self.fresh {
            self.text.push(',');
        }
        self.fresh = false;
        write_string(name, self.text);
        self.text.push(':');
    }

    fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.text.push_str(json);
    }

    fn value(&mut self, name: &str, value: &Value) {
        self.name(name);
        value.write(self.text);
    }

    fn text(&mut self, name: &str, text: Option<&str>) {
        self.name(name);
        match text {
            Some(text) => write_string(text, self.text),
            None => self.text.push_str("null"),
        }
    }

    fn decision(&mut self, decision: Option<&Decision>) {
        self.text("rule", decision.map(|decision| &*decision.rule));
        self.text("key", decision.and_then(|decision| decision.key.as_deref()));
        self.text("reason", decision.map(|decision| decision.reason.code()));
        self.actions(&decision.map_or_else(Actions::default, |decision| decision.actions.clone()));
    }

    fn actions(&mut self, actions: &Actions) {
        self.value("actions", &Value::Array(actions.iter().map(|one| action(&one)).collect()));
    }

    fn end(self) {
        self.text.push('}');
    }
}

/// An action as rule files write it.
fn action(action: &ActionRef<'_>) -> Value {
    let texts = |names: &Names<'_>| Value::Array(names.map(Value::string).collect());
    let (kind, fields) = match action {
        ActionRef::Text { target, value } => {
            ("text", vec![("target", Value::string(target)), ("value", Value::string(value))])
        }
        ActionRef::Attribute { target, name, value } => (
            "attribute",
            vec![
                ("target", Value::string(target)),
                ("name", Value::string(name)),
                ("value", Value::string(value)),
            ],
        ),
        ActionRef::Class { target, add, remove } => {
            ("class", vec![("target", Value::string(target)), ("add", texts(add)), ("remove", texts(remove))])
        }
        ActionRef::Style { target, property, value } => (
            "style",
            vec![
                ("target", Value::string(target)),
                ("property", Value::string(property)),
                ("value", Value::string(value)),
            ],
        ),
        ActionRef::Hide { target } => ("hide", vec![("target", Value::string(target))]),
        ActionRef::Show { target } => ("show", vec![("target", Value::string(target))]),
        ActionRef::Variable { name, value } => {
            ("variable", vec![("name", Value::string(name)), ("value", value.to_tree())])
        }
        ActionRef::Webhook { url } => ("webhook", vec![("url", Value::string(url))]),
    };
    let kind = core::iter::once(("kind", Value::string(kind)));
    Value::Object(kind.chain(fields).map(|(name, value)| (Box::from(name), value)).collect())
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
    use attune_core::bundle::author::{SourceFile, compile};

    #[test]
    fn an_empty_answer_is_an_object_with_every_list() {
        let text = Answer::default().finish();
        assert_eq!(text, r#"{"accepted":0,"duplicates":0,"decisions":[],"firings":[],"errors":[]}"#);
    }

    #[test]
    fn actions_are_written_as_rule_files_write_them() {
        let rule = r##"{"rules":[{"id":"r","slot":"s","actions":[{"kind":"class","target":"#hero","add":["rescue"]}]}]}"##;
        let file = SourceFile { name: "rules.json".into(), text: rule.into() };
        let actions = compile(&[file]).bundle.rule("r").unwrap().written_actions();
        let mut text = String::new();
        action(&actions.iter().next().unwrap()).write(&mut text);
        assert_eq!(text, r##"{"kind":"class","target":"#hero","add":["rescue"],"remove":[]}"##);
    }
}
