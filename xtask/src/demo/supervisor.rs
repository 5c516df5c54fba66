//! Keeps `attune serve` running, takes it down for an announced outage, and ends it with this process.

use super::control;
use crate::failure::Failure;
use rustix::process::{Pid, Signal, getppid, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often the supervisor looks at its child, its signals and its control port.
const TICK: Duration = Duration::from_millis(20);
/// How long a collector may take to become ready: recovery of a large log included.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How long a collector may take to end after SIGTERM before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// What is served, and where.
pub struct Service {
    /// The collector.
    pub binary: PathBuf,
    /// The repository.
    pub root: PathBuf,
    /// Public listener.
    pub port: u16,
    /// Privileged listener.
    pub admin_port: u16,
    /// Listener of [`control`].
    pub control_port: u16,
    /// Where the collector keeps its log and state.
    pub data: PathBuf,
    /// What started this process, where the demo is to end with it.
    pub parent: Option<Parent>,
}

/// The process that started this one.
#[derive(Clone, Copy)]
pub struct Parent(Option<Pid>);

impl Parent {
    /// The parent, where it is npm: a SIGTERM ends npm and its shell, and is not passed on by them.
    pub fn if_npm() -> Option<Self> {
        env::var_os("npm_lifecycle_event").map(|_| Self(getppid()))
    }

    fn is_gone(self) -> bool {
        getppid() != self.0
    }
}

enum State {
    Running(Child),
    Down { until: Instant },
}

/// Serves until SIGINT or SIGTERM, or until the parent is gone.
///
/// # Errors
/// The collector cannot be started, or ends by itself.
pub fn supervise(service: &Service) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::new(format!("signal handler: {error}")))?;
    }
    let outages = control::listen(service.control_port, service.port)?;
    let mut state = State::Running(start(service, &stop)?);
    if !stop.load(Ordering::Relaxed) {
        eprintln!("demo: the binary is {}", service.binary.display());
        println!("ready http://127.0.0.1:{}/", service.port);
        let _ = io::stdout().flush();
    }
    while !stop.load(Ordering::Relaxed) && !service.parent.is_some_and(Parent::is_gone) {
        let outage = outages.try_recv().ok();
        state = match (state, outage) {
            (State::Running(mut child), Some(duration)) => {
                eprintln!("demo: collector down for {} s", duration.as_secs());
                end(&mut child)?;
                State::Down { until: Instant::now() + duration }
            }
            (State::Running(mut child), None) => {
                if let Ok(Some(status)) = child.try_wait() {
                    return Err(Failure::new(format!("the collector ended by itself: {status}")));
                }
                State::Running(child)
            }
            (State::Down { until }, _) if Instant::now() >= until => {
                eprintln!("demo: collector comes back");
                State::Running(start(service, &stop)?)
            }
            (down @ State::Down { .. }, _) => down,
        };
        sleep(TICK);
    }
    match state {
        State::Running(mut child) => end(&mut child),
        State::Down { .. } => Ok(()),
    }
}

fn start(service: &Service, stop: &AtomicBool) -> Result<Child, Failure> {
    let mut command = Command::new(&service.binary);
    command
        .args(["serve", "--demo", "--write-key", "demo"])
        .args(["--port", &service.port.to_string(), "--admin-port", &service.admin_port.to_string()])
        .args(["--demo-control", &format!("http://127.0.0.1:{}", service.control_port)])
        .arg("--data-dir")
        .arg(&service.data)
        .arg("--rules")
        .arg(service.root.join("demo-site/rules"))
        .stdin(Stdio::null())
        // Its one line there is the ready line, which this process prints when the demo is ready.
        .stdout(Stdio::null());
    let mut child = command
        .spawn()
        .map_err(|error| Failure::new(format!("{} did not start: {error}", service.binary.display())))?;
    let deadline = Instant::now() + READY_LIMIT;
    while !is_ready(service.port) && !stop.load(Ordering::Relaxed) {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(Failure::new(format!("the collector did not come up: {status}")));
        }
        if Instant::now() >= deadline {
            let _ = end(&mut child);
            return Err(Failure::new("the collector did not become ready within 60 s"));
        }
        sleep(TICK);
    }
    Ok(child)
}

fn end(child: &mut Child) -> Result<(), Failure> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let deadline = Instant::now() + STOP_LIMIT;
    while Instant::now() < deadline {
        if let Ok(Some(_)) = child.try_wait() {
            return Ok(());
        }
        sleep(TICK);
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(Failure::new("the collector did not end within 20 s after SIGTERM and was killed"))
}

fn is_ready(port: u16) -> bool {
    let ask = || -> io::Result<bool> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(200))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
