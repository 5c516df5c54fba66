//! The loopback control port of the demo: `POST /outage?seconds=10` takes the collector down for that time.

use crate::failure::Failure;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Longest outage that may be asked for, in seconds: a demo visitor's patience.
const MAX_OUTAGE_SECONDS: u64 = 120;
/// Length of an outage where the request names none, in seconds.
const DEFAULT_OUTAGE_SECONDS: u64 = 10;
/// Most header lines read from one request.
const MAX_HEADER_LINES: usize = 100;

/// Listens in the background; every accepted request arrives as the length of an outage. Only the demo's own pages,
/// and programs that are no browser, are listened to.
///
/// # Errors
/// The port cannot be bound.
pub fn listen(port: u16, demo_port: u16) -> Result<Receiver<Duration>, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .map_err(|error| Failure::new(format!("control port 127.0.0.1:{port}: {error}")))?;
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A page that goes away in the middle of its request concerns nobody else.
            let _ = answer(stream, demo_port, &sender);
        }
    });
    Ok(receiver)
}

fn answer(mut stream: TcpStream, demo_port: u16, outages: &Sender<Duration>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut origin = None;
    let mut header = String::new();
    for _ in 0..MAX_HEADER_LINES {
        header.clear();
        if reader.read_line(&mut header)? <= 2 {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("origin")
        {
            origin = Some(value.trim().to_owned());
        }
    }
    let cors = match &origin {
        Some(origin) if is_demo(origin, demo_port) => {
            format!("Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Methods: POST\r\n")
        }
        _ => String::new(),
    };
    let (status, body) = match outage(&request) {
        _ if origin.is_some() && cors.is_empty() => ("403 Forbidden", "{\"code\":\"origin\"}".to_owned()),
        Asked::Preflight => ("204 No Content", String::new()),
        Asked::Outage(seconds) => {
            let _ = outages.send(Duration::from_secs(seconds));
            ("202 Accepted", format!("{{\"seconds\":{seconds}}}"))
        }
        Asked::Unknown => ("404 Not Found", "{\"code\":\"not_found\"}".to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{cors}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn is_demo(origin: &str, demo_port: u16) -> bool {
    ["127.0.0.1", "localhost"].iter().any(|host| origin == format!("http://{host}:{demo_port}"))
}

#[derive(Debug, PartialEq)]
enum Asked {
    Preflight,
    Outage(u64),
    Unknown,
}

fn outage(request: &str) -> Asked {
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match (method, path) {
        ("OPTIONS", _) => Asked::Preflight,
        ("POST", "/outage") => {
            let seconds = query.split('&').find_map(|pair| pair.strip_prefix("seconds="));
            let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_OUTAGE_SECONDS);
            Asked::Outage(seconds.min(MAX_OUTAGE_SECONDS))
        }
        _ => Asked::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_bounded_and_has_a_default() {
        assert_eq!(outage("POST /outage?seconds=3 HTTP/1.1"), Asked::Outage(3));
        assert_eq!(outage("POST /outage HTTP/1.1"), Asked::Outage(10));
        assert_eq!(outage("POST /outage?seconds=9999 HTTP/1.1"), Asked::Outage(120));
    }

    #[test]
    fn only_the_demo_is_an_accepted_origin() {
        assert!(is_demo("http://127.0.0.1:7070", 7070));
        assert!(is_demo("http://localhost:7070", 7070));
        assert!(!is_demo("http://127.0.0.1:7071", 7070));
        assert!(!is_demo("https://elsewhere.example", 7070));
    }

    #[test]
    fn other_requests_change_nothing() {
        assert_eq!(outage("OPTIONS /outage HTTP/1.1"), Asked::Preflight);
        assert_eq!(outage("GET /outage HTTP/1.1"), Asked::Unknown);
        assert_eq!(outage(""), Asked::Unknown);
    }
}
