//! Clients that know what they were promised, and what becomes of their events: for rigs that end a collector at any moment.

use crate::collector::WRITE_KEY;
use crate::failure::Failure;
use attune_core::time::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const EVENTS_PER_BATCH: u64 = 10;
/// Time that an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What clients are told: to go on.
pub const GO_ON: u8 = 0;
/// To bring what is under way to its end.
pub const FINISH: u8 = 1;
/// To end at once.
pub const GIVE_UP: u8 = 2;

/// Tells the clients to give up.
#[derive(Debug)]
pub struct GivenUp<'a>(pub &'a AtomicU8);

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        self.0.store(GIVE_UP, Ordering::Relaxed);
    }
}

/// One sender, which is one member on one page load.
#[derive(Debug, Default)]
pub struct Client {
    /// Its first so many events are acknowledged.
    pub acknowledged: AtomicU64,
    /// Its first so many events have been sent, or begun to be.
    pub sent: AtomicU64,
}

impl Client {
    /// Sends batch after batch, each until a receipt has taken it; the one that is under way at the end as well.
    pub fn send_on(&self, number: u64, port: &AtomicU16, end: &AtomicU8, is_control: bool) {
        let mut connection: Option<(u16, TcpStream)> = None;
        loop {
            let from = self.acknowledged.load(Ordering::SeqCst);
            match end.load(Ordering::Relaxed) {
                GIVE_UP => return,
                FINISH if self.sent.load(Ordering::SeqCst) == from => return,
                _ => {}
            }
            let at = port.load(Ordering::Relaxed);
            if at == 0 {
                sleep(Duration::from_millis(1));
                continue;
            }
            self.sent.store(from + EVENTS_PER_BATCH, Ordering::SeqCst);
            let open = connection.take().filter(|(to, _)| *to == at).map(|(_, stream)| stream);
            let taken = open.map_or_else(|| connect(at), Ok).and_then(|mut stream| {
                let answer = post(&mut stream, &batch(number, from), is_control)?;
                Ok((stream, answer))
            });
            match taken {
                Ok((stream, is_taken)) => {
                    connection = Some((at, stream));
                    if is_taken {
                        self.acknowledged.store(from + EVENTS_PER_BATCH, Ordering::SeqCst);
                    }
                }
                Err(_) => sleep(Duration::from_millis(2)),
            }
        }
    }
}

fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    Ok(stream)
}

/// Sends a batch; says whether its receipt has taken all of it, or, in the control, whether it has been sent.
fn post(stream: &mut TcpStream, body: &str, is_control: bool) -> std::io::Result<bool> {
    let head = format!(
        "POST /v1/events?k={WRITE_KEY} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes())?;
    if is_control {
        return Ok(true);
    }
    let (mut answer, mut block) = (Vec::new(), [0; 4_096]);
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length:").and_then(|value| value.trim().parse::<usize>().ok())
            });
            if length.is_some_and(|length| body.len() >= length) {
                let receipt: Value = serde_json::from_str(body).unwrap_or_default();
                let count = |name: &str| receipt[name].as_u64().unwrap_or_default();
                let is_whole = count("accepted") + count("duplicates") == EVENTS_PER_BATCH;
                return Ok(head.starts_with("HTTP/1.1 200") && is_whole);
            }
        }
        match stream.read(&mut block)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => answer.extend_from_slice(&block[..count]),
        }
    }
}

fn id_of(client: u64, number: u64) -> String {
    format!("01930000-0000-7000-8{client:03}-{number:012}")
}

fn batch(client: u64, from: u64) -> String {
    let at = Timestamp(wall_ms()).to_string();
    let events: Vec<Value> = (from..from + EVENTS_PER_BATCH)
        .map(|number| {
            json!({
                "event_id": id_of(client, number),
                "event_type": "click",
                "timestamp": at,
                "seq": number + 1,
                "metadata": { "text": "x".repeat(200) },
            })
        })
        .collect();
    let lane = format!("01930000-0000-7000-9{client:03}-000000000001");
    json!({"v": 1, "anonymous_id": format!("client-{client}"), "lane": lane, "sent_at": at, "events": events})
        .to_string()
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}

/// What the log holds against what the clients know.
#[derive(Debug, Default)]
pub struct Found {
    /// Different events in the log.
    pub events: u64,
    /// Acknowledged, and not there.
    pub lost: u64,
    /// There more than once.
    pub twice: u64,
    /// There, and never sent.
    pub invented: u64,
}

impl Found {
    /// Compares every id of an export, an event in a line, with what the clients have sent.
    ///
    /// # Errors
    /// A line that is no event.
    pub fn of(lines: impl BufRead, clients: &[Client]) -> Result<Self, Failure> {
        let mut times: HashMap<String, u64> = HashMap::new();
        for line in lines.lines() {
            let line = line.map_err(|error| Failure::of("log dump", error))?;
            let event: Value = serde_json::from_str(&line).map_err(|error| Failure::of("log dump", error))?;
            *times.entry(event["event_id"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        let mut found = Self { events: times.len() as u64, ..Self::default() };
        found.twice = times.values().filter(|count| **count > 1).count() as u64;
        for (number, client) in (0..).zip(clients) {
            let sent = client.sent.load(Ordering::SeqCst);
            let acknowledged = client.acknowledged.load(Ordering::SeqCst);
            for event in 0..sent {
                let is_there = times.remove(&id_of(number, event)).is_some();
                found.lost += u64::from(!is_there && event < acknowledged);
            }
        }
        found.invented = times.len() as u64;
        Ok(found)
    }
}

/// Numbers that look random and are the same for the same seed (xorshift64*, Vigna 2016).
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(acknowledged: u64, sent: u64) -> Client {
        Client { acknowledged: AtomicU64::new(acknowledged), sent: AtomicU64::new(sent) }
    }

    fn found(ids: &[String], clients: &[Client]) -> [u64; 4] {
        let lines: String = ids.iter().map(|id| format!("{}\n", json!({"event_id": id}))).collect();
        let Found { events, lost, twice, invented } = Found::of(lines.as_bytes(), clients).unwrap();
        [events, lost, twice, invented]
    }

    #[test]
    fn what_is_lost_twice_or_invented_is_found() {
        let clients = [client(2, 3), client(1, 1)];
        let whole = [id_of(0, 0), id_of(0, 1), id_of(1, 0)];
        assert_eq!(found(&whole, &clients), [3, 0, 0, 0]);
        let unanswered = [&whole[..], &[id_of(0, 2)]].concat();
        assert_eq!(
            found(&unanswered, &clients),
            [4, 0, 0, 0],
            "what was sent without an answer may be there"
        );
        assert_eq!(found(&whole[1..], &clients), [2, 1, 0, 0]);
        assert_eq!(found(&[&whole[..], &whole[..1]].concat(), &clients), [3, 0, 1, 0]);
        assert_eq!(found(&[&whole[..], &[id_of(1, 1), "other".into()]].concat(), &clients), [5, 0, 0, 2]);
    }
}
