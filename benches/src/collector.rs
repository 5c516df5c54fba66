//! A collector of one's own: started on free ports with a fresh data directory, ended and removed when dropped.

use crate::failure::Failure;
use crate::process::{self, cpu_time};
use crate::search::Target;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::env;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use ureq::Body;
use ureq::http::Response;

/// Name of the setting with the collector's binary.
pub const BINARY: &str = "ATTUNE_BINARY";
/// The write key that the collector is started with.
pub const WRITE_KEY: &str = "bench";

const SECRET_KEY: &str = "bench-secret-of-one-run";
const READY_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Time in which the worker catches up with what it was sent.
const SETTLE_LIMIT: Duration = Duration::from_secs(600);
const TICK: Duration = Duration::from_millis(10);

/// A running collector.
pub struct Collector {
    child: Child,
    binary: PathBuf,
    /// Of `attune serve`, beside those that every one has.
    arguments: Vec<String>,
    folder: TempDir,
    port: u16,
    admin_port: u16,
}

impl Collector {
    /// Starts one with a single rule file.
    ///
    /// # Errors
    /// The binary is missing, or does not become ready; its log is part of the line.
    pub fn start(rules: &Value) -> Result<Self, Failure> {
        Self::start_with(rules, &[])
    }

    /// The same with further arguments of `attune serve`.
    ///
    /// # Errors
    /// As [`Collector::start`].
    pub fn start_with(rules: &Value, arguments: &[&str]) -> Result<Self, Failure> {
        let binary = env::var_os(BINARY).map(PathBuf::from).ok_or_else(|| {
            Failure::new(format!(
                "{BINARY} is not set; start this through cargo xtask, which builds the collector"
            ))
        })?;
        let folder = tempfile::tempdir().map_err(|error| Failure::of("temporary folder", error))?;
        let rules_folder = folder.path().join("rules");
        fs::create_dir_all(&rules_folder)
            .and_then(|()| fs::write(rules_folder.join("bench.json"), rules.to_string()))
            .map_err(|error| Failure::of("rule file", error))?;
        let (port, admin_port) = free_ports()?;
        let arguments: Vec<String> = arguments.iter().map(|&word| word.into()).collect();
        let child = launch(&binary, folder.path(), port, admin_port, &arguments)?;
        let mut collector = Self { child, binary, arguments, folder, port, admin_port };
        collector.wait_until_ready()?;
        Ok(collector)
    }

    /// Starts it again once it has ended, and says how long it took until it was ready.
    ///
    /// # Errors
    /// As [`Collector::start`].
    pub fn start_again(&mut self) -> Result<Duration, Failure> {
        let began = Instant::now();
        self.child = launch(&self.binary, self.folder.path(), self.port, self.admin_port, &self.arguments)?;
        self.wait_until_ready()?;
        Ok(began.elapsed())
    }

    /// Ends it as an operator does, and waits until it has.
    ///
    /// # Errors
    /// It does not end, or not well.
    pub fn terminate(&mut self) -> Result<(), Failure> {
        process::terminate(&mut self.child)
    }

    /// Ends it as a crash does.
    ///
    /// # Errors
    /// It is not there any more.
    pub fn kill(&mut self) -> Result<(), Failure> {
        process::kill(&mut self.child)
    }

    /// Where it keeps what it has.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Base address of the public listener.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Port of the public listener.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where batches go.
    pub fn events_url(&self) -> String {
        format!("{}/v1/events?k={WRITE_KEY}", self.address())
    }

    /// Its process id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the privileged listener.
    ///
    /// # Errors
    /// No answer, or another status than 200.
    pub fn ask(&self, path: &str) -> Result<String, Failure> {
        let body = self.get(path)?.body_mut().with_config().limit(1 << 30).read_to_string();
        body.map_err(|error| Failure::of(path, error))
    }

    fn get(&self, path: &str) -> Result<Response<Body>, Failure> {
        let url = format!("http://127.0.0.1:{}{path}", self.admin_port);
        let asked = ureq::get(&url).header("Authorization", &format!("Bearer {SECRET_KEY}")).call();
        asked.map_err(|error| Failure::of(&url, error))
    }

    /// All rows of a list, whose parts the answers name.
    ///
    /// # Errors
    /// As [`Collector::ask`].
    pub fn ask_list(&self, path: &str) -> Result<String, Failure> {
        let (mut rows, mut next) = (String::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let mut response = self.get(&path)?;
            let link = response.headers().get("link").and_then(|link| link.to_str().ok());
            next = link.and_then(|link| Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned()));
            let body = response.body_mut().with_config().limit(1 << 30).read_to_string();
            rows.push_str(&body.map_err(|error| Failure::of(&path, error))?);
        }
        Ok(rows)
    }

    /// The summary once the worker has caught up with the log.
    ///
    /// # Errors
    /// As [`Collector::ask`], or an answer that is no JSON.
    pub fn settled_summary(&self) -> Result<Value, Failure> {
        let text = self.ask("/admin/summary?settled=1")?;
        serde_json::from_str(&text).map_err(|error| Failure::of("summary", error))
    }

    /// The value of a series without labels of `/metrics`.
    ///
    /// # Errors
    /// No answer, or no such series.
    pub fn metric<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        let url = format!("{}/metrics", self.address());
        let answer = ureq::get(&url).call().and_then(|mut answer| answer.body_mut().read_to_string());
        let text = answer.map_err(|error| Failure::of(&url, error))?;
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        text.lines().find_map(value).ok_or_else(|| Failure::new(format!("the metrics have no {name}")))
    }

    fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let url = format!("{}/health/ready", self.address());
        let deadline = Instant::now() + READY_LIMIT;
        while ureq::get(&url).call().is_err() {
            let ended = self.child.try_wait().is_ok_and(|status| status.is_some());
            if ended || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(Failure::new(format!("the collector did not become ready; its log:\n{log}")));
            }
            sleep(TICK);
        }
        Ok(())
    }
}

impl Target for Collector {
    fn port(&self) -> u16 {
        self.port
    }

    fn cpu_time(&self) -> Result<Duration, Failure> {
        cpu_time(self.process_id())
    }

    fn settle(&self) -> Result<Option<u64>, Failure> {
        // Of all that waits for the worker it is what costs least: nobody has this id.
        let url = format!("http://127.0.0.1:{}/admin/profiles/member:nobody?settled=1", self.admin_port);
        let deadline = Instant::now() + SETTLE_LIMIT;
        loop {
            let asked = ureq::get(&url).header("Authorization", &format!("Bearer {SECRET_KEY}"));
            match asked.config().http_status_as_error(false).build().call() {
                Ok(answer) if answer.status() == 404 => {
                    return self.metric("attune_events_accepted_total").map(Some);
                }
                // The worker has not come that far within what a question may take.
                Ok(answer) if answer.status() == 503 && Instant::now() < deadline => {}
                Ok(answer) => return Err(Failure::of(&url, answer.status())),
                Err(error) => return Err(Failure::of(&url, error)),
            }
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + STOP_LIMIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(TICK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(
    binary: &Path,
    folder: &Path,
    port: u16,
    admin_port: u16,
    arguments: &[String],
) -> Result<Child, Failure> {
    let log = File::options().create(true).append(true).open(folder.join("log"));
    let log = log.map_err(|error| Failure::of("log file", error))?;
    let errors = log.try_clone().map_err(|error| Failure::of("log file", error))?;
    Command::new(binary)
        .args(["serve", "--write-key", WRITE_KEY, "--secret-key", SECRET_KEY])
        .args(["--port", &port.to_string(), "--admin-port", &admin_port.to_string()])
        .arg("--data-dir")
        .arg(folder.join("data"))
        .arg("--rules")
        .arg(folder.join("rules"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| Failure::of(&binary.display().to_string(), error))
}

/// The repository's root, for the scripts beside the benches.
pub fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Two ports that were free a moment ago.
pub(crate) fn free_ports() -> Result<(u16, u16), Failure> {
    // Both are held at once, so that they differ.
    let bind = || {
        TcpListener::bind("127.0.0.1:0").and_then(|listener| Ok((listener.local_addr()?.port(), listener)))
    };
    let (first, second) = bind()
        .and_then(|first| Ok((first, bind()?)))
        .map_err(|error| Failure::of("no free port on 127.0.0.1", error))?;
    Ok((first.0, second.0))
}
