//! From the JSON of a rule or trigger to its compiled form and the hidden signals of its cap.

use super::action;
use super::diagnostic::{Problem, Problems};
use super::fields::Fields;
use super::owner::{Owner, Place};
use super::signal::default_bucket_ms;
use super::{consent, schedule};
use crate::condition::{
    Condition, ConditionErrorKind, ConditionScope, KnownModels, Literal, Names, Path, Root, Test, parse_path,
    parse_scored_condition, specificity, visit_paths,
};
use crate::id::SignalId;
use crate::limits::MAX_CAP_COUNT;
use crate::profile::{Aggregate, Signal, Window, signal_id};
use crate::rules::{Cap, CapPeriod, Hold, Mode, Rule, Terms};
use crate::time::parse_duration_ms;
use crate::value::Value;
use crate::wire::SHOWN;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

/// Parts of the language that a later version evaluates.
const UNSUPPORTED: [&str; 4] = ["experiment", "experiments", "variations", "purpose"];
const DAY_MS: i64 = 24 * 3_600_000;

/// Which list a definition stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Fills a slot of the page.
    Slot,
    /// Runs on the server.
    Trigger,
}

/// Compiles a rule with the hidden signals of its cap. A broken one that has an id is kept inactive with its reason;
/// one without gives nothing.
pub(super) fn compile(
    value: &Value,
    kind: Kind,
    at: &str,
    names: &dyn Names,
    models: KnownModels<'_>,
    problems: &mut Problems,
) -> Option<(Rule, Vec<Signal>)> {
    let scope = ConditionScope::Visitor(names);
    let mut fields = Fields::open(value, at, problems)?;
    let id = fields.id("id");
    let slot = if kind == Kind::Slot { slot(&mut fields) } else { None };
    let priority =
        if kind == Kind::Slot { fields.integer("priority", i32::MIN.into(), i32::MAX.into()) } else { None };
    let when = when(&mut fields, scope, models);
    let cap = cap(&mut fields, scope);
    let key = match &cap {
        Some((_, key)) => key.clone(),
        None => signal_key(&when),
    };
    let mode = mode(&mut fields, kind, &when, key.as_ref());
    let owner = Owner {
        place: if kind == Kind::Slot { Place::Page } else { Place::Server },
        id: id.unwrap_or_default(),
        slot: slot.unwrap_or_default(),
    };
    let actions = action::compile_all(&mut fields, owner, scope);
    let fire_on_publish = match (kind, fields.value("on_publish").is_some()) {
        (Kind::Trigger, true) => match fields.text("on_publish") {
            Some("fire") => true,
            Some("arm") | None => false,
            Some(_) => fields.wrong("on_publish", "expected arm or fire").unwrap_or_default(),
        },
        _ => false,
    };
    let schedule = schedule::compile(&mut fields);
    let group = if kind == Kind::Slot && fields.value("group").is_some() { fields.id("group") } else { None };
    let terms = Terms {
        purpose: consent::compile(&mut fields),
        is_scheduled: schedule.is_some(),
        group: group.map(Box::from),
    };
    if kind == Kind::Slot && fields.value("actions").is_none() {
        let message = "it has no actions, so it fills its slot and changes nothing";
        fields.problems().push(Problem::of(at, "no_actions", id.unwrap_or_default(), message).warning());
    }
    let mut rule = Rule {
        id: Box::from(id.unwrap_or_default()),
        slot: slot.map(Box::from),
        priority: priority.unwrap_or(0) as i32,
        specificity: specificity(&when),
        when,
        mode,
        key,
        cap: cap.map(|(cap, _)| cap),
        terms,
        actions,
        fire_on_publish,
        inactive: None,
    };
    consent::check(&rule, &mut fields);
    if let Some(schedule) = schedule {
        rule.when = schedule::within(schedule, rule.when).unwrap_or_else(|| {
            let kind = ConditionErrorKind::TooDeep;
            fields.fail_of_condition("when", &kind);
            Condition::All(Vec::new())
        });
    }
    fields.close(
        &UNSUPPORTED,
        if kind == Kind::Slot { &["on_publish"] } else { &["slot", "priority", "hold", "group"] },
    );
    id?;
    rule.inactive = problems.reason();
    if rule.inactive.is_some() {
        empty(&mut rule);
    }
    let hidden = if kind == Kind::Slot { count_showings(&mut rule) } else { Vec::new() };
    Some((rule, hidden))
}

/// Leaves nothing of a rule that was misunderstood; the condition that never holds is a second bolt.
pub(super) fn empty(rule: &mut Rule) {
    rule.when = Condition::Not(Box::new(Condition::All(Vec::new())));
    (rule.mode, rule.key, rule.cap, rule.actions) = (Mode::Level, None, None, Vec::new());
    rule.terms = Terms::default();
}

fn slot<'a>(fields: &mut Fields<'a, '_>) -> Option<&'a str> {
    if fields.value("slot").is_none() {
        let message = "a rule needs the slot that it fills; what fills none stands in triggers";
        fields.fail("slot", "missing_field", message);
        return None;
    }
    fields.id("slot")
}

fn when(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>, models: KnownModels<'_>) -> Condition {
    let Some(value) = fields.value("when") else { return Condition::All(Vec::new()) };
    parse_scored_condition(value, scope, models, &fields.place("when")).unwrap_or_else(|errors| {
        errors.iter().for_each(|error| fields.problems().push(Problem::of_condition(error)));
        Condition::All(Vec::new())
    })
}

fn mode(fields: &mut Fields<'_, '_>, kind: Kind, when: &Condition, key: Option<&Path>) -> Mode {
    let mut reads_event = key.is_some_and(|path| path.root == Root::Event);
    visit_paths(when, &mut |path| reads_event |= path.root == Root::Event);
    let on = if fields.value("on").is_some() { fields.id("on") } else { None };
    if on.is_none() && !reads_event {
        if kind == Kind::Slot && fields.value("hold").is_some() {
            fields.fail("hold", "hold_without_event", "only a rule that is judged at an event latches");
        }
        return Mode::Level;
    }
    let hold = if kind == Kind::Slot { fields.text("hold") } else { None };
    let hold = match hold {
        None | Some("session") => Some(Hold::Session),
        Some("until_next_holder") => Some(Hold::UntilNextHolder),
        Some(text) => parse_duration_ms(text).filter(|ms| *ms > 0).map(Hold::Duration).or_else(|| {
            fields.wrong("hold", "expected session, until_next_holder or a duration such as 10m")
        }),
    };
    Mode::Event { on: Box::from(on.unwrap_or("*")), hold: hold.unwrap_or(Hold::Session) }
}

fn cap(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>) -> Option<(Cap, Option<Path>)> {
    let value = fields.value("cap")?;
    let at = fields.place("cap");
    let mut fields = Fields::open(value, &at, fields.problems())?;
    let per = match fields.required_text("per") {
        Some("session") => CapPeriod::Session,
        Some("day") => CapPeriod::Day,
        Some("lifetime") => CapPeriod::Lifetime,
        Some(_) => fields.wrong("per", "expected session, day or lifetime").unwrap_or(CapPeriod::Lifetime),
        None => CapPeriod::Lifetime,
    };
    let count = fields.integer("count", 1, i64::from(MAX_CAP_COUNT)).unwrap_or(1) as u32;
    let min_gap_ms = fields.duration("min_gap");
    let key = fields.text("key").and_then(|text| match parse_path(text, scope) {
        Ok(path) => Some(path),
        Err(kind) => {
            fields.fail_of_condition("key", &kind);
            None
        }
    });
    fields.close(&[], &[]);
    Some((Cap { per, count, min_gap_ms, shown: None, shown_at: None }, key))
}

/// The key path of the first `$signal` that has one.
fn signal_key(condition: &Condition) -> Option<Path> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().find_map(signal_key),
        Condition::Signal { key: Some(Literal::Path(path)), .. } => Some(path.clone()),
        _ => None,
    }
}

/// Gives the cap of a slot rule its hidden signals over `attune.shown`.
fn count_showings(rule: &mut Rule) -> Vec<Signal> {
    let (id, keyed) = (rule.id.clone(), rule.key.is_some());
    let Some(cap) = &mut rule.cap else { return Vec::new() };
    let window = match cap.per {
        CapPeriod::Session => Window::Session,
        CapPeriod::Day => {
            Window::Sliding { window_ms: DAY_MS, bucket_ms: default_bucket_ms(DAY_MS).unwrap_or(1_000) }
        }
        CapPeriod::Lifetime => Window::Lifetime,
    };
    let shown = shown_signal("shown", &id, keyed, Aggregate::Count, window);
    cap.shown = Some(shown.id);
    let mut hidden = alloc::vec![shown];
    if cap.min_gap_ms.is_some() {
        let shown_at = shown_signal("shown_at", &id, keyed, Aggregate::LastAt, Window::Lifetime);
        cap.shown_at = Some(shown_at.id);
        hidden.push(shown_at);
    }
    hidden
}

fn shown_signal(name: &str, rule: &str, keyed: bool, aggregate: Aggregate, window: Window) -> Signal {
    let bare = |path: &str| Path { root: Root::Bare, rest: Box::from(path) };
    let is_rule = Test::Eq(Literal::Value(Value::string(rule)));
    let mut signal = Signal {
        id: SignalId(0),
        // No author's signal has a dot in its name, so the names cannot meet.
        name: format!("attune.{name}:{rule}").into_boxed_str(),
        on: Box::from(SHOWN),
        filter: Some(Condition::Path { path: bare("metadata.rule"), test: is_rule }),
        by: keyed.then(|| bare("metadata.key")),
        of: None,
        aggregate,
        window,
        backfill: false,
    };
    signal.id = signal_id(&signal);
    signal
}
