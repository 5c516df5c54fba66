//! Settings from flags, variables and a file: which of them counts, what is said of a wrong one, and that the guide has all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use attune_collector::settings::{Command, Settings, parse, serve_command};
use clap::Arg;
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// A file of settings in a folder of its own.
struct File {
    folder: TempDir,
}

impl File {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("attune.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> String {
        self.folder.path().join("attune.toml").display().to_string()
    }

    /// What it amounts to beside these flags, or what is said of it with the path left away.
    fn with(&self, flags: &[&str]) -> Result<Settings, String> {
        let path = self.path();
        let words = ["attune", "serve", "--config", &path].into_iter().chain(flags.iter().copied());
        let words = words.map(str::to_owned);
        let checked = match parse(words) {
            Ok(Command::Serve(arguments)) => Settings::check(*arguments),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        };
        checked.map_err(|error| error.to_string().replace(&path, "attune.toml"))
    }
}

#[test]
fn a_file_says_what_flags_can_say_under_the_same_names() {
    let file = File::of(
        "# a comment\nport = 7_100\nproject = \"shop\"\nwrite-key = [\"a\", \"b\"]\ndemo = true\nbody-memory-mib = 0x10\n\
         rules = \"/\"\ncandidate-rules = \"/\"\ncandidate-percent = 0.5\n",
    );
    let settings = file.with(&[]).unwrap();
    assert_eq!((settings.port, settings.admin_port, settings.body_memory_mib), (7_100, 7_101, 16));
    assert_eq!((&*settings.signing.project, settings.demo), ("shop", true));
    assert_eq!(settings.candidate.map(|(_, share)| share), Some(50));
    for key in ["a", "b"] {
        assert!(settings.keys.authorize(Some(key), None).is_ok(), "{key}");
    }
    // What it does not say has its default.
    assert_eq!(&*settings.signing.environment, "development");
}

#[test]
fn a_flag_comes_before_the_file() {
    let file = File::of("port = 7100\nproject = \"shop\"\nwrite-key = [\"a\"]\nrules = \"/nowhere\"\n");
    let settings =
        file.with(&["--port=7200", "--project", "other", "--write-key", "b", "--rules-dir", "/"]).unwrap();
    assert_eq!((settings.port, &*settings.signing.project), (7_200, "other"));
    assert!(settings.keys.authorize(Some("a"), None).is_err());
    assert!(settings.keys.authorize(Some("b"), None).is_ok());
}

/// What the real binary says of settings that end its start, under these variables.
fn told(flags: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attune"));
    command.arg("serve").args(flags).envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_variable_comes_before_the_file_and_behind_a_flag() {
    let file = File::of("port = 70001\n");
    let path = file.path();
    let config = ["--config", &*path];
    assert!(
        told(&config, &[]).contains(&format!(
            "'70001' for '--port <PORT>': expected a port from 0 to 65535 (from {path}:1)"
        ))
    );
    let variable = ("ATTUNE_PORT", "70002");
    assert!(
        told(&config, &[variable])
            .contains("'70002' for '--port <PORT>': expected a port from 0 to 65535 (from ATTUNE_PORT)")
    );
    let flagged = told(&["--config", &path, "--port", "70003"], &[variable]);
    assert!(flagged.ends_with("'70003' for '--port <PORT>': expected a port from 0 to 65535\n"), "{flagged}");
    assert!(told(&[], &[("ATTUNE_CONFIG", &path)]).contains("'70001' for"));
}

#[test]
fn what_is_wrong_in_a_file_is_one_line_with_file_line_and_key() {
    for (text, expected) in [
        (
            "port = 7100\n\nprot = 1\n",
            "--config: attune.toml:3: unknown setting 'prot'; did you mean 'port'?",
        ),
        ("data_dir = \"x\"", "--config: attune.toml:1: unknown setting 'data_dir'; did you mean 'data-dir'?"),
        ("[log]\nfilter = \"info\"", "--config: attune.toml:1: log must be a string, not a table"),
        ("config = \"x\"", "--config: attune.toml:1: unknown setting 'config'"),
        ("colour = 1", "attune.toml:1: unknown setting 'colour'; attune serve --help lists what there is"),
        ("port = \"7100\"", "--config: attune.toml:1: port must be a number, not a string"),
        ("project = 3", "--config: attune.toml:1: project must be a string, not a number"),
        ("demo = \"yes\"", "--config: attune.toml:1: demo must be true or false, not a string"),
        (
            "write-key = \"a\"",
            "--config: attune.toml:1: write-key must be a list of strings such as [\"a\", \"b\"], not a string",
        ),
        (
            "write-key = [\"a\", 1]",
            "--config: attune.toml:1: write-key must be a list of strings such as [\"a\", \"b\"]; an entry is a number",
        ),
        ("write-key = [\"a,b\"]", "'a,b' has a comma"),
        ("port = 1\nport = 2\n", "--config: attune.toml:2: duplicate key"),
        ("port = ", "--config: attune.toml:1: "),
        (
            "\nport = 70000",
            "'70000' for '--port <PORT>': expected a port from 0 to 65535 (from attune.toml:2)",
        ),
        ("port = 1.5", "'1.5' for '--port <PORT>': expected a port from 0 to 65535 (from attune.toml:1)"),
        (
            "write-key = [\"a b\"]",
            "--write-key: 'a b' must be 1 to 100 letters, digits, '-', '_' or '.' (from attune.toml:1)",
        ),
        ("rules = \"/nowhere\"", "--rules: /nowhere is not a folder (from attune.toml:1)"),
        ("candidate-rules = \"/\"", "--candidate-percent"),
    ] {
        let error = File::of(text).with(&[]).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let large = File::of(&"#".repeat(1024 * 1024 + 1)).with(&[]).unwrap_err();
    assert!(large.contains("at most 1048576 are read"), "{large}");
    let missing = told(&["--config", "/nowhere/attune.toml"], &[]);
    assert!(missing.contains("--config: /nowhere/attune.toml: No such file"), "{missing}");
}

/// The rows of the guide's table of settings: by flag, its variable and what stands as its default.
fn guide() -> BTreeMap<String, (String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split("\n## Settings\n").nth(1).unwrap().split("\n### ").next().unwrap();
    let quoted = |cell: &str, start: &str| -> Vec<String> {
        cell.split('`').filter(|part| part.starts_with(start)).map(str::to_owned).collect()
    };
    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `--")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (flags, variables) = (quoted(cells[1], "--"), quoted(cells[2], "ATTUNE_"));
        assert_eq!(flags.len(), variables.len(), "{line}");
        for (flag, variable) in flags.into_iter().zip(variables) {
            rows.insert(flag, (variable, cells[3].replace([',', '`'], "")));
        }
    }
    rows
}

#[test]
fn the_guide_has_every_setting_with_its_variable_and_default() {
    let serve = serve_command();
    let mut rows = guide();
    for argument in serve.get_arguments() {
        let flag = format!("--{}", argument.get_long().unwrap());
        let (variable, default) = rows.remove(&flag).unwrap_or_else(|| panic!("the guide has no {flag}"));
        assert_eq!(argument.get_env().and_then(|name| name.to_str()), Some(&*variable), "{flag}");
        let expected = argument.get_default_values().iter().map(|value| value.to_string_lossy());
        for value in expected.filter(|value| value != "false") {
            assert!(default.split_whitespace().any(|word| *word == *value), "{flag}: {value} in '{default}'");
        }
        assert!(argument.get_help().is_some(), "{flag}");
    }
    assert!(rows.is_empty(), "the guide has what there is not: {rows:?}");
}

#[test]
fn every_setting_can_stand_in_a_file() {
    let kinds = ["1", "\"x\"", "true", "[\"x\"]"];
    for name in serve_command().get_arguments().filter_map(Arg::get_long).filter(|name| *name != "config") {
        // Of the four kinds of values one is never refused for its kind.
        let errors =
            kinds.map(|value| File::of(&format!("{name} = {value}")).with(&[]).err().unwrap_or_default());
        let is_refused = |error: &&String| error.contains("attune.toml:1: ");
        assert_eq!(errors.iter().filter(is_refused).count(), 3, "{name}: {errors:?}");
    }
}
