//! A collector that is ended at any moment, again and again, while clients send, and what becomes of what they were promised.

use crate::collector::{BINARY, WRITE_KEY};
use crate::failure::Failure;
use crate::oracle::{Client, FINISH, Found, GO_ON, GivenUp, Random};
use crate::process;
use serde_json::{Value, json};
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const SECRET_KEY: &str = "secret-of-one-run";
/// Of ten ends, so many come while it starts.
const EARLY_OF_TEN: u64 = 3;
/// Time from a start to such an end at most, in microseconds, until a start has taken longer.
const EARLY_US: u64 = 60_000;
/// Time from when it is ready to any other end at most, in microseconds.
const LATE_US: u64 = 400_000;
/// Time that a start may take.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Starts between two comparisons of what is counted.
const COMPARE_EVERY: u64 = 10;

/// How often it is ended, and who sends.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Times it is ended.
    pub ends: u64,
    /// Clients at a time.
    pub clients: u64,
    /// Where the random times begin.
    pub seed: u64,
    /// Whether clients take a batch for acknowledged that they have only sent.
    pub is_control: bool,
}

/// What has been found.
#[derive(Debug)]
pub struct Outcome {
    /// Whether nothing is wrong.
    pub is_sound: bool,
    /// What the log holds against what the clients know.
    pub found: Found,
    /// Fields of the line that is printed.
    pub line: Value,
}

/// Ends a collector again and again, and compares.
///
/// # Errors
/// It does not start, or cannot be ended or read.
pub fn outlive(
    rig: &Rig,
    options: &Options,
    end_one: &mut dyn FnMut(&mut Mortal) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let clients: Vec<_> = (0..options.clients).map(|_| Client::default()).collect();
    let (port, end) = (AtomicU16::new(0), AtomicU8::new(GO_ON));
    let mut random = Random(options.seed);
    let mut done = Done::default();
    thread::scope(|scope| -> Result<(), Failure> {
        // Whatever happens, nobody waits for clients that cannot go on.
        let _given_up = GivenUp(&end);
        let senders: Vec<_> = clients
            .iter()
            .zip(0..)
            .map(|(client, number)| {
                let (port, end) = (&port, &end);
                scope.spawn(move || client.send_on(number, port, end, options.is_control))
            })
            .collect();
        for number in 0..options.ends {
            let is_early = random.below(10) < EARLY_OF_TEN;
            let compares = number % COMPARE_EVERY == 0;
            let mut collector = rig.start(!compares)?;
            if compares {
                done.compare(&mut collector, &port, &clients)?;
            }
            let until = if is_early {
                let limit = EARLY_US.max(done.slowest_start.as_micros() as u64);
                collector.started + Duration::from_micros(random.below(limit))
            } else {
                collector.wait_until_ready(READY_LIMIT)?;
                collector.ready_at + Duration::from_micros(random.below(LATE_US))
            };
            done.wait(&mut collector, &port, until);
            end_one(&mut collector)?;
        }
        let mut collector = rig.start(false)?;
        collector.wait_until_ready(READY_LIMIT)?;
        port.store(collector.port, Ordering::Relaxed);
        end.store(FINISH, Ordering::Relaxed);
        for sender in senders {
            sender.join().map_err(|_| Failure::new("a client ended early"))?;
        }
        collector.terminate()
    })?;
    let mut collector = rig.start(false)?;
    collector.wait_until_ready(READY_LIMIT)?;
    let counted = collector.counted()?;
    collector.terminate()?;
    let acknowledged: u64 = clients.iter().map(|client| client.acknowledged.load(Ordering::SeqCst)).sum();
    let found = match rig.keep_mib {
        None => rig.found(&clients)?,
        // Every client has had an answer to everything by now.
        Some(_) => Found {
            events: counted,
            lost: acknowledged.saturating_sub(counted),
            twice: 0,
            invented: counted.saturating_sub(acknowledged),
        },
    };
    let is_sound = found.lost == 0
        && found.twice == 0
        && found.invented == 0
        && counted == found.events
        && done.wrong == 0;
    let line = json!({
        "ends": options.ends,
        "ends_before_ready": done.before_ready,
        "clients": options.clients,
        "acknowledged": acknowledged,
        "lost": found.lost,
        "twice": found.twice,
        "invented": found.invented,
        "counted": counted,
        "comparisons": done.comparisons,
        "wrong_comparisons": done.wrong,
        "keep_mib": rig.keep_mib,
        "segments": rig.segments()?,
        "slowest_start_ms": done.slowest_start.as_millis() as u64,
    });
    Ok(Outcome { is_sound, found, line })
}

/// What was seen on the way.
#[derive(Default)]
struct Done {
    before_ready: u64,
    comparisons: u64,
    wrong: u64,
    slowest_start: Duration,
}

impl Done {
    /// Waits until it is to be killed; clients may send once it is ready.
    fn wait(&mut self, collector: &mut Mortal, port: &AtomicU16, until: Instant) {
        if !collector.is_ready
            && collector.wait_until_ready(until.saturating_duration_since(Instant::now())).is_err()
        {
            self.before_ready += 1;
        }
        if collector.is_ready {
            self.slowest_start = self.slowest_start.max(collector.ready_after());
            port.store(collector.port, Ordering::Relaxed);
        }
        sleep(until.saturating_duration_since(Instant::now()));
        port.store(0, Ordering::Relaxed);
    }

    /// Looks whether what is counted lies between what was acknowledged before and what has been sent after.
    fn compare(
        &mut self,
        collector: &mut Mortal,
        port: &AtomicU16,
        clients: &[Client],
    ) -> Result<(), Failure> {
        collector.wait_until_ready(READY_LIMIT)?;
        let least: u64 = clients.iter().map(|client| client.acknowledged.load(Ordering::SeqCst)).sum();
        port.store(collector.port, Ordering::Relaxed);
        let counted = collector.counted()?;
        let most: u64 = clients.iter().map(|client| client.sent.load(Ordering::SeqCst)).sum();
        self.comparisons += 1;
        if !(least..=most).contains(&counted) {
            self.wrong += 1;
            eprintln!("{counted} are counted, where {least} were acknowledged and {most} have been sent");
        }
        Ok(())
    }
}

/// A data folder whose collector is ended and started again.
#[derive(Debug)]
pub struct Rig {
    binary: PathBuf,
    folder: tempfile::TempDir,
    /// Where the collector keeps what it has.
    pub data: PathBuf,
    /// Size that its log is kept within, in MiB; where there is one, what was acknowledged is held against what is counted.
    pub keep_mib: Option<u64>,
    /// What its environment has beside that of this process, where nobody asks it for anything.
    pub environment: Vec<(String, String)>,
}

impl Rig {
    /// One with an empty data folder.
    ///
    /// # Errors
    /// The binary is not named, or there is no temporary folder.
    pub fn new() -> Result<Self, Failure> {
        let binary = env::var_os(BINARY).map(PathBuf::from).ok_or_else(|| {
            Failure::new(format!(
                "{BINARY} is not set; start this through cargo xtask, which builds the collector"
            ))
        })?;
        let folder = tempfile::tempdir().map_err(|error| Failure::of("temporary folder", error))?;
        let rules = json!({"signals": [{"name": "clicks", "on": "click", "aggregate": "count", "window": "lifetime"}]});
        fs::create_dir(folder.path().join("rules"))
            .and_then(|()| fs::write(folder.path().join("rules/clicks.json"), rules.to_string()))
            .map_err(|error| Failure::of("rule file", error))?;
        let data = folder.path().join("data");
        Ok(Self { binary, folder, data, keep_mib: None, environment: Vec::new() })
    }

    /// The folder of the whole rig.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn segments(&self) -> Result<usize, Failure> {
        let entries = fs::read_dir(self.data.join("log")).map_err(|error| Failure::of("log", error))?;
        Ok(entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "log")).count())
    }

    /// Reads the whole log and compares every id. What a cut has torn may be told as damaged; that does not end the reading.
    fn found(&self, clients: &[Client]) -> Result<Found, Failure> {
        let mut dump = Command::new(&self.binary)
            .args(["log", "dump", "--data-dir"])
            .arg(&self.data)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::of("log dump", error))?;
        let lines =
            dump.stdout.take().map(BufReader::new).ok_or_else(|| Failure::new("log dump: no output"))?;
        let found = Found::of(lines, clients)?;
        dump.wait().map_err(|error| Failure::of("log dump", error))?;
        Ok(found)
    }

    fn start(&self, is_alone: bool) -> Result<Mortal, Failure> {
        let folder = self.folder.path();
        let said_in = folder.join("log");
        let log = File::options().create(true).append(true).open(&said_in);
        let log = log.map_err(|error| Failure::of("log file", error))?;
        let started = Instant::now();
        let mut child = Command::new(&self.binary)
            .args(["serve", "--write-key", WRITE_KEY, "--secret-key", SECRET_KEY, "--port", "0"])
            .args([
                "--admin-port",
                "0",
                "--log-segment-mib",
                "1",
                "--log",
                "warn,attune_collector::server=info",
            ])
            .arg("--data-dir")
            .arg(&self.data)
            .arg("--rules")
            .arg(folder.join("rules"))
            .args(self.keep_mib.map(|mib| format!("--log-keep-mib={mib}")))
            .envs(self.environment.iter().filter(|_| is_alone).cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| Failure::of(&self.binary.display().to_string(), error))?;
        let (tell, ready) = mpsc::channel();
        let said = child.stdout.take();
        thread::spawn(move || {
            let mut line = String::new();
            if let Some(said) = said
                && BufReader::new(said).read_line(&mut line).is_ok()
                && let Some(port) = line.trim().trim_end_matches('/').rsplit(':').next()
                && let Ok(port) = port.parse()
            {
                let _ = tell.send((port, Instant::now()));
            }
        });
        Ok(Mortal {
            child,
            started,
            ready,
            is_ready: false,
            ready_at: started,
            port: 0,
            admin_port: 0,
            said_in,
        })
    }
}

/// A collector that may be killed at any time.
#[derive(Debug)]
pub struct Mortal {
    /// Its process.
    pub child: Child,
    started: Instant,
    ready: mpsc::Receiver<(u16, Instant)>,
    is_ready: bool,
    ready_at: Instant,
    port: u16,
    admin_port: u16,
    /// What it has said.
    said_in: PathBuf,
}

impl Mortal {
    fn wait_until_ready(&mut self, limit: Duration) -> Result<(), Failure> {
        if self.is_ready {
            return Ok(());
        }
        let ready = self.ready.recv_timeout(limit);
        let said = fs::read_to_string(&self.said_in).map_err(|error| Failure::of("log file", error))?;
        let (port, at) = ready.map_err(|_| {
            let last = said.lines().last().unwrap_or_default();
            Failure::new(format!("the collector was not ready within {limit:?}; it said last: {last}"))
        })?;
        // It says where it listens before it says that it is ready.
        let admin = said.rsplit_once("admin_address=").and_then(|(_, rest)| rest.split_whitespace().next());
        let admin_port =
            admin.and_then(|address| address.rsplit(':').next()).and_then(|port| port.parse().ok());
        self.admin_port =
            admin_port.ok_or_else(|| Failure::new("the collector did not say where it listens"))?;
        (self.port, self.ready_at, self.is_ready) = (port, at, true);
        Ok(())
    }

    fn ready_after(&self) -> Duration {
        self.ready_at - self.started
    }

    /// How many events are counted, once everything in the log has been taken in.
    fn counted(&self) -> Result<u64, Failure> {
        let url = format!("http://127.0.0.1:{}/admin/summary?settled=1", self.admin_port);
        let mut response = ureq::get(&url)
            .header("Authorization", &format!("Bearer {SECRET_KEY}"))
            .call()
            .map_err(|error| Failure::of(&url, error))?;
        let text = response.body_mut().read_to_string().map_err(|error| Failure::of(&url, error))?;
        let summary: Value = serde_json::from_str(&text).map_err(|error| Failure::of(&url, error))?;
        Ok(summary["signals"]["clicks"].as_u64().unwrap_or_default())
    }

    /// Ends it as a crash does.
    ///
    /// # Errors
    /// It is not there any more.
    pub fn kill(&mut self) -> Result<(), Failure> {
        process::kill(&mut self.child)
    }

    fn terminate(&mut self) -> Result<(), Failure> {
        process::terminate(&mut self.child)
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
