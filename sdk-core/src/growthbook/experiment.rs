//! An experiment as payloads and callers define it.

use super::field::{field, is_set, list, list_of, number, range, text};
use super::text::number_of;
use crate::experiment::{Range, Targeting, UrlTarget};
use crate::value::Value;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// An experiment, read once.
#[derive(Clone, Debug)]
pub(super) struct Experiment {
    pub key: Box<str>,
    pub variations: Vec<Value>,
    pub meta: Option<Vec<Meta>>,
    pub seed: Option<Box<str>>,
    pub hash: HashBy,
    pub coverage: f64,
    pub weights: Option<Vec<f64>>,
    pub ranges: Option<Vec<Range>>,
    pub filters: Option<Vec<Filter>>,
    pub namespace: Option<(Box<str>, Range)>,
    pub condition: Option<Value>,
    pub parents: Vec<Parent>,
    pub urls: Option<Vec<UrlTarget>>,
    pub groups: Option<Vec<Box<str>>>,
    pub bucket_version: f64,
    pub min_bucket_version: f64,
    pub status: Status,
    /// The variation that everybody inside gets, where one is given.
    pub force: Option<f64>,
}

/// What is hashed, and how.
#[derive(Clone, Debug)]
pub(super) struct HashBy {
    pub attribute: Option<Box<str>>,
    pub fallback: Option<Box<str>>,
    pub version: f64,
    pub is_sticky: bool,
}

/// How far an experiment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Inactive,
    Stopped,
}

/// What is said about a variation.
#[derive(Clone, Debug, Default)]
pub(super) struct Meta {
    pub key: Option<Box<str>>,
    pub name: Option<Box<str>>,
    pub passthrough: Option<Value>,
}

/// Who is looked at at all.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub attribute: Option<Box<str>>,
    pub seed: Box<str>,
    pub version: f64,
    pub ranges: Vec<Range>,
}

/// A feature that has to have a value.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    pub id: Box<str>,
    pub condition: Option<Value>,
    /// Whether the whole feature is off where the value is another.
    pub is_gate: bool,
}

impl Experiment {
    pub(super) fn read(value: &Value) -> Self {
        let namespace = field(value, "namespace").filter(|namespace| matches!(namespace, Value::Array(_)));
        Self {
            key: text(value, "key").unwrap_or_default(),
            variations: list(value, "variations").unwrap_or_default().to_vec(),
            meta: list_of(value, "meta", Meta::read),
            seed: text(value, "seed"),
            hash: HashBy::read(value),
            coverage: value.field("coverage").map_or(1.0, number_of),
            weights: list_of(value, "weights", number_of),
            ranges: list_of(value, "ranges", |one| range(one, 0)),
            filters: Filter::read_all(value),
            namespace: namespace
                .map(|one| (one.at("0").and_then(Value::as_str).unwrap_or_default().into(), range(one, 1))),
            condition: field(value, "condition").cloned(),
            parents: Parent::read_all(value),
            urls: list_of(value, "urlPatterns", read_target),
            groups: list_of(value, "groups", |group| group.as_str().unwrap_or_default().into()),
            bucket_version: number(value, "bucketVersion"),
            min_bucket_version: number(value, "minBucketVersion"),
            status: Status::read(value),
            force: value.field("force").map(|index| index.as_number().unwrap_or(-1.0)),
        }
    }
}

impl HashBy {
    pub(super) fn read(value: &Value) -> Self {
        Self {
            attribute: text(value, "hashAttribute"),
            fallback: text(value, "fallbackAttribute"),
            version: version(value, 1.0),
            is_sticky: !is_set(value, "disableStickyBucketing"),
        }
    }
}

impl Status {
    fn read(value: &Value) -> Self {
        let status = value.field("status").and_then(Value::as_str);
        if status == Some("draft") || value.field("active") == Some(&Value::Bool(false)) {
            Self::Inactive
        } else if status == Some("stopped") {
            Self::Stopped
        } else {
            Self::Running
        }
    }
}

impl Meta {
    fn read(value: &Value) -> Self {
        Self {
            key: text(value, "key"),
            name: text(value, "name"),
            passthrough: field(value, "passthrough").cloned(),
        }
    }
}

impl Filter {
    /// The filters of an experiment or a rule.
    pub(super) fn read_all(value: &Value) -> Option<Vec<Self>> {
        list_of(value, "filters", |filter| Self {
            attribute: text(filter, "attribute"),
            seed: text(filter, "seed").unwrap_or_default(),
            version: version(filter, 2.0),
            ranges: list_of(filter, "ranges", |one| range(one, 0)).unwrap_or_default(),
        })
    }
}

impl Parent {
    /// The prerequisites of an experiment or a rule.
    pub(super) fn read_all(value: &Value) -> Vec<Self> {
        let parents = list_of(value, "parentConditions", |parent| Self {
            id: text(parent, "id").unwrap_or_default(),
            condition: field(parent, "condition").cloned(),
            is_gate: is_set(parent, "gate"),
        });
        parents.unwrap_or_default()
    }
}

/// A hash version; 0 and none are the usual one, anything else stays what it is.
fn version(value: &Value, usual: f64) -> f64 {
    match number(value, "hashVersion") {
        0.0 => usual,
        version => version,
    }
}

fn read_target(value: &Value) -> UrlTarget {
    let pattern = || String::from(value.field("pattern").and_then(Value::as_str).unwrap_or_default());
    let targeting = match value.field("type").and_then(Value::as_str) {
        Some("simple") => Targeting::Simple(pattern()),
        // The host has the engine, and says so in `matches`.
        Some("regex") => Targeting::Answered(value.field("matches") == Some(&Value::Bool(true))),
        _ => Targeting::Answered(false),
    };
    UrlTarget { excludes: value.field("include") == Some(&Value::Bool(false)), targeting }
}
