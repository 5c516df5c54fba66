//! Where an address is, by a database of the operator's in MaxMind's format (<https://maxmind.github.io/MaxMind-DB/>).

use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// A database, in memory as a whole, so that nothing that happens to its file can hurt.
#[derive(Debug)]
pub struct GeoDatabase(Reader<Vec<u8>>);

/// The database in effect, if any.
#[derive(Debug)]
pub struct Geo(RwLock<Option<Arc<GeoDatabase>>>);

/// What is kept of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 code of the country.
    country: String,
    /// ISO 3166-2 code of its largest part, without the country's.
    region: String,
    /// English name of the city.
    city: String,
    /// Name of the time zone.
    time_zone: String,
}

/// A record as databases of cities and of countries have it; what else they have is passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPlace<'a> {
    #[serde(borrow)]
    country: Coded<'a>,
    #[serde(borrow)]
    subdivisions: Vec<Coded<'a>>,
    #[serde(borrow)]
    city: City<'a>,
    #[serde(borrow)]
    location: Location<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Coded<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct City<'a> {
    #[serde(borrow)]
    names: Names<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    en: Option<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Location<'a> {
    time_zone: Option<&'a str>,
}

impl GeoDatabase {
    /// Reads a file.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn read_file(path: &Path) -> Result<Self, String> {
        let named = |what: String| format!("{}: {what}", path.display());
        let bytes = fs::read(path).map_err(|error| named(error.to_string()))?;
        let wrong = |error: MaxMindDbError| named(format!("no database in MaxMind's format: {error}"));
        let reader = Reader::from_source(bytes).map_err(wrong)?;
        // Others, of networks or domains, say nothing of places.
        let kind = &reader.metadata().database_type;
        if !["City", "Country", "Enterprise", "Location"].iter().any(|known| kind.contains(known)) {
            return Err(named(format!(
                "is a database of type '{kind}'; one of cities or countries is needed"
            )));
        }
        Ok(Self(reader))
    }

    fn find(&self, address: IpAddr) -> Result<Option<Place>, MaxMindDbError> {
        // One of IPv4 alone knows no address of IPv6, which is no fault of its.
        if address.is_ipv6() && self.0.metadata().ip_version == 4 {
            return Ok(None);
        }
        let Some(found) = self.0.lookup(address)?.decode::<RawPlace<'_>>()? else { return Ok(None) };
        let text = |found: Option<&str>| found.unwrap_or_default().to_owned();
        let place = Place {
            country: text(found.country.iso_code),
            region: text(found.subdivisions.first().and_then(|part| part.iso_code)),
            city: text(found.city.names.en),
            time_zone: text(found.location.time_zone),
        };
        Ok(Some(place).filter(|place| *place != Place::default()))
    }
}

impl Geo {
    /// One with a database, or without.
    pub fn new(database: Option<GeoDatabase>) -> Self {
        Self(RwLock::new(database.map(Arc::new)))
    }

    /// Puts another database in the old one's place.
    pub fn replace(&self, database: Option<GeoDatabase>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = database.map(Arc::new);
    }

    /// Whether there is a database.
    pub fn is_there(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Where an address is; nothing where that is not known, or there is no database.
    ///
    /// # Errors
    /// The database is damaged where the address stands.
    pub fn find(&self, address: IpAddr) -> Result<Option<Place>, MaxMindDbError> {
        let database = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        database.map_or(Ok(None), |database| database.find(address.to_canonical()))
    }
}

impl Place {
    /// Its fields, by the names that a context has for them; empty ones are not known.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = [("country", &self.country), ("region", &self.region), ("city", &self.city)];
        fields.into_iter().chain([("time_zone", &self.time_zone)]).map(|(name, text)| (name, &**text))
    }
}
