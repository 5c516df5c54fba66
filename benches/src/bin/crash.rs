//! `crash [--kills 1000] [--clients 4] [--seed 1] [--control 0]`: ends the collector as a crash does, again and again, while
//! clients send, and compares what they know with what it has. One JSON line; fails where anything is lost, twice or invented.
//!
//! Kills come at random times after a start: while it reads its log, before it listens, in rotation (segments have 1 MiB), under
//! load. Clients do as the SDK does: a batch is sent again, the same, until a receipt has taken it.
//! With `--control 1` they take a batch for acknowledged that they have only sent; then something has to be found lost.

use attune_benches::collector::{BINARY, WRITE_KEY};
use attune_benches::failure::Failure;
use attune_benches::oracle::{Client, FINISH, Found, GO_ON, GivenUp, Random};
use serde_json::{Value, json};
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const SECRET_KEY: &str = "crash-secret-of-one-run";
/// Time from a start to a kill at most, in microseconds: of three in ten, within which the collector has hardly begun, and of the
/// others.
const EARLY_US: u64 = 60_000;
const LATE_US: u64 = 400_000;
/// Time that a start may take.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Starts between two comparisons of what is counted.
const COMPARE_EVERY: u64 = 10;

struct Options {
    kills: u64,
    clients: u64,
    seed: u64,
    control: u64,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("crash: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Failure> {
    let options = options()?;
    let rig = Rig::new()?;
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
                let (port, end, is_control) = (&port, &end, options.control != 0);
                scope.spawn(move || client.send_on(number, port, end, is_control))
            })
            .collect();
        for kill in 0..options.kills {
            let limit = if random.below(10) < 3 { EARLY_US } else { LATE_US };
            let mut collector = rig.start()?;
            let until = collector.started + Duration::from_micros(random.below(limit));
            if kill % COMPARE_EVERY == 0 {
                done.compare(&mut collector, &port, &clients)?;
            }
            done.wait(&mut collector, &port, until);
            collector.kill()?;
        }
        let mut collector = rig.start()?;
        collector.wait_until_ready(READY_LIMIT)?;
        port.store(collector.port, Ordering::Relaxed);
        end.store(FINISH, Ordering::Relaxed);
        for sender in senders {
            sender.join().map_err(|_| Failure::new("a client ended early"))?;
        }
        collector.terminate()
    })?;
    let mut collector = rig.start()?;
    collector.wait_until_ready(READY_LIMIT)?;
    let counted = collector.counted()?;
    collector.terminate()?;
    let found = rig.found(&clients)?;
    let acknowledged: u64 = clients.iter().map(|client| client.acknowledged.load(Ordering::Relaxed)).sum();
    let is_sound = found.lost == 0
        && found.twice == 0
        && found.invented == 0
        && counted == found.events
        && done.wrong == 0;
    println!(
        "{}",
        json!({
            "bench": "crash",
            "control": options.control != 0,
            "kills": options.kills,
            "kills_before_ready": done.before_ready,
            "clients": options.clients,
            "acknowledged": acknowledged,
            "lost": found.lost,
            "twice": found.twice,
            "invented": found.invented,
            "counted": counted,
            "comparisons": done.comparisons,
            "wrong_comparisons": done.wrong,
            "segments": rig.segments()?,
            "slowest_start_ms": done.slowest_start.as_millis() as u64,
            "goal": "0 lost, 0 twice, 0 invented",
            "met": is_sound != (options.control != 0),
        })
    );
    Ok(if options.control == 0 { is_sound } else { found.lost > 0 })
}

fn options() -> Result<Options, Failure> {
    let mut options = Options { kills: 1_000, clients: 4, seed: 1, control: 0 };
    let arguments: Vec<String> = env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(Failure::new(format!("{} needs a value", pair[0]))) };
        let number = value.parse().map_err(|_| Failure::new(format!("{name}: `{value}` is not a number")))?;
        match name.as_str() {
            "--kills" => options.kills = number,
            "--clients" => options.clients = number,
            "--seed" => options.seed = number,
            "--control" => options.control = number,
            _ => return Err(Failure::new(format!("unknown flag `{name}`"))),
        }
    }
    Ok(options)
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
    fn wait(&mut self, collector: &mut Collector, port: &AtomicU16, until: Instant) {
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
        collector: &mut Collector,
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
            eprintln!(
                "crash: {counted} are counted, where {least} were acknowledged and {most} have been sent"
            );
        }
        Ok(())
    }
}

/// A data folder whose collector is ended and started again.
struct Rig {
    binary: PathBuf,
    folder: tempfile::TempDir,
}

impl Rig {
    fn new() -> Result<Self, Failure> {
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
        Ok(Self { binary, folder })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn start(&self) -> Result<Collector, Failure> {
        Collector::start(&self.binary, self.folder.path())
    }

    fn segments(&self) -> Result<usize, Failure> {
        let entries = fs::read_dir(self.data().join("log")).map_err(|error| Failure::of("log", error))?;
        Ok(entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "log")).count())
    }

    /// Reads the whole log and compares every id.
    fn found(&self, clients: &[Client]) -> Result<Found, Failure> {
        let mut dump = Command::new(&self.binary)
            .args(["log", "dump", "--data-dir"])
            .arg(self.data())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::of("log dump", error))?;
        let lines =
            dump.stdout.take().map(BufReader::new).ok_or_else(|| Failure::new("log dump: no output"))?;
        let found = Found::of(lines, clients)?;
        let status = dump.wait().map_err(|error| Failure::of("log dump", error))?;
        if status.success() { Ok(found) } else { Err(Failure::new(format!("log dump: {status}"))) }
    }
}

/// A collector that may be killed at any time.
struct Collector {
    child: Child,
    started: Instant,
    ready: mpsc::Receiver<(u16, Instant)>,
    is_ready: bool,
    ready_at: Instant,
    port: u16,
    admin_port: u16,
}

impl Collector {
    fn start(binary: &Path, folder: &Path) -> Result<Self, Failure> {
        let log = File::options().create(true).append(true).open(folder.join("log"));
        let log = log.map_err(|error| Failure::of("log file", error))?;
        let admin_port = free_port()?;
        let started = Instant::now();
        let mut child = Command::new(binary)
            .args(["serve", "--write-key", WRITE_KEY, "--secret-key", SECRET_KEY, "--port", "0"])
            .args(["--admin-port", &admin_port.to_string(), "--log-segment-mib", "1", "--log", "warn"])
            .arg("--data-dir")
            .arg(folder.join("data"))
            .arg("--rules")
            .arg(folder.join("rules"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| Failure::of(&binary.display().to_string(), error))?;
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
        Ok(Self { child, started, ready, is_ready: false, ready_at: started, port: 0, admin_port })
    }

    fn wait_until_ready(&mut self, limit: Duration) -> Result<(), Failure> {
        if self.is_ready {
            return Ok(());
        }
        let (port, at) = self
            .ready
            .recv_timeout(limit)
            .map_err(|_| Failure::new(format!("the collector was not ready after {limit:?}")))?;
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

    fn kill(&mut self) -> Result<(), Failure> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(drop).map_err(|error| Failure::of("kill", error))
    }

    fn terminate(&mut self) -> Result<(), Failure> {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM)
            .map_err(|error| Failure::of("SIGTERM", error))?;
        let status = self.child.wait().map_err(|error| Failure::of("SIGTERM", error))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("the collector ended with {status}")))
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16, Failure> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| Failure::of("no free port on 127.0.0.1", error))
}
