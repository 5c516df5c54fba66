//! `attune bundle delta` and `attune bundle apply`: what leads from one bundle to the next, and the next bundle from that.

use super::source::{named, read_file};
use super::{Outcome, print};
use crate::settings::{ApplyArguments, DeltaArguments};
use attune_core::bundle::author::delta;
use attune_core::bundle::{BundleError, HASH_BYTES, Refused, decode_body, open_delta, open_envelope};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// Writes the delta between two bundles.
pub fn make(arguments: &DeltaArguments) -> Result<Outcome, String> {
    let (from, to) = (read_file(&arguments.from)?, read_file(&arguments.to)?);
    check(&arguments.from, &from)?;
    check(&arguments.to, &to)?;
    let bytes = delta(&from, &hash(&from), &to);
    fs::write(&arguments.output, &bytes).map_err(|error| named(&arguments.output, &error))?;
    let (output, length) = (arguments.output.display(), bytes.len());
    print(&format!("{output}: {length} bytes, in place of {}\n", to.len()))?;
    Ok(Outcome::Clean)
}

/// Writes the bundle that a delta makes of another; whether it may be taken is for `verify` to say.
pub fn apply(arguments: &ApplyArguments) -> Result<Outcome, String> {
    let (from, bytes) = (read_file(&arguments.from)?, read_file(&arguments.delta)?);
    let opened = open_delta(&bytes).map_err(|error| told(&arguments.delta, error))?;
    if opened.from != hash(&from) {
        let refused = Refused::WrongParent;
        print(&format!("{}: refused: {refused} ({})\n", arguments.delta.display(), refused.code()))?;
        return Ok(Outcome::Found);
    }
    let next = opened.apply(&from).map_err(|error| told(&arguments.delta, error))?;
    check(&arguments.delta, &next)?;
    fs::write(&arguments.output, &next).map_err(|error| named(&arguments.output, &error))?;
    print(&format!("{}: {} bytes\n", arguments.output.display(), next.len()))?;
    Ok(Outcome::Clean)
}

fn check(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let read = open_envelope(bytes).and_then(|envelope| decode_body(envelope.body));
    read.map(drop).map_err(|error| told(path, error))
}

fn told(path: &Path, error: BundleError) -> String {
    format!("{}: {error} ({})", path.display(), error.code())
}

fn hash(bytes: &[u8]) -> [u8; HASH_BYTES] {
    Sha256::digest(bytes).into()
}
