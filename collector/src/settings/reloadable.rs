//! What can be read again while the collector runs: write keys with their limits, limits of addresses, destinations, places.

use super::{Command, ServeArguments, SettingsError, parse};
use crate::access::{AddressLimits, Rate, WriteKey, WriteKeys};
use crate::enrich::{GeoDatabase, Modes};
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
            Command::Serve(arguments) => {
                self.misses_nothing(&arguments)?;
                Ok(*arguments)
            }
            _ => Ok(self.clone()),
        }
    }

    /// Looks whether the file of settings still has what it had: of one that is being written, or was written on a full disk, the
    /// end is missing, and what nobody names any more would be its default.
    fn misses_nothing(&self, now: &Self) -> Result<(), SettingsError> {
        let is_missing = |flag: &str| !now.places.contains_key(flag);
        let may_go = |flag: &str| match flag {
            "--requests-per-address" | "--events-per-address" => !now.places.is_empty(),
            "--write-key" | "--write-keys" => now.names_keys(),
            _ => false,
        };
        let gone = self.places.iter().find(|(flag, _)| is_missing(flag) && !may_go(flag));
        gone.map_or(Ok(()), |(flag, place)| {
            let file = place.rsplit_once(':').map_or(&**place, |(file, _)| file);
            Err(SettingsError(format!(
                "{file}: {} is not in it any more, which takes a restart",
                flag.trim_start_matches('-')
            )))
        })
    }

    fn names_keys(&self) -> bool {
        self.write_keys_file.is_some() || !self.write_keys.is_empty()
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
            if let Some(path) = &self.write_keys_file {
                return Err(told("--write-keys", format!("{} names no key", path.display())));
            }
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

    /// The database of places, where one is named.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn read_geo_database(&self) -> Result<Option<GeoDatabase>, SettingsError> {
        let told = |what| SettingsError(format!("--geo-database: {what}")).placed(&self.places);
        self.geo_database.as_deref().map(GeoDatabase::read_file).transpose().map_err(told)
    }

    /// What one address may send.
    pub fn of_address(&self) -> AddressLimits {
        AddressLimits {
            requests: self.requests_per_address.map(Rate::of_requests),
            events: self.events_per_address.map(Rate::of_events),
        }
    }

    /// What is done with what requests say of their senders.
    pub const fn enrichment(&self) -> Modes {
        Modes { bots: self.bots, gpc: self.gpc, address: self.ip }
    }

    /// What the files that all of this is read from are like now.
    pub fn stamps(&self) -> Stamps {
        let files = [&self.config, &self.write_keys_file, &self.destinations, &self.geo_database]
            .into_iter()
            .flatten();
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
            geo_database: self.geo_database.clone(),
            requests_per_address: self.requests_per_address,
            events_per_address: self.events_per_address,
            ..other.clone()
        };
        *self != read_again
    }
}
