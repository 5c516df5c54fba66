//! A candidate for a share of all members, as a statement of what is current names it.

use super::{Steps, instant, later_bundle};
use crate::answer::failure;
use attune_core::bundle::{BundleError, open_current};
use attune_core::processor::Rollout;

impl Steps {
    /// Gives members the candidate of a statement from an instant on, those in its share; a statement without one, or no
    /// bytes, ends that. The statement's form is checked and its signature is not.
    ///
    /// # Errors
    /// Bytes that are no statement or no bundle, a candidate of another revision than the statement's or of none above the
    /// one in effect, or a number that is no instant, as an object with `error` and `message`; all stays as it was then.
    pub fn roll_out(&mut self, statement: &[u8], candidate: &[u8], at_ms: f64) -> Result<(), String> {
        let told = |error: BundleError| failure(error.code(), &error.to_string());
        let named = match statement {
            [] => None,
            statement => open_current(statement).map_err(told)?.current.candidate,
        };
        let Some(named) = named else {
            self.processor.set_rollout(None, instant(at_ms)?);
            return Ok(());
        };
        let (bundle, _, at) = later_bundle(&self.processor, candidate, at_ms)?;
        if bundle.revision != named.revision {
            let words = format!("the statement names revision {}, not {}", named.revision, bundle.revision);
            return Err(failure("candidate_other", &words));
        }
        let rollout = Rollout { bundle, share: named.share, seed: named.seed.into() };
        self.processor.set_rollout(Some(rollout), at);
        Ok(())
    }
}
