//! A collector of the test's own, in this process or as the real binary, and a plain HTTP client for it.

#![allow(dead_code, unused_imports, reason = "every test file takes what it needs")]

mod client;
mod mail;
mod promtool;
mod receiver;

use attune_collector::Server;
use attune_collector::settings::{Command, Settings, parse};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub use client::{Answer, Message, Place, Stream};
pub use mail::MailServer;
pub use promtool::promtool;
pub use receiver::{Received, Receiver, Reply};

pub const SECRET: &str = "secret-of-the-tests";
pub const LANE: &str = "01930000-0000-7000-8000-000000000001";
/// How long anything may take.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A collector in this process.
pub struct Collector {
    runtime: Runtime,
    server: Option<Server>,
    pub place: Place,
    pub data: PathBuf,
    pub rules: PathBuf,
    arguments: Vec<String>,
    folder: Option<TempDir>,
}

impl Collector {
    /// Starts one on free ports with an empty data folder and these rule files.
    pub fn start(rules: &[(&str, &str)]) -> Self {
        Self::start_with(rules, &[])
    }

    /// The same with further arguments of `attune serve`.
    pub fn start_with(rules: &[(&str, &str)], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules_folder = folder.path().join("rules");
        std::fs::create_dir(&rules_folder).unwrap();
        for (name, text) in rules {
            std::fs::write(rules_folder.join(name), text).unwrap();
        }
        let data = folder.path().join("data");
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        let mut collector = Self::start_in(&data, &rules_folder, arguments);
        collector.folder = Some(folder);
        collector
    }

    fn start_in(data: &Path, rules: &Path, arguments: Vec<String>) -> Self {
        let words = serve_arguments(data, rules).into_iter().chain(arguments.iter().cloned());
        let Ok(Command::Serve(served)) = parse(["attune".to_owned()].into_iter().chain(words)) else {
            panic!("the arguments of the tests are wrong");
        };
        let settings = Settings::check(*served).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(settings)).unwrap();
        let place = Place { public: server.address().to_string(), admin: server.admin_address().to_string() };
        Self {
            runtime,
            server: Some(server),
            place,
            data: data.into(),
            rules: rules.into(),
            arguments,
            folder: None,
        }
    }

    /// Stops in order and starts again on the same data.
    pub fn restart(mut self) -> Self {
        let arguments = std::mem::take(&mut self.arguments);
        self.restart_with(arguments)
    }

    /// The same with other arguments.
    pub fn restart_with(mut self, arguments: Vec<String>) -> Self {
        let folder = self.folder.take();
        self.stop();
        let mut next = Self::start_in(&self.data, &self.rules, arguments);
        next.folder = folder;
        next
    }

    /// Stops in order.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve_arguments(data: &Path, rules: &Path) -> Vec<String> {
    let (data, rules) = (data.display().to_string(), rules.display().to_string());
    let words = ["serve", "--port", "0", "--admin-port", "0", "--secret-key", SECRET, "--data-dir", &data];
    words.iter().map(|word| (*word).to_owned()).chain(["--rules".to_owned(), rules]).collect()
}

/// The real binary as a process of its own.
pub struct Process {
    pub child: Child,
    pub place: Place,
}

impl Process {
    pub fn start(data: &Path, rules: &Path) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attune"));
        command.args(Self::arguments(data, rules));
        Self::start_by(command)
    }

    /// What the binary is called with.
    pub fn arguments(data: &Path, rules: &Path) -> Vec<String> {
        let form = ["--log-format", "json"].map(str::to_owned);
        serve_arguments(data, rules).into_iter().chain(form).collect()
    }

    /// Starts it by a command that ends in being it.
    pub fn start_by(mut command: std::process::Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let public = ready.trim().strip_prefix("ready http://").and_then(|rest| rest.strip_suffix('/'));
        let public = public.unwrap_or_else(|| panic!("no ready line but {ready:?}")).to_owned();
        let mut logged = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("admin_address") {
            line.clear();
            assert!(logged.read_line(&mut line).unwrap() > 0, "the collector ended");
        }
        let fields: Value = serde_json::from_str(&line).unwrap();
        let admin = fields["admin_address"].as_str().unwrap().to_owned();
        // Whatever else it says is read, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut logged, &mut std::io::sink()));
        Self { child, place: Place { public, admin } }
    }

    pub fn terminate(&mut self) -> std::process::ExitStatus {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }

    /// Ends it as a crash does: nothing of its own runs any more.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A batch of one member on one lane.
pub fn batch(member: &str, events: &[Value]) -> Value {
    json!({"v": 1, "anonymous_id": member, "lane": LANE, "sent_at": now(0), "events": events})
}

/// An event without a number.
pub fn event(id: &str, event_type: &str, metadata: Value) -> Value {
    json!({"event_id": id, "event_type": event_type, "timestamp": now(0), "metadata": metadata})
}

/// An event with a number.
pub fn numbered(id: &str, seq: u64) -> Value {
    json!({"event_id": id, "event_type": "click", "timestamp": now(0), "seq": seq})
}

/// The wall clock, moved, as RFC 3339.
pub fn now(ms: i64) -> String {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    attune_core::time::Timestamp(wall + ms).to_string()
}

/// An id that no other call gives.
pub fn fresh_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("id-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Asks until the answer is yes.
pub fn eventually(what: &str, mut ask: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !ask() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
