//! `attune bundle verify`: whether a bundle may be taken, and which no it is.

use super::sign::instant;
use super::source::read_file;
use super::{Outcome, print, print_json};
use crate::bundle::{find_key, parse_public_key, verify_signature};
use crate::clock;
use crate::settings::{Format, VerifyArguments};
use attune_core::bundle::{
    Demands, Envelope, KeySet, PUBLIC_KEY_BYTES, Refused, decode_body, open_envelope, verify_envelope,
    verify_keyset,
};
use serde_json::json;
use std::path::Path;

/// Verifies a bundle; a refused one is a finding, with its code.
pub fn run(arguments: &VerifyArguments) -> Result<Outcome, String> {
    let trusted = arguments.trust.iter().map(|text| parse_public_key(text)).collect::<Result<Vec<_>, _>>()?;
    let now = arguments.at.as_deref().map_or_else(|| Ok(clock::now()), |text| instant("--at", text))?;
    let demands = Demands {
        project: arguments.project.as_deref(),
        environment: arguments.environment.as_deref(),
        above: arguments.above,
        now,
    };
    let bytes = read_file(&arguments.bundle)?;
    let set_bytes = arguments.keyset.as_ref().map(|path| read_file(path)).transpose()?;
    let set = match &set_bytes {
        Some(bytes) => {
            match verify_keyset(bytes, &demands, &|id| find_key(&trusted, id), &verify_signature) {
                Ok(set) => Some(set),
                Err(refused) => {
                    let path = arguments.keyset.as_deref().unwrap_or(Path::new("key set"));
                    return refuse(arguments, path, "the key set: ", refused);
                }
            }
        }
        None => None,
    };
    match verify_with(&bytes, &demands, &trusted, set.as_ref()) {
        Ok(envelope) => accept(arguments, &envelope),
        Err(refused) => refuse(arguments, &arguments.bundle, "", refused),
    }
}

fn verify_with<'a>(
    bytes: &'a [u8],
    demands: &Demands<'_>,
    trusted: &[[u8; PUBLIC_KEY_BYTES]],
    set: Option<&KeySet<'_>>,
) -> Result<Envelope<'a>, Refused> {
    let id = open_envelope(bytes).map_err(Refused::Unreadable)?.header.key_id;
    // A key of the set that is out of its time says so; it is not simply unknown.
    if let (None, Some(set)) = (find_key(trusted, id), set) {
        set.key(id, demands.now)?;
    }
    let key_of =
        |id: &str| find_key(trusted, id).or_else(|| set.and_then(|set| set.key(id, demands.now).ok()));
    let envelope = verify_envelope(bytes, demands, &key_of, &verify_signature)?;
    decode_body(envelope.body).map_err(Refused::Unreadable)?;
    Ok(envelope)
}

fn accept(arguments: &VerifyArguments, envelope: &Envelope<'_>) -> Result<Outcome, String> {
    let header = envelope.header;
    match arguments.format {
        Format::Text => print(&format!(
            "{}: verified, revision {} for {}/{}, signed by {}\n",
            arguments.bundle.display(),
            header.revision,
            header.project,
            header.environment,
            header.key_id,
        ))?,
        Format::Json => print_json(&json!({
            "verified": true,
            "revision": header.revision,
            "project": header.project,
            "environment": header.environment,
            "key_id": header.key_id,
            "expires": header.expires.map(|at| at.to_string()),
        }))?,
    }
    Ok(Outcome::Clean)
}

fn refuse(arguments: &VerifyArguments, path: &Path, what: &str, refused: Refused) -> Result<Outcome, String> {
    match arguments.format {
        Format::Text => {
            print(&format!("{}: refused: {what}{refused} ({})\n", path.display(), refused.code()))?;
        }
        Format::Json => print_json(&json!({
            "verified": false,
            "code": refused.code(),
            "message": format!("{what}{refused}"),
        }))?,
    }
    Ok(Outcome::Found)
}
