//! The generator against servers that are slow, or refuse.

use super::*;
use crate::traffic::{Encoding, Form, Traffic};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Answers each request of a connection after a pause, as long as the connection lasts.
fn answer(mut stream: TcpStream, pause: impl Fn(), text: &str) {
    let (mut seen, mut chunk) = (Vec::new(), [0; 65_536]);
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        seen.extend_from_slice(&chunk[..count]);
        if seen.ends_with(b"]}") {
            seen.clear();
            pause();
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// A server of which every connection answers in its own time.
fn serve(pause: impl Fn() + Copy + Send + 'static, text: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(stream.unwrap(), pause, text));
        }
    });
    port
}

fn offer(port: u16, requests: &Requests, connections: usize) -> Result<Figures, Failure> {
    run(&Offer { port, requests, answers: Answers::Ok(1), rate: Some(200.0), connections })
}

#[test]
fn what_waits_for_a_slow_server_is_not_omitted() {
    let requests = Traffic::new().requests(Form::Http(Encoding::Json), 2, 20).unwrap();
    let port = serve(|| thread::sleep(Duration::from_millis(50)), OK);
    let figures = offer(port, &requests, 1).unwrap();
    assert_eq!((figures.requests(), figures.tally.accepted), (20, 20));
    // 20 in turn take a second, while the last is due after a tenth of that or a little more.
    assert!(figures.latency_ms(1.0) > 500.0, "{figures:?}");
    assert!(figures.latency_ms(0.5) > 250.0, "{figures:?}");
    assert!(figures.backlog > 10, "{figures:?}");
}

#[test]
fn connections_do_not_wait_for_each_other() {
    let requests = Traffic::new().requests(Form::Http(Encoding::Json), 2, 8).unwrap();
    let barrier: &'static Barrier = Box::leak(Box::new(Barrier::new(8)));
    // None is answered before all have been sent.
    let port = serve(|| _ = barrier.wait(), OK);
    assert_eq!(offer(port, &requests, 8).unwrap().tally.accepted, 8);
}

#[test]
fn an_answer_that_is_no_success_ends_the_run() {
    let requests = Traffic::new().requests(Form::Http(Encoding::Json), 2, 5).unwrap();
    let port = serve(|| {}, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    assert!(offer(port, &requests, 2).unwrap_err().to_string().contains("503"));
}
