//! What can be read again while the collector runs: write keys with their limits, limits of addresses, destinations.

use super::{Command, ServeArguments, SettingsError, parse};
use crate::access::{AddressLimits, Rate, WriteKey, WriteKeys};
use crate::trigger::Destinations;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What files were like: inode, size, and time of change in seconds and nanoseconds; nothing of one that there is not.
pub type Stamps = BTreeMap<PathBuf, Option<(u64, u64, i64, i64)>>;

impl ServeArguments {
    /// The same command line read again, with the file of settings as it is now.
    ///
    /// # Errors
    /// The file has become wrong.
    pub fn read_again(&self) -> Result<Self, SettingsError> {
        match parse(self.words.iter().cloned())? {
            Command::Serve(arguments) => Ok(*arguments),
            _ => Ok(self.clone()),
        }
    }

    /// The write keys of flags and file; the demo's where there is none.
    ///
    /// # Errors
    /// Names the flag, or the file, and what is wrong where.
    pub fn read_keys(&self) -> Result<Vec<WriteKey>, SettingsError> {
        let told =
            |setting: &str, what: String| SettingsError(format!("{setting}: {what}")).placed(&self.places);
        let mut keys = Vec::new();
        for key in &self.write_keys {
            keys.push(WriteKey::open(key).map_err(|what| told("--write-key", format!("'{key}' {what}")))?);
        }
        if let Some(path) = &self.write_keys_file {
            keys.extend(WriteKeys::read_file(path).map_err(|error| told("--write-keys", error.to_string()))?);
        }
        if keys.is_empty() {
            keys.push(WriteKey::open("demo").map_err(|what| told("--write-key", what))?);
        }
        Ok(keys)
    }

    /// Whom triggers may call.
    ///
    /// # Errors
    /// Names the file and what is wrong where.
    pub fn read_destinations(&self) -> Result<Destinations, SettingsError> {
        let Some(path) = &self.destinations else { return Ok(Destinations::default()) };
        let told = |what| SettingsError(format!("--destinations: {what}")).placed(&self.places);
        Destinations::read_file(path).map_err(told)
    }

    /// What one address may send.
    pub fn of_address(&self) -> AddressLimits {
        AddressLimits {
            requests: self.requests_per_address.map(Rate::of_requests),
            events: self.events_per_address.map(Rate::of_events),
        }
    }

    /// What the files that all of this is read from are like now.
    pub fn stamps(&self) -> Stamps {
        let files = [&self.config, &self.write_keys_file, &self.destinations].into_iter().flatten();
        let stamp = |file: &PathBuf| {
            let found = fs::metadata(file).ok()?;
            Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
        };
        files.map(|file| (file.clone(), stamp(file))).collect()
    }

    /// Whether something else differs from other arguments, which takes effect with a restart.
    pub fn differs_elsewhere(&self, other: &Self) -> bool {
        let read_again = Self {
            places: self.places.clone(),
            write_keys: self.write_keys.clone(),
            write_keys_file: self.write_keys_file.clone(),
            destinations: self.destinations.clone(),
            requests_per_address: self.requests_per_address,
            events_per_address: self.events_per_address,
            ..other.clone()
        };
        *self != read_again
    }
}
