//! What a log is worth that is damaged, or of the form before this one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use rig::{Place, Process, batch, eventually, numbered};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Output;

const RULES: &str = r#"{"signals":[{"name":"clicks","on":"click","aggregate":"count","window":"lifetime"}]}"#;

/// A data folder and a rule folder.
struct Folders {
    _root: tempfile::TempDir,
    data: PathBuf,
    rules: PathBuf,
}

impl Folders {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let (data, rules) = (root.path().join("data"), root.path().join("rules"));
        fs::create_dir_all(data.join("log")).unwrap();
        fs::create_dir(&rules).unwrap();
        fs::write(rules.join("clicks.json"), RULES).unwrap();
        Self { _root: root, data, rules }
    }

    fn start(&self) -> Process {
        Process::start(&self.data, &self.rules)
    }

    fn log(&self, what: &str) -> Output {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attune"));
        command.args(["log", what, "--data-dir"]).arg(&self.data).output().unwrap()
    }

    fn first_segment(&self) -> PathBuf {
        self.data.join("log").join(format!("{:020}.log", 0))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn clicks(place: &Place) -> u64 {
    place.summary()["signals"]["clicks"].as_u64().unwrap()
}

fn damaged_bytes(place: &Place) -> u64 {
    let metrics = text(&place.send("GET", "/metrics", &[], b"").body);
    let line = metrics.lines().find(|line| line.starts_with("attune_log_damaged_bytes_total ")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn holds(folder: &Path, wanted: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        // A journal of what is blanked comes and goes.
        let bytes = fs::read(entry.unwrap().path()).unwrap_or_default();
        memchr::memmem::find(&bytes, wanted.as_bytes()).is_some()
    })
}

#[test]
fn damage_costs_what_it_hits_and_is_told_and_what_is_sent_again_counts() {
    let folders = Folders::new();
    let mut process = folders.start();
    let send = |place: &Place, id: &str, seq| {
        let mut event = numbered(id, seq);
        event["event_type"] = json!("click");
        event["metadata"] = json!({"mark": format!("mark-of-{id}")});
        place.receipt(&batch("ada", &[event]))
    };
    for (id, seq) in [("one", 1), ("two", 2), ("three", 3)] {
        send(&process.place, id, seq);
    }
    assert_eq!(clicks(&process.place), 3);
    assert!(process.terminate().success());
    let sound = folders.log("verify");
    assert!(sound.status.success(), "{sound:?}");
    let printed = text(&sound.stdout);
    assert!(
        printed.contains("second form") && printed.contains("damaged places 0, damaged bytes 0"),
        "{printed}"
    );

    let bytes = fs::read(folders.first_segment()).unwrap();
    let at = memchr::memmem::find(&bytes, b"mark-of-two").unwrap() as u64;
    OpenOptions::new().write(true).open(folders.first_segment()).unwrap().write_all_at(b"M", at).unwrap();
    // The state is made anew from the log.
    fs::remove_dir_all(folders.data.join("state")).unwrap();

    let verified = folders.log("verify");
    let printed = text(&verified.stdout);
    assert_eq!(verified.status.code(), Some(1));
    assert!(
        printed.contains(": damaged from position ") && printed.contains("damaged places 1, "),
        "{printed}"
    );
    let dumped = folders.log("dump");
    assert_eq!((dumped.status.code(), text(&dumped.stdout).lines().count()), (Some(1), 2));
    assert!(text(&dumped.stderr).contains("damaged places: 1, the first from position "), "{dumped:?}");

    let process = folders.start();
    assert_eq!(clicks(&process.place), 2);
    assert!(damaged_bytes(&process.place) > 0);
    let again = send(&process.place, "two", 2);
    assert_eq!((&again["accepted"], clicks(&process.place)), (&json!(1), 3));
    let again = send(&process.place, "three", 3);
    assert_eq!((&again["duplicates"], clicks(&process.place)), (&json!(1), 3));
}

#[test]
fn a_log_of_the_first_form_is_read_is_gone_on_with_and_can_be_erased_from() {
    let folders = Folders::new();
    // Written by version 0.1.0: four events, three of them of a member with a mark.
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/log-first-form.bin");
    fs::copy(sample, folders.first_segment()).unwrap();
    let mut process = folders.start();
    assert_eq!(process.place.summary()["events"], 4);
    let mut event = numbered("new", 1);
    event["event_type"] = json!("click");
    let receipt = process.place.receipt(&batch("ada", &[event]));
    assert_eq!(process.place.summary()["events"], 5);
    assert!(process.terminate().success());

    let printed = text(&folders.log("verify").stdout);
    assert!(printed.contains("first form") && printed.contains("second form"), "{printed}");
    assert!(printed.contains("damaged places 0, damaged bytes 0"), "{printed}");
    assert_eq!(text(&folders.log("dump").stdout).lines().count(), 5);

    let process = folders.start();
    assert!(holds(&folders.data.join("log"), "ada only"));
    let body = json!({"anonymous_id": "ada", "member_token": receipt["member_token"]}).to_string();
    let answer =
        process.place.send("POST", "/v1/forget?k=demo", &[("Content-Type", "text/plain")], body.as_bytes());
    assert_eq!(answer.status, 202);
    eventually("nothing is left in the log", || !holds(&folders.data.join("log"), "ada only"));
    let printed = text(&folders.log("verify").stdout);
    assert!(printed.contains("damaged places 0, damaged bytes 0"), "{printed}");
    // The other member's event is still there.
    assert_eq!(text(&folders.log("dump").stdout).lines().count(), 1);
}
