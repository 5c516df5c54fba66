//! A candidate for a share of all members, as a statement of what is current names it.

use super::{Steps, instant};
use crate::answer::failure;
use attune_core::bundle::{Bundle, BundleError, open_current};
use attune_core::processor::Rollout;

impl Steps {
    /// Gives members the candidate of a statement from an instant on, those in its share; a statement without one, or no
    /// bytes, ends that. The statement's form is checked and its signature is not.
    ///
    /// # Errors
    /// Bytes that are no statement or no bundle, a candidate of another revision than the statement's or of none above the
    /// one in effect, or a number that is no instant, as an object with `error` and `message`; all stays as it was then.
    pub fn roll_out(&mut self, statement: &[u8], candidate: &[u8], at_ms: f64) -> Result<(), String> {
        let at = instant(at_ms)?;
        let told = |error: BundleError| failure(error.code(), &error.to_string());
        let named = match statement {
            [] => None,
            statement => open_current(statement).map_err(told)?.current.candidate,
        };
        let rollout = match named {
            None => None,
            Some(named) => {
                let bundle = Bundle::open(candidate).map_err(told)?;
                let (found, current) = (bundle.revision, self.processor.bundle().revision);
                if found != named.revision {
                    let words = format!("the statement names revision {}, not {found}", named.revision);
                    return Err(failure("candidate_other", &words));
                }
                if found <= current {
                    let words = format!("revision {found} is not above {current}, which is in effect");
                    return Err(failure("bundle_lower_revision", &words));
                }
                Some(Rollout { bundle, share: named.share, seed: named.seed.into() })
            }
        };
        self.processor.set_rollout(rollout, at);
        Ok(())
    }
}
