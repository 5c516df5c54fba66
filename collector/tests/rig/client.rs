//! A plain HTTP client for a collector, and its streams message by message.

use super::{DEADLINE, SECRET};
use serde_json::Value;
use std::io::{BufRead, BufReader};

/// Bytes of an answer that are read at most.
const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;

/// An answer of any status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Where a collector listens.
#[derive(Clone, Debug)]
pub struct Place {
    pub public: String,
    pub admin: String,
}

impl Place {
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body).unwrap()
    }

    /// Sends a request to a collector that may go away.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let base = if path.starts_with("/admin") { &self.admin } else { &self.public };
        Self::send_to(base, method, path, headers, body)
    }

    /// Sends a request to the privileged listener, with the secret key.
    pub fn privileged(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = format!("Bearer {SECRET}");
        let headers: Vec<_> = headers.iter().copied().chain([("Authorization", &*bearer)]).collect();
        Self::send_to(&self.admin, method, path, &headers, body).unwrap()
    }

    fn send_to(
        base: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(DEADLINE));
        let agent = ureq::Agent::new_with_config(config.build());
        let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{base}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response =
            if method == "GET" { agent.run(request.body(())?)? } else { agent.run(request.body(body)?)? };
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let body = response.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_vec()?;
        Ok(Answer { status: response.status().as_u16(), headers, body })
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
    }

    pub fn admin(&self, path: &str) -> Answer {
        self.send("GET", path, &[("Authorization", &format!("Bearer {SECRET}"))], &[])
    }

    /// Sends a batch as a browser does.
    pub fn post(&self, batch: &Value) -> Answer {
        self.send(
            "POST",
            "/v1/events?k=demo",
            &[("Content-Type", "text/plain")],
            batch.to_string().as_bytes(),
        )
    }

    /// Sends a batch that has to be taken; returns its receipt.
    pub fn receipt(&self, batch: &Value) -> Value {
        let answer = self.post(batch);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The summary once everything received has been taken in.
    pub fn summary(&self) -> Value {
        let answer = self.admin("/admin/summary?settled=1");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Follows what is taken in; the status where that is refused.
    pub fn follow(&self, query: &str) -> Result<Stream, u16> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(DEADLINE));
        let url = format!("http://{}/v1/events/tail{query}", self.admin);
        let agent = ureq::Agent::new_with_config(config.build());
        let response = agent.get(&url).header("Authorization", format!("Bearer {SECRET}")).call().unwrap();
        if response.status() != 200 {
            return Err(response.status().as_u16());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Ok(Stream { lines: Box::new(BufReader::new(response.into_body().into_reader())) })
    }

    /// Opens the stream of a member, resuming behind a message if one is named.
    pub fn stream(&self, receipt: &Value, last_event_id: Option<&str>) -> Stream {
        let token = receipt["stream"]["token"].as_str().unwrap();
        let last = last_event_id.map_or(String::new(), |id| format!("&last_event_id={id}"));
        let config = ureq::Agent::config_builder().timeout_global(Some(DEADLINE)).build();
        let url = format!("http://{}/v1/stream?token={token}{last}", self.public);
        let response = ureq::Agent::new_with_config(config).get(&url).call().unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { lines: Box::new(BufReader::new(response.into_body().into_reader())) }
    }
}

/// One message of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    pub event: String,
    pub id: Option<String>,
    pub data: String,
}

/// An open stream.
pub struct Stream {
    lines: Box<dyn BufRead>,
}

impl Stream {
    /// The next message; comments and settings of the stream are passed over. Nothing at its end.
    pub fn next(&mut self) -> Option<Message> {
        let (mut event, mut id, mut data) = (None, None, None);
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.is_empty() && event.is_some() {
                return Some(Message { event: event?, id, data: data.unwrap_or_default() });
            }
            match line.split_once(": ") {
                Some(("event", text)) => event = Some(text.to_owned()),
                Some(("id", text)) => id = Some(text.to_owned()),
                Some(("data", text)) => data = Some(text.to_owned()),
                _ => {}
            }
        }
    }

    /// The next message of a kind.
    pub fn next_of(&mut self, event: &str) -> Message {
        loop {
            let message = self.next().unwrap_or_else(|| panic!("the stream ended before {event}"));
            if message.event == event {
                return message;
            }
        }
    }
}
