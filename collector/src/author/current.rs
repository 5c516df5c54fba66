//! `attune bundle current`: signs the statement of which bundle is in effect, and which one a share of all units tries.

use super::sign::instant;
use super::source::{named, read_file};
use super::{Outcome, print};
use crate::bundle::{SecretKey, percent};
use crate::clock;
use crate::hex::hex;
use crate::settings::CurrentArguments;
use attune_core::bundle::{Candidate, Current, HASH_BYTES, Header, open_envelope, seal_current};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// Writes a signed statement for the project and environment of the bundle.
pub fn run(arguments: &CurrentArguments) -> Result<Outcome, String> {
    let key = SecretKey::read(&arguments.key)?;
    let bytes = read_file(&arguments.bundle)?;
    let header = header(&arguments.bundle, &bytes)?;
    let candidate = arguments.candidate.as_ref().map(|path| Trial::read(path, &header)).transpose()?;
    let seed = candidate.as_ref().map(|trial| arguments.seed.clone().unwrap_or_else(|| hex(&trial.hash)));
    let current = Current {
        project: header.project,
        environment: header.environment,
        revision: header.revision,
        hash: Sha256::digest(&bytes).into(),
        candidate: candidate.map(|trial| Candidate {
            revision: trial.revision,
            hash: trial.hash,
            share: arguments.share.unwrap_or_default(),
            seed: seed.as_deref().unwrap_or_default(),
        }),
        issued_at: clock::now(),
        expires: instant("--valid", &arguments.valid)?,
        key_id: key.id(),
    };
    fs::write(&arguments.output, key.sign(seal_current(&current)))
        .map_err(|error| named(&arguments.output, &error))?;
    let tried = current.candidate.map_or(String::new(), |candidate| {
        format!(", revision {} for {} % of all units,", candidate.revision, percent(candidate.share))
    });
    print(&format!(
        "{}: revision {} for {}/{}{tried} until {}, signed by {}\n",
        arguments.output.display(),
        current.revision,
        current.project,
        current.environment,
        current.expires,
        current.key_id,
    ))?;
    Ok(Outcome::Clean)
}

/// A bundle on trial.
struct Trial {
    revision: u64,
    hash: [u8; HASH_BYTES],
}

impl Trial {
    /// Reads one that may stand beside the bundle in effect.
    fn read(path: &Path, current: &Header<'_>) -> Result<Self, String> {
        let bytes = read_file(path)?;
        let Header { project, environment, revision, .. } = header(path, &bytes)?;
        let told = |what: String| format!("--candidate: {}: {what}", path.display());
        if (project, environment) != (current.project, current.environment) {
            let place = format!("{}/{}", current.project, current.environment);
            return Err(told(format!("it is for {project}/{environment}, not {place}")));
        }
        if revision <= current.revision {
            let above = current.revision;
            return Err(told(format!("its revision {revision} is not above {above}, which is in effect")));
        }
        Ok(Self { revision, hash: Sha256::digest(&bytes).into() })
    }
}

fn header<'a>(path: &Path, bytes: &'a [u8]) -> Result<Header<'a>, String> {
    let opened = open_envelope(bytes);
    opened
        .map(|envelope| envelope.header)
        .map_err(|error| format!("{}: {error} ({})", path.display(), error.code()))
}
