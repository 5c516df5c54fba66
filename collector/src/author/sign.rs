//! `attune bundle sign`: puts a body into an envelope and signs it.

use super::source::{Folder, named, read_file};
use super::{Outcome, print};
use crate::bundle::SecretKey;
use crate::clock;
use crate::limits::{DEFAULT_ENVIRONMENT, DEFAULT_PROJECT};
use crate::settings::SignArguments;
use attune_core::bundle::{Header, decode_body, open_envelope, seal_envelope, settle_body};
use attune_core::time::{Timestamp, parse_duration_ms};
use sha2::{Digest, Sha256};
use std::fs;

/// Signs a folder or bundle file; what the arguments do not say is taken from the parent and from what was there.
pub fn run(arguments: &SignArguments) -> Result<Outcome, String> {
    let key = SecretKey::read(&arguments.key)?;
    let is_folder = arguments.source.is_dir();
    let output = match (&arguments.output, is_folder) {
        (Some(output), _) => output,
        (None, false) => &arguments.source,
        (None, true) => return Err("--output: a signed folder needs a file to go to".to_owned()),
    };
    let bytes = if is_folder { Vec::new() } else { read_file(&arguments.source)? };
    let told = |error: attune_core::bundle::BundleError| {
        format!("{}: {error} ({})", arguments.source.display(), error.code())
    };
    let (before, body) = if is_folder {
        (Header::default(), Folder::read_sound(&arguments.source)?.compiled.body)
    } else {
        let envelope = open_envelope(&bytes).map_err(told)?;
        (envelope.header, envelope.body.to_vec())
    };
    decode_body(&body).map_err(told)?;
    let parent = arguments.parent.as_ref().map(|path| read_file(path)).transpose()?;
    let parent_header = match (&parent, &arguments.parent) {
        (Some(bytes), Some(path)) => {
            let opened = open_envelope(bytes);
            let opened = opened.map_err(|error| format!("{}: {error} ({})", path.display(), error.code()))?;
            Some(opened.header)
        }
        _ => None,
    };
    let parent_revision = parent_header.as_ref().map(|header| header.revision);
    let (followed_project, followed_environment) =
        parent_header.map_or_else(Default::default, |header| (header.project, header.environment));
    let body = parent.as_deref().and_then(|parent| settled(&body, parent)).unwrap_or(body);
    let revision = match arguments.revision {
        Some(revision) => revision,
        None => parent_revision.map_or(before.revision.max(1), |revision| revision.saturating_add(1)),
    };
    if let Some(parent) = parent_revision.filter(|parent| revision <= *parent) {
        return Err(format!("--revision: {revision} is not above {parent}, the revision of the parent"));
    }
    let expires = arguments.expires.as_deref().map(|text| instant("--expires", text)).transpose()?;
    let key_id = key.id();
    let header = Header {
        project: first_named([
            arguments.project.as_deref().unwrap_or_default(),
            before.project,
            followed_project,
            DEFAULT_PROJECT,
        ]),
        environment: first_named([
            arguments.environment.as_deref().unwrap_or_default(),
            before.environment,
            followed_environment,
            DEFAULT_ENVIRONMENT,
        ]),
        revision,
        parent: parent.as_ref().map(|bytes| Sha256::digest(bytes).into()).or(before.parent),
        not_before: before.not_before,
        expires: expires.or(before.expires),
        key_id,
    };
    let signed = key.sign(seal_envelope(&header, &body));
    fs::write(output, &signed).map_err(|error| named(output, &error))?;
    print(&format!(
        "{}: revision {revision} for {}/{}, {} bytes, signed by {key_id}\n",
        output.display(),
        header.project,
        header.environment,
        signed.len(),
    ))?;
    Ok(Outcome::Clean)
}

/// The body with the numbers of its parent's, so that the delta between them is small; a parent that this version cannot
/// read gives no numbers.
fn settled(body: &[u8], parent: &[u8]) -> Option<Vec<u8>> {
    settle_body(body, open_envelope(parent).ok()?.body).ok()
}

fn first_named(names: [&str; 4]) -> &str {
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// An instant as it is written on the command line: RFC 3339, or a duration from now.
pub fn instant(name: &str, text: &str) -> Result<Timestamp, String> {
    let from_now = || parse_duration_ms(text).filter(|ms| *ms > 0).map(|ms| clock::now().plus(ms));
    Timestamp::parse(text).or_else(from_now).ok_or_else(|| {
        format!("{name}: '{text}' is no instant such as 2027-01-01T00:00:00Z, and no duration such as 30d")
    })
}
