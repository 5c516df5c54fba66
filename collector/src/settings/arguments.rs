//! The command line and the environment, as they are written.

use super::SettingsError;
use super::author::{BundleCommand, PreviewArguments, SimulateArguments};
use super::file::{self, FromFile, Places};
use super::mode;
use super::share::share;
use crate::access::ProxyHeader;
use crate::enrich::{AddressMode, BotMode, GpcMode};
use crate::limits::{
    BODY_MEMORY_MIB, DEAD_LETTERS_MIB, DEDUP_DAYS, DEDUP_MEMORY_MIB, DEFAULT_ENVIRONMENT, DEFAULT_PROJECT,
    DEFAULT_STATEMENT_VALID, DISK_RESERVE_MIB, LOG_KEEP_DAYS, MAX_BODY_MEMORY_MIB, MAX_CONNECTIONS,
    MAX_DEAD_LETTERS_MIB, MAX_DEDUP_DAYS, MAX_DEDUP_MEMORY_MIB, MAX_DISK_RESERVE_MIB, MAX_LOG_KEEP_DAYS,
    MAX_LOG_KEEP_MIB, MAX_SEGMENT_MIB, MIN_BODY_MEMORY_MIB, MIN_CONNECTIONS, MOST_CONNECTIONS, SEGMENT_MIB,
};
use attune_core::bundle::author::nearest;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

/// Attune's collector: takes events in, keeps profiles, fires triggers, pushes to open pages.
#[derive(Debug, Parser)]
#[command(name = "attune", version, disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the collector until SIGTERM or SIGINT
    Serve(Box<ServeArguments>),
    /// Check, test, compile, sign and compare rule files
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Take definitions of other products over
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print a signed link that shows in one tab what rules would do
    Preview(PreviewArguments),
    /// Replay recorded events against draft rules and report what would have changed
    Simulate(SimulateArguments),
    /// Look into the log of a data folder, whether or not a collector runs on it
    #[command(subcommand)]
    Log(LogCommand),
}

/// What to do with a log.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Print every event, oldest first, as one line of JSON
    Dump(DumpArguments),
    /// Check every frame, and print where the log is damaged
    Verify(DumpArguments),
}

/// Which log to look into.
#[derive(Debug, Args)]
pub struct DumpArguments {
    /// Folder that the collector writes to
    #[arg(long, value_name = "FOLDER", env = "ATTUNE_DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,
}

/// What to take over.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Turn a GrowthBook payload into a rule file
    Growthbook(ImportArguments),
}

/// What to take over, and where to.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// JSON file with features and, where conditions name them, savedGroups
    pub payload: PathBuf,
    /// Rule file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// How the collector is to run.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ServeArguments {
    /// TOML file of these settings, each named as its flag; flags and variables come before it
    #[arg(long, env = "ATTUNE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where that file says what it says.
    #[arg(skip)]
    pub places: Places,
    /// The command line, to read all of it again.
    #[arg(skip)]
    pub words: Vec<OsString>,
    /// Address of both listeners
    #[arg(long, env = "ATTUNE_HOST", value_name = "ADDRESS", value_parser = host, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,
    /// Port of the public listener; 0 lets the system choose
    #[arg(long, env = "ATTUNE_PORT", value_parser = port, default_value_t = 7070)]
    pub port: u16,
    /// Port of the privileged listener [default: the public port plus one]
    #[arg(long, env = "ATTUNE_ADMIN_PORT", value_name = "PORT", value_parser = port)]
    pub admin_port: Option<u16>,
    /// Folder for log, state and secrets; made where missing
    #[arg(long, env = "ATTUNE_DATA_DIR", value_name = "FOLDER", default_value = "./data")]
    pub data_dir: PathBuf,
    /// A write key for every origin that believes user ids without proof; may be repeated [default: demo]
    #[arg(long = "write-key", env = "ATTUNE_WRITE_KEY", value_name = "KEY", value_delimiter = ',')]
    pub write_keys: Vec<String>,
    /// Write keys as JSON: {"keys":[{"key","origins":["*"],"identity":"proven"|"open","identity_secret"}]}
    #[arg(long = "write-keys", env = "ATTUNE_WRITE_KEYS", value_name = "FILE")]
    pub write_keys_file: Option<PathBuf>,
    /// Whom triggers may call as JSON: {"webhooks":[{"name","url","secret"}],"mail":{"server","from"},"emails":[…]}
    #[arg(long, env = "ATTUNE_DESTINATIONS", value_name = "FILE")]
    pub destinations: Option<PathBuf>,
    /// Domain for which pages of it, and of hosts below it, may have the visitor's cookie set [default: none]
    #[arg(long, env = "ATTUNE_VISITOR_COOKIE_DOMAIN", value_name = "DOMAIN")]
    pub visitor_cookie_domain: Option<String>,
    /// Folder of JSON rule files, watched
    #[arg(long, alias = "rules-dir", env = "ATTUNE_RULES", value_name = "FOLDER")]
    pub rules: Option<PathBuf>,
    /// Project that bundles are published for
    #[arg(long, env = "ATTUNE_PROJECT", default_value = DEFAULT_PROJECT)]
    pub project: String,
    /// Environment that bundles are published for
    #[arg(long, env = "ATTUNE_ENVIRONMENT", default_value = DEFAULT_ENVIRONMENT)]
    pub environment: String,
    /// File of the key that signs bundles, as bundle keygen writes it [default: one made for the data folder]
    #[arg(long, env = "ATTUNE_SIGNING_KEY", value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
    /// Key set that pages are to verify by, as bundle keyset writes it; it names the signing key [default: one made and
    /// signed for the data folder]
    #[arg(long, env = "ATTUNE_KEYSET", value_name = "FILE")]
    pub keyset: Option<PathBuf>,
    /// Time for which a bundle is signed, such as 30d; it is signed anew when half is over [default: without end]
    #[arg(long, env = "ATTUNE_BUNDLE_EXPIRES", value_name = "DURATION")]
    pub bundle_expires: Option<String>,
    /// Time for which the statement of the bundle in effect is signed; it is signed anew when half is over
    #[arg(long, env = "ATTUNE_STATEMENT_EXPIRES", value_name = "DURATION", default_value = DEFAULT_STATEMENT_VALID)]
    pub statement_expires: String,
    /// Folder of JSON rule files that a share of all visitors gets instead of --rules, watched
    #[arg(
        long,
        env = "ATTUNE_CANDIDATE_RULES",
        value_name = "FOLDER",
        requires = "candidate_share",
        requires = "rules"
    )]
    pub candidate_rules: Option<PathBuf>,
    /// How many percent of all visitors get the candidate, from 0 to 100 with at most two decimals
    #[arg(
        long = "candidate-percent",
        env = "ATTUNE_CANDIDATE_PERCENT",
        value_name = "PERCENT",
        value_parser = share,
        requires = "candidate_rules"
    )]
    pub candidate_share: Option<u32>,
    /// Connections of the public listener at a time; the limit of open files may leave room for fewer
    #[arg(long, env = "ATTUNE_MAX_CONNECTIONS", value_name = "COUNT", value_parser = connections, default_value_t = MAX_CONNECTIONS)]
    pub max_connections: usize,
    /// Connections of one address at a time, of IPv6 of one network of 64 bits [default: a quarter of all]
    #[arg(long, env = "ATTUNE_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", value_parser = connections)]
    pub max_connections_per_address: Option<usize>,
    /// Addresses or networks of proxies in front that are believed about who asks; may be repeated
    #[arg(long, env = "ATTUNE_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    /// The header in which they say so; others are not looked at
    #[arg(
        long,
        env = "ATTUNE_PROXY_HEADER",
        value_name = "HEADER",
        default_value = "x-forwarded-for",
        requires = "trusted_proxies"
    )]
    pub proxy_header: ProxyHeaderName,
    /// What becomes of events whose sender names itself a program: mark, log (they change no profile) or drop
    #[arg(long, env = "ATTUNE_BOTS", value_name = "MODE", value_parser = mode::bots, default_value = "mark")]
    pub bots: BotMode,
    /// Whether Global Privacy Control keeps a visitor's data from third parties: honour or ignore
    #[arg(long, env = "ATTUNE_GPC", value_name = "MODE", value_parser = mode::gpc, default_value = "honour")]
    pub gpc: GpcMode,
    /// What is kept of visitors' addresses: truncated (24 bits of IPv4, 48 of IPv6), none or whole
    #[arg(long, env = "ATTUNE_IP", value_name = "MODE", value_parser = mode::address, default_value = "truncated")]
    pub ip: AddressMode,
    /// Database of places in MaxMind's format, of cities or countries, watched
    #[arg(long, env = "ATTUNE_GEO_DATABASE", value_name = "FILE")]
    pub geo_database: Option<PathBuf>,
    /// Requests a second of one address, of IPv6 of one network of 64 bits; ten times as many at once [default: without end]
    #[arg(long, env = "ATTUNE_REQUESTS_PER_ADDRESS", value_name = "COUNT", value_parser = rate)]
    pub requests_per_address: Option<NonZeroU32>,
    /// Events a second of one address; ten times as many at once, and at least 2,500 [default: without end]
    #[arg(long, env = "ATTUNE_EVENTS_PER_ADDRESS", value_name = "COUNT", value_parser = rate)]
    pub events_per_address: Option<NonZeroU32>,
    /// Memory that all bodies together may take while they arrive, are read and wait for the log, in MiB
    #[arg(long, env = "ATTUNE_BODY_MEMORY_MIB", value_name = "MIB", value_parser = body_memory_mib, default_value_t = BODY_MEMORY_MIB)]
    pub body_memory_mib: usize,
    /// Size of the log's files, in MiB
    #[arg(long, env = "ATTUNE_LOG_SEGMENT_MIB", value_name = "MIB", value_parser = segment_mib, default_value_t = SEGMENT_MIB)]
    pub log_segment_mib: u64,
    /// Days for which the log is kept
    #[arg(long, env = "ATTUNE_LOG_KEEP_DAYS", value_name = "DAYS", value_parser = keep_days, default_value_t = LOG_KEEP_DAYS)]
    pub log_keep_days: u32,
    /// Size that the log is kept within, in MiB, even if it then holds fewer days [default: as large as it gets]
    #[arg(long, env = "ATTUNE_LOG_KEEP_MIB", value_name = "MIB", value_parser = keep_mib)]
    pub log_keep_mib: Option<u64>,
    /// Free room on the disk of the data folder below which events are refused with 503, in MiB
    #[arg(long, env = "ATTUNE_DISK_RESERVE_MIB", value_name = "MIB", value_parser = reserve_mib, default_value_t = DISK_RESERVE_MIB)]
    pub disk_reserve_mib: u64,
    /// Days for which an event that comes again is known
    #[arg(long, env = "ATTUNE_DEDUP_DAYS", value_name = "DAYS", value_parser = dedup_days, default_value_t = DEDUP_DAYS)]
    pub dedup_days: u32,
    /// Memory for the newest event ids, in MiB; older ones are found on the disk
    #[arg(long, env = "ATTUNE_DEDUP_MEMORY_MIB", value_name = "MIB", value_parser = dedup_memory_mib, default_value_t = DEDUP_MEMORY_MIB)]
    pub dedup_memory_mib: u64,
    /// Refused events that are kept to be looked at and tried again, in MiB; beyond it the oldest go
    #[arg(long, env = "ATTUNE_DEAD_LETTERS_MIB", value_name = "MIB", value_parser = dead_letters_mib, default_value_t = DEAD_LETTERS_MIB)]
    pub dead_letters_mib: u64,
    /// Serve the embedded demo shop at /
    #[arg(long, env = "ATTUNE_DEMO")]
    pub demo: bool,
    /// Where the demo's supervisor listens, for its outage button
    #[arg(long, env = "ATTUNE_DEMO_CONTROL", value_name = "URL")]
    pub demo_control: Option<String>,
    /// Key of the privileged listener [default: a random one, kept in the data folder]
    #[arg(long, env = "ATTUNE_SECRET_KEY", value_name = "KEY", hide_env_values = true)]
    pub secret_key: Option<String>,
    /// Form of the log lines on standard error
    #[arg(long, env = "ATTUNE_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Which log lines are written: error, warn, info, debug, trace, or a filter such as attune_collector::worker=debug
    #[arg(long, env = "ATTUNE_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// The header in which proxies say who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyHeaderName {
    /// Addresses, the last proxy's last.
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

impl From<ProxyHeaderName> for ProxyHeader {
    fn from(name: ProxyHeaderName) -> Self {
        match name {
            ProxyHeaderName::XForwardedFor => Self::XForwardedFor,
            ProxyHeaderName::Forwarded => Self::Forwarded,
        }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Reads the command line, its program name first. Help and version are printed and end the process.
///
/// # Errors
/// One line that names what is wrong.
pub fn parse(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Command, SettingsError> {
    let mut words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let mut from_file = FromFile::default();
    let as_written = words.clone();
    if words.get(1).is_some_and(|word| word == "serve") {
        from_file = file::read(&words, &serve_command(), |name| std::env::var_os(name))?;
        words.append(&mut from_file.words);
    }
    match CommandLine::try_parse_from(&words) {
        Ok(CommandLine { command: Command::Serve(mut arguments) }) => {
            arguments.places = from_file.places;
            arguments.words = as_written;
            Ok(Command::Serve(arguments))
        }
        Ok(line) => Ok(line.command),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
            _ => {
                let message = with_source(one_line(&error.to_string()), &words, &from_file.places);
                Err(SettingsError(message))
            }
        },
    }
}

/// The flags of `attune serve`, with all that is known of them: the one table of settings.
pub fn serve_command() -> clap::Command {
    let command = CommandLine::command();
    command.find_subcommand("serve").cloned().unwrap_or(command)
}

/// The message with the environment variable or the place of a file that the value came from, where the flag that it names
/// was not written.
pub fn with_source(message: String, words: &[OsString], places: &Places) -> String {
    let Some(flag) = message.split([' ', '\'']).find(|word| word.starts_with("--") && word.len() > 2) else {
        return message;
    };
    if let Some(place) = places.get(flag.trim_end_matches(':')) {
        return format!("{message} (from {place})");
    }
    let written = words.iter().any(|word| word.to_string_lossy().split('=').next() == Some(flag));
    let variable = format!("ATTUNE_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
    if written || std::env::var_os(&variable).is_none() {
        return message;
    }
    format!("{message} (from {variable})")
}

/// Clap's paragraphs as one line. Where the usage follows and nothing is suggested, the line says where the flags are listed.
fn one_line(text: &str) -> String {
    let (body, usage) = text.split_once("\n\nUsage:").unwrap_or((text, ""));
    let body = body.split("\n\nFor more information").next().unwrap_or(body);
    let body = body.trim_start_matches("error: ");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts: Vec<String> =
        body.split("\n\n").map(|part| words(part.trim().trim_start_matches("tip: "))).collect();
    let line = parts.join("; ");
    let is_unknown = line.starts_with("unexpected argument") || line.starts_with("unrecognized subcommand");
    if !is_unknown || parts.len() > 1 {
        return line;
    }
    let is_name = |word: &&str| !word.starts_with(['[', '<', '-']);
    let command: Vec<&str> = usage.split_whitespace().take_while(is_name).collect();
    format!("{line}; {} --help lists what there is", command.join(" "))
}

/// The address of a network interface.
fn host(text: &str) -> Result<IpAddr, String> {
    let expected = "expected an IP address without a port, such as 127.0.0.1, or 0.0.0.0 for every interface";
    text.parse().map_err(|_| expected.to_owned())
}

fn connections(text: &str) -> Result<usize, String> {
    number_within(text, MIN_CONNECTIONS..=MOST_CONNECTIONS)
}

fn segment_mib(text: &str) -> Result<u64, String> {
    number_within(text, 1..=MAX_SEGMENT_MIB)
}

fn keep_days(text: &str) -> Result<u32, String> {
    number_within(text, 1..=MAX_LOG_KEEP_DAYS)
}

fn dedup_days(text: &str) -> Result<u32, String> {
    number_within(text, 1..=MAX_DEDUP_DAYS)
}

fn dedup_memory_mib(text: &str) -> Result<u64, String> {
    number_within(text, 1..=MAX_DEDUP_MEMORY_MIB)
}

fn keep_mib(text: &str) -> Result<u64, String> {
    number_within(text, 1..=MAX_LOG_KEEP_MIB)
}

fn reserve_mib(text: &str) -> Result<u64, String> {
    number_within(text, 0..=MAX_DISK_RESERVE_MIB)
}

fn number_within<T: FromStr + PartialOrd + Display>(
    text: &str,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    let expected = format!("expected a number from {} to {}", range.start(), range.end());
    text.parse().ok().filter(|number| range.contains(number)).ok_or(expected)
}

fn dead_letters_mib(text: &str) -> Result<u64, String> {
    number_within(text, 1..=MAX_DEAD_LETTERS_MIB)
}

fn rate(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("expected a number from 1 to {}", u32::MAX))
}

fn body_memory_mib(text: &str) -> Result<usize, String> {
    let range = MIN_BODY_MEMORY_MIB..=MAX_BODY_MEMORY_MIB;
    let expected = format!("expected a number from {MIN_BODY_MEMORY_MIB} to {MAX_BODY_MEMORY_MIB}");
    text.parse().ok().filter(|mib| range.contains(mib)).ok_or(expected)
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected a port from 0 to 65535".to_owned())
}

/// Variables of the environment that are nearly settings, each with the one that is probably meant. Others that begin as
/// ours do are anybody's: hosts of containers set such for services of that name.
pub fn nearly_variables(names: impl Iterator<Item = String>) -> Vec<(String, String)> {
    let serve = serve_command();
    let known: Vec<&str> =
        serve.get_arguments().filter_map(|argument| argument.get_env()?.to_str()).collect();
    let own = names.filter(|name| name.starts_with("ATTUNE_") && !known.contains(&name.as_str()));
    own.filter_map(|name| {
        let meant = nearest(&name, known.iter().copied())?.to_owned();
        Some((name, meant))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_nearly_a_setting_is_told_from_others() {
        let names =
            ["ATTUNE_PROT", "ATTUNE_PORT", "ATTUNE_DATADIR", "ATTUNE_PORT_7070_TCP", "ATTUNE_BINARY", "PORT"];
        let found = nearly_variables(names.into_iter().map(str::to_owned));
        let found: Vec<(&str, &str)> = found.iter().map(|(name, meant)| (&**name, &**meant)).collect();
        assert_eq!(found, [("ATTUNE_PROT", "ATTUNE_PORT"), ("ATTUNE_DATADIR", "ATTUNE_DATA_DIR")]);
    }
}
