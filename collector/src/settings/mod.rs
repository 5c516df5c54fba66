//! Settings: flags and `ATTUNE_*` variables, each checked once, each wrong one told in one line.

mod arguments;
mod author;
mod file;
mod mode;
mod reloadable;
mod share;

use crate::access::{AddressLimits, CookieDomain, Proxies, WriteKeys};
use crate::enrich::{GeoDatabase, Modes};
use crate::limits::{
    MAX_BUNDLE_VALID_MS, MAX_PLACE_CHARS, MAX_STATEMENT_VALID_MS, MIN_BUNDLE_VALID_MS, MIN_SECRET_CHARS,
    MIN_STATEMENT_VALID_MS,
};
use crate::trigger::Destinations;
use attune_core::time::parse_duration_ms;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use arguments::with_source;
pub use arguments::{
    Command, DumpArguments, ImportArguments, ImportCommand, LogCommand, LogFormat, ServeArguments,
    nearly_variables, parse, serve_command,
};
pub use author::{
    ApplyArguments, BundleCommand, CheckArguments, CompileArguments, CurrentArguments, DeltaArguments,
    DiffArguments, Format, KeygenArguments, KeysetArguments, PreviewArguments, SignArguments,
    SimulateArguments, TestArguments, TrustArguments, VerifyArguments,
};
pub use reloadable::Stamps;

/// Checked settings of `attune serve`.
#[derive(Debug)]
pub struct Settings {
    /// Address of both listeners.
    pub host: IpAddr,
    /// Port of the public listener; 0 lets the system choose.
    pub port: u16,
    /// Port of the privileged listener; 0 lets the system choose.
    pub admin_port: u16,
    /// Where log, state and secrets are kept.
    pub data_dir: PathBuf,
    /// How the log is kept.
    pub log: LogSettings,
    /// Dead letters kept at most, in MiB.
    pub dead_letters_mib: u64,
    /// Write keys.
    pub keys: WriteKeys,
    /// Whom triggers may call.
    pub destinations: Destinations,
    /// The domain for which the visitor's cookie is set.
    pub cookie_domain: Option<CookieDomain>,
    /// Folder of JSON rule files.
    pub rules_dir: Option<PathBuf>,
    /// Folder of the rule files on trial, and for how many units, in hundredths of a percent.
    pub candidate: Option<(PathBuf, u32)>,
    /// How bundles are signed.
    pub signing: SigningSettings,
    /// Connections of the public listener at a time.
    pub max_connections: usize,
    /// Connections of one address at a time; a quarter of all where absent.
    pub max_connections_per_address: Option<usize>,
    /// Proxies in front that are believed about who asks.
    pub proxies: Proxies,
    /// What is done with what requests say of their senders.
    pub enrichment: Modes,
    /// Where addresses are.
    pub geo_database: Option<GeoDatabase>,
    /// What one address may send.
    pub of_address: AddressLimits,
    /// Days for which an event id is known again.
    pub dedup_days: u32,
    /// Memory for the newest of them, in MiB.
    pub dedup_memory_mib: u64,
    /// Memory that all bodies together may take, in MiB.
    pub body_memory_mib: usize,
    /// Whether the demo is served at `/`.
    pub demo: bool,
    /// Where the demo's supervisor listens.
    pub demo_control: Option<String>,
    /// Key of the privileged listener; made and logged where absent.
    pub secret_key: Option<String>,
    /// What all of this was read from.
    pub arguments: ServeArguments,
    /// What the files of it were like before they were read.
    pub stamps: Stamps,
}

/// How the log is kept.
#[derive(Clone, Copy, Debug)]
pub struct LogSettings {
    /// Capacity of a segment, in MiB.
    pub segment_mib: u64,
    /// Days for which it is kept.
    pub keep_days: u32,
    /// Size within which it is kept, in MiB.
    pub keep_mib: Option<u64>,
    /// Free room on its disk below which senders are refused, in MiB.
    pub disk_reserve_mib: u64,
}

/// How bundles are signed, and for what.
#[derive(Debug)]
pub struct SigningSettings {
    /// The project that they are for.
    pub project: String,
    /// The environment that they are for.
    pub environment: String,
    /// File of the key; one of the data folder where absent.
    pub key: Option<PathBuf>,
    /// File of the key set that names the key; the collector's own where absent.
    pub keyset: Option<PathBuf>,
    /// For how long, in milliseconds; absent for without end.
    pub bundle_valid_ms: Option<i64>,
    /// For how long the statement of the bundle in effect is signed, in milliseconds.
    pub statement_valid_ms: i64,
}

/// A setting that cannot be used; the text names it and what it has to be.
#[derive(Debug, PartialEq, Eq)]
pub struct SettingsError(pub String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl SettingsError {
    fn placed(self, places: &file::Places) -> Self {
        Self(with_source(self.0, &[], places))
    }
}

impl Settings {
    /// Checks the arguments and reads the files that they name.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn check(arguments: ServeArguments) -> Result<Self, SettingsError> {
        let places = arguments.places.clone();
        Self::check_each(arguments).map_err(|error| error.placed(&places))
    }

    fn check_each(arguments: ServeArguments) -> Result<Self, SettingsError> {
        let told = |setting: &str, what: String| SettingsError(format!("{setting}: {what}"));
        let stamps = arguments.stamps();
        let keys = arguments.read_keys()?;
        let destinations = arguments.read_destinations();
        let (enrichment, geo_database) = (arguments.enrichment(), arguments.read_geo_database());
        let of_address = arguments.of_address();
        let cookie_domain = arguments.visitor_cookie_domain.as_deref().map(|text| {
            CookieDomain::parse(text)
                .map_err(|what| told("--visitor-cookie-domain", format!("'{text}' {what}")))
        });
        if let Some(folder) = arguments.rules.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(told("--rules", format!("{} is not a folder", folder.display())));
        }
        if let Some(folder) = arguments.candidate_rules.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(told("--candidate-rules", format!("{} is not a folder", folder.display())));
        }
        let networks = arguments.trusted_proxies.iter().map(|text| &**text);
        let proxies = Proxies::parse(networks, arguments.proxy_header.into()).map_err(|text| {
            let what = format!("'{text}' must be an address or a network such as 10.0.0.0/8");
            told("--trusted-proxies", what)
        })?;
        let signing = SigningSettings::check(&arguments)?;
        if let Some(url) = arguments.demo_control.as_ref().filter(|url| !is_loopback_url(url)) {
            return Err(told("--demo-control", format!("'{url}' must be http://127.0.0.1:<port>")));
        }
        if arguments.secret_key.as_ref().is_some_and(|key| key.chars().count() < MIN_SECRET_CHARS) {
            return Err(told("--secret-key", format!("needs at least {MIN_SECRET_CHARS} characters")));
        }
        let admin_port = match (arguments.admin_port, arguments.port) {
            (Some(port), _) => port,
            (None, 0) => 0,
            (None, port) => port.checked_add(1).ok_or_else(|| {
                told("--admin-port", format!("no port follows --port {port}; give one from 0 to 65535"))
            })?,
        };
        if admin_port == arguments.port && admin_port != 0 {
            return Err(told("--admin-port", format!("{admin_port} is the public port already")));
        }
        Ok(Self {
            arguments: arguments.clone(),
            stamps,
            host: arguments.host,
            port: arguments.port,
            admin_port,
            data_dir: arguments.data_dir,
            keys: WriteKeys::new(keys),
            destinations: destinations?,
            cookie_domain: cookie_domain.transpose()?,
            rules_dir: arguments.rules,
            candidate: arguments.candidate_rules.zip(arguments.candidate_share),
            signing,
            log: LogSettings {
                segment_mib: arguments.log_segment_mib,
                keep_days: arguments.log_keep_days,
                keep_mib: arguments.log_keep_mib,
                disk_reserve_mib: arguments.disk_reserve_mib,
            },
            dedup_days: arguments.dedup_days,
            dedup_memory_mib: arguments.dedup_memory_mib,
            dead_letters_mib: arguments.dead_letters_mib,
            max_connections: arguments.max_connections,
            max_connections_per_address: arguments.max_connections_per_address,
            proxies,
            of_address,
            enrichment,
            geo_database: geo_database?,
            body_memory_mib: arguments.body_memory_mib,
            demo: arguments.demo,
            demo_control: arguments.demo_control,
            secret_key: arguments.secret_key,
        })
    }
}

impl SigningSettings {
    fn check(arguments: &ServeArguments) -> Result<Self, SettingsError> {
        let bundle_valid = arguments
            .bundle_expires
            .as_deref()
            .map(|text| duration_ms("--bundle-expires", text, MIN_BUNDLE_VALID_MS..=MAX_BUNDLE_VALID_MS));
        let statement_range = MIN_STATEMENT_VALID_MS..=MAX_STATEMENT_VALID_MS;
        if let (Some(file), None) = (&arguments.keyset, &arguments.signing_key) {
            let file = file.display();
            return Err(SettingsError(format!(
                "--keyset: {file} needs --signing-key, the key that it names"
            )));
        }
        Ok(Self {
            project: place("--project", &arguments.project)?,
            environment: place("--environment", &arguments.environment)?,
            key: arguments.signing_key.clone(),
            keyset: arguments.keyset.clone(),
            bundle_valid_ms: bundle_valid.transpose()?,
            statement_valid_ms: duration_ms(
                "--statement-expires",
                &arguments.statement_expires,
                statement_range,
            )?,
        })
    }
}

/// The name of a project or environment.
fn place(setting: &str, text: &str) -> Result<String, SettingsError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.is_empty() && text.len() <= MAX_PLACE_CHARS && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    let what = format!("must be 1 to {MAX_PLACE_CHARS} letters, digits, '-', '_' or '.'");
    Err(SettingsError(format!("{setting}: '{text}' {what}")))
}

fn duration_ms(setting: &str, text: &str, range: RangeInclusive<i64>) -> Result<i64, SettingsError> {
    parse_duration_ms(text).filter(|ms| range.contains(ms)).ok_or_else(|| {
        let minutes = |ms: &i64| ms / 60_000;
        let (least, most) = (minutes(range.start()), minutes(range.end()) / (24 * 60));
        SettingsError(format!("{setting}: '{text}' must be a duration such as 12h, from {least}m to {most}d"))
    })
}

fn is_loopback_url(url: &str) -> bool {
    let port = ["http://127.0.0.1:", "http://localhost:"].iter().find_map(|prefix| url.strip_prefix(prefix));
    port.is_some_and(|port| port.trim_end_matches('/').parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(words: &[&str]) -> Result<Settings, String> {
        let words = ["attune", "serve"].iter().chain(words).map(|word| (*word).to_owned());
        match parse(words) {
            Ok(Command::Serve(arguments)) => Settings::check(*arguments).map_err(|error| error.to_string()),
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn defaults_need_no_flag() {
        let settings = settings(&[]).unwrap();
        assert_eq!((settings.port, settings.admin_port), (7070, 7071));
        let signing = &settings.signing;
        assert_eq!((&*signing.project, &*signing.environment), ("default", "development"));
        assert_eq!((signing.bundle_valid_ms, signing.statement_valid_ms), (None, 3_600_000));
        assert!(settings.keys.authorize(Some("demo"), Some("https://any.example")).is_ok());
    }

    #[test]
    fn the_privileged_port_follows_the_public_one() {
        assert_eq!(settings(&["--port", "7100"]).unwrap().admin_port, 7101);
        assert_eq!(settings(&["--port", "0"]).unwrap().admin_port, 0);
    }

    #[test]
    fn every_wrong_setting_is_one_line_with_its_name_and_limit() {
        for (words, expected) in [
            (&["--port", "70000"][..], "'70000' for '--port <PORT>': expected a port from 0 to 65535"),
            (&["--admin-port", "x"], "'--admin-port <PORT>': expected a port from 0 to 65535"),
            (&["--port", "65535"], "--admin-port: no port follows"),
            (&["--port", "7100", "--admin-port", "7100"], "--admin-port: 7100 is the public port already"),
            (&["--write-key", "a b"], "--write-key: 'a b' must be 1 to 100 letters"),
            (&["--write-keys", "/nonexistent/keys.json"], "--write-keys: /nonexistent/keys.json"),
            (
                &["--visitor-cookie-domain", "https://example.com"],
                "--visitor-cookie-domain: 'https://example.com' must be a domain such as example.com",
            ),
            (&["--visitor-cookie-domain", "10.0.0.1"], "no scheme, port, path or IP address"),
            (&["--visitor-cookie-domain", ""], "--visitor-cookie-domain: '' must be a domain"),
            (&["--max-connections", "15"], "expected a number from 16 to 1000000"),
            (
                &["--max-connections-per-address", "many"],
                "'--max-connections-per-address <COUNT>': expected a number",
            ),
            (&["--dead-letters-mib", "0"], "'--dead-letters-mib <MIB>': expected a number from 1 to 1024"),
            (&["--destinations", "/nonexistent/d.json"], "--destinations: /nonexistent/d.json: No such file"),
            (
                &["--trusted-proxies", "10.0.0.0/8,proxy.example"],
                "--trusted-proxies: 'proxy.example' must be an address or a network such as 10.0.0.0/8",
            ),
            (&["--bots", "block"], "'block' for '--bots <MODE>': expected one of mark, log, drop"),
            (&["--gpc", "on"], "'on' for '--gpc <MODE>': expected one of honour, ignore"),
            (&["--ip", "all"], "'all' for '--ip <MODE>': expected one of truncated, none, whole"),
            (
                &["--geo-database", "/nonexistent/geo.mmdb"],
                "--geo-database: /nonexistent/geo.mmdb: No such file",
            ),
            (&["--trusted-proxies", "10.0.0.0/8", "--proxy-header", "via"], "x-forwarded-for, forwarded"),
            (&["--proxy-header", "forwarded"], "--trusted-proxies"),
            (&["--requests-per-address", "0"], "'--requests-per-address <COUNT>': expected a number from 1"),
            (&["--events-per-address", "x"], "'--events-per-address <COUNT>': expected a number from 1"),
            (&["--body-memory-mib", "7"], "'--body-memory-mib <MIB>': expected a number from 8 to 65536"),
            (&["--rules", "/nonexistent"], "--rules: /nonexistent is not a folder"),
            (&["--demo-control", "https://x.example"], "--demo-control"),
            (&["--secret-key", "short"], "--secret-key: needs at least 16 characters"),
            (&["--project", ""], "--project: '' must be 1 to 100 letters"),
            (&["--environment", "a b"], "--environment: 'a b' must be 1 to 100 letters"),
            (
                &["--bundle-expires", "9m"],
                "--bundle-expires: '9m' must be a duration such as 12h, from 10m to 3650d",
            ),
            (&["--bundle-expires", "soon"], "--bundle-expires: 'soon' must be a duration"),
            (
                &["--statement-expires", "31d"],
                "--statement-expires: '31d' must be a duration such as 12h, from 1m to 30d",
            ),
            (&["--keyset", "keys"], "--keyset: keys needs --signing-key"),
            (
                &["--rules", "/", "--candidate-rules", "/nonexistent", "--candidate-percent", "5"],
                "--candidate-rules: /nonexistent",
            ),
            (&["--candidate-rules", "/", "--candidate-percent", "5"], "--rules <FOLDER>"),
            (&["--candidate-rules", "/"], "--candidate-percent"),
            (&["--candidate-percent", "5"], "--candidate-rules"),
            (&["--candidate-rules", "/", "--candidate-percent", "101"], "a percentage from 0 to 100"),
            (
                &["--host", "localhost"],
                "'--host <ADDRESS>': expected an IP address without a port, such as 127.0.0.1",
            ),
            (&["--prot", "1"], "unexpected argument '--prot' found; a similar argument exists: '--port'"),
            (
                &["--verbose", "a"],
                "unexpected argument '--verbose' found; attune serve --help lists what there is",
            ),
        ] {
            let error = settings(words).unwrap_err();
            assert!(error.contains(expected), "{words:?}: {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}
