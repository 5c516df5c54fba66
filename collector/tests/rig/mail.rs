//! A mail server on a port of its own that keeps what it is given.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running mail server.
pub struct MailServer {
    pub port: u16,
    mails: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    /// Starts one; `answer` says what it says to the recipients of each connection, which are counted from 0.
    pub fn start(answer: impl Fn(usize) -> &'static str + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = mails.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                serve(stream.unwrap(), answer(number), &kept);
            }
        });
        Self { port, mails }
    }

    /// Every mail that was taken, with its recipients before its head.
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, answer: &str, kept: &Mutex<Vec<String>>) -> Option<()> {
    let mut writer = stream.try_clone().unwrap();
    let mut say = |line: &str| write!(writer, "{line}\r\n").ok();
    let mut lines = BufReader::new(stream).lines();
    let mut mail = String::new();
    say("220 mail.example ESMTP")?;
    loop {
        let line = lines.next()?.ok()?;
        match line.split([' ', ':']).next()? {
            "EHLO" => say("250 mail.example")?,
            "RCPT" => {
                mail.push_str(&format!("{line}\n"));
                say(answer)?;
            }
            "DATA" => {
                say("354 go on")?;
                loop {
                    match lines.next()?.ok()? {
                        end if end == "." => break,
                        line => mail.push_str(&format!("{line}\n")),
                    }
                }
                kept.lock().unwrap().push(std::mem::take(&mut mail));
                say("250 taken")?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
}
