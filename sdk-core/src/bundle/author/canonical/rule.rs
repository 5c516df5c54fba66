//! Rules, triggers and actions as rule files write them.

use super::{Names, Object, duration, name_of, schedule, shown};
use crate::condition::Condition;
use crate::rules::{Action, Cap, Hold, Mode, Rule, call};
use crate::value::Value;
use alloc::boxed::Box;

/// A rule or trigger without its id. One that takes no part has nothing but `inactive`, its reason, besides its slot.
pub(super) fn source(rule: &Rule, names: &Names<'_>) -> Value {
    let mut fields = Object::default();
    if let Some(slot) = &rule.slot {
        fields.text("slot", slot).number("priority", rule.priority.into());
    }
    if let Some(reason) = &rule.inactive {
        return fields.text("inactive", reason).finish();
    }
    let (when, calendar) = apart(&rule.when, rule.terms.is_scheduled);
    if let Mode::Event { on, .. } = &rule.mode {
        fields.text("on", on);
    }
    let when = Some(names.condition(&when)).filter(|when| *when != Value::Object([].into()));
    fields.some("when", when, |when| when);
    if let (Mode::Event { hold, .. }, Some(_)) = (&rule.mode, &rule.slot) {
        fields.add("hold", self::hold(*hold));
    }
    fields.some("cap", rule.cap.as_ref(), |cap| self::cap(cap, rule));
    fields.some("schedule", calendar, schedule::source);
    fields.some("group", rule.terms.group.as_ref(), |group| Value::string(group));
    fields.text("consent", rule.terms.purpose.name());
    if rule.slot.is_none() {
        fields.text("on_publish", if rule.fire_on_publish { "fire" } else { "arm" });
    }
    fields.add("actions", Value::Array(rule.actions.iter().map(action).collect())).finish()
}

/// The condition and the schedule that a scheduled rule's condition ends with.
fn apart(when: &Condition, is_scheduled: bool) -> (Condition, Option<&crate::condition::Calendar>) {
    match when {
        Condition::All(parts) if is_scheduled => match parts.split_last() {
            Some((Condition::Calendar(calendar), [only])) => (only.clone(), Some(calendar)),
            Some((Condition::Calendar(calendar), rest)) => (Condition::All(rest.into()), Some(calendar)),
            _ => (when.clone(), None),
        },
        _ => (when.clone(), None),
    }
}

fn hold(hold: Hold) -> Value {
    match hold {
        Hold::Duration(ms) => duration(ms),
        Hold::Session | Hold::UntilNextHolder => shown(name_of(&hold)),
    }
}

fn cap(cap: &Cap, rule: &Rule) -> Value {
    let mut fields = Object::default();
    fields.text("per", &name_of(&cap.per)).number("count", cap.count.into());
    fields.some("key", rule.key.as_ref(), shown).some("min_gap", cap.min_gap_ms, duration).finish()
}

fn action(action: &Action) -> Value {
    let names = |names: &[Box<str>]| Value::Array(names.iter().map(|name| Value::string(name)).collect());
    let mut fields = Object::default();
    let mut of = |kind: &str, target: &str| {
        fields.text("kind", kind).text("target", target);
    };
    match action {
        Action::Text { target, value } => {
            of("text", target);
            fields.text("value", value)
        }
        Action::Attribute { target, name, value } => {
            of("attribute", target);
            fields.text("name", name).text("value", value)
        }
        Action::Class { target, add, remove } => {
            of("class", target);
            fields.add("add", names(add)).add("remove", names(remove))
        }
        Action::Style { target, property, value } => {
            of("style", target);
            fields.text("property", property).text("value", value)
        }
        Action::Hide { target } => {
            of("hide", target);
            &mut fields
        }
        Action::Show { target } => {
            of("show", target);
            &mut fields
        }
        Action::Variable { name, value } => {
            fields.text("kind", "variable").text("name", name).add("value", value.clone())
        }
        Action::Call { to } => {
            let (kind, field, whom) = call(to);
            fields.text("kind", kind).text(field, whom)
        }
        Action::Further(further) => return further.source(),
    }
    .finish()
}
