//! `attune bundle trust`: the key that pages are to trust, of a collector that has made it.

use super::{Outcome, print};
use crate::bundle::SecretKey;
use crate::secret::Secret;
use crate::settings::TrustArguments;

/// Prints the public half of the trusted key of a data folder.
pub fn run(arguments: &TrustArguments) -> Result<Outcome, String> {
    let path = arguments.data_dir.join("secrets/trust");
    let secret = Secret::load(&path).map_err(|error| error.to_string())?.ok_or_else(|| {
        format!(
            "{}: there is no such file; a collector makes it when it starts without --keyset",
            path.display()
        )
    })?;
    print(&format!("{}\n", SecretKey::of(&secret).public_text()))?;
    Ok(Outcome::Clean)
}
