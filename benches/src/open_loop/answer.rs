//! What a whole answer is, and what it says became of the events.

use crate::failure::Failure;
use serde_json::Value;
use std::ops::AddAssign;

/// How answers are read; everything that is no success ends the run.
#[derive(Clone, Copy, Debug)]
pub enum Answers {
    /// 200 with a receipt over so many events.
    Receipt(usize),
    /// 200 with anything; it stands for so many events.
    Ok(usize),
    /// So many replies of Redis, each the id of an entry.
    Replies(usize),
}

/// What became of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Taken as new.
    pub accepted: u64,
    /// Known already.
    pub duplicates: u64,
    /// Refused.
    pub rejected: u64,
}

impl Tally {
    /// All of which something is known.
    pub const fn all(&self) -> u64 {
        self.accepted + self.duplicates + self.rejected
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.rejected += other.rejected;
    }
}

impl Answers {
    /// What an answer says, once it is whole.
    ///
    /// # Errors
    /// It is no success, or leaves an event out.
    pub fn read(&self, bytes: &[u8]) -> Result<Option<Tally>, Failure> {
        let plain = |events: usize| Tally { accepted: events as u64, ..Tally::default() };
        match *self {
            Self::Receipt(events) => {
                let Some(body) = ok_body(bytes)? else { return Ok(None) };
                let tally = receipt(body)?;
                if tally.all() == events as u64 {
                    return Ok(Some(tally));
                }
                let body = String::from_utf8_lossy(body);
                Err(Failure::new(format!("a receipt speaks of {} of {events} events: {body}", tally.all())))
            }
            Self::Ok(events) => Ok(ok_body(bytes)?.map(|_| plain(events))),
            Self::Replies(events) => Ok(replies(bytes, events)?.then(|| plain(events))),
        }
    }
}

/// The body of a whole answer with status 200 (RFC 9112); nothing while bytes are missing.
fn ok_body(bytes: &[u8]) -> Result<Option<&[u8]>, Failure> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end + 4..]);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let Some(length) = length else {
        return Err(Failure::new(format!("an answer without content-length: {head}")));
    };
    if body.len() < length {
        return Ok(None);
    }
    if head.starts_with("HTTP/1.1 200 ") {
        return Ok(Some(body));
    }
    Err(Failure::new(format!("a request was not taken: {head}\n{}", String::from_utf8_lossy(body))))
}

fn receipt(body: &[u8]) -> Result<Tally, Failure> {
    let told = |error: &dyn std::fmt::Display| {
        Failure::of(&format!("receipt `{}`", String::from_utf8_lossy(body)), error)
    };
    let receipt: Value = serde_json::from_slice(body).map_err(|error| told(&error))?;
    let count = |name: &str| receipt[name].as_u64().ok_or_else(|| told(&format!("it has no `{name}`")));
    let rows = receipt["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rejected = rows.iter().filter(|row| row["result"] == "rejected").count();
    Ok(Tally { accepted: count("accepted")?, duplicates: count("duplicates")?, rejected: rejected as u64 })
}

/// Whether so many bulk strings are there (RESP2), each in two lines.
fn replies(bytes: &[u8], count: usize) -> Result<bool, Failure> {
    let mut lines = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if lines % 2 == 0 && line[0] != b'$' {
            return Err(Failure::new(format!("Redis refused: {}", String::from_utf8_lossy(line))));
        }
        lines += usize::from(line.ends_with(b"\n"));
    }
    Ok(lines == 2 * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u32, body: &str) -> String {
        format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn a_receipt_speaks_of_every_event_or_ends_the_run() {
        let body = r#"{"accepted":1,"duplicates":1,"results":[{"result":"rejected"},{"result":"warning"}]}"#;
        let text = answer(200, body);
        for length in 0..text.len() {
            assert_eq!(Answers::Receipt(3).read(&text.as_bytes()[..length]).unwrap(), None);
        }
        let tally = Tally { accepted: 1, duplicates: 1, rejected: 1 };
        assert_eq!(Answers::Receipt(3).read(text.as_bytes()).unwrap(), Some(tally));
        assert!(Answers::Receipt(4).read(text.as_bytes()).unwrap_err().to_string().contains("3 of 4"));
    }

    #[test]
    fn another_status_ends_the_run() {
        let told = Answers::Ok(1).read(answer(503, "busy").as_bytes()).unwrap_err().to_string();
        assert!(told.contains("503") && told.contains("busy"), "{told}");
        assert_eq!(Answers::Ok(1).read(answer(200, "").as_bytes()).unwrap().unwrap().accepted, 1);
    }

    #[test]
    fn replies_of_redis_are_counted() {
        let two = b"$3\r\n1-0\r\n$3\r\n1-1\r\n";
        for length in 0..two.len() {
            assert_eq!(Answers::Replies(2).read(&two[..length]).unwrap(), None, "{length}");
        }
        assert_eq!(Answers::Replies(2).read(two).unwrap().unwrap().accepted, 2);
        assert!(Answers::Replies(2).read(b"-OOM no\r\n").is_err());
    }
}
