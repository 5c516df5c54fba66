//! A receiver of webhooks on a port of its own, which answers as a test wants it to.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request that has come.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or_else(|| panic!("no {name} in {:?}", self.headers), |(_, value)| value)
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a receiver does with a request.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// Answers with a status and further lines of the head.
    Answer(u16, &'static str),
    /// Answers 200 after a while.
    Late(Duration),
    /// Says nothing for as long as the sender waits.
    Silence,
}

/// A running receiver.
pub struct Receiver {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Starts one; `reply` is given each request and how many were there before.
    pub fn start(reply: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_over(reply, Ok)
    }

    /// Starts one that speaks TLS.
    pub fn start_tls(
        config: Arc<ServerConfig>,
        reply: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_over(reply, move |stream| {
            Ok(StreamOwned::new(ServerConnection::new(config.clone()).map_err(io::Error::other)?, stream))
        })
    }

    fn start_over<S: Read + Write + Send + 'static>(
        reply: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
        over: impl Fn(TcpStream) -> io::Result<S> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (reply, kept) = (Arc::new(reply), received.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (reply, kept) = (reply.clone(), kept.clone());
                let stream = over(stream.unwrap()).unwrap();
                std::thread::spawn(move || serve(stream, &*reply, &kept));
            }
        });
        Self { port, received }
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }
}

fn serve(
    stream: impl Read + Write,
    reply: &(dyn Fn(&Received, usize) -> Reply + Send + Sync),
    kept: &Mutex<Vec<Received>>,
) {
    let mut reader = BufReader::new(stream);
    let Some(request) = read(&mut reader) else { return };
    let before = {
        let mut kept = kept.lock().unwrap();
        kept.push(request.clone());
        kept.len() - 1
    };
    let (status, more) = match reply(&request, before) {
        Reply::Answer(status, more) => (status, more),
        Reply::Late(after) => {
            std::thread::sleep(after);
            (200, "")
        }
        Reply::Silence => {
            // Ends when the sender has hung up.
            let _ = reader.read(&mut [0]);
            return;
        }
    };
    let stream = reader.get_mut();
    let _ = write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 2\r\n{more}\r\nok");
    let _ = stream.flush();
}

fn read(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { path, headers, body })
}
