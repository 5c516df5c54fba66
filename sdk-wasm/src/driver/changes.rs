//! Decisions as the page and the TypeScript half take them.

use crate::browser::dom::{Change, ChangeKind};
use attune_core::rules::{Action, Decision, attribute_allowed, url_allowed};
use attune_core::value::{write_string, write_value};

/// The changes a decision makes to the page; none for an empty slot.
pub fn changes_of(decision: Option<&Decision>) -> Vec<Change> {
    decision.map_or_else(Vec::new, |decision| {
        decision.actions.iter().filter_map(|action| change_of(&action.to_action())).collect()
    })
}

/// A decision as JSON.
pub fn decision_json(decision: &Decision) -> String {
    let mut text = String::from("{\"slot\":");
    write_string(&decision.slot, &mut text);
    text.push_str(",\"rule\":");
    write_string(&decision.rule, &mut text);
    if let Some(key) = &decision.key {
        text.push_str(",\"key\":");
        write_string(key, &mut text);
    }
    text.push_str(",\"reason\":");
    write_string(decision.reason.code(), &mut text);
    text.push_str(",\"since\":\"");
    decision.since.write(&mut text);
    text.push_str("\",\"variables\":{");
    for (index, (name, value)) in decision.actions.variables().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(name, &mut text);
        text.push(':');
        write_value(value, &mut text);
    }
    text.push_str("}}");
    text
}

fn change_of(action: &Action) -> Option<Change> {
    let (target, kind) = match action {
        Action::Text { target, value } => (target, ChangeKind::Text(value.clone())),
        Action::Attribute { target, name, value } if is_safe(name, value) => {
            (target, ChangeKind::Attribute(name.clone(), value.clone()))
        }
        Action::Class { target, add, remove } => {
            (target, ChangeKind::Class { add: add.clone(), remove: remove.clone() })
        }
        Action::Style { target, property, value } => {
            (target, ChangeKind::Style(property.clone(), value.clone()))
        }
        Action::Hide { target } => (target, ChangeKind::Hide),
        Action::Show { target } => (target, ChangeKind::Show),
        Action::Attribute { .. } | Action::Variable { .. } | Action::Webhook { .. } => return None,
    };
    Some(Change { target: target.clone(), kind })
}

/// The bundle's compiler checks names; a place may have filled an address with what it could not see.
fn is_safe(name: &str, value: &str) -> bool {
    attribute_allowed(name) && (!matches!(name, "href" | "src" | "cite") || url_allowed(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::rules::{Actions, Reason};
    use attune_core::time::Timestamp;

    fn attribute(name: &str, value: &str) -> Action {
        Action::Attribute { target: "a".into(), name: name.into(), value: value.into() }
    }

    #[test]
    fn an_address_that_runs_code_never_reaches_the_page() {
        for (action, is_made) in [
            (attribute("href", "/sale"), true),
            (attribute("href", "javascript:alert(1)"), false),
            (attribute("onclick", "alert(1)"), false),
            (attribute("aria-label", "Sale"), true),
        ] {
            assert_eq!(change_of(&action).is_some(), is_made, "{action:?}");
        }
    }

    #[test]
    fn a_decision_names_its_rule_reason_and_variables() {
        let decision = Decision {
            slot: "hero".into(),
            rule: "third-view".into(),
            key: Some("bags".into()),
            reason: Reason::Level,
            since: Timestamp(0),
            actions: Actions::default(),
        };
        let expected = r#"{"slot":"hero","rule":"third-view","key":"bags","reason":"level","since":"1970-01-01T00:00:00.000Z","variables":{}}"#;
        assert_eq!(decision_json(&decision), expected);
    }
}
