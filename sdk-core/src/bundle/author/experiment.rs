//! From the JSON of an experiment to its compiled form and the hidden signals of its exposures.

use super::diagnostic::{Problem, Problems};
use super::fields::Fields;
use crate::condition::{
    Condition, ConditionScope, Literal, Names, Path, Root, Test, parse_condition, parse_path, visit_paths,
};
use crate::experiment::{Filter, HashVersion, Hashing, Range, Span, Sticky, Trial, bucket_ranges};
use crate::id::SignalId;
use crate::limits::{MAX_PICKED_BYTES, MAX_VARIATIONS};
use crate::profile::{Aggregate, Signal, Window, signal_id};
use crate::value::Value;
use crate::wire::EXPOSURE;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Parts of the language that a later version evaluates.
const UNSUPPORTED: [&str; 3] = ["status", "phase", "schedule"];

/// An experiment before its group is shared out and its place among the others is known.
pub(super) struct Draft {
    pub trial: Trial,
    /// The exclusion group it belongs to, and the share it claims.
    pub claim: Option<(Box<str>, Option<f64>)>,
    /// Signals over its exposures: this session's by variation, and the assignments that stick.
    pub hidden: Vec<Signal>,
}

/// Compiles an experiment; a broken one gives nothing and its problems.
pub(super) fn compile(value: &Value, at: &str, names: &dyn Names, problems: &mut Problems) -> Option<Draft> {
    let scope = ConditionScope::Visitor(names);
    let mut fields = Fields::open(value, at, problems)?;
    let id = id(&mut fields);
    let unit = unit(&mut fields, "hash_attribute", scope).unwrap_or_else(|| bare("anonymous_id"));
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
    let mut filters = filters(&mut fields, scope);
    filters.extend(namespace(&mut fields));
    filters.extend(holdout(&mut fields));
    let mut when = when(&mut fields, scope);
    let claim = claim(&mut fields);
    let bucket_version = fields.integer("bucket_version", 0, u32::MAX.into()).unwrap_or_default() as u32;
    let assigned = assigned_signal(id.unwrap_or_default());
    let sticky = stick(&mut fields, scope, bucket_version, &keys).map(|(min_bucket_version, fallback)| {
        let (page, visitor) = when.drain(..).partition(is_about_page);
        when = visitor;
        Sticky { assigned: assigned.id, min_bucket_version, fallback, page: all(page) }
    });
    fields.close(&UNSUPPORTED, &["slot", "actions", "priority", "cap", "on", "hold"]);
    let id = id.filter(|_| problems.reason().is_none())?;
    let exposed = exposed_signal(id, bucket_version);
    let trial = Trial {
        id: id.into(),
        hash,
        unit,
        variations: keys.drain(..).zip(ranges).map(|(key, range)| (key, Span::of(range, version))).collect(),
        filters,
        when: all(when),
        force,
        bucket_version,
        exposed: exposed.id,
        sticky,
    };
    let assigned = trial.sticky.as_ref().map(|_| assigned);
    Some(Draft { trial, claim, hidden: [exposed].into_iter().chain(assigned).collect() })
}

/// The filter that a part of an exclusion group is.
pub(super) fn exclusion_filter(group: &str, part: Range) -> Filter {
    Filter {
        unit: None,
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

/// The path of what is hashed; a bare name is the visitor's own.
fn unit(fields: &mut Fields<'_, '_>, name: &'static str, scope: ConditionScope<'_>) -> Option<Path> {
    match fields.text(name)? {
        own @ ("anonymous_id" | "user_id") => Some(bare(own)),
        text => match parse_path(text, scope) {
            Ok(path) if matches!(path.root, Root::Traits | Root::Context) => Some(path),
            _ => fields.wrong(name, "expected anonymous_id, user_id or a path below traits or context"),
        },
    }
}

fn bare(name: &str) -> Path {
    Path { root: Root::Bare, rest: Box::from(name) }
}

/// The least bucket version and the fallback of an experiment whose assignments stick.
fn stick(
    fields: &mut Fields<'_, '_>,
    scope: ConditionScope<'_>,
    bucket_version: u32,
    keys: &[Box<str>],
) -> Option<(u32, Option<Path>)> {
    let is_sticky = match fields.value("sticky") {
        None => false,
        Some(Value::Bool(is_sticky)) => *is_sticky,
        Some(_) => fields.wrong("sticky", "expected true or false").unwrap_or_default(),
    };
    let least = fields.integer("min_bucket_version", 0, u32::MAX.into());
    if least.is_some_and(|least| least > bucket_version.into()) {
        let message = format!("expected at most bucket_version, which is {bucket_version}");
        fields.fail("min_bucket_version", "bad_field", &message);
    }
    let fallback = unit(fields, "fallback_attribute", scope);
    if is_sticky {
        if keys.iter().any(|key| key.len() > MAX_PICKED_BYTES) {
            let message = format!("a key of a sticky experiment has at most {MAX_PICKED_BYTES} bytes");
            fields.fail("variations", "bad_field", &message);
        }
        return Some((least.unwrap_or_default() as u32, fallback));
    }
    for (name, is_there) in
        [("min_bucket_version", least.is_some()), ("fallback_attribute", fallback.is_some())]
    {
        if is_there {
            fields.fail(name, "misplaced_field", "it has no meaning without \"sticky\": true");
        }
    }
    None
}

/// Whether a condition reads nothing but the page, which is asked of those who are assigned as well.
fn is_about_page(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().all(is_about_page),
        Condition::Not(inner) => is_about_page(inner),
        Condition::Path { .. } => {
            let mut is_page = true;
            visit_paths(condition, &mut |path| {
                let name = path.rest.split('.').next();
                is_page &= path.root == Root::Context && name == Some("page");
            });
            is_page
        }
        _ => false,
    }
}

fn all(mut parts: Vec<Condition>) -> Condition {
    if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) }
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
            "either no variation has a weight, or all have and they add up to 1, as 0.5 and 0.5",
        );
    }
    (keys, Some(weights))
}

fn filters(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>) -> Vec<Filter> {
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
        let unit = unit(&mut filter, "hash_attribute", scope);
        let hash = Hashing { seed, version: self::version(&mut filter) };
        let ranges = self::ranges(&mut filter, "ranges").unwrap_or_default();
        let spans = ranges.into_iter().map(|range| Span::of(range, hash.version)).collect();
        filter.close(&[], &[]);
        filters.push(Filter { unit, hash, spans });
    }
    filters
}

fn namespace(fields: &mut Fields<'_, '_>) -> Option<Filter> {
    let value = fields.value("namespace")?;
    let at = fields.place("namespace");
    let mut inner = Fields::open(value, &at, fields.problems())?;
    let name = inner.id("name");
    let ends = (fraction(&mut inner, "from"), fraction(&mut inner, "until"));
    if ends.0.is_none() || ends.1.is_none() {
        inner.fail("until", "missing_field", "a namespace has a name, from and until");
    }
    inner.close(&[], &[]);
    Some(exclusion_filter(name?, Range { from: ends.0?, until: ends.1? }))
}

/// A holdout keeps its share of the units out of every experiment that names it.
fn holdout(fields: &mut Fields<'_, '_>) -> Option<Filter> {
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
    Some(Filter { unit: None, hash, spans: Vec::from([Span::of(open, HashVersion::Two)]) })
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

/// What must hold, in parts: `when`, and of each prerequisite one of its variations.
fn when(fields: &mut Fields<'_, '_>, scope: ConditionScope<'_>) -> Vec<Condition> {
    let mut parts = Vec::new();
    if let Some(value) = fields.value("when") {
        match parse_condition(value, scope, &fields.place("when")) {
            Ok(Condition::All(inner)) => parts.extend(inner),
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
    parts
}

/// A number from 0 to 1.
fn fraction(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<f64> {
    match fields.value(name)? {
        Value::Number(number) if (0.0..=1.0).contains(number) => Some(*number),
        _ => fields.wrong(name, "expected a number from 0 to 1; 0.5 stands for 50 %"),
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
    let version = Test::Eq(Literal::Value(Value::Number(bucket_version.into())));
    let filter = Condition::All(Vec::from([
        exposes(experiment),
        Condition::Path { path: bare("metadata.bucket_version"), test: version },
    ]));
    identified(Signal {
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
    })
}

/// The first variation of an experiment by bucket version. No version is part of its definition, so that what it has
/// counted outlasts another version; what was exposed before the experiment was made sticky is backfilled.
fn assigned_signal(experiment: &str) -> Signal {
    identified(Signal {
        id: SignalId(0),
        name: format!("attune.assigned:{experiment}").into_boxed_str(),
        on: Box::from(EXPOSURE),
        filter: Some(exposes(experiment)),
        by: Some(bare("metadata.bucket_version")),
        of: Some(bare("metadata.variation")),
        aggregate: Aggregate::First,
        window: Window::Lifetime,
        backfill: true,
    })
}

fn exposes(experiment: &str) -> Condition {
    let test = Test::Eq(Literal::Value(Value::string(experiment)));
    Condition::Path { path: bare("metadata.experiment"), test }
}

fn identified(signal: Signal) -> Signal {
    Signal { id: signal_id(&signal), ..signal }
}
