//! Write keys: who may send events and read bundles, from which origins, and how far user ids are believed.

use super::{KeyLimits, Rate};
use crate::hex::hex;
use crate::limits::{MAX_WRITE_KEY_CHARS, MIN_SECRET_CHARS, SHOWN_KEY_CHARS};
use crate::secret::{mac, same_secret};
use attune_core::limits::{MAX_BATCH_EVENTS, MAX_ID_CHARS};
use hashbrown::{HashMap, HashSet};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// How far a sender's user ids are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A user id links its member at once.
    Open,
    /// Only an `attune.identify` with a proof made with this secret links.
    Proven {
        /// The site's identity secret.
        secret: Box<str>,
    },
}

/// One write key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteKey {
    /// The key as senders give it.
    pub key: Box<str>,
    /// Origins of pages that may use it; `*` stands for all.
    pub origins: Vec<Box<str>>,
    /// How far user ids are believed.
    pub identity: Identity,
    /// How much it may send.
    pub limits: KeyLimits,
    /// What events under it may be; all where absent. A trailing `*` stands for whatever follows.
    pub event_types: Option<Vec<Box<str>>>,
}

/// All write keys. A request keeps the one that it was let in by, whatever takes its place meanwhile.
#[derive(Debug, Default)]
pub struct WriteKeys {
    keys: RwLock<KeyMap>,
}

type KeyMap = Arc<HashMap<Box<str>, Arc<WriteKey>>>;

/// Why a request may not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// No key was given.
    KeyMissing,
    /// The key is not one of ours.
    KeyUnknown,
    /// Pages of this origin may not use the key.
    OriginRefused(String),
}

/// A key file that cannot be used; the text names file, place and limit.
#[derive(Debug)]
pub struct KeyFileError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    keys: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    key: Box<str>,
    #[serde(default)]
    origins: Vec<Box<str>>,
    #[serde(default)]
    identity: IdentityKind,
    identity_secret: Option<Box<str>>,
    events_per_second: Option<NonZeroU32>,
    events_burst: Option<u32>,
    events_per_day: Option<u64>,
    event_types: Option<Vec<Box<str>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IdentityKind {
    #[default]
    Proven,
    Open,
}

impl WriteKey {
    /// A key for every origin that believes every user id.
    ///
    /// # Errors
    /// Says what a key has to be.
    pub fn open(key: &str) -> Result<Self, String> {
        check_key(key)?;
        Ok(Self {
            key: key.into(),
            origins: vec!["*".into()],
            identity: Identity::Open,
            limits: KeyLimits::default(),
            event_types: None,
        })
    }

    /// What it is called where it is not to be told whole: its beginning.
    pub fn name(&self) -> String {
        let shown = (self.key.chars().count() / 2).min(SHOWN_KEY_CHARS);
        self.key.chars().take(shown).chain(['…']).collect()
    }

    /// What tells it from others there: 64 bits of the SHA-256 of it, in hex.
    pub fn id(&self) -> String {
        id_of(&self.key)
    }

    /// Whether pages of an origin may use it.
    pub fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| &**allowed == "*" || &**allowed == origin)
    }

    /// Whether events of a type may come under it.
    pub fn takes(&self, event_type: &str) -> bool {
        let names = |allowed: &str| match allowed.strip_suffix('*') {
            Some(start) => event_type.starts_with(start),
            None => allowed == event_type,
        };
        self.event_types.as_ref().is_none_or(|types| types.iter().any(|allowed| names(allowed)))
    }

    /// Whether a proof shows that the site's own backend has named this user.
    pub fn proves(&self, user_id: &str, proof: &str) -> bool {
        match &self.identity {
            Identity::Open => true,
            Identity::Proven { secret } => same_secret(&hex(&mac(secret.as_bytes(), &[user_id])), proof),
        }
    }
}

impl WriteKeys {
    /// These keys; of equal ones the last wins.
    pub fn new(keys: impl IntoIterator<Item = WriteKey>) -> Self {
        Self { keys: RwLock::new(Arc::new(by_name(keys))) }
    }

    /// Puts others in their place; returns those that are keys no more.
    pub fn replace(&self, keys: impl IntoIterator<Item = WriteKey>) -> HashSet<Box<str>> {
        let new = Arc::new(by_name(keys));
        let old =
            std::mem::replace(&mut *self.keys.write().unwrap_or_else(PoisonError::into_inner), new.clone());
        old.keys().filter(|key| !new.contains_key(*key)).cloned().collect()
    }

    /// Whether there is one of this name.
    pub fn has(&self, key: &str) -> bool {
        self.all().contains_key(key)
    }

    fn all(&self) -> KeyMap {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads a key file, `{"keys":[{"key",…}]}`, whose fields are described in `docs/operating.md`.
    ///
    /// # Errors
    /// Names the file and what is wrong where.
    pub fn read_file(path: &Path) -> Result<Vec<WriteKey>, KeyFileError> {
        let told = |what: &dyn fmt::Display| KeyFileError(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
        let file: KeyFile = serde_json::from_str(&text).map_err(|error| told(&error))?;
        let keys = file.keys.into_iter().enumerate();
        keys.map(|(index, entry)| entry.check().map_err(|what| told(&format_args!("keys[{index}].{what}"))))
            .collect()
    }

    /// The key that a request names, if it may be used from the page's origin.
    ///
    /// # Errors
    /// Says which of the two is wrong.
    pub fn authorize(&self, key: Option<&str>, origin: Option<&str>) -> Result<Arc<WriteKey>, AccessError> {
        let named = key.filter(|key| !key.is_empty()).ok_or(AccessError::KeyMissing)?;
        let found = self.all().get(named).cloned().ok_or(AccessError::KeyUnknown)?;
        match origin {
            Some(origin) if !found.allows(origin) => {
                Err(AccessError::OriginRefused(origin.chars().take(200).collect()))
            }
            _ => Ok(found),
        }
    }

    /// All of them, in no order.
    pub fn list(&self) -> Vec<Arc<WriteKey>> {
        self.all().values().cloned().collect()
    }

    /// One of the keys, for the demo's own pages.
    pub fn first(&self) -> Option<Box<str>> {
        self.all().keys().min().cloned()
    }
}

/// What tells a key from others where it is not to be told whole.
pub fn id_of(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes())[..8])
}

fn by_name(keys: impl IntoIterator<Item = WriteKey>) -> HashMap<Box<str>, Arc<WriteKey>> {
    keys.into_iter().map(|key| (key.key.clone(), Arc::new(key))).collect()
}

impl KeyEntry {
    fn check(self) -> Result<WriteKey, String> {
        check_key(&self.key).map_err(|what| format!("key {what}"))?;
        let limits = self.limits()?;
        self.check_types()?;
        if let Some((index, origin)) = self.origins.iter().enumerate().find(|(_, origin)| !is_origin(origin))
        {
            let expected = "\"*\" or an origin as browsers send it, such as https://shop.example: small letters, no path, no *";
            return Err(format!("origins[{index}] '{origin}' must be {expected}"));
        }
        let identity = match (self.identity, self.identity_secret) {
            (IdentityKind::Open, _) => Identity::Open,
            (IdentityKind::Proven, Some(secret)) if secret.chars().count() >= MIN_SECRET_CHARS => {
                Identity::Proven { secret }
            }
            (IdentityKind::Proven, _) => {
                return Err(format!(
                    "identity_secret needs at least {MIN_SECRET_CHARS} characters; or set \"identity\":\"open\""
                ));
            }
        };
        let event_types = self.event_types;
        Ok(WriteKey { key: self.key, origins: self.origins, identity, limits, event_types })
    }

    fn check_types(&self) -> Result<(), String> {
        let Some(types) = &self.event_types else { return Ok(()) };
        if types.is_empty() {
            return Err(
                "event_types names none, so that no event would be taken; leave it away for all".into()
            );
        }
        let is_type = |text: &str| {
            let name = text.strip_suffix('*').unwrap_or(text);
            !text.is_empty() && text.chars().count() <= MAX_ID_CHARS && !name.contains('*')
        };
        match types.iter().enumerate().find(|(_, text)| !is_type(text)) {
            None => Ok(()),
            Some((index, text)) => {
                let expected = format!("1 to {MAX_ID_CHARS} characters, a * at its end only");
                Err(format!(
                    "event_types[{index}] '{text}' must be a type or its beginning and *: {expected}"
                ))
            }
        }
    }

    fn limits(&self) -> Result<KeyLimits, String> {
        let largest = "as many as a batch may hold";
        if let Some(burst) = self.events_burst.filter(|burst| (*burst as usize) < MAX_BATCH_EVENTS) {
            return Err(format!("events_burst {burst} must be {MAX_BATCH_EVENTS} or more, {largest}"));
        }
        if let Some(most) = self.events_per_day.filter(|most| *most < MAX_BATCH_EVENTS as u64) {
            return Err(format!("events_per_day {most} must be {MAX_BATCH_EVENTS} or more, {largest}"));
        }
        if self.events_burst.is_some() && self.events_per_second.is_none() {
            return Err("events_burst needs events_per_second".to_owned());
        }
        let events =
            self.events_per_second.map(|per_second| match self.events_burst.and_then(NonZeroU32::new) {
                Some(burst) => Rate { per_second, burst },
                None => Rate::of_events(per_second),
            });
        Ok(KeyLimits { events, events_per_day: self.events_per_day })
    }
}

fn check_key(key: &str) -> Result<(), String> {
    let fits = !key.is_empty() && key.len() <= MAX_WRITE_KEY_CHARS;
    if fits && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return Ok(());
    }
    Err(format!("must be 1 to {MAX_WRITE_KEY_CHARS} letters, digits, '-', '_' or '.'"))
}

/// Whether an entry of `origins` can be that of a page: anything else would let none in.
fn is_origin(text: &str) -> bool {
    let is_host = |sign: char| {
        !sign.is_whitespace() && !sign.is_uppercase() && !matches!(sign, '/' | '?' | '#' | '@' | '*')
    };
    let is_whole = |(scheme, host): (&str, &str)| {
        !scheme.is_empty() && !host.is_empty() && scheme.chars().chain(host.chars()).all(is_host)
    };
    matches!(text, "*" | "null") || text.split_once("://").is_some_and(is_whole)
}

impl AccessError {
    /// Stable name for answers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyMissing => "write_key_missing",
            Self::KeyUnknown => "write_key_unknown",
            Self::OriginRefused(_) => "origin_not_allowed",
        }
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMissing => f.write_str(
                "give the write key as ?k=<key> or Authorization: Bearer <key>; a batch that is not compressed may have it as its write_key",
            ),
            Self::KeyUnknown => f.write_str("the write key is unknown here"),
            Self::OriginRefused(origin) => write!(f, "the write key may not be used by pages of {origin}"),
        }
    }
}

impl std::error::Error for AccessError {}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyFileError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Result<WriteKey, String> {
        serde_json::from_str::<KeyEntry>(text).unwrap().check()
    }

    #[test]
    fn an_origin_outside_the_list_is_refused() {
        let key = entry(r#"{"key":"k","origins":["https://a.example"],"identity":"open"}"#).unwrap();
        let keys = WriteKeys::new([key]);
        assert!(keys.authorize(Some("k"), Some("https://a.example")).is_ok());
        assert!(keys.authorize(Some("k"), None).is_ok(), "servers send no origin");
        assert_eq!(
            keys.authorize(Some("k"), Some("https://b.example")).unwrap_err().code(),
            "origin_not_allowed"
        );
        assert_eq!(keys.authorize(Some("x"), None), Err(AccessError::KeyUnknown));
        assert_eq!(keys.authorize(Some(""), None), Err(AccessError::KeyMissing));
    }

    #[test]
    fn only_the_sites_own_proof_proves() {
        let key = entry(r#"{"key":"k","identity_secret":"0123456789abcdef"}"#).unwrap();
        assert!(key.proves("user_1", &hex(&mac(b"0123456789abcdef", &["user_1"]))));
        assert!(!key.proves("user_2", &hex(&mac(b"0123456789abcdef", &["user_1"]))));
        assert!(!key.proves("user_1", ""));
    }

    #[test]
    fn a_key_is_never_called_by_all_of_it() {
        for (key, name) in [("k", "…"), ("demo", "de…"), ("shop-web-7f3a91c2", "shop-web…")] {
            assert_eq!(WriteKey::open(key).unwrap().name(), name);
        }
        let ids = ["a", "b"].map(|key| WriteKey::open(key).unwrap().id());
        assert!(ids[0] != ids[1] && ids.iter().all(|id| id.len() == 16));
    }

    #[test]
    fn limits_of_a_key_hold_the_largest_batch() {
        let with =
            |text: &str| entry(&format!(r#"{{"key":"k","identity":"open"{text}}}"#)).map(|key| key.limits);
        assert_eq!(with(""), Ok(KeyLimits::default()));
        let rates = |text: &str| {
            let limits = with(text).unwrap();
            (limits.events.map(|rate| (rate.per_second.get(), rate.burst.get())), limits.events_per_day)
        };
        assert_eq!(rates(r#","events_per_second":100"#), (Some((100, 2_500)), None));
        assert_eq!(rates(r#","events_per_second":1000"#), (Some((1_000, 10_000)), None));
        assert_eq!(
            rates(r#","events_per_second":1,"events_burst":3000,"events_per_day":2500"#),
            (Some((1, 3_000)), Some(2_500))
        );
        for (text, told) in [
            (r#","events_per_second":1,"events_burst":2499"#, "events_burst 2499 must be 2500 or more"),
            (r#","events_burst":3000"#, "events_burst needs events_per_second"),
            (r#","events_per_day":10"#, "events_per_day 10 must be 2500 or more"),
        ] {
            assert!(with(text).unwrap_err().starts_with(told), "{text}");
        }
    }

    #[test]
    fn a_key_takes_the_types_that_it_lists() {
        let with = |types: &str| entry(&format!(r#"{{"key":"k","identity":"open","event_types":{types}}}"#));
        let key = with(r#"["purchase","cart_*"]"#).unwrap();
        let taken = ["purchase", "cart_", "cart_add", "purchases", "Purchase", "attune.identify", ""];
        assert_eq!(taken.map(|name| key.takes(name)), [true, true, true, false, false, false, false]);
        assert!(with("null").unwrap().takes("anything") && with(r#"["*"]"#).unwrap().takes("anything"));
        for (types, told) in [
            ("[]", "event_types names none"),
            (r#"["a",""]"#, "event_types[1] '' must be a type or its beginning and *"),
            (r#"["a*b"]"#, "event_types[0] 'a*b' must be"),
            (r#"["**"]"#, "event_types[0] '**' must be"),
        ] {
            assert!(with(types).unwrap_err().starts_with(told), "{types}");
        }
    }

    #[test]
    fn a_bad_entry_says_what_it_needs() {
        assert!(entry(r#"{"key":"k"}"#).unwrap_err().contains("at least 16 characters"));
        assert!(entry(r#"{"key":"a b","identity":"open"}"#).unwrap_err().contains("1 to 100 letters"));
        let with = |origin: &str| {
            entry(&format!(r#"{{"key":"k","identity":"open","origins":["*","{origin}"]}}"#)).map(|_| ())
        };
        for origin in
            ["https://shop.example", "http://localhost:8080", "http://[::1]:80", "app://local", "null", "*"]
        {
            assert_eq!(with(origin), Ok(()), "{origin}");
        }
        for origin in [
            "shop.example",
            "https://shop.example/",
            "https://*.shop.example",
            "https://Shop.example",
            "://a",
            "https://",
            "",
        ] {
            let told = with(origin).unwrap_err();
            assert!(told.starts_with(&format!("origins[1] '{origin}' must be \"*\" or an origin")), "{told}");
        }
    }
}
