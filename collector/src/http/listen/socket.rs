//! A connection's socket: it ends where nobody reads, and keeps the heads of requests as they came.

use super::pace::Pace;
use crate::limits::MAX_HEAD_BYTES;
use memchr::memchr_iter;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// The bytes of a request's head as they came, and what came with them. hyper's parser takes a length away that stands
/// beside chunks, so who has to know looks here.
#[derive(Clone, Debug)]
pub struct RawHead(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    bytes: Vec<u8>,
    is_kept: bool,
}

impl RawHead {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Kept { bytes: Vec::new(), is_kept: true })))
    }

    /// What has come, now that the head is whole; what follows is its body and is not kept.
    pub fn take(&self) -> Vec<u8> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.is_kept = false;
        std::mem::take(&mut kept.bytes)
    }

    /// Another head follows; the bytes give their memory for it.
    pub fn restart(&self, mut bytes: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.clear();
        *kept = Kept { bytes, is_kept: true };
    }

    fn keep(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_kept {
            let room = MAX_HEAD_BYTES.saturating_sub(kept.bytes.len());
            let end = end_of_head(bytes);
            kept.is_kept = end.is_none();
            kept.bytes.extend_from_slice(&bytes[..room.min(end.unwrap_or(bytes.len()))]);
        }
    }
}

/// Where a head ends that ends within these bytes; empty lines before it are none of it. One whose last lines come apart is
/// kept with what of its body comes along.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let mut ends = memchr_iter(b'\n', &bytes[start..]).map(|at| start + at + 1);
    ends.find(|end| matches!(bytes[*end..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

/// A socket that fails with `TimedOut` where its peer does not read what is written.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    head: RawHead,
    pace: Pace,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// A socket at the beginning of its first request.
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, head: RawHead::new(), pace: Pace::new(), timer: None }
    }

    /// Where the heads of its requests are.
    pub fn head(&self) -> RawHead {
        self.head.clone()
    }

    fn paced(
        &mut self,
        context: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Pending => {
                let end = self.pace.wait(Instant::now());
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
                if timer.deadline() != end {
                    timer.as_mut().reset(end);
                }
                let over = || io::Error::new(io::ErrorKind::TimedOut, "the answer is read too slowly");
                timer.as_mut().poll(context).map(|()| Err(over()))
            }
            Poll::Ready(Ok(count)) => {
                self.pace.gain(count, Instant::now());
                wrote
            }
            Poll::Ready(Err(_)) => wrote,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read {
            self.head.keep(&buffer.filled()[before..]);
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.paced(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.paced(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pieces: &[&str]) -> String {
        let head = RawHead::new();
        pieces.iter().for_each(|piece| head.keep(piece.as_bytes()));
        String::from_utf8(head.take()).unwrap()
    }

    #[test]
    fn a_head_is_kept_whole_and_its_body_is_not() {
        assert_eq!(
            kept(&["POST / HTTP/1.1\r\nA: b\r\n\r\n{body}", "\r\nmore"]),
            "POST / HTTP/1.1\r\nA: b\r\n"
        );
        assert_eq!(kept(&["POST / HTTP/1.1\nA: b\n\n{body}"]), "POST / HTTP/1.1\nA: b\n");
        assert_eq!(kept(&["\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n"]), "\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n");
        assert_eq!(
            kept(&["GET / HTTP/1.1\r\nA", ": b\r\nC: d\r\n\r\n{}"]),
            "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n"
        );
        assert_eq!(kept(&["GET / HTTP/1.1\r\nA: b\r\n", "\r\n{}"]), "GET / HTTP/1.1\r\nA: b\r\n\r\n{}");
    }
}
