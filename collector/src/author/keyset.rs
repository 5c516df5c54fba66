//! `attune bundle keyset`: names the keys that may sign a project's bundles, signed by the trusted key.

use super::sign::instant;
use super::source::named;
use super::{Outcome, print};
use crate::bundle::{SecretKey, key_id, parse_public_key};
use crate::settings::KeysetArguments;
use attune_core::bundle::{KeySet, KeySetEntry, seal_keyset};
use attune_core::limits::MAX_KEY_SET_KEYS;
use std::fs;

/// Writes a signed key set.
pub fn run(arguments: &KeysetArguments) -> Result<Outcome, String> {
    let key = SecretKey::read(&arguments.key)?;
    if arguments.keys.len() > MAX_KEY_SET_KEYS {
        let keys = arguments.keys.len();
        return Err(format!("{keys} keys; a key set has at most {MAX_KEY_SET_KEYS}"));
    }
    let mut entries = Vec::new();
    for text in &arguments.keys {
        let (public, end) = text.split_once('@').map_or((&**text, None), |(key, end)| (key, Some(end)));
        let expires = end.map(|end| instant(public, end)).transpose()?;
        let public_key = parse_public_key(public)?;
        entries.push((key_id(&public_key), public_key, expires));
    }
    let expires = arguments.expires.as_deref().map(|text| instant("--expires", text)).transpose()?;
    let signer = key.id();
    let keys = entries.iter().map(|(key_id, public_key, expires)| KeySetEntry {
        key_id,
        public_key: *public_key,
        not_before: None,
        expires: *expires,
    });
    let set = KeySet {
        project: &arguments.project,
        revision: arguments.revision,
        expires,
        key_id: signer,
        keys: keys.collect(),
    };
    fs::write(&arguments.output, key.sign(seal_keyset(&set)))
        .map_err(|error| named(&arguments.output, &error))?;
    let count = super::check::counted(entries.len(), "key");
    print(&format!(
        "{}: {count} for {}, signed by {signer}\n",
        arguments.output.display(),
        arguments.project
    ))?;
    Ok(Outcome::Clean)
}
