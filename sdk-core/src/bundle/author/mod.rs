//! From rule files to a bundle: what is sound is compiled, what is not is named with its place and takes no part.

mod action;
mod arrange;
mod canonical;
mod compare;
mod consent;
mod contradiction;
mod cost;
mod delta;
mod diagnostic;
mod difference;
mod experiment;
mod fields;
mod file;
mod further;
mod json_error;
mod locate;
mod markup;
mod model;
mod owner;
mod policy;
#[cfg(test)]
mod proofs;
mod properties;
mod reach;
mod review;
mod rule;
mod schedule;
mod segment;
mod selector;
mod signal;
mod slips;
mod sought;
mod type_lists;
mod written;

use super::{Bundle, BundleError, Parts, decode_body, encode_body};
use crate::experiment::Trial;
use crate::filter::Policy;
use crate::limits::{
    MAX_EXPERIMENTS, MAX_MODELS, MAX_NAMED_BYTES, MAX_RULE_FILE_BYTES, MAX_RULES, MAX_SIGNALS,
    MAX_TYPE_ENTRIES, PLACE_BYTES, QUESTION_BYTES,
};
use crate::model::Model;
use crate::profile::Signal;
use crate::rules::Rule;
use crate::value::Value;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use arrange::arrange;
use diagnostic::{Problem, Problems};
use experiment::{Draft, experiments_read};
use file::{check_lists, items};
use json_error::json_message;
use locate::line_of_offset;
use segment::Known;
use type_lists::TypeLists;
use written::{Written, unknown_experiment};

pub use crate::condition::nearest;
pub use compare::{DefinitionChange, DefinitionKind, Definitions, Difference, compare};
pub use contradiction::Contradiction;
pub use cost::{Cost, RuleCost, cost};
pub use delta::delta;
pub use diagnostic::{Diagnostic, Severity};
pub use difference::PartChange;
pub use file::DEFINITION_LISTS;
pub use policy::read_policy;
pub use review::review;

/// One rule file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name, as diagnostics are to say it.
    pub name: String,
    /// Its text: `{"signals":[…],"segments":[…],"groups":[…],"experiments":[…],"models":[…],"rules":[…],"triggers":[…],
    /// "filter":{…}}`; of all files one may have a filter.
    pub text: String,
}

/// What a set of rule files amounts to.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// The compiled body, for [`super::seal_envelope`].
    pub body: Vec<u8>,
    /// The same, ready to be evaluated; its revision is 0.
    pub bundle: Bundle,
    /// Everything found, in order of file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// Names of the files that could not be read at all; whoever has older texts of them compiles with those.
    pub unreadable: Vec<String>,
    /// Ids of rules that take no part for want of a slot; a bundle has nothing else that tells them from triggers.
    pub slotless: BTreeSet<Box<str>>,
}

/// Compiles rule files. Files are taken in order of name, so that of equal ids the same one always counts.
///
/// Nothing here fails as a whole: an unreadable file, a broken signal, model or rule is left out, or kept inactive
/// with its reason, and its neighbours go on.
pub fn compile(files: &[SourceFile]) -> Compiled {
    let mut files: Vec<&SourceFile> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut compiler = Compiler::default();
    let parsed: Vec<(&SourceFile, Value)> =
        files.into_iter().filter_map(|file| Some((file, compiler.read(file)?))).collect();
    compiler.written = Written::of(&parsed);
    for (file, value) in &parsed {
        compiler.signals_of(file, value);
        compiler.groups_of(file, value);
        compiler.policy_of(file, value);
    }
    compiler.segments(&parsed);
    compiler.experiments_of(&parsed);
    for (file, value) in &parsed {
        compiler.models_of(file, value);
    }
    for (file, value) in &parsed {
        compiler.rules_of(file, value);
    }
    compiler.finish()
}

#[derive(Default)]
struct Compiler {
    known: Known,
    hidden: Vec<Signal>,
    models: BTreeMap<Box<str>, Model>,
    experiments: Vec<Trial>,
    /// What the files define, whether or not it takes part.
    written: Written,
    rules: BTreeMap<Box<str>, Rule>,
    /// Rules without a slot of those.
    slotless: BTreeSet<Box<str>>,
    lists: TypeLists,
    policy: Option<Policy>,
    diagnostics: Vec<Diagnostic>,
    unreadable: Vec<String>,
}

impl Compiler {
    /// Reads a file down to its lists.
    fn read(&mut self, file: &SourceFile) -> Option<Value> {
        let broken = match Value::parse(&file.text) {
            _ if file.text.len() > MAX_RULE_FILE_BYTES => {
                let size = file.text.len();
                let message = format!("the file has {size} bytes; the limit is {MAX_RULE_FILE_BYTES}");
                Diagnostic::of_file(&file.name, 1, "file_too_large", message)
            }
            Ok(value @ Value::Object(_)) => {
                let mut problems = Problems::default();
                check_lists(&value, &mut problems);
                self.report(file, problems);
                return Some(value);
            }
            Ok(_) => {
                let message =
                    "expected an object with signals, segments, groups, experiments, models, rules, triggers and a filter"
                        .to_owned();
                Diagnostic::of_file(&file.name, 1, "not_an_object", message)
            }
            Err(error) => {
                let line = line_of_offset(&file.text, error.offset());
                let message = json_message(error, &file.text);
                Diagnostic::of_file(&file.name, line, error.code(), message)
            }
        };
        self.diagnostics.push(broken);
        self.unreadable.push(file.name.clone());
        None
    }

    fn signals_of(&mut self, file: &SourceFile, value: &Value) {
        for (at, definition) in items(value, "signals") {
            let mut problems = Problems::default();
            if let Some(signal) = signal::compile(definition, &at, &mut problems) {
                if self.known.signals.contains_key(&signal.name) {
                    problems.push(Problem::of(
                        &at,
                        "duplicate_signal",
                        &signal.name,
                        "a signal of this name exists",
                    ));
                } else if self.known.signals.len() >= MAX_SIGNALS {
                    let message = format!("there are more than {MAX_SIGNALS} signals");
                    problems.push(Problem::of(&at, "too_many_signals", &signal.name, &message));
                } else {
                    self.known.signals.insert(signal.name.clone(), signal);
                }
            }
            self.report(file, problems);
        }
    }

    fn models_of(&mut self, file: &SourceFile, value: &Value) {
        for (at, definition) in items(value, "models") {
            let mut problems = Problems::default();
            let signals = |name: &str| self.known.signals.get(name);
            if let Some(model) = model::compile(definition, &at, &signals, &mut problems) {
                if self.models.contains_key(&model.name) {
                    let message = "a model of this name exists";
                    problems.push(Problem::of(&at, "duplicate_model", &model.name, message));
                } else if self.models.len() >= MAX_MODELS {
                    let message = format!("there are more than {MAX_MODELS} models");
                    problems.push(Problem::of(&at, "too_many_models", &model.name, &message));
                } else {
                    self.models.insert(model.name.clone(), model);
                }
            }
            self.report(file, problems);
        }
    }

    /// Experiments may read each other over all files, so they are compiled together.
    fn experiments_of(&mut self, files: &[(&SourceFile, Value)]) {
        let (mut drafts, mut places) = (BTreeMap::new(), BTreeMap::new());
        for (file, value) in files {
            for (at, definition) in items(value, "experiments") {
                let mut problems = Problems::default();
                let compiled = experiment::compile(definition, &at, &self.known, &mut problems);
                if let Some(draft) = compiled {
                    let id = draft.trial.id.clone();
                    if drafts.contains_key(&id) {
                        let message = "an experiment of this id exists; this one takes no part";
                        problems.push(Problem::of(&at, "duplicate_id", &id, message));
                    } else if drafts.len() >= MAX_EXPERIMENTS {
                        let message = format!("there are more than {MAX_EXPERIMENTS} experiments");
                        problems.push(Problem::of(&at, "too_many_experiments", &id, &message));
                    } else {
                        places.insert(id.clone(), (*file, at.clone()));
                        drafts.insert(id, draft);
                    }
                }
                self.report(file, problems);
            }
        }
        let (ordered, refused) = arrange(drafts, &self.written);
        for (id, code, message) in refused {
            let Some((file, at)) = places.get(&id) else { continue };
            let mut problems = Problems::default();
            problems.push(Problem::of(at, code, &id, &message));
            self.report(file, problems);
        }
        for Draft { trial, hidden, .. } in ordered {
            self.hidden.extend(hidden);
            self.experiments.push(trial);
        }
    }

    /// A policy with an error keeps no event: what is left of it would let through what its author has forbidden. Whoever
    /// has an older text of the file goes on with that.
    fn policy_of(&mut self, file: &SourceFile, value: &Value) {
        let Some(definition) = value.field("filter") else { return };
        let mut problems = Problems::default();
        if self.policy.is_some() {
            let message =
                "another file has the filter; of all files one may have it, and the first by name counts";
            problems.push(Problem::of("/filter", "duplicate_filter", "filter", message));
        } else {
            let policy = policy::compile(definition, "/filter", &mut problems);
            let is_sound = problems.reason().is_none();
            self.policy = Some(policy.filter(|_| is_sound).unwrap_or_else(Policy::keeping_nothing));
        }
        self.report(file, problems);
    }

    fn groups_of(&mut self, file: &SourceFile, value: &Value) {
        let mut problems = Problems::default();
        segment::read_groups(&mut self.known, value, &mut problems);
        self.report(file, problems);
    }

    fn segments(&mut self, files: &[(&SourceFile, Value)]) {
        let mut known = core::mem::take(&mut self.known);
        segment::compile_all(&mut known, files, &mut |file, problems| self.report(file, problems));
        self.known = known;
    }

    fn rules_of(&mut self, file: &SourceFile, value: &Value) {
        for (list, kind) in [("rules", rule::Kind::Slot), ("triggers", rule::Kind::Trigger)] {
            for (at, definition) in items(value, list) {
                let mut problems = Problems::default();
                let models = |name: &str| self.models.get(name).map(|model| model.id);
                let compiled = rule::compile(definition, kind, &at, &self.known, &models, &mut problems);
                if let Some((mut rule, mut hidden)) = compiled {
                    let read = experiments_read(&rule.when);
                    let unknown =
                        read.iter().find(|id| self.experiments.iter().all(|trial| trial.id != **id));
                    if let Some(id) = unknown {
                        problems.push(unknown_experiment(&self.written, id, &format!("{at}/when")));
                        rule.inactive = problems.reason();
                        rule::empty(&mut rule);
                        hidden.clear();
                    }
                    if self.rules.contains_key(&rule.id) {
                        let message = "a rule or trigger of this id exists; this one takes no part";
                        problems.push(Problem::of(&at, "duplicate_id", &rule.id, message));
                    } else if self.rules.len() >= MAX_RULES {
                        let message =
                            format!("there are more than {MAX_RULES} rules; this one takes no part");
                        problems.push(Problem::of(&at, "too_many_rules", &rule.id, &message));
                    } else if !self.lists.take(&rule) {
                        let message = format!(
                            "a rule for every event type stands in the list of each named type, and with this one the lists have more than {MAX_TYPE_ENTRIES} entries; it takes no part"
                        );
                        problems.push(Problem::of(&at, "event_lists_too_large", &rule.id, &message));
                    } else {
                        self.hidden.extend(hidden);
                        if kind == rule::Kind::Slot && rule.slot.is_none() {
                            self.slotless.insert(rule.id.clone());
                        }
                        self.rules.insert(rule.id.clone(), rule);
                    }
                }
                self.report(file, problems);
            }
        }
    }

    fn report(&mut self, file: &SourceFile, problems: Problems) {
        let hinted = problems.into_iter().map(|problem| self.written.hinted(problem));
        self.diagnostics.extend(hinted.map(|problem| problem.in_file(&file.name, &file.text)));
    }

    fn finish(mut self) -> Compiled {
        let signals: Vec<Signal> = self.known.signals.into_values().chain(self.hidden).collect();
        let rules: Vec<Rule> = self.rules.into_values().collect();
        let models: Vec<Model> = self.models.into_values().collect();
        let policy = &*self.policy.as_ref().map(Policy::to_bytes).unwrap_or_default();
        let (experiments, models) = (&*self.experiments, &*models);
        let mut body = encode_body(&Parts { signals: &signals, experiments, models, policy, rules: &rules });
        let mut bundle = decode_body(&body);
        if let Err(error) = bundle {
            // What the compiler has written is sound, so it is too much; then no rule takes part.
            let message = match error {
                BundleError::BadBody(section) => format!(
                    "what the {section} name, written out at each name of it, has more than {MAX_NAMED_BYTES} bytes; each place of a text counts as {PLACE_BYTES}, each $score and each any or max over keys as {QUESTION_BYTES}"
                ),
                error => format!("{error}"),
            };
            self.diagnostics.push(Diagnostic::of_file("", 0, error.code(), message));
            body = encode_body(&Parts { policy, ..Parts::default() });
            bundle = decode_body(&body);
        }
        self.diagnostics.sort_by_key(|found| (found.file.clone(), found.line));
        let bundle = bundle.unwrap_or_else(|_: BundleError| Bundle::default());
        let Self { diagnostics, unreadable, slotless, .. } = self;
        Compiled { body, bundle, diagnostics, unreadable, slotless }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Compiled {
        compile(&[SourceFile { name: "a.json".to_owned(), text: text.to_owned() }])
    }

    fn codes(compiled: &Compiled) -> Vec<(&str, &str, usize)> {
        compiled.diagnostics.iter().map(|found| (found.code, &*found.path, found.line)).collect()
    }

    #[test]
    fn a_broken_rule_is_inactive_and_its_neighbours_go_on() {
        let compiled = compiled(
            r##"{"rules":[
                {"id":"odd","slot":"hero","when":{"$not":{"traits.a":{"$regx":"x"}}},"actions":[]},
                {"id":"late","slot":"hero","purpose":"x","actions":[]},
                {"id":"sound","slot":"hero","actions":[{"kind":"hide","target":"#x"}]}
            ]}"##,
        );
        let inactive = |id: &str| compiled.bundle.rule(id).and_then(|rule| rule.head().inactive);
        assert_eq!(inactive("odd"), Some("unknown_operator:$regx"));
        assert_eq!(inactive("late"), Some("unsupported_field:purpose"));
        assert_eq!((inactive("sound"), compiled.bundle.rules.slot(0).unwrap().1.count()), (None, 1));
        let places = [
            ("unknown_operator", "/rules/0/when/$not/traits.a/$regx", 2),
            ("unsupported_field", "/rules/1/purpose", 3),
        ];
        assert_eq!(codes(&compiled), places);
    }

    #[test]
    fn an_unreadable_file_is_named_with_its_line_and_the_others_compile() {
        let file = |name: &str, text: &str| SourceFile { name: name.to_owned(), text: text.to_owned() };
        let compiled = compile(&[
            file("b.json", "{\n\"rules\":[\n}"),
            file("a.json", r#"{"triggers":[{"id":"t","on":"click"}]}"#),
            file("c.json", "[]"),
        ]);
        assert_eq!(codes(&compiled), [("json_unexpected", "", 3), ("not_an_object", "", 1)]);
        assert_eq!(compiled.unreadable, ["b.json", "c.json"]);
        assert!(compiled.bundle.rule("t").is_some());
    }

    #[test]
    fn a_rule_over_a_broken_signal_says_which_one() {
        let compiled = compiled(
            r#"{"signals":[{"name":"spent","on":"purchase","aggregate":"sum","window":"5w"},
                           {"name":"seen","on":"page_view","aggregate":"count","window":"yesterday"}],
                "rules":[{"id":"r","slot":"s","when":{"signals.spent":{"$gt":5}},"actions":[]}]}"#,
        );
        let found: Vec<&str> = compiled.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(found, ["bad_field", "missing_field", "bad_field", "unknown_signal"]);
        assert_eq!(compiled.bundle.rule("r").unwrap().head().inactive, Some("unknown_signal:spent"));
    }

    #[test]
    fn of_equal_names_the_first_counts() {
        let signal = r#"{"name":"n","on":"click","aggregate":"count","window":"1h"}"#;
        let rule = r#"{"id":"r","slot":"s","actions":[]}"#;
        let compiled = compiled(&format!(
            r#"{{"signals":[{signal},{signal}],"rules":[{rule}],"triggers":[{{"id":"r","on":"x"}}],"rule":1}}"#
        ));
        let found: Vec<&str> = compiled.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(found, ["unknown_field", "duplicate_signal", "duplicate_id"]);
        assert_eq!(compiled.bundle.rule("r").unwrap().head().slot, Some("s"));
    }

    #[test]
    fn actions_and_fields_that_do_not_belong_are_refused() {
        let reason = |rule: &str| {
            let compiled = compiled(&format!(r#"{{"rules":[{{"id":"r","slot":"s",{rule}}}]}}"#));
            compiled.bundle.rule("r").and_then(|rule| rule.head().inactive).unwrap_or_default().to_owned()
        };
        for (rule, expected) in [
            (
                r##""actions":[{"kind":"attribute","target":"#a","name":"onclick","value":"x"}]"##,
                "attribute_not_allowed:name",
            ),
            (
                r##""actions":[{"kind":"attribute","target":"#a","name":"href","value":"javascript:x"}]"##,
                "bad_field:value",
            ),
            (
                r##""actions":[{"kind":"text","target":"#a","value":"{{event.metadata.x}}"}]"##,
                "bad_field:value",
            ),
            (r##""actions":[{"kind":"text","target":"#a","value":"{{name|you}}"}]"##, "unknown_path:value"),
            (r#""actions":[{"kind":"webhook","url":"https://x.example"}]"#, "misplaced_action:webhook"),
            (r#""actions":[{"kind":"email","destination":"welcome"}]"#, "misplaced_action:email"),
            (r#""actions":[{"kind":"push"}]"#, "unsupported_action:push"),
            (r#""actions":[{"kind":"dance"}]"#, "unknown_action:dance"),
            (r#""actions":[],"hold":"10m""#, "hold_without_event:hold"),
            (r#""actions":[],"on":"x","hold":"5w""#, "bad_field:hold"),
            (r#""actions":[],"cap":{"per":"week"}"#, "bad_field:per"),
            (r#""actions":[],"cap":{"per":"day","key":"plan"}"#, "unknown_path:key"),
            (r#""actions":[],"priority":1.5"#, "bad_field:priority"),
            (r#""actions":[],"colour":"red""#, "unknown_field:colour"),
            (r#""actions":[],"consent":"marketing""#, "bad_field:consent"),
            (r#""actions":[],"group":"""#, "bad_field:group"),
            (r#""actions":[],"schedule":{}"#, "bad_field:schedule"),
            (r#""actions":[],"schedule":"always""#, "not_an_object"),
            (r#""actions":[],"schedule":{"hours":"18:00"}"#, "bad_field:hours"),
            (r#""actions":[],"schedule":{"days":["day"]}"#, "bad_field:days"),
            (r#""actions":[],"schedule":{"days":["sat"],"zone":"Mars"}"#, "unknown_zone:zone"),
            (r#""actions":[],"schedule":{"from":"2026-12-24"}"#, "bad_field:from"),
            (r#""actions":[],"schedule":{"colour":"red","days":["sat"]}"#, "unknown_field:colour"),
            (
                r#""actions":[],"schedule":{"from":"2026-12-24T18:00","until":"2026-12-24T18:00"}"#,
                "bad_field:until",
            ),
            (
                r#""actions":[],"schedule":{"from":"2026-12-24T18:00Z","until":"2026-12-25T18:00"}"#,
                "bad_field:from",
            ),
            (
                r#""actions":[],"schedule":{"from":"2026-12-24T18:00:00Z","until":"2026-12-25T18:00"}"#,
                "bad_field:until",
            ),
            (r#""actions":[],"description":"sound""#, ""),
            (r#""priority":1"#, ""),
        ] {
            assert_eq!(&*reason(rule), expected, "{rule}");
        }
    }

    proptest::proptest! {
        #[test]
        fn damaged_rule_files_never_panic(at: proptest::sample::Index, byte in 32_u8..127) {
            let mut text = include_str!("../../../../tests/spec/70-rules.json").as_bytes().to_vec();
            let at = at.index(text.len());
            text[at] = byte;
            let vectors = Value::parse(core::str::from_utf8(&text).unwrap_or_default()).unwrap_or(Value::Null);
            let Value::Array(cases) = vectors else { return Ok(()) };
            for rules in cases.iter().filter_map(|case| case.field("rules")) {
                let mut source = String::new();
                rules.write(&mut source);
                compiled(&source);
            }
        }
    }
}
