//! A lean load generator: keep-alive connections that send one prepared batch over and over, with ids and numbers
//! patched in place, so that the generator takes as little as possible of the machine it shares with the collector.

use crate::failure::Failure;
use attune_core::time::Timestamp;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Events in one batch.
pub const EVENTS_PER_BATCH: u64 = 100;
/// First number of a lane; all later ones have as many digits, so that they can be patched in place.
const FIRST_SEQ: u64 = 1_000_001;
/// The write key's place in the request line, and what the collector is told of the sender.
const KEY: &str = crate::collector::WRITE_KEY;

/// How much to send.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How long to count, in seconds.
    pub seconds: u64,
    /// Connections at a time, each with a batch in flight.
    pub connections: u64,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Events acknowledged per second while counting.
    pub events_per_second: f64,
    /// Processor time of the collector per batch while counting, in microseconds.
    pub server_cpu_us_per_batch: f64,
    /// Median time from sending a batch to its receipt, in milliseconds.
    pub batch_p50_ms: f64,
    /// The same for the slowest hundredth.
    pub batch_p99_ms: f64,
    /// Events acknowledged in all, warming up included.
    pub events_in_all: u64,
}

/// Sends to a collector on this machine.
///
/// # Errors
/// A connection fails, or an answer is no receipt that accepts everything.
pub fn run(load: &Load, port: u16, process: u32, warm_up: Duration) -> Result<Figures, Failure> {
    let stop = AtomicBool::new(false);
    let begin = Instant::now() + warm_up;
    let end = begin + Duration::from_secs(load.seconds);
    thread::scope(|scope| {
        let start = |number| {
            let stop = &stop;
            scope.spawn(move || {
                let result = Connection::open(port, number).and_then(|connection| connection.send(stop));
                stop.fetch_or(result.is_err(), Ordering::Relaxed);
                result
            })
        };
        let connections: Vec<_> = (0..load.connections).map(start).collect();
        thread::sleep(begin.saturating_duration_since(Instant::now()));
        let (cpu_before, from) = (cpu_time(process)?, Instant::now());
        while Instant::now() < end && !stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        let (cpu_after, to) = (cpu_time(process)?, Instant::now());
        stop.store(true, Ordering::Relaxed);
        let mut sent = Vec::new();
        for connection in connections {
            sent.extend(connection.join().map_err(|_| Failure::new("a connection's thread ended early"))??);
        }
        Ok(figures(&sent, (from, to), cpu_after.saturating_sub(cpu_before)))
    })
}

/// One acknowledged batch: when its receipt came, and how long that took.
struct Acknowledged {
    at: Instant,
    took: Duration,
}

fn figures(sent: &[Acknowledged], (from, to): (Instant, Instant), cpu: Duration) -> Figures {
    let counted = sent.iter().filter(|batch| batch.at >= from && batch.at <= to);
    let mut took_ms: Vec<f64> = counted.map(|batch| batch.took.as_secs_f64() * 1e3).collect();
    took_ms.sort_by(f64::total_cmp);
    let batches = took_ms.len().max(1);
    let at = |share: f64| {
        let place = ((batches as f64 * share) as usize).min(batches - 1);
        took_ms.get(place).map_or(0.0, |ms| (ms * 100.0).round() / 100.0)
    };
    Figures {
        events_per_second: (took_ms.len() as u64 * EVENTS_PER_BATCH) as f64 / (to - from).as_secs_f64(),
        server_cpu_us_per_batch: cpu.as_secs_f64() * 1e6 / batches as f64,
        batch_p50_ms: at(0.5),
        batch_p99_ms: at(0.99),
        events_in_all: sent.len() as u64 * EVENTS_PER_BATCH,
    }
}

/// One connection, which is one member on one page load.
struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    /// Where each event's id, number and timestamp stand in the request.
    places: Vec<[usize; 3]>,
    seq: u64,
    random: u64,
}

impl Connection {
    fn open(port: u16, number: u64) -> Result<Self, Failure> {
        let stream =
            TcpStream::connect(("127.0.0.1", port)).map_err(|error| Failure::of("connect", error))?;
        stream.set_nodelay(true).map_err(|error| Failure::of("connect", error))?;
        let (body, places) = prepare(number);
        let head = format!(
            "POST /v1/events?k={KEY} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let places = places.into_iter().map(|places| places.map(|place| place + head.len())).collect();
        let random = wall_ms() as u64 ^ (number << 48);
        Ok(Self { stream, request: (head + &body).into_bytes(), places, seq: FIRST_SEQ, random })
    }

    fn send(mut self, stop: &AtomicBool) -> Result<Vec<Acknowledged>, Failure> {
        let mut acknowledged = Vec::new();
        let mut answer = Vec::with_capacity(4_096);
        while !stop.load(Ordering::Relaxed) {
            self.patch();
            let started = Instant::now();
            self.stream.write_all(&self.request).map_err(|error| Failure::of("send", error))?;
            answer.clear();
            self.receive(&mut answer)?;
            acknowledged.push(Acknowledged { at: Instant::now(), took: started.elapsed() });
        }
        Ok(acknowledged)
    }

    fn patch(&mut self) {
        let timestamp = Timestamp(wall_ms()).to_string();
        for [id, seq, at] in &self.places {
            write_hex(next(&mut self.random), &mut self.request[*id..*id + 12]);
            write_decimal(self.seq, &mut self.request[*seq..*seq + 7]);
            self.request[*at..*at + timestamp.len()].copy_from_slice(timestamp.as_bytes());
            self.seq += 1;
        }
    }

    /// Reads one answer and checks that it accepts the whole batch.
    fn receive(&mut self, answer: &mut Vec<u8>) -> Result<(), Failure> {
        let mut chunk = [0; 4_096];
        loop {
            let count = self.stream.read(&mut chunk).map_err(|error| Failure::of("receive", error))?;
            if count == 0 {
                return Err(Failure::new("the collector closed the connection"));
            }
            answer.extend_from_slice(&chunk[..count]);
            let text = String::from_utf8_lossy(answer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if length.is_none_or(|length| body.len() < length) {
                continue;
            }
            if head.starts_with("HTTP/1.1 200") && body.contains(&format!("\"accepted\":{EVENTS_PER_BATCH},"))
            {
                return Ok(());
            }
            return Err(Failure::new(format!("a batch was not accepted: {text}")));
        }
    }
}

/// A batch of one member, and where each event's id, number and timestamp stand in it.
fn prepare(number: u64) -> (String, Vec<[usize; 3]>) {
    let now = Timestamp(wall_ms());
    let member = format!("0193{number:04x}-0000-7000-8000-{:012x}", wall_ms());
    let mut body = format!(
        "{{\"v\":1,\"sent_at\":\"{now}\",\"anonymous_id\":\"{member}\",\"lane\":\"{member}\",\"context\":{{\"clock_skew_ms\":0}},\"events\":["
    );
    let mut places = Vec::new();
    for index in 0..EVENTS_PER_BATCH {
        if index > 0 {
            body.push(',');
        }
        body.push_str(&format!("{{\"event_id\":\"0193{number:04x}-{index:04x}-7000-8000-"));
        let id = body.len();
        body.push_str("000000000000\",\"event_type\":\"page_view\",\"timestamp\":\"");
        let at = body.len();
        body.push_str(&format!("{now}\",\"seq\":"));
        let seq = body.len();
        let (category, product) = (index % 7, index * 31 % 997);
        body.push_str(&format!(
            "{FIRST_SEQ},\"session_id\":\"{member}\",\"metadata\":{{\"category\":\"c{category}\",\"product_id\":\"product_{product}\",\"quantity\":1}}}}"
        ));
        places.push([id, seq, at]);
    }
    body.push_str("]}");
    (body, places)
}

/// SplitMix64, after Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn write_hex(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

fn write_decimal(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The wall clock, in milliseconds since 1970.
pub fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}

/// User and system time of a process so far, from fields 14 and 15 of `/proc/<pid>/stat`.
///
/// # Errors
/// There is no such process.
pub fn cpu_time(process: u32) -> Result<Duration, Failure> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).map_err(|error| Failure::of(&path, error))?;
    // The name in parentheses may hold spaces; what follows it does not.
    let fields = text.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patched_batches_stay_json_and_repeat_no_id() {
        let (body, places) = prepare(3);
        let mut bytes = body.into_bytes();
        let mut random = 7;
        for [id, seq, _] in &places {
            write_hex(next(&mut random), &mut bytes[*id..*id + 12]);
            write_decimal(1_234_567, &mut bytes[*seq..*seq + 7]);
        }
        let batch: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let events = batch["events"].as_array().unwrap();
        let ids: std::collections::BTreeSet<&str> =
            events.iter().filter_map(|event| event["event_id"].as_str()).collect();
        assert_eq!(ids.len() as u64, EVENTS_PER_BATCH);
        assert!(events.iter().all(|event| event["seq"] == 1_234_567));
    }

    #[test]
    fn the_own_processor_time_grows() {
        let before = cpu_time(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while cpu_time(std::process::id()).unwrap() == before {
            sum = sum.wrapping_add(next(&mut sum.clone()));
        }
        assert!(cpu_time(std::process::id()).unwrap() > before);
    }
}
