//! One keep-alive connection with at most one request in flight.

use super::answer::{Answers, Tally};
use crate::failure::Failure;
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

/// More than an answer has.
const CHUNK_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    request: Option<usize>,
    written: usize,
    answer: Vec<u8>,
    /// Whether the server has closed it while nothing was in flight, as it may.
    is_closed: bool,
}

impl Connection {
    /// Connects, and has the system tell of it by this number.
    pub fn open(port: u16, epoll: &OwnedFd, number: usize) -> Result<Self, Failure> {
        let told = |error: std::io::Error| Failure::of(&format!("connection to port {port}"), error);
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(told)?;
        stream.set_nodelay(true).map_err(told)?;
        stream.set_nonblocking(true).map_err(told)?;
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::RDHUP;
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(epoll, &stream, data, flags | epoll::EventFlags::ET)
            .map_err(|error| Failure::of("epoll", error))?;
        let answer = Vec::with_capacity(CHUNK_BYTES);
        Ok(Self { stream, request: None, written: 0, answer, is_closed: false })
    }

    /// The request in flight.
    pub const fn request(&self) -> Option<usize> {
        self.request
    }

    /// Begins a request; as much of it is written as the system takes.
    pub fn send(
        &mut self,
        request: usize,
        bytes: &[u8],
        port: u16,
        epoll: &OwnedFd,
        number: usize,
    ) -> Result<(), Failure> {
        if self.is_closed {
            *self = Self::open(port, epoll, number)?;
        }
        self.request = Some(request);
        self.written = 0;
        self.write(bytes)
    }

    /// Writes and reads what can be; the request and its tally once its answer is whole.
    pub fn advance(
        &mut self,
        bytes: Option<&[u8]>,
        answers: &Answers,
    ) -> Result<Option<(usize, Tally)>, Failure> {
        if let Some(bytes) = bytes.filter(|bytes| self.written < bytes.len()) {
            self.write(bytes)?;
        }
        loop {
            let start = self.answer.len();
            self.answer.resize(start + CHUNK_BYTES, 0);
            let read = self.stream.read(&mut self.answer[start..]);
            self.answer.truncate(start + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) if self.request.is_none() => {
                    self.is_closed = true;
                    return Ok(None);
                }
                Ok(0) => return Err(Failure::new("the server closed a connection with a request in flight")),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::of("an answer", error)),
            }
            let Some(tally) = answers.read(&self.answer)? else { continue };
            let Some(request) = self.request.take() else {
                return Err(Failure::new("the server answered what nobody had asked"));
            };
            self.answer.clear();
            return Ok(Some((request, tally)));
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        while self.written < bytes.len() {
            match self.stream.write(&bytes[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Failure::of("a request", error)),
            }
        }
        Ok(())
    }
}
