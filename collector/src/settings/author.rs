//! The command line of the tools for those who write rules.

use super::share::share;
use crate::limits::{DEFAULT_PROJECT, DEFAULT_STATEMENT_VALID};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What to do with rule files.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Say what is wrong with rule files, what can never hold or win, and what they cost
    Check(CheckArguments),
    /// Run event scripts over simulated time and compare the decisions with what they expect
    Test(TestArguments),
    /// Compile a folder of JSON rule files into one bundle file
    Compile(CompileArguments),
    /// Make an Ed25519 key pair and print its public form
    Keygen(KeygenArguments),
    /// Sign a bundle, or a folder of rule files, with a key
    Sign(SignArguments),
    /// Say whether a bundle, delta or statement may be taken: its signature, key, project, revision and time
    Verify(VerifyArguments),
    /// Sign a set of keys that may sign bundles, with the key that is trusted
    Keyset(KeysetArguments),
    /// Print the key that pages are to trust, of a collector that signs its own key set
    Trust(TrustArguments),
    /// Sign the statement of which bundle is in effect, and which one a share of all units tries
    Current(CurrentArguments),
    /// Write what leads from one bundle to the next
    Delta(DeltaArguments),
    /// Write the bundle that a delta makes of another
    Apply(ApplyArguments),
    /// Compare two bundles or folders of rule files
    Diff(DiffArguments),
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// What to check.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Folder of JSON rule files
    pub folder: PathBuf,
    /// How results are written to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// What to test.
#[derive(Debug, Args)]
pub struct TestArguments {
    /// Folder of JSON rule files
    pub folder: PathBuf,
    /// A script, or a folder of scripts, in JSON or YAML [default: FOLDER.test.json, .yaml or .yml beside the folder]
    #[arg(long, value_name = "PATH")]
    pub tests: Option<PathBuf>,
    /// How results are written to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// What to compile, and where to.
#[derive(Debug, Args)]
pub struct CompileArguments {
    /// Folder of JSON rule files
    pub folder: PathBuf,
    /// File to write the bundle to
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Write the canonical JSON source, one file with sorted keys and definitions, instead of a bundle
    #[arg(long)]
    pub json: bool,
    /// Compile in spite of errors: what they concern is inactive with its reason, as it is on a collector
    #[arg(long)]
    pub keep_going: bool,
}

/// Where a key pair goes.
#[derive(Debug, Args)]
pub struct KeygenArguments {
    /// File for the secret key, readable by its owner only; the public form goes to FILE.pub
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// What to sign, and as what.
#[derive(Debug, Args)]
pub struct SignArguments {
    /// A bundle file, whose signature is replaced, or a folder of rule files
    pub source: PathBuf,
    /// File of the secret key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// File to write to [default: the bundle file itself]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Its revision [default: one more than the parent's, else the bundle's own, else 1]
    #[arg(long)]
    pub revision: Option<u64>,
    /// Until when it may be taken: RFC 3339, or a duration from now such as 30d [default: without end]
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
    /// The bundle file it follows, whose numbers of texts and leaves it keeps, so that the delta between them is small
    #[arg(long, value_name = "FILE")]
    pub parent: Option<PathBuf>,
    /// The project it is for [default: the bundle's own, else the parent's, else default]
    #[arg(long)]
    pub project: Option<String>,
    /// The environment it is for [default: the bundle's own, else the parent's, else development]
    #[arg(long)]
    pub environment: Option<String>,
}

/// What a link is to show.
#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// The page that the link leads to
    pub url: String,
    /// File of a secret key that signs bundles of the project; it or --data-dir is needed
    #[arg(long, value_name = "FILE", conflicts_with = "data_dir")]
    pub key: Option<PathBuf>,
    /// The data folder of a collector that signs with a key of its own
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// What is published, to check the names of rules and experiments by: a bundle file or a folder of rule files; with
    /// --data-dir what is in effect there
    #[arg(long, value_name = "BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// A rule that fills its slot, whatever it asks for; may be repeated
    #[arg(long, value_name = "RULE")]
    pub rule: Vec<String>,
    /// The variation of an experiment, by its key, such as checkout=short, or by its place from 0, such as checkout=1; the
    /// key needs --bundle or --data-dir; may be repeated
    #[arg(long, value_name = "EXPERIMENT=VARIATION")]
    pub variation: Vec<String>,
    /// Fields of the page's context, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub context: Option<String>,
    /// Until when the link works: RFC 3339, or a duration from now; 30 days at most
    #[arg(long, value_name = "WHEN", default_value = "1h")]
    pub expires: String,
    /// The project of the key set that names the key
    #[arg(long, default_value = DEFAULT_PROJECT)]
    pub project: String,
}

/// What to verify, and against what.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The file: a bundle, a delta or a statement
    pub bundle: PathBuf,
    /// The bundle file that a delta starts from
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// A trusted public key, as keygen prints it; may be repeated
    #[arg(long, value_name = "KEY", required = true)]
    pub trust: Vec<String>,
    /// A set of further keys, signed by a trusted one
    #[arg(long, value_name = "FILE")]
    pub keyset: Option<PathBuf>,
    /// The project it must be for
    #[arg(long)]
    pub project: Option<String>,
    /// The environment it must be for
    #[arg(long)]
    pub environment: Option<String>,
    /// The revision in effect, which it must be above
    #[arg(long, value_name = "REVISION")]
    pub above: Option<u64>,
    /// The instant for which expiry is judged, RFC 3339 [default: now]
    #[arg(long, value_name = "WHEN")]
    pub at: Option<String>,
    /// How results are written to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// Between which bundles.
#[derive(Debug, Args)]
pub struct DeltaArguments {
    /// The bundle file that clients have
    pub from: PathBuf,
    /// The bundle file that they are to have
    pub to: PathBuf,
    /// File to write to
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// What to apply to which bundle.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// The bundle file that the delta starts from
    pub from: PathBuf,
    /// The delta file
    pub delta: PathBuf,
    /// File to write the bundle to
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Which keys make a set.
#[derive(Debug, Args)]
pub struct KeysetArguments {
    /// A public key that may sign bundles, as keygen prints it, with an optional end: KEY or KEY@WHEN; may be repeated
    #[arg(required = true, value_name = "KEY")]
    pub keys: Vec<String>,
    /// File of the trusted secret key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// File to write to
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// The project whose bundles they may sign
    #[arg(long, default_value = DEFAULT_PROJECT)]
    pub project: String,
    /// Number of the set
    #[arg(long, default_value_t = 1)]
    pub revision: u64,
    /// Until when the set may be used: RFC 3339, or a duration from now such as 90d [default: without end]
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<String>,
}

/// Which collector's.
#[derive(Debug, Args)]
pub struct TrustArguments {
    /// Its data folder
    #[arg(value_name = "FOLDER")]
    pub data_dir: PathBuf,
}

/// What the statement says.
#[derive(Debug, Args)]
pub struct CurrentArguments {
    /// The bundle file that is in effect
    pub bundle: PathBuf,
    /// File of the secret key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// File to write to
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// The bundle file that a share of all units gets instead
    #[arg(long, value_name = "FILE", requires = "share")]
    pub candidate: Option<PathBuf>,
    /// How many units get the candidate, from 0 to 100 with at most two decimals
    #[arg(long = "percent", value_name = "PERCENT", value_parser = share, requires = "candidate")]
    pub share: Option<u32>,
    /// Divides the units; a growing share keeps those it had under the same seed [default: the candidate's hash]
    #[arg(long, requires = "candidate")]
    pub seed: Option<String>,
    /// Until when it may be followed: RFC 3339, or a duration from now
    #[arg(long, value_name = "WHEN", default_value = DEFAULT_STATEMENT_VALID)]
    pub valid: String,
}

/// What to compare.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The bundle file or folder before
    pub before: PathBuf,
    /// The bundle file or folder after
    pub after: PathBuf,
    /// How results are written to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

/// What to replay, and against which rules.
#[derive(Debug, Args)]
pub struct SimulateArguments {
    /// A collector's data folder, or a file with one event a line as JSON
    #[arg(long, value_name = "PATH")]
    pub log: PathBuf,
    /// Folder of the draft rules
    #[arg(long, value_name = "FOLDER")]
    pub rules: PathBuf,
    /// The folder or bundle file in effect [default: the newest bundle in the log]
    #[arg(long, value_name = "PATH")]
    pub against: Option<PathBuf>,
    /// Show progress on standard error even where that is no terminal
    #[arg(long)]
    pub progress: bool,
    /// How results are written to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}
