//! `attune bundle keygen`: a new Ed25519 key pair in two files.

use super::source::named;
use super::{Outcome, print};
use crate::bundle::SecretKey;
use crate::secret::Secret;
use crate::settings::KeygenArguments;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Makes a key pair; a file that is there already is left alone.
pub fn run(arguments: &KeygenArguments) -> Result<Outcome, String> {
    let secret = Secret::random().map_err(|error| format!("random source: {error}"))?;
    let key = SecretKey::of(&secret);
    let public = key.public_text();
    let mut public_path = arguments.output.clone().into_os_string();
    public_path.push(".pub");
    write_new(&arguments.output, &key.secret_text(), 0o600)?;
    write_new(Path::new(&public_path), &format!("{public}\n"), 0o644)?;
    print(&format!("{public}\n"))?;
    Ok(Outcome::Clean)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("{}: this file exists, and keys are never overwritten", path.display())
        }
        _ => named(path, &error),
    })
}
