//! The door: a payload and a visitor in, results out, all as JSON.

use super::experiment::Experiment;
use super::options::Options;
use super::payload::Payload;
use super::run::Asked;
use super::text::json_of;
use super::visit::Visit;
use crate::value::{JsonError, Packed, Value};
use alloc::string::String;
use core::fmt;

/// Evaluates one payload for one visitor.
#[derive(Debug)]
pub struct GrowthBook {
    payload: Payload,
    options: Options,
    attributes: Packed,
}

/// Text that cannot be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrowthBookError {
    /// It is no JSON.
    Json(JsonError),
    /// It is JSON, but no object.
    NoObject,
}

impl GrowthBookError {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::NoObject => "growthbook_no_object",
        }
    }
}

impl fmt::Display for GrowthBookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "{error} at byte {}", error.offset()),
            Self::NoObject => f.write_str("expected a JSON object"),
        }
    }
}

impl core::error::Error for GrowthBookError {}

impl GrowthBook {
    /// Reads a payload: `{"features":{…},"savedGroups":{…},"contextualBandits":{…}}`. What it does not have is empty;
    /// a feature that is none leaves the others alone.
    ///
    /// # Errors
    /// Text that is no JSON object.
    pub fn new(payload: &str) -> Result<Self, GrowthBookError> {
        let payload = Payload::read(&object(payload)?);
        Ok(Self { payload, options: Options::default(), attributes: Packed::default() })
    }

    /// Sets what is given of `attributes`, `attributeOverrides`, `url`, `forcedVariations`, `forcedFeatureValues`,
    /// `overrides`, `groups`, `enabled`, `qaMode` and `stickyBucketAssignmentDocs`; the rest stays as it is.
    /// Assignments stick where documents are given, be it none, and no longer where they are null.
    ///
    /// # Errors
    /// Text that is no JSON object; nothing is set then.
    pub fn set(&mut self, options: &str) -> Result<(), GrowthBookError> {
        self.options.set(&object(options)?);
        self.attributes = Value::Object(self.options.visitor.clone()).to_packed();
        Ok(())
    }

    /// The value of a feature, as GrowthBook's `FeatureResult`.
    pub fn eval_feature(&mut self, key: &str) -> String {
        let mut visit = Visit::new(&self.payload, &self.options, self.attributes.get());
        let result = visit.feature(key, None);
        self.options.sticky = visit.sticky;
        json_of(&result.to_value())
    }

    /// Runs an experiment, as GrowthBook's `Result`. A target by regular expression carries the host's answer in
    /// `matches`; without one it matches nothing.
    ///
    /// # Errors
    /// Text that is no JSON object.
    pub fn run(&mut self, experiment: &str) -> Result<String, GrowthBookError> {
        let told = object(experiment)?;
        let Value::Object(fields) = &told else { return Err(GrowthBookError::NoObject) };
        let mut visit = Visit::new(&self.payload, &self.options, self.attributes.get());
        let asked = Asked { experiment: &Experiment::read(&told), told: fields, feature: None, leaf: None };
        let outcome = visit.run(asked, None);
        self.options.sticky = visit.sticky;
        Ok(json_of(&outcome.to_value()))
    }

    /// The documents of assignments, with those that have been added since they were set; null where none stick.
    pub fn sticky_documents(&self) -> String {
        json_of(&self.options.sticky.as_ref().map_or(Value::Null, |sticky| sticky.to_value()))
    }
}

/// Reads a JSON object.
pub(super) fn object(text: &str) -> Result<Value, GrowthBookError> {
    match Value::parse(text).map_err(GrowthBookError::Json)? {
        value @ Value::Object(_) => Ok(value),
        _ => Err(GrowthBookError::NoObject),
    }
}
