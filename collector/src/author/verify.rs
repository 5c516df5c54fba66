//! `attune bundle verify`: whether a bundle, a delta or a statement may be taken, and which no it is.

use super::sign::instant;
use super::source::read_file;
use super::{Outcome, print, print_json};
use crate::bundle::{find_key, parse_public_key, percent, verify_signature};
use crate::clock;
use crate::hex::hex;
use crate::settings::{Format, VerifyArguments};
use attune_core::bundle::{
    BundleError, Current, Demands, Header, KeySet, PUBLIC_KEY_BYTES, Refused, decode_body, open_current,
    open_delta, open_envelope, verify_current, verify_delta, verify_envelope, verify_keyset,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::path::Path;

/// Verifies a file; a refused one is a finding, with its code.
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
    let keys = Keys { trusted: &trusted, set: set.as_ref(), missing: Cell::new(Refused::UnknownKey) };
    let verified = if is_statement(&bytes) {
        statement(&bytes, &demands, &keys).map(|current| accept_statement(arguments, &current))
    } else if is_delta(&bytes) {
        let from = arguments.from.as_ref().ok_or("--from: a delta needs the bundle that it starts from")?;
        let from = read_file(from)?;
        let next = delta(&bytes, &from, &demands, &keys);
        next.and_then(|next| opened(&next, &|header| accept(arguments, header)))
    } else {
        bundle(&bytes, &demands, &keys).and_then(|()| opened(&bytes, &|header| accept(arguments, header)))
    };
    verified.unwrap_or_else(|refused| refuse(arguments, &arguments.bundle, "", refused))
}

/// The keys that may sign.
struct Keys<'a> {
    trusted: &'a [[u8; PUBLIC_KEY_BYTES]],
    set: Option<&'a KeySet<'a>>,
    /// Why there was no key of the id asked for last.
    missing: Cell<Refused>,
}

impl Keys<'_> {
    fn of(&self, id: &str, demands: &Demands<'_>) -> Option<[u8; PUBLIC_KEY_BYTES]> {
        find_key(self.trusted, id).or_else(|| match self.set?.key(id, demands.now) {
            Ok(key) => Some(key),
            Err(refused) => {
                self.missing.set(refused);
                None
            }
        })
    }

    /// A key of the set that is out of its time says so; it is not simply unknown.
    fn reason(&self, refused: Refused) -> Refused {
        if refused == Refused::UnknownKey { self.missing.get() } else { refused }
    }
}

fn is_statement(bytes: &[u8]) -> bool {
    !matches!(open_current(bytes), Err(BundleError::BadMagic))
}

fn is_delta(bytes: &[u8]) -> bool {
    !matches!(open_delta(bytes), Err(BundleError::BadMagic))
}

fn statement<'a>(bytes: &'a [u8], demands: &Demands<'_>, keys: &Keys<'_>) -> Result<Current<'a>, Refused> {
    let key_of = |id: &str| keys.of(id, demands);
    verify_current(bytes, demands, None, &key_of, &verify_signature).map_err(|refused| keys.reason(refused))
}

fn delta(bytes: &[u8], from: &[u8], demands: &Demands<'_>, keys: &Keys<'_>) -> Result<Vec<u8>, Refused> {
    let key_of = |id: &str| keys.of(id, demands);
    let hash = Sha256::digest(from).into();
    let next = verify_delta(bytes, from, &hash, demands, &key_of, &verify_signature);
    next.map_err(|refused| keys.reason(refused))
}

fn bundle(bytes: &[u8], demands: &Demands<'_>, keys: &Keys<'_>) -> Result<(), Refused> {
    let key_of = |id: &str| keys.of(id, demands);
    let envelope = verify_envelope(bytes, demands, &key_of, &verify_signature);
    envelope.map(drop).map_err(|refused| keys.reason(refused))
}

/// Reads the body of a verified bundle before it is accepted.
fn opened<T>(bytes: &[u8], accept: &dyn Fn(Header<'_>) -> T) -> Result<T, Refused> {
    let envelope = open_envelope(bytes).map_err(Refused::Unreadable)?;
    decode_body(envelope.body).map_err(Refused::Unreadable)?;
    Ok(accept(envelope.header))
}

fn accept(arguments: &VerifyArguments, header: Header<'_>) -> Result<Outcome, String> {
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

fn accept_statement(arguments: &VerifyArguments, current: &Current<'_>) -> Result<Outcome, String> {
    match arguments.format {
        Format::Text => {
            let candidate = current.candidate.map_or(String::new(), |candidate| {
                format!(", revision {} for {} % of all units", candidate.revision, percent(candidate.share))
            });
            print(&format!(
                "{}: verified, revision {} is in effect for {}/{}{candidate}, until {}, signed by {}\n",
                arguments.bundle.display(),
                current.revision,
                current.project,
                current.environment,
                current.expires,
                current.key_id,
            ))?;
        }
        Format::Json => {
            let candidate = current.candidate.map_or(Value::Null, |candidate| {
                json!({
                    "revision": candidate.revision,
                    "sha256": hex(&candidate.hash),
                    "percent": percent(candidate.share),
                    "seed": candidate.seed,
                })
            });
            print_json(&json!({
                "verified": true,
                "revision": current.revision,
                "sha256": hex(&current.hash),
                "candidate": candidate,
                "project": current.project,
                "environment": current.environment,
                "key_id": current.key_id,
                "issued_at": current.issued_at.to_string(),
                "expires": current.expires.to_string(),
            }))?;
        }
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
