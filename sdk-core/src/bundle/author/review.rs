//! Warnings about rule files that compile: rules that can never win or hold, and definitions that nothing reads.

use super::diagnostic::{Diagnostic, Problem};
use super::file::{DEFINITION_LISTS, items};
use super::reach::{Signals, always_holds, never_holds};
use super::slips::slips;
use super::{Compiled, SourceFile};
use crate::condition::{Condition, Path, Root, leaf_key, split, visit_paths};
use crate::id::SignalId;
use crate::profile::{Aggregate, SignalTable};
use crate::rules::{Mode, Rule, RuleRef};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What the collector finds out about an event, below `context`.
const FOUND_OUT: [&str; 10] = [
    "bot",
    "browser",
    "campaign",
    "device.model",
    "device.type",
    "geo",
    "ip",
    "os",
    "privacy.gpc",
    "referrer",
];

/// Everything worth a warning in files that have been compiled, in order of file and line. Only what can be proven is
/// said; files that could not be read are passed over.
pub fn review(files: &[SourceFile], compiled: &Compiled) -> Vec<Diagnostic> {
    let mut files: Vec<&SourceFile> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let sources: Vec<Source<'_>> = files
        .into_iter()
        .filter(|file| !compiled.unreadable.contains(&file.name))
        .filter_map(|file| Some(Source { file, value: Value::parse(&file.text).ok()? }))
        .collect();
    let mut review = Review { places: places(&sources), findings: Vec::new() };
    review.signals_that_never_count(&compiled.bundle.signals);
    review.rules_that_never_hold(compiled);
    review.rules_that_always_lose(compiled);
    review.triggers_without_context(compiled);
    review.unread(&sources);
    for Source { file, value } in &sources {
        let found = slips(value, compiled).into_iter();
        review.findings.extend(found.map(|problem| problem.in_file(&file.name, &file.text)));
    }
    review.findings.sort_by(|a, b| (&a.file, a.line, a.code).cmp(&(&b.file, b.line, b.code)));
    review.findings
}

/// Whether a path below `context` leads to what the collector finds out, or into it.
fn is_found_out(path: &str) -> bool {
    let leads = |from: &str, to: &str| {
        to.strip_prefix(from).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    FOUND_OUT.iter().any(|known| leads(known, path) || leads(path, known))
}

struct Source<'a> {
    file: &'a SourceFile,
    value: Value,
}

/// Where the definition of a list and name stands.
type Places<'a> = BTreeMap<(&'static str, Box<str>), (&'a SourceFile, String)>;

/// Of equal names the first counts, as for the compiler.
fn places<'a>(sources: &[Source<'a>]) -> Places<'a> {
    let mut places = Places::new();
    for source in sources {
        for (list, name) in DEFINITION_LISTS {
            for (at, definition) in items(&source.value, list) {
                if let Some(name) = definition.field(name).and_then(Value::as_str) {
                    places.entry((list, Box::from(name))).or_insert((source.file, at));
                }
            }
        }
    }
    places
}

struct Review<'a> {
    places: Places<'a>,
    findings: Vec<Diagnostic>,
}

impl Review<'_> {
    fn warn(&mut self, lists: &[&'static str], name: &str, code: &'static str, message: &str) {
        let place = lists.iter().find_map(|list| self.places.get(&(*list, Box::from(name))));
        if let Some((file, at)) = place {
            let problem = Problem::of(at, code, name, message).warning();
            self.findings.push(problem.in_file(&file.name, &file.text));
        }
    }

    fn signals_that_never_count(&mut self, signals: &SignalTable) {
        for signal in signals.iter().map(crate::profile::SignalRef::to_signal) {
            let filter = signal.filter.as_ref().and_then(|filter| never_holds(filter, signals));
            if let Some(contradiction) = filter {
                let message = format!("no event can pass its where: {}", contradiction.text());
                self.warn(&["signals"], &signal.name, "signal_never_counts", &message);
            }
        }
    }

    fn rules_that_never_hold(&mut self, compiled: &Compiled) {
        for rule in active(compiled) {
            if let Some(contradiction) = never_holds(&rule.when, &compiled.bundle.signals) {
                let message = format!("its condition can never hold: {}", contradiction.text());
                self.warn(&["rules", "triggers"], &rule.id, "rule_never_holds", &message);
            }
        }
    }

    /// A level rule without a cap wins over every lower rule of its slot whose condition includes its own.
    fn rules_that_always_lose(&mut self, compiled: &Compiled) {
        let table = &compiled.bundle.rules;
        for (slot, ranking) in (0..table.slot_count()).filter_map(|slot| table.slot(slot)) {
            let mut winners: Vec<(Box<str>, BTreeSet<Vec<u8>>)> = Vec::new();
            for rule in ranking.map(RuleRef::to_rule) {
                let needs = needs_of(&rule.when);
                let beaten_by = winners.iter().find(|(_, wins_with)| wins_with.is_subset(&needs));
                match beaten_by {
                    Some((winner, wins_with)) if wins_with.is_empty() => {
                        let message =
                            format!("it never wins slot {slot}: {winner} ranks above it and always holds");
                        self.warn(&["rules"], &rule.id, "rule_below_unconditional", &message);
                    }
                    Some((winner, _)) => {
                        let message = format!(
                            "it never wins slot {slot}: {winner} ranks above it and holds whenever it does"
                        );
                        self.warn(&["rules"], &rule.id, "rule_always_loses", &message);
                    }
                    None if rule.mode == Mode::Level && rule.cap.is_none() => winners.push((rule.id, needs)),
                    None => {}
                }
            }
        }
    }

    /// A trigger has no page whose context it could read: only what the collector finds out about an event.
    fn triggers_without_context(&mut self, compiled: &Compiled) {
        for rule in active(compiled).filter(|rule| rule.slot.is_none()) {
            let mut read: Option<Path> = None;
            let is_of_event = rule.mode != Mode::Level;
            let mut note = |path: &Path| {
                let known = is_of_event && is_found_out(&path.rest);
                // A span of local time asks for the clocks, which the collector keeps.
                if path.root == Root::Context && *path.rest != *"time" && !known {
                    read.get_or_insert_with(|| path.clone());
                }
            };
            visit_paths(&rule.when, &mut note);
            rule.key.iter().for_each(&mut note);
            if let Some(path) = read {
                let message = match is_of_event {
                    true => format!(
                        "it reads {path}, which is always missing: of the context of an event the collector knows {}",
                        FOUND_OUT.join(", ")
                    ),
                    false => {
                        format!("it reads {path}, which is always missing: without on there is no context")
                    }
                };
                self.warn(&["triggers"], &rule.id, "context_in_trigger", &message);
            }
        }
    }

    /// A name counts as read where any text outside its own definition names it, so that nothing in use is accused.
    fn unread(&mut self, sources: &[Source<'_>]) {
        for (list, own, code, message) in [
            ("signals", "name", "unused_signal", "no rule or trigger reads it"),
            ("segments", "id", "unused_segment", "no rule or trigger reads it"),
            ("groups", "id", "unused_group", "no condition names it"),
            ("models", "name", "unused_model", "no rule or trigger reads it"),
            ("experiments", "id", "unused_experiment", "no rule or trigger reads it"),
        ] {
            let names: Vec<Box<str>> = self
                .places
                .keys()
                .filter(|(known, _)| *known == list)
                .map(|(_, name)| name.clone())
                .collect();
            let mut read = BTreeSet::new();
            for source in sources {
                let Value::Object(fields) = &source.value else { continue };
                for (field, value) in fields {
                    note_texts(value, &mut |text, under| {
                        let is_own = under == Some(own) && **field == *list;
                        names.iter().filter(|name| !is_own && names_it(text, list, name)).for_each(|name| {
                            read.insert(name.clone());
                        });
                    });
                }
            }
            for name in names.iter().filter(|name| !read.contains(*name)) {
                self.warn(&[list], name, code, message);
            }
        }
    }
}

/// Whether a text is a name, or holds its path, as in `{{signals.views|0}}`.
fn names_it(text: &str, list: &str, name: &str) -> bool {
    if text == name {
        return true;
    }
    let mut rest = text;
    while let Some(at) = rest.find(list) {
        rest = rest.get(at + list.len()..).unwrap_or_default();
        let after = rest.strip_prefix('.').and_then(|path| path.strip_prefix(name));
        let ends = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-');
        if after.is_some_and(|after| after.chars().next().is_none_or(ends)) {
            return true;
        }
    }
    false
}

/// Shows every text of a value, field names included; says of each of which field it is the value.
fn note_texts(value: &Value, see: &mut dyn FnMut(&str, Option<&str>)) {
    match value {
        Value::String(text) => see(text, None),
        Value::Array(items) => items.iter().for_each(|item| note_texts(item, see)),
        Value::Object(fields) => {
            for (field, value) in fields {
                see(field, None);
                match value {
                    Value::String(text) => see(text, Some(field)),
                    other => note_texts(other, see),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The leaves that all have to hold, each by its key; a part that is more than a leaf counts as one.
pub(super) fn needs_of(condition: &Condition) -> BTreeSet<Vec<u8>> {
    let mut needs = BTreeSet::new();
    collect_needs(&split(condition.clone()), &mut needs);
    needs
}

fn collect_needs(condition: &Condition, needs: &mut BTreeSet<Vec<u8>>) {
    match condition {
        Condition::All(parts) => parts.iter().for_each(|part| collect_needs(part, needs)),
        always if always_holds(always) => {}
        part => {
            needs.insert(leaf_key(part));
        }
    }
}

fn active(compiled: &Compiled) -> impl Iterator<Item = Rule> + '_ {
    compiled.bundle.rules.iter().filter(RuleRef::is_active).map(RuleRef::to_rule)
}

impl Signals for SignalTable {
    fn counts(&self, name: &str) -> Option<bool> {
        let signal = self.by_name(name)?;
        (signal.aggregate == Aggregate::Count).then(|| signal.by.is_some())
    }

    fn name(&self, id: SignalId) -> Option<&str> {
        self.by_id(id).map(|signal| signal.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::compile;
    use super::*;
    use alloc::string::ToString;

    fn findings(text: &str) -> Vec<(usize, &'static str, String)> {
        let files = [SourceFile { name: "a.json".to_string(), text: text.to_string() }];
        let compiled = compile(&files);
        assert_eq!(compiled.diagnostics, []);
        let findings = review(&files, &compiled).into_iter();
        findings.map(|found| (found.line, found.code, found.message)).collect()
    }

    #[test]
    fn rules_that_cannot_win_or_hold_are_named_with_their_line() {
        let found = findings(
            r#"{"rules":[
            {"id":"top","slot":"s","priority":9,"when":{"traits.plan":"pro"},"actions":[{"kind":"hide","target":"a"}]},
            {"id":"narrow","slot":"s","priority":8,"when":{"traits.plan":"pro","context.path":"/"},"actions":[{"kind":"hide","target":"a"}]},
            {"id":"capped","slot":"s","priority":7,"cap":{"per":"day"},"actions":[{"kind":"hide","target":"a"}]},
            {"id":"all","slot":"s","priority":6,"actions":[{"kind":"hide","target":"a"}]},
            {"id":"late","slot":"s","priority":5,"on":"click","actions":[{"kind":"hide","target":"a"}]},
            {"id":"other","slot":"t","priority":5,"when":{"traits.a":{"$in":[]}},"actions":[{"kind":"hide","target":"a"}]}],
            "triggers":[{"id":"never","on":"click","when":{"$not":{}}}]}"#,
        );
        let codes: Vec<(usize, &str)> = found.iter().map(|(line, code, _)| (*line, *code)).collect();
        assert_eq!(
            codes,
            [
                (3, "rule_always_loses"),
                (6, "rule_below_unconditional"),
                (7, "rule_never_holds"),
                (8, "rule_never_holds")
            ]
        );
        assert_eq!(found[0].2, "narrow: it never wins slot s: top ranks above it and holds whenever it does");
    }

    #[test]
    fn a_trigger_that_reads_the_context_is_named_and_one_that_asks_for_local_time_is_not() {
        let found = findings(
            r#"{"segments":[{"id":"phone","when":{"context.device.class":"phone"}}],
            "triggers":[{"id":"a","on":"click","when":{"$not":{"$segment":"phone"}}},
            {"id":"b","when":{"traits.a":{"$path":"context.a"}}},
            {"id":"c","on":"click","cap":{"per":"day","key":"context.page"}},
            {"id":"f","on":"click","when":{"context.geo.country":"DE","context.device.type":{"$ne":"tablet"}}},
            {"id":"d","on":"click","when":{"$tod":{"between":["18:00","23:00"]}},"schedule":{"days":["sat"]}}],
            "rules":[{"id":"e","slot":"s","when":{"context.a":1},"actions":[{"kind":"hide","target":"a"}]}]}"#,
        );
        let named: Vec<(usize, &str)> = found.iter().map(|(line, code, _)| (*line, *code)).collect();
        assert_eq!(named, [2, 3, 4].map(|line| (line, "context_in_trigger")));
        assert_eq!(
            found[1].2,
            "b: it reads context.a, which is always missing: without on there is no context"
        );
    }

    #[test]
    fn a_signal_that_nothing_names_is_unused_and_one_in_a_text_is_not() {
        let signal =
            |name: &str| format!(r#"{{"name":"{name}","on":"*","aggregate":"count","window":"session"}}"#);
        let names = ["cart", "cart_at", "seen", "gone"].map(signal).join(",\n");
        let found = findings(&format!(
            r#"{{"signals":[{names}],"rules":[{{"id":"a","slot":"s",
            "when":{{"$signal":{{"name":"seen","is":1}}}},
            "actions":[{{"kind":"text","target":"h1","value":"{{{{signals.cart_at|0}}}}"}}]}}]}}"#
        ));
        let lines: Vec<(usize, &str)> = found.iter().map(|(line, code, _)| (*line, *code)).collect();
        assert_eq!(lines, [(1, "unused_signal"), (4, "unused_signal")], "cart and gone: {found:?}");
    }

    #[test]
    fn segments_groups_and_models_that_nothing_names_are_unused() {
        let found = findings(
            r#"{"segments":[{"id":"inner","when":{"traits.a":1}},
            {"id":"outer","when":{"$segment":"inner"}},
            {"id":"gone","when":{"traits.a":1}}],
            "groups":[{"id":"paid","values":["gone"]},
            {"id":"free","values":[1]}],
            "models":[{"name":"warm","kind":"plan","items":[]},
            {"name":"cold","kind":"plan","items":[]}],
            "rules":[{"id":"a","slot":"s","when":{"segments.outer":true,"traits.p":{"$inGroup":"paid"},
            "$score":{"name":"warm","is":1}},"actions":[{"kind":"hide","target":"a"}]}]}"#,
        );
        let lines: Vec<(usize, &str)> = found.iter().map(|(line, code, _)| (*line, *code)).collect();
        // A value of a group is a text as well, so it may be the segment's name.
        assert_eq!(lines, [(5, "unused_group"), (7, "unused_model")], "{found:?}");
        let found = findings(r#"{"segments":[{"id":"gone","when":{"traits.a":1}}]}"#);
        assert_eq!(found.iter().map(|(_, code, _)| *code).collect::<Vec<_>>(), ["unused_segment"]);
    }

    #[test]
    fn a_signal_whose_filter_no_event_passes_is_named() {
        let found = findings(
            r#"{"signals":[{"name":"n","on":"*","where":{"event_type":{"$in":[]}},"aggregate":"count","window":"1h"}],
            "rules":[{"id":"a","slot":"s","when":{"signals.n":{"$gte":1}},"actions":[{"kind":"hide","target":"a"}]}]}"#,
        );
        assert_eq!(
            found.iter().map(|(line, code, _)| (*line, *code)).collect::<Vec<_>>(),
            [(1, "signal_never_counts")]
        );
    }
}
