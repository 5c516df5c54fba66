//! From the JSON of an experiment to its compiled form and the hidden signal of its exposures.

use super::diagnostic::{Problem, Problems};
use super::fields::Fields;
use crate::condition::{
    Condition, ConditionScope, Literal, Names, Path, Root, Test, parse_condition, parse_path, visit_paths,
};
use crate::experiment::{Filter, HashVersion, Hashing, Range, Span, Trial, bucket_ranges};
use crate::id::SignalId;
use crate::limits::MAX_VARIATIONS;
use crate::profile::{Aggregate, Signal, Window, signal_id};
use crate::value::Value;
use crate::wire::EXPOSURE;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Parts of the language that a later version evaluates.
const UNSUPPORTED: [&str; 6] =
    ["sticky", "fallback_attribute", "min_bucket_version", "status", "phase", "schedule"];

/// An experiment before its group is shared out and its place among the others is known.
pub(super) struct Draft {
    pub trial: Trial,
    /// The exclusion group it belongs to, and the share it claims.
    pub claim: Option<(Box<str>, Option<f64>)>,
    /// Counts this session's exposures by variation.
    pub exposed: Signal,
}

/// Compiles an experiment; a broken one gives nothing and its problems.
pub(super) fn compile(value: &Value, at: &str, names: &dyn Names, problems: &mut Problems) -> Option<Draft> {
    let scope = ConditionScope::Visitor(names);
    let mut fields = Fields::open(value, at, problems)?;
    let id = id(&mut fields);
    let unit = unit(&mut fields, scope);
    let version = version(&mut fields);
    let hash = Hashing { seed: Box::from(fields.text("seed").or(id).unwrap_or_default()), version };
    let (mut keys, weights) = variations(&mut fields);
    let coverage = fraction(&mut fields, "coverage");
    let ranges = ranges(&mut fields, "ranges");
    if ranges.is_some() && (coverage.is_some() || weights.is_some()) {
        fields.fail("ranges", "misplaced_field", "ranges stand in place of coverage and weights");
    }
    if ranges.as_ref().is_some_and(|ranges| ranges.len() != keys.len()) {
        fields.fail("ranges", "bad_field", "expected a range for each variation");
    }
    let ranges =
        ranges.unwrap_or_else(|| bucket_ranges(keys.len(), coverage.unwrap_or(1.0), weights.as_deref()));
    let force = fields.text("force").and_then(|key| match keys.iter().position(|known| **known == *key) {
        Some(index) => Some(index),
        None => fields.wrong("force", "expected the key of a variation"),
    });
    let mut filters = filters(&mut fields, &unit, scope);
    filters.extend(namespace(&mut fields, &unit));
    filters.extend(holdout(&mut fields, &unit));
    let when = when(&mut fields, scope);
    let claim = claim(&mut fields);
    let bucket_version = fields.integer("bucket_version", 0, u32::MAX.into()).unwrap_or_default() as u32;
    fields.close(&UNSUPPORTED, &["slot", "actions", "priority", "cap", "on", "hold"]);
    let id = id.filter(|_| problems.reason().is_none())?;
    let exposed = exposed_signal(id, bucket_version);
    let trial = Trial {
        id: id.into(),
        hash,
        unit,
        variations: keys.drain(..).zip(ranges).map(|(key, range)| (key, Span::of(range, version))).collect(),
        filters,
        when,
        force,
        bucket_version,
        exposed: exposed.id,
    };
    Some(Draft { trial, claim, exposed })
}

/// The filter that a part of an exclusion group is.
pub(super) fn exclusion_filter(unit: &Path, group: &str, part: Range) -> Filter {
    Filter {
        unit: unit.clone(),
        hash: Hashing { seed: format!("__{group}").into_boxed_str(), version: HashVersion::One },
        spans: Vec::from([Span::of(part, HashVersion::One)]),
    }
}

/// The experiments that a condition reads, each once.
pub(super) fn experiments_read(condition: &Condition) -> Vec<Box<str>> {
    let mut read: Vec<Box<str>> = Vec::new();
    visit_paths(condition, &mut |path| {
        if path.root == Root::Experiments && !read.contains(&path.rest) {
            read.push(path.rest.clone());
        }
    });
    read
}

fn id<'a>(fields: &mut Fields<'a, '_>) -> Option<&'a str> {
    let id = fields.id("id")?;
    if id.chars().all(|sign| sign.is_alphanumeric() || sign == '_' || sign == '-') {
        return Some(id);
    }
    fields.wrong("id", "expected letters, digits, _ and - only, since paths are split at dots")
}

/// The path of what is hashed: by default the visitor's `anonymous_id`.
fn unit(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>) -> Path {
    let bare = |name: &str| Path { root: Root::Bare, rest: Box::from(name) };
    match fields.text("hash_attribute") {
        None => bare("anonymous_id"),
        Some(name @ ("anonymous_id" | "user_id")) => bare(name),
        Some(text) => match parse_path(text, scope) {
            Ok(path) if matches!(path.root, Root::Traits | Root::Context) => path,
            _ => {
                let message = "expected anonymous_id, user_id or a path below traits or context";
                fields.fail("hash_attribute", "bad_field", message);
                bare("anonymous_id")
            }
        },
    }
}

fn version(fields: &mut Fields<'_, '_>) -> HashVersion {
    match fields.integer("hash_version", 1, 2) {
        Some(1) => HashVersion::One,
        _ => HashVersion::Two,
    }
}

fn variations(fields: &mut Fields<'_, '_>) -> (Vec<Box<str>>, Option<Vec<f64>>) {
    let Some(Value::Array(items)) = fields.value("variations") else {
        fields.fail("variations", "missing_field", "an experiment needs an array of variations");
        return (Vec::new(), None);
    };
    if !(1..=MAX_VARIATIONS).contains(&items.len()) {
        fields.fail("variations", "bad_field", &format!("expected 1 to {MAX_VARIATIONS} variations"));
    }
    let (mut keys, mut weights): (Vec<Box<str>>, Vec<f64>) = (Vec::new(), Vec::new());
    let place = fields.place("variations");
    for (index, item) in items.iter().enumerate() {
        let at = format!("{place}/{index}");
        let Some(mut variation) = Fields::open(item, &at, fields.problems()) else { continue };
        if let Some(key) = variation.id("key") {
            if keys.iter().any(|known| **known == *key) {
                variation.fail("key", "duplicate_variation", "a variation of this key exists");
            }
            keys.push(key.into());
        }
        weights.extend(fraction(&mut variation, "weight"));
        variation.close(&[], &[]);
    }
    if weights.is_empty() {
        return (keys, None);
    }
    let total: f64 = weights.iter().sum();
    if weights.len() != items.len() || !(0.99..=1.01).contains(&total) {
        fields.fail(
            "variations",
            "bad_weights",
            "either no variation has a weight, or all have and they add up to 1",
        );
    }
    (keys, Some(weights))
}

fn filters(fields: &mut Fields<'_, '_>, unit: &Path, scope: ConditionScope<'_>) -> Vec<Filter> {
    let items = match fields.value("filters") {
        None => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => return fields.wrong("filters", "expected an array").unwrap_or_default(),
    };
    let place = fields.place("filters");
    let mut filters = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = format!("{place}/{index}");
        let Some(mut filter) = Fields::open(item, &at, fields.problems()) else { continue };
        let seed = Box::from(filter.required_text("seed").unwrap_or_default());
        let own = filter.value("hash_attribute").map(|_| self::unit(&mut filter, scope));
        let hash = Hashing { seed, version: self::version(&mut filter) };
        let ranges = self::ranges(&mut filter, "ranges").unwrap_or_default();
        let spans = ranges.into_iter().map(|range| Span::of(range, hash.version)).collect();
        filter.close(&[], &[]);
        filters.push(Filter { unit: own.unwrap_or_else(|| unit.clone()), hash, spans });
    }
    filters
}

fn namespace(fields: &mut Fields<'_, '_>, unit: &Path) -> Option<Filter> {
    let value = fields.value("namespace")?;
    let at = fields.place("namespace");
    let mut inner = Fields::open(value, &at, fields.problems())?;
    let name = inner.id("name");
    let ends = (fraction(&mut inner, "from"), fraction(&mut inner, "until"));
    if ends.0.is_none() || ends.1.is_none() {
        inner.fail("until", "missing_field", "a namespace has a name, from and until");
    }
    inner.close(&[], &[]);
    Some(exclusion_filter(unit, name?, Range { from: ends.0?, until: ends.1? }))
}

/// A holdout keeps its share of the units out of every experiment that names it.
fn holdout(fields: &mut Fields<'_, '_>, unit: &Path) -> Option<Filter> {
    let value = fields.value("holdout")?;
    let at = fields.place("holdout");
    let mut inner = Fields::open(value, &at, fields.problems())?;
    let (id, share) = (inner.id("id"), fraction(&mut inner, "share"));
    if share.is_none() {
        inner.fail("share", "missing_field", "a holdout has an id and a share");
    }
    inner.close(&[], &[]);
    let seed = format!("holdout:{}", id?).into_boxed_str();
    let hash = Hashing { seed, version: HashVersion::Two };
    let open = Range { from: share?, until: 1.0 };
    Some(Filter { unit: unit.clone(), hash, spans: Vec::from([Span::of(open, HashVersion::Two)]) })
}

/// The exclusion group and the share that is claimed of it.
fn claim(fields: &mut Fields<'_, '_>) -> Option<(Box<str>, Option<f64>)> {
    let value = fields.value("exclusion")?;
    let at = fields.place("exclusion");
    let mut inner = Fields::open(value, &at, fields.problems())?;
    let (group, share) = (inner.id("group"), fraction(&mut inner, "share"));
    inner.close(&[], &[]);
    Some((group?.into(), share))
}

/// What must hold: `when`, and of each prerequisite one of its variations.
fn when(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>) -> Condition {
    let mut parts = Vec::new();
    if let Some(value) = fields.value("when") {
        match parse_condition(value, scope, &fields.place("when")) {
            Ok(condition) => parts.push(condition),
            Err(errors) => {
                errors.iter().for_each(|error| fields.problems().push(Problem::of_condition(error)));
            }
        }
    }
    parts.iter().for_each(|condition| {
        visit_paths(condition, &mut |path| {
            if path.root == Root::Event {
                fields.fail(
                    "when",
                    "event_in_experiment",
                    "an experiment is about the visitor, not about one event",
                );
            }
        });
    });
    let items = match fields.value("prerequisites") {
        None => &[][..],
        Some(Value::Array(items)) => items,
        Some(_) => fields.wrong("prerequisites", "expected an array").unwrap_or_default(),
    };
    let place = fields.place("prerequisites");
    for (index, item) in items.iter().enumerate() {
        let at = format!("{place}/{index}");
        let Some(mut inner) = Fields::open(item, &at, fields.problems()) else { continue };
        let experiment = inner.id("experiment").map(ToOwned::to_owned);
        let test = match inner.value("variations") {
            Some(Value::Array(keys)) => Test::In(Literal::Value(Value::Array(keys.clone()))),
            None => Test::Exists(true),
            Some(_) => inner.wrong("variations", "expected an array of keys").unwrap_or(Test::Exists(true)),
        };
        inner.close(&[], &[]);
        let path = |experiment: String| Path { root: Root::Experiments, rest: experiment.into_boxed_str() };
        parts.extend(experiment.map(|experiment| Condition::Path { path: path(experiment), test }));
    }
    if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) }
}

/// A number from 0 to 1.
fn fraction(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<f64> {
    match fields.value(name)? {
        Value::Number(number) if (0.0..=1.0).contains(number) => Some(*number),
        _ => fields.wrong(name, "expected a number from 0 to 1"),
    }
}

fn ranges(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Vec<Range>> {
    let range = |item: &Value| match item {
        Value::Array(ends) => match ends.as_slice() {
            [Value::Number(from), Value::Number(until)] => Some(Range { from: *from, until: *until }),
            _ => None,
        },
        _ => None,
    };
    let found = match fields.value(name)? {
        Value::Array(items) => items.iter().map(range).collect::<Option<Vec<Range>>>(),
        _ => None,
    };
    match found {
        Some(ranges) => Some(ranges),
        None => fields.wrong(name, "expected an array of ranges, each of two numbers"),
    }
}

fn exposed_signal(experiment: &str, bucket_version: u32) -> Signal {
    let bare = |path: &str| Path { root: Root::Bare, rest: Box::from(path) };
    let is = |path: &str, value| Condition::Path { path: bare(path), test: Test::Eq(Literal::Value(value)) };
    let filter = Condition::All(Vec::from([
        is("metadata.experiment", Value::string(experiment)),
        is("metadata.bucket_version", Value::Number(bucket_version.into())),
    ]));
    let mut signal = Signal {
        id: SignalId(0),
        // No author's signal has a dot in its name, so the names cannot meet.
        name: format!("attune.exposed:{experiment}").into_boxed_str(),
        on: Box::from(EXPOSURE),
        filter: Some(filter),
        by: Some(bare("metadata.variation")),
        of: None,
        aggregate: Aggregate::Count,
        window: Window::Session,
        backfill: false,
    };
    signal.id = signal_id(&signal);
    signal
}
