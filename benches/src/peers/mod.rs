//! Servers that take the same events in the same run, beside the collector: what another design costs on this machine. One
//! that is not installed is left out, and the line says so.

mod fastify;
mod nginx;
mod redis;

use crate::failure::Failure;
use crate::open_loop::Answers;
use crate::process::cpu_time_with_children;
use crate::search::Target;
use crate::traffic::{Encoding, Form};
use rustix::process::{Pid, Signal, kill_process};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const READY_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(20);

/// A server to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nginx, which reads each body to its end and answers: HTTP without any use of what came.
    Nginx,
    /// Fastify, one process of Node, which parses each body: what a service of one's own begins with.
    Fastify,
    /// A stream of Redis that syncs before it answers: durable, without dedup, profiles or HTTP.
    Redis,
}

/// Why a server is left out.
#[derive(Debug)]
pub struct Absent(pub String);

/// A running server; ended when dropped.
#[derive(Debug)]
pub struct Peer {
    kind: Kind,
    child: Child,
    port: u16,
    /// What the server writes.
    _folder: TempDir,
}

impl Kind {
    /// All of them by name.
    pub const ALL: [(&'static str, Self); 3] =
        [("nginx", Self::Nginx), ("fastify", Self::Fastify), ("redis", Self::Redis)];

    /// Its name in the benches' lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx (reads the body)",
            Self::Fastify => "fastify (parses the body)",
            Self::Redis => "redis (appendfsync always, one XADD per event)",
        }
    }

    /// How it takes events.
    pub const fn form(self) -> Form {
        match self {
            Self::Nginx | Self::Fastify => Form::Http(Encoding::Json),
            Self::Redis => Form::Redis,
        }
    }

    /// How it answers a batch of so many events.
    pub const fn answers(self, events: usize) -> Answers {
        match self {
            Self::Nginx => Answers::Ok(events),
            Self::Fastify => Answers::Receipt(events),
            Self::Redis => Answers::Replies(events),
        }
    }

    /// Starts it on a free port, with a folder of its own.
    ///
    /// # Errors
    /// It is installed and does not work as it is to.
    pub fn start(self) -> Result<Result<Peer, Absent>, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::of("temporary folder", error))?;
        let started = match self {
            Self::Nginx => nginx::start(folder.path())?,
            Self::Fastify => fastify::start()?,
            Self::Redis => redis::start(folder.path())?,
        };
        let (child, port) = match started {
            Ok(started) => started,
            Err(absent) => return Ok(Err(absent)),
        };
        let mut peer = Peer { kind: self, child, port, _folder: folder };
        peer.wait_until_ready()?;
        if self == Self::Nginx {
            nginx::check(port)?;
        }
        Ok(Ok(peer))
    }
}

impl Peer {
    fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + READY_LIMIT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) || Instant::now() > deadline {
                return Err(Failure::new(format!("{}: it does not listen", self.kind.name())));
            }
            sleep(TICK);
        }
        Ok(())
    }
}

impl Target for Peer {
    fn port(&self) -> u16 {
        self.port
    }

    fn cpu_time(&self) -> Result<Duration, Failure> {
        cpu_time_with_children(self.child.id())
    }

    fn settle(&self) -> Result<Option<u64>, Failure> {
        if self.kind == Kind::Redis { redis::count(self.port).map(Some) } else { Ok(None) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // nginx ends its workers by it.
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

type Started = Result<(Child, u16), Absent>;

/// Starts the first program of these names that there is.
fn spawn(names: &[&str], prepare: impl Fn(&mut Command)) -> Result<Result<Child, Absent>, Failure> {
    for name in names {
        let mut command = Command::new(name);
        prepare(&mut command);
        match command.spawn() {
            Ok(child) => return Ok(Ok(child)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::of(name, error)),
        }
    }
    Ok(Err(Absent(format!("{} is not installed", names[0]))))
}
