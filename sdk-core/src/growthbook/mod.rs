//! GrowthBook payloads as they are: features and experiments, evaluated to the results that GrowthBook defines.
//!
//! The measure is `@growthbook/growthbook` of the version that `package.json` pins. Fields of other types than
//! GrowthBook declares are read as absent.

mod attribute;
mod bandit;
mod condition;
mod evaluator;
mod experiment;
mod feature;
mod field;
mod import;
mod options;
mod payload;
mod result;
mod run;
mod sticky;
mod text;
mod visit;

pub use evaluator::{GrowthBook, GrowthBookError};
pub use import::{Imported, Note, import};
