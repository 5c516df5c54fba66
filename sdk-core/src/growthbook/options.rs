//! What is known about the one who asks, and how the host wants experiments to be run.

use super::field::{Fields, found};
use super::sticky::Assignments;
use super::text::is_truthy;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;

/// The state of one visitor.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    attributes: Fields,
    overridden: Fields,
    /// Attributes, overrides put over them.
    pub visitor: Fields,
    /// The address of the page.
    pub url: String,
    /// Variations by experiment.
    pub variations: Fields,
    /// Values by feature.
    pub values: Fields,
    /// Fields to put over experiments, by their key.
    pub overrides: Fields,
    /// Groups the visitor belongs to.
    pub groups: Fields,
    /// Whether no experiment runs.
    pub is_disabled: bool,
    /// Whether experiments give only what is forced.
    pub is_quality_check: bool,
    /// Past assignments; absent where nothing is to stick.
    pub sticky: Option<Assignments>,
}

impl Options {
    /// Takes over the fields that are given; others stay as they are.
    pub(super) fn set(&mut self, value: &Value) {
        let Value::Object(fields) = value else { return };
        for (name, field) in fields {
            let map = || if let Value::Object(fields) = field { fields.clone() } else { Vec::new() };
            match &**name {
                "attributes" => self.attributes = map(),
                "attributeOverrides" => self.overridden = map(),
                "url" => self.url = field.as_str().unwrap_or_default().into(),
                "forcedVariations" => self.variations = map(),
                "forcedFeatureValues" => self.values = map(),
                "overrides" => self.overrides = map(),
                "groups" => self.groups = map(),
                "enabled" => self.is_disabled = *field == Value::Bool(false),
                "qaMode" => self.is_quality_check = is_truthy(field),
                "stickyBucketAssignmentDocs" => {
                    self.sticky = matches!(field, Value::Object(_)).then(|| Assignments::read(map()));
                }
                _ => {}
            }
        }
        let others = self.attributes.iter().filter(|(name, _)| found(&self.overridden, name).is_none());
        self.visitor = others.chain(&self.overridden).cloned().collect();
    }
}
