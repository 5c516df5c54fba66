//! Experiments as rule files write them.

use super::{Names, Object, shown};
use crate::condition::{Condition, Path};
use crate::experiment::{Filter, HashVersion, Span, Trial, bucket_ranges};
use crate::value::Value;
use alloc::vec::Vec;

/// An experiment without its id. Prerequisites stand in `when`.
pub(super) fn source(trial: &Trial, names: &Names<'_>) -> Value {
    let mut fields = Object::default();
    variations(trial, &mut fields);
    fields.add("hash_attribute", shown(&trial.unit));
    fields.number("hash_version", number(trial.hash.version)).text("seed", &trial.hash.seed);
    let filters = Some(&trial.filters).filter(|filters| !filters.is_empty());
    fields.some("filters", filters, |filters| Value::Array(filters.iter().map(filter).collect()));
    let when = when(trial, names);
    fields.some("when", when, |when| when);
    let forced = trial.force.and_then(|index| trial.variations.get(index));
    fields.some("force", forced, |(key, _)| Value::string(key));
    fields.number("bucket_version", trial.bucket_version.into());
    fields.add("sticky", Value::Bool(trial.sticky.is_some()));
    if let Some(sticky) = &trial.sticky {
        fields.number("min_bucket_version", sticky.min_bucket_version.into());
        fields.some("fallback_attribute", sticky.fallback.as_ref(), unit);
    }
    fields.finish()
}

fn unit(path: &Path) -> Value {
    shown(path)
}

const fn number(version: HashVersion) -> f64 {
    match version {
        HashVersion::One => 1.0,
        HashVersion::Two => 2.0,
    }
}

/// With weights and coverage where they give the same buckets, else with ranges.
fn variations(trial: &Trial, fields: &mut Object) {
    let shares = shares(trial);
    let weights = shares.as_ref().map(|(_, weights)| weights.as_slice()).unwrap_or_default();
    let each = trial.variations.iter().enumerate().map(|(index, (key, _))| {
        let mut variation = Object::default();
        variation.text("key", key).some("weight", weights.get(index).copied(), Value::Number).finish()
    });
    fields.add("variations", Value::Array(each.collect()));
    match shares {
        Some((coverage, _)) => fields.number("coverage", coverage),
        None => {
            let spans: Vec<Span> = trial.variations.iter().map(|(_, span)| *span).collect();
            fields.add("ranges", ranges(&spans, trial.hash.version))
        }
    };
}

/// The coverage and weights, to a bucket, that the spans are made of.
fn shares(trial: &Trial) -> Option<(f64, Vec<f64>)> {
    let (version, spans) = (trial.hash.version, trial.variations.iter().map(|(_, span)| *span));
    let spans: Vec<Span> = spans.collect();
    let buckets = version.buckets();
    let ends = spans.iter().skip(1).map(|span| span.from).chain([buckets]);
    let lengths: Vec<u32> =
        spans.iter().zip(ends).filter_map(|(span, end)| end.checked_sub(span.from)).collect();
    let weights: Vec<f64> = lengths.iter().map(|length| f64::from(*length) / f64::from(buckets)).collect();
    let gives = |coverage: f64| {
        let ranges = bucket_ranges(spans.len(), coverage, Some(&weights));
        ranges.into_iter().map(|range| Span::of(range, version)).eq(spans.iter().copied())
    };
    // The widest variation says most about the coverage; what was meant has few digits.
    let (span, length) = spans.iter().zip(&lengths).max_by_key(|(_, length)| **length)?;
    let share = f64::from(span.until.checked_sub(span.from)?) / f64::from((*length).max(1));
    let rounded = [1e2, 1e3, 1e4].map(|digits: f64| libm::round(share * digits) / digits);
    let coverage = rounded.into_iter().chain([share]).find(|coverage| gives(*coverage))?;
    Some((coverage, weights))
}

fn ranges(spans: &[Span], version: HashVersion) -> Value {
    let end = |bucket: u32| Value::Number(f64::from(bucket) / f64::from(version.buckets()));
    Value::Array(spans.iter().map(|span| Value::Array([end(span.from), end(span.until)].into())).collect())
}

fn filter(filter: &Filter) -> Value {
    let mut fields = Object::default();
    fields.text("seed", &filter.hash.seed).number("hash_version", number(filter.hash.version));
    fields.some("hash_attribute", filter.unit.as_ref(), unit);
    fields.add("ranges", ranges(&filter.spans, filter.hash.version)).finish()
}

/// What must hold of the visitor and, where assignments stick, of the page.
fn when(trial: &Trial, names: &Names<'_>) -> Option<Value> {
    let parts = |condition: &Condition| match condition {
        Condition::All(parts) => parts.clone(),
        other => Vec::from([other.clone()]),
    };
    let mut whole = parts(&trial.when);
    whole.extend(trial.sticky.iter().flat_map(|sticky| parts(&sticky.page)));
    let whole = if whole.len() == 1 { whole.pop()? } else { Condition::All(whole) };
    Some(names.condition(&whole)).filter(|when| *when != Value::Object(Vec::new()))
}
