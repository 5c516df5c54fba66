//! Accepting connections within bounds, and letting them end in order.

mod framing;
mod pace;
mod places;
mod socket;

use crate::limits::{DRAIN_TIMEOUT, HEADER_TIMEOUT, LATE_TIMEOUT, MAX_HEAD_BYTES, UNREAD_TIMEOUT_MS};
use crate::metrics::Metrics;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_tcp_user_timeout;
use socket::{RawHead, Socket};
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, watch};

pub use pace::Pace;
pub use places::{Place, Places};

/// The address at the other end of a request's connection; every request has it among its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Serves until `stop` becomes true, then lets the open connections finish. Until those of all listeners at `ended` have,
/// others are accepted for one request each, so that whoever asks is told that the collector is shutting down.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    places: Arc<Places>,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
    ended: Arc<Barrier>,
) {
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places, &metrics) => accepted,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        if let Some(accepted) = accepted {
            begin(&graceful, &builder, accepted, &router, &metrics);
        }
    }
    builder.keep_alive(false);
    let (late, open) = (GracefulShutdown::new(), graceful.shutdown());
    let drained = async {
        if tokio::time::timeout(DRAIN_TIMEOUT, open).await.is_err() {
            tracing::warn!(seconds = DRAIN_TIMEOUT.as_secs(), "some connections did not finish in time");
        }
        ended.wait().await;
    };
    let mut drained = pin!(drained);
    loop {
        tokio::select! {
            () = &mut drained => break,
            accepted = accept(&listener, &places, &metrics) => {
                if let Some(accepted) = accepted {
                    begin(&late, &builder, accepted, &router, &metrics);
                }
            }
        }
    }
    drop(listener);
    // They have no more than one answer to wait for, which says that nothing is taken any more.
    let _ = tokio::time::timeout(LATE_TIMEOUT, late.shutdown()).await;
}

/// Serves an accepted connection on a task of its own.
fn begin(
    graceful: &GracefulShutdown,
    builder: &http1::Builder,
    (stream, peer, place): (TcpStream, Peer, Place),
    router: &Router,
    metrics: &Arc<Metrics>,
) {
    let socket = Socket::new(stream);
    let (head, router, counted) = (socket.head(), router.clone(), metrics.clone());
    let service =
        service_fn(move |request| answer(request, peer, head.clone(), router.clone(), counted.clone()));
    let watched = graceful.watch(builder.serve_connection(TokioIo::new(socket), service));
    let metrics = metrics.clone();
    metrics.connections.add(1);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            if is_too_slow(&error) {
                metrics.slow_connections.add(1);
            }
            tracing::debug!(%error, "a connection ended early");
        }
        metrics.connections.subtract(1);
        drop(place);
    });
}

/// Accepts nobody while no place is free: who waits then is with the system, and costs no descriptor.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Places>,
    metrics: &Metrics,
) -> Option<(TcpStream, Peer, Place)> {
    let reserved = places.reserve().await?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            let Some(place) = places.take(reserved, peer.ip()) else {
                metrics.refused_connections.add(1);
                return None;
            };
            // Receipts and pushes are small and urgent; where it cannot be set, they are only later.
            let _ = stream.set_nodelay(true);
            // What the system has taken of an answer, and nobody reads, is not kept for minutes.
            let _ = set_tcp_user_timeout(&stream, UNREAD_TIMEOUT_MS);
            Some((stream, Peer(peer.ip()), place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: Peer,
    raw: RawHead,
    router: Router,
    metrics: Arc<Metrics>,
) -> Result<Response, Infallible> {
    let bytes = raw.take();
    let (mut head, body) = request.into_parts();
    head.extensions.insert(peer);
    if let Err(error) = framing::check(&head, &bytes) {
        metrics.errors.add(error.code(), 1);
        let mut response = error.into_response();
        // Where it ends is what is in doubt, so nothing behind it is read.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return Ok(response);
    }
    let request = Request::from_parts(head, Body::new(body));
    let response = TowerToHyperService::new(router).call(request).await;
    raw.restart(bytes);
    response
}

/// Whether a connection ended because its head came, or its answer was read, too slowly.
fn is_too_slow(error: &hyper::Error) -> bool {
    let unread = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    error.is_timeout() || unread.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}
