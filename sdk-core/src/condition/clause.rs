//! Clauses that stand where a path would: a share of all units, local time, a score.

use super::calendar_source::parse_calendar;
use super::parse::{ConditionScope, Parser};
use super::problem::ConditionErrorKind;
use super::{Bucket, Condition};
use crate::hash::bucket_steps;
use crate::value::Value;
use alloc::boxed::Box;
use alloc::vec::Vec;

impl Parser<'_> {
    /// `{"by": "traits.id", "seed": "spring", "version": 2, "in": [[0, 0.5]]}`
    pub(super) fn bucket(&mut self, value: &Value) -> Condition {
        let Value::Object(fields) = value else {
            self.fail(ConditionErrorKind::BadLiteral("an object with by, seed, version and in"));
            return Condition::Any(Vec::new());
        };
        for (name, _) in fields {
            if !matches!(&**name, "by" | "seed" | "version" | "in") {
                self.below(name, |parser| parser.fail(ConditionErrorKind::UnknownField(name.clone())));
            }
        }
        let text = |name: &str| value.field(name).and_then(Value::as_str).unwrap_or_default();
        let by = self.below("by", |parser| parser.path(text("by")));
        if text("seed").is_empty() {
            self.below("seed", |parser| {
                parser.fail(ConditionErrorKind::BadLiteral("a text that is not empty"))
            });
        }
        let version = match value.field("version") {
            None => 2,
            Some(Value::Number(1.0)) => 1,
            Some(Value::Number(2.0)) => 2,
            Some(_) => {
                self.below("version", |parser| parser.fail(ConditionErrorKind::BadLiteral("1 or 2")));
                2
            }
        };
        let ranges = match value.field("in") {
            Some(Value::Array(items)) => items.iter().map(|item| range(item, version)).collect(),
            _ => None,
        };
        if ranges.is_none() {
            let expected = "an array of ranges such as [0, 0.5], each between 0 and 1";
            self.below("in", |parser| parser.fail(ConditionErrorKind::BadLiteral(expected)));
        }
        let ranges = ranges.unwrap_or_default();
        Condition::Bucket(Bucket { by, seed: Box::from(text("seed")), version, ranges })
    }

    pub(super) fn calendar(&mut self, operator: &str, value: &Value) -> Condition {
        let has_visitor = matches!(self.scope, ConditionScope::Visitor(_));
        let errors = match parse_calendar(operator, value, has_visitor) {
            Ok(calendar) => return Condition::Calendar(calendar),
            Err(errors) => errors,
        };
        for (field, kind) in errors {
            match field {
                Some(field) => self.below(field, |parser| parser.fail(kind)),
                None => self.fail(kind),
            }
        }
        Condition::Any(Vec::new())
    }

    pub(super) fn score(&mut self, value: &Value) -> Condition {
        let Value::Object(fields) = value else {
            self.fail(ConditionErrorKind::BadLiteral("an object with name and is"));
            return Condition::Any(Vec::new());
        };
        self.check_fields(fields, &["name", "is"]);
        let test = self.is(value);
        let name = value.field("name").and_then(Value::as_str).unwrap_or_default();
        let known = match self.models {
            Some(models) => models(name).ok_or_else(|| ConditionErrorKind::UnknownModel(Box::from(name))),
            None => Err(ConditionErrorKind::ScoreMisplaced),
        };
        match known {
            Ok(model) => Condition::Score { model, test },
            Err(kind) => {
                self.below("name", |parser| parser.fail(kind));
                Condition::Any(Vec::new())
            }
        }
    }
}

/// A range of shares, from one up to and without another, in steps of a version.
fn range(value: &Value, version: u8) -> Option<(u32, u32)> {
    let Value::Array(ends) = value else { return None };
    let [Value::Number(from), Value::Number(to)] = ends[..] else { return None };
    let steps = bucket_steps(version)?;
    // The first step whose share of all is not below the end: what comparing shares would say.
    let step = |end: f64| {
        let (mut low, mut high) = (0, steps);
        while low < high {
            let middle = low.midpoint(high);
            match f64::from(middle) / f64::from(steps) >= end {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        low
    };
    (0.0 <= from && from <= to && to <= 1.0).then(|| (step(from), step(to)))
}
