//! `hostile [--sockets 1000,5000] [--seconds 8]`: what honest senders wait while so many sockets send a head or a body, or
//! read an answer, as slowly as they can; one JSON line for each kind and count, and one without any.

use attune_benches::collector::{Collector, WRITE_KEY};
use attune_benches::failure::Failure;
use attune_benches::process::{wait_until_idle, wall_ms};
use attune_core::time::Timestamp;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// Honest senders, each with a connection of its own, and the time between two requests of each.
const HONEST: u32 = 4;
const HONEST_PAUSE: Duration = Duration::from_millis(40);
/// Slow sockets of one address at most, far below what one may have.
const PER_ADDRESS: usize = 200;
/// Time between two bytes of a slow socket.
const TRICKLE: Duration = Duration::from_millis(500);
/// What honest senders are to see: the slowest hundredth, in milliseconds.
const GOAL_P99_MS: f64 = 20.0;
/// Time in which the slow sockets are to be gone, in seconds.
const GOAL_GONE_S: f64 = 6.0;
/// Time after which they are taken to stay.
const GONE_LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slow {
    Head,
    Body,
    Answer,
}

impl Slow {
    const ALL: [Self; 3] = [Self::Head, Self::Body, Self::Answer];

    const fn name(self) -> &'static str {
        match self {
            Self::Head => "slow head",
            Self::Body => "slow body",
            Self::Answer => "slow reader",
        }
    }

    /// What each says first.
    fn first(self) -> String {
        let host = "Host: 127.0.0.1\r\n";
        match self {
            Self::Head => format!("POST /v1/events?k={WRITE_KEY} HTTP/1.1\r\n{host}X: "),
            Self::Body => {
                format!("POST /v1/events?k={WRITE_KEY} HTTP/1.1\r\n{host}Content-Length: 100000\r\n\r\n{{")
            }
            Self::Answer => format!("GET /sdk/attune.js HTTP/1.1\r\n{host}\r\n").repeat(50),
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("hostile: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let (mut counts, mut seconds) = (vec![1_000, 5_000], 8);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(Failure::new(format!("{} needs a value", pair[0]))) };
        let number =
            |text: &str| text.parse().map_err(|_| Failure::new(format!("{name}: `{text}` is not a number")));
        match name.as_str() {
            "--sockets" => counts = value.split(',').map(number).collect::<Result<_, _>>()?,
            "--seconds" => seconds = number(value)? as u64,
            _ => return Err(Failure::new(format!("unknown flag `{name}`"))),
        }
    }
    let allowed = getrlimit(Resource::Nofile).maximum;
    let raised = setrlimit(Resource::Nofile, Rlimit { current: allowed, maximum: allowed });
    raised.map_err(|error| Failure::of("limit of open files", error))?;
    let least = Duration::from_secs(seconds);
    let mut loads = vec![None];
    loads.extend(Slow::ALL.into_iter().flat_map(|slow| counts.iter().map(move |count| Some((slow, *count)))));
    let mut failed = Vec::new();
    for load in loads {
        failed.extend(measure(load, least)?);
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(failed.join("\n"))) }
}

/// Runs a collector of its own under one load and prints the line; says which honest requests failed, if some did.
fn measure(hostile: Option<(Slow, usize)>, least: Duration) -> Result<Option<String>, Failure> {
    let collector = Collector::start(&json!({}))?;
    wait_until_idle(collector.process_id())?;
    let (stop, port) = (AtomicBool::new(false), collector.port());
    let (mut honest, held) = thread::scope(|scope| {
        let senders: Vec<_> = (0..HONEST)
            .map(|number| {
                scope.spawn({
                    let stop = &stop;
                    move || send(port, number, stop)
                })
            })
            .collect();
        let started = Instant::now();
        let held = hostile.map(|(slow, count)| hold(&collector, slow, count)).transpose();
        sleep(least.saturating_sub(started.elapsed()));
        stop.store(true, Ordering::Relaxed);
        let mut all = Honest::default();
        for sender in senders {
            all.add(sender.join().map_err(|_| Failure::new("a sender's thread ended early"))?);
        }
        Ok::<_, Failure>((all, held?))
    })?;
    honest.check(collector.metric("attune_events_accepted_total")?)?;
    let (p99, load) = (honest.at(0.99), hostile.map_or("none", |(slow, _)| slow.name()));
    let mut line = json!({
        "bench": "hostile",
        "load": load,
        "sockets": hostile.map_or(0, |(_, count)| count),
        "honest_requests": honest.took_ms.len(),
        "honest_errors": honest.errors.len(),
        "honest_p50_ms": honest.at(0.5),
        "honest_p99_ms": p99,
        "honest_max_ms": honest.at(1.0),
        "goal_p99_ms": GOAL_P99_MS,
    });
    let mut is_met = p99 < GOAL_P99_MS && honest.errors.is_empty();
    if let (Some(Held { most, gone }), Some((_, count))) = (held, hostile) {
        let gone = gone.map(|gone| (gone.as_secs_f64() * 100.0).round() / 100.0);
        // A load of which the collector has not held all at once is an easier one.
        is_met &= most >= count as u64 && gone.is_some_and(|gone| gone <= GOAL_GONE_S);
        line["held_at_once"] = most.into();
        line["gone_after_s"] = gone.into();
        line["goal_gone_s"] = GOAL_GONE_S.into();
    }
    line["met"] = is_met.into();
    println!("{line}");
    let (failed, sent) = (honest.errors.len(), honest.took_ms.len());
    Ok(honest
        .errors
        .first()
        .map(|error| format!("{load}: {failed} of {sent} honest requests failed; the first: {error}")))
}

/// What became of the slow sockets.
struct Held {
    /// How many the collector held at once.
    most: u64,
    /// From when the last was opened until the collector held none.
    gone: Option<Duration>,
}

fn hold(collector: &Collector, slow: Slow, count: usize) -> Result<Held, Failure> {
    let first = slow.first();
    let (mut sockets, mut most) = (Vec::new(), 0);
    for number in 0..count {
        let mut stream = open(collector.port(), number).map_err(|error| Failure::of("slow socket", error))?;
        let _ = stream.write(first.as_bytes());
        sockets.push(stream);
        if number % 500 == 499 {
            most = most.max(connections(collector)?);
        }
    }
    let opened = Instant::now();
    loop {
        for stream in &mut sockets {
            if slow != Slow::Answer {
                let _ = stream.write(b" ");
            }
        }
        let open = connections(collector)?;
        most = most.max(open);
        if open == 0 || opened.elapsed() > GONE_LIMIT {
            if most < count as u64 / 2 {
                let name = slow.name();
                return Err(Failure::new(format!(
                    "{name}: only {most} of {count} were held, which shows nothing"
                )));
            }
            return Ok(Held { most, gone: (open == 0).then(|| opened.elapsed()) });
        }
        sleep(TRICKLE);
    }
}

/// A socket of an address that few share, with little room for what comes.
fn open(port: u16, number: usize) -> std::io::Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::TCP))?;
    set_socket_recv_buffer_size(&socket, 4_096)?;
    let address = Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 1, 1).to_bits() + (number / PER_ADDRESS) as u32);
    bind(&socket, &SocketAddr::from((address, 0)))?;
    connect(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Connections that the collector holds besides those of honest senders and of whoever asks.
fn connections(collector: &Collector) -> Result<u64, Failure> {
    let count: u64 = collector.metric("attune_connections")?;
    Ok(count.saturating_sub(u64::from(HONEST) + 1))
}

#[derive(Debug, Default)]
struct Honest {
    took_ms: Vec<f64>,
    errors: Vec<String>,
}

impl Honest {
    fn add(&mut self, other: Self) {
        self.took_ms.extend(other.took_ms);
        self.errors.extend(other.errors);
    }

    /// Holds what was acknowledged against what the collector counts: an event whose answer failed may be among it.
    fn check(&self, counted: u64) -> Result<(), Failure> {
        let sent = self.took_ms.len() as u64;
        let acknowledged = sent - self.errors.len() as u64;
        if (acknowledged..=sent).contains(&counted) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "of {sent} honest events {acknowledged} were acknowledged, and the collector counts {counted}"
        )))
    }

    fn at(&mut self, share: f64) -> f64 {
        self.took_ms.sort_by(f64::total_cmp);
        let place = (self.took_ms.len() as f64 * share) as usize;
        let ms = self.took_ms.get(place.min(self.took_ms.len().saturating_sub(1)));
        ms.map_or(0.0, |ms| (ms * 100.0).round() / 100.0)
    }
}

/// Sends an event at every due time, whether or not the one before has been answered by then, until told to stop. What
/// it takes counts from when it was due.
fn send(port: u16, number: u32, stop: &AtomicBool) -> Honest {
    let (mut honest, mut stream, mut sent) = (Honest::default(), None, 0_u64);
    let mut due = Instant::now() + HONEST_PAUSE * number / HONEST;
    while !stop.load(Ordering::Relaxed) {
        sleep(due.saturating_duration_since(Instant::now()));
        sent += 1;
        if let Err(error) = post(&mut stream, port, number, sent) {
            honest.errors.push(error.to_string());
            stream = None;
        }
        honest.took_ms.push(due.elapsed().as_secs_f64() * 1e3);
        due += HONEST_PAUSE;
    }
    honest
}

fn post(stream: &mut Option<TcpStream>, port: u16, number: u32, sent: u64) -> Result<(), Failure> {
    let told = |error: std::io::Error| Failure::of("honest sender", error);
    let stream = match stream {
        Some(stream) => stream,
        None => {
            let opened = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(told)?;
            opened.set_nodelay(true).map_err(told)?;
            opened.set_read_timeout(Some(Duration::from_secs(10))).map_err(told)?;
            stream.insert(opened)
        }
    };
    let body = event(number, sent).to_string();
    let length = body.len();
    let request = format!(
        "POST /v1/events?k={WRITE_KEY} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).map_err(told)?;
    let (mut answer, mut chunk) = (Vec::new(), [0; 4_096]);
    while !answer.ends_with(b"}") {
        match stream.read(&mut chunk).map_err(told)? {
            0 => return Err(Failure::new("the collector closed an honest connection")),
            count => answer.extend_from_slice(&chunk[..count]),
        }
    }
    let text = String::from_utf8_lossy(&answer);
    let is_accepted = text.starts_with("HTTP/1.1 200") && text.contains("\"accepted\":1,");
    if is_accepted { Ok(()) } else { Err(Failure::new(format!("an event was not accepted: {text}"))) }
}

fn event(number: u32, sent: u64) -> Value {
    let member = format!("01930000-0000-7000-8000-{number:012x}");
    let event_id = format!("0193{number:04x}-0000-7000-8000-{sent:012x}");
    json!({"v": 1, "anonymous_id": member, "lane": member, "context": {"clock_skew_ms": 0}, "events": [
        {"event_id": event_id, "event_type": "view", "seq": sent, "timestamp": Timestamp(wall_ms()).to_string()},
    ]})
}
