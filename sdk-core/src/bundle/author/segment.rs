//! From the JSON of segments and groups to what conditions may name: conditions of conditions, and lists.

use super::SourceFile;
use super::diagnostic::{Problem, Problems};
use super::fields::Fields;
use super::file::items;
use super::signal::plain_name;
use crate::condition::{Condition, ConditionScope, KnownSignal, Names, parse_condition};
use crate::limits::{MAX_BROUGHT, MAX_SEGMENT_STEPS, MAX_SEGMENTS};
use crate::profile::Signal;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;

/// Everything that conditions may name.
#[derive(Default)]
pub(super) struct Known {
    pub signals: BTreeMap<Box<str>, Signal>,
    segments: BTreeMap<Box<str>, Condition>,
    groups: BTreeMap<Box<str>, Value>,
    /// Tests and values that names have brought into conditions.
    brought: Cell<usize>,
}

impl Names for Known {
    fn signal(&self, name: &str) -> Option<KnownSignal> {
        let signal = self.signals.get(name)?;
        Some(KnownSignal { id: signal.id, keyed: signal.by.is_some() })
    }

    fn segment(&self, id: &str) -> Option<&Condition> {
        self.segments.get(id)
    }

    fn group(&self, id: &str) -> Option<Value> {
        self.groups.get(id).cloned()
    }

    fn brings(&self, count: usize) -> bool {
        let brought = self.brought.get() + count;
        let fits = brought <= MAX_BROUGHT;
        if fits {
            self.brought.set(brought);
        }
        fits
    }
}

/// Reads the groups of a file.
pub(super) fn read_groups(known: &mut Known, file: &Value, problems: &mut Problems) {
    for (at, definition) in items(file, "groups") {
        let Some(mut fields) = Fields::open(definition, &at, problems) else { continue };
        let id = fields.id("id");
        let values = match fields.value("values") {
            Some(values @ Value::Array(_)) => Some(values),
            _ => fields.wrong("values", "expected an array"),
        };
        fields.close(&[], &[]);
        let (Some(id), Some(values)) = (id, values) else { continue };
        if known.groups.contains_key(id) {
            problems.push(Problem::of(&at, "duplicate_group", id, "a group of this id exists"));
        } else {
            known.groups.insert(Box::from(id), values.clone());
        }
    }
}

/// A segment that is not compiled yet.
struct Draft<'a> {
    file: &'a SourceFile,
    at: String,
    when: &'a Value,
}

/// Compiles the segments of all files, those that others are made of first; shows the problems of each file.
pub(super) fn compile_all(
    known: &mut Known,
    files: &[(&SourceFile, Value)],
    report: &mut dyn FnMut(&SourceFile, Problems),
) {
    let mut drafts: BTreeMap<&str, Draft<'_>> = BTreeMap::new();
    for (file, value) in files {
        for (at, definition) in items(value, "segments") {
            let mut problems = Problems::default();
            let found = read(definition, &at, &mut problems);
            if let Some((id, when)) = found {
                if drafts.contains_key(id) {
                    problems.push(Problem::of(&at, "duplicate_segment", id, "a segment of this id exists"));
                } else if drafts.len() >= MAX_SEGMENTS {
                    let message = format!("there are more than {MAX_SEGMENTS} segments");
                    problems.push(Problem::of(&at, "too_many_segments", id, &message));
                } else {
                    drafts.insert(id, Draft { file, at, when });
                }
            }
            report(file, problems);
        }
    }
    let mut done = BTreeSet::new();
    for id in drafts.keys() {
        settle(known, &drafts, &mut done, &mut Vec::new(), id, report);
    }
}

fn read<'a>(definition: &'a Value, at: &str, problems: &mut Problems) -> Option<(&'a str, &'a Value)> {
    let mut fields = Fields::open(definition, at, problems)?;
    let is_named = plain_name(&mut fields, "id").is_some();
    if fields.value("when").is_none() {
        fields.fail("when", "missing_field", "this field is required");
    }
    fields.close(&[], &[]);
    let id = definition.field("id").and_then(Value::as_str).filter(|_| is_named);
    id.zip(definition.field("when"))
}

/// Compiles a segment behind those it names. One that is reached from itself is a cycle, and is not usable.
fn settle<'a>(
    known: &mut Known,
    drafts: &BTreeMap<&'a str, Draft<'a>>,
    done: &mut BTreeSet<&'a str>,
    open: &mut Vec<&'a str>,
    id: &'a str,
    report: &mut dyn FnMut(&SourceFile, Problems),
) {
    let Some(draft) = drafts.get(id) else { return };
    if done.contains(id) || open.contains(&id) || open.len() == MAX_SEGMENT_STEPS {
        return;
    }
    open.push(id);
    let mut named = Vec::new();
    collect(draft.when, &mut named);
    named.iter().for_each(|inner| settle(known, drafts, done, open, inner, report));
    let mut problems = Problems::default();
    let at = format!("{}/when", draft.at);
    if let Some(inner) = named.iter().find(|inner| open.contains(inner)) {
        let message = format!("it is made of itself by way of {inner}");
        problems.push(Problem::of(&at, "segment_cycle", id, &message));
    } else {
        match parse_condition(draft.when, ConditionScope::Visitor(known), &at) {
            Ok(condition) => {
                known.segments.insert(Box::from(id), condition);
            }
            Err(errors) => errors.iter().for_each(|error| problems.push(Problem::of_condition(error))),
        }
    }
    open.pop();
    done.insert(id);
    report(draft.file, problems);
}

/// Adds the segments that a condition names.
fn collect<'a>(value: &'a Value, named: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, named)),
        Value::Object(fields) => {
            for (name, field) in fields {
                named.extend(name.strip_prefix("segments."));
                named.extend(field.as_str().filter(|_| &**name == "$segment"));
                collect(field, named);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile};
    use alloc::string::ToString;

    fn compiled(text: &str) -> super::super::Compiled {
        compile(&[SourceFile { name: "a.json".to_string(), text: text.to_string() }])
    }

    fn inactive(text: &str) -> Option<alloc::string::String> {
        compiled(text).bundle.rule("r").and_then(|rule| rule.head().inactive.map(ToString::to_string))
    }

    #[test]
    fn a_rule_is_made_of_segments_and_groups_in_any_order() {
        let text = r#"{"rules":[{"id":"r","slot":"s","actions":[],"when":{"$segment":"vip","segments.new":false}}],
            "segments":[{"id":"vip","when":{"$segment":"known","traits.plan":{"$inGroup":"paid"}}},
                        {"id":"known","when":{"traits.id":{"$exists":true}}},{"id":"new","when":{"traits.visits":1}}],
            "groups":[{"id":"paid","values":["pro","team"]}]}"#;
        let found = compiled(text);
        assert_eq!(found.diagnostics, []);
        assert_eq!(inactive(text), None);
        assert_eq!(found.bundle.rule("r").map(|rule| rule.head().specificity), Some(3), "one for each test");
    }

    #[test]
    fn a_cycle_is_named_and_whoever_needs_it_is_inactive() {
        let found = compiled(
            r#"{"segments":[{"id":"a","when":{"$segment":"b"}},{"id":"b","when":{"segments.c":true}},
                            {"id":"c","when":{"$not":{"$segment":"a"}}},{"id":"d","when":{"$segment":"d"}}],
                "rules":[{"id":"r","slot":"s","actions":[],"when":{"$segment":"a"}}]}"#,
        );
        let codes: alloc::vec::Vec<&str> = found.diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(codes.iter().filter(|code| **code == "segment_cycle").count(), 2, "{codes:?}");
        assert_eq!(found.bundle.rule("r").unwrap().head().inactive, Some("unknown_segment:a"));
    }

    #[test]
    fn segments_cannot_grow_without_end() {
        let mut text = alloc::string::String::from(r#"{"segments":[{"id":"s0","when":{"traits.a":1}}"#);
        for step in 1..20 {
            let before = step - 1;
            text += &alloc::format!(
                r#",{{"id":"s{step}","when":{{"$or":[{{"$segment":"s{before}"}},{{"$segment":"s{before}"}}]}}}}"#
            );
        }
        text += r#"],"rules":[{"id":"r","slot":"s","actions":[],"when":{"$segment":"s19"}}]}"#;
        let found = compiled(&text);
        assert!(
            found.diagnostics.iter().any(|one| one.code == "condition_too_large"),
            "{:?}",
            found.diagnostics
        );
        assert_eq!(found.bundle.rule("r").unwrap().head().inactive, Some("unknown_segment:s19"));
    }

    #[test]
    fn what_groups_bring_into_all_rules_is_bounded() {
        let values =
            (0..100_000).map(|value| alloc::format!("{value}")).collect::<alloc::vec::Vec<_>>().join(",");
        let rules = (0..21).map(|rule| {
            alloc::format!(r#"{{"id":"r{rule:02}","slot":"s{rule}","actions":[{{"kind":"hide","target":"p"}}],"when":{{"traits.n":{{"$inGroup":"g"}}}}}}"#)
        });
        let rules = rules.collect::<alloc::vec::Vec<_>>().join(",");
        let found =
            compiled(&alloc::format!(r#"{{"groups":[{{"id":"g","values":[{values}]}}],"rules":[{rules}]}}"#));
        let codes: alloc::vec::Vec<(&str, &str)> =
            found.diagnostics.iter().map(|one| (one.code, &*one.path)).collect();
        assert_eq!(codes, [("conditions_too_large", "/rules/20/when/traits.n/$inGroup")]);
        assert!(found.diagnostics[0].message.contains("2000000"), "{}", found.diagnostics[0].message);
        assert_eq!(found.bundle.rule("r20").unwrap().head().inactive, Some("conditions_too_large"));
        assert_eq!(found.bundle.rule("r19").unwrap().head().inactive, None);
    }

    #[test]
    fn a_signal_has_no_patterns_in_its_where() {
        let found = compiled(
            r#"{"signals":[{"name":"n","on":"click","aggregate":"count","window":"1h","where":{"metadata.a":{"$regex":"b"}}}]}"#,
        );
        let codes: alloc::vec::Vec<&str> = found.diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(codes, ["pattern_misplaced"]);
    }

    #[test]
    fn a_broken_group_or_segment_is_named_with_its_place() {
        let found = compiled(
            r#"{"groups":[{"id":"g","values":1},{"id":"h","values":[]},{"id":"h","values":[]}],
                "segments":[{"id":"a.b","when":{}},{"id":"x"},{"id":"y","when":{"traits.a":{"$inGroup":"g"}}},{"id":"z","when":{},"who":1}]}"#,
        );
        let found: alloc::vec::Vec<(&str, &str)> =
            found.diagnostics.iter().map(|one| (one.code, &*one.path)).collect();
        let expected = [
            ("bad_field", "/groups/0/values"),
            ("duplicate_group", "/groups/2"),
            ("bad_field", "/segments/0/id"),
            ("missing_field", "/segments/1/when"),
            ("unknown_field", "/segments/3/who"),
            ("unknown_group", "/segments/2/when/traits.a/$inGroup"),
        ];
        for one in expected {
            assert!(found.contains(&one), "{one:?} of {found:?}");
        }
    }
}
