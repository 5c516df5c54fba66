//! The running collector: two listeners in front of the rooms.

use crate::access::{Throttle, Uses};
use crate::assets::Assets;
use crate::descriptors::{raise_limit, share_out};
use crate::enrich::Enricher;
use crate::hex::hex;
use crate::http::{Edge, Places, RequestIds, admin_router, public_router, serve};
use crate::ingest::{Drops, Ingest, Live, Memory, Watches};
use crate::limits::{ACCEPT_QUEUE, MAX_ADMIN_CONNECTIONS, MAX_EXPORTS, SEND_BUFFER_BYTES};
use crate::query::Query;
use crate::reload::Reloading;
use crate::rooms::{Closing, Rooms, StartError};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::trigger::{self, Delivering, Outbox, Told};
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Barrier, Mutex, Semaphore, watch};
use tokio::task::{JoinHandle, spawn_blocking};

/// A running collector.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    admin_address: SocketAddr,
    edge: Arc<Edge>,
    closing: Closing,
    delivering: Delivering,
    reloading: Reloading,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts everything; listening when it returns.
    ///
    /// # Errors
    /// A port, folder or file that cannot be used.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let told = |error: String| StartError(format!("--max-connections: {error}"));
        let descriptors = share_out(raise_limit(), settings.max_connections).map_err(told)?;
        let connections = descriptors.connections;
        if connections < settings.max_connections {
            let wanted = settings.max_connections;
            tracing::warn!(connections, wanted, "the limit of open files leaves room for fewer connections");
        }
        let (public, address) = bind(&settings, "--port", settings.port)?;
        let (admin, admin_address) = bind(&settings, "--admin-port", settings.admin_port)?;
        let process = Secret::random().map_err(|error| StartError(format!("random source: {error}")))?;
        let demo_config = demo_config(&settings);
        let opened = spawn_blocking(move || {
            Rooms::open(&settings, descriptors.store_files).map(|rooms| (rooms, settings))
        })
        .await;
        let (rooms, settings) = opened.map_err(|error| StartError(error.to_string()))??;
        let assets = Arc::new(Assets::embedded());
        assets.compress_in_background();
        let Rooms {
            log,
            store,
            hub,
            publisher,
            signer,
            trust,
            worker,
            tokens,
            tombstones,
            secret_key,
            metrics,
            lock,
        } = rooms;
        let outbox = Outbox {
            store: store.clone(),
            destinations: RwLock::new(Arc::new(settings.destinations)),
            tombstones: tombstones.clone(),
            metrics: metrics.clone(),
            told: Told::default(),
        };
        let (triggers, delivering) = trigger::start(outbox, worker.committed());
        let proxies = Arc::new(settings.proxies);
        metrics.connections_limit.set(connections as u64);
        let memory = Memory::new(settings.body_memory_mib << 20, metrics.clone());
        let throttle = Throttle::new(&settings.keys, settings.of_address);
        let edge = Arc::new(Edge {
            keys: Arc::new(settings.keys),
            proxies: proxies.clone(),
            cookie_domain: settings.cookie_domain,
            tokens: tokens.clone(),
            tombstones,
            enricher: Enricher::new(settings.enrichment, settings.geo_database, metrics.clone()),
            ingest: Ingest {
                log: log.clone(),
                tokens,
                drops: Drops::default(),
                throttle,
                memory,
                watches: Watches::default(),
                live: Live::default(),
                uses: Uses::default(),
                metrics: metrics.clone(),
            },
            bundles: publisher.bundles(),
            statements: publisher.statements(),
            orders: publisher.orders(),
            keyset: trust.keyset,
            signer,
            trust_key: trust.key,
            hub,
            query: Query {
                store,
                log: log.clone(),
                committed: worker.committed(),
                bundles: publisher.bundles(),
                metrics: metrics.clone(),
            },
            triggers,
            assets,
            metrics,
            draining: AtomicBool::new(false),
            demo_config,
            secret_key,
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            replaying: Mutex::new(()),
        });
        let (stop, stopped) = watch::channel(false);
        let ids = RequestIds::new(&hex(&process.bytes()[..4]));
        let of_one = settings.max_connections_per_address.unwrap_or(connections / 4);
        let public_places = Places::new(connections, of_one, proxies);
        // Whoever holds the secret key may have all of them.
        let admin_places = Places::new(MAX_ADMIN_CONNECTIONS, MAX_ADMIN_CONNECTIONS, Arc::default());
        let metrics = edge.metrics.clone();
        let public_routes = public_router(edge.clone(), ids.clone());
        let admin_routes = admin_router(edge.clone(), ids);
        // Neither is closed before both are drained.
        let ended = Arc::new(Barrier::new(2));
        let (counted, stopping) = (metrics.clone(), stopped.clone());
        let listeners = vec![
            tokio::spawn(serve(public, public_routes, public_places, counted, stopping, ended.clone())),
            tokio::spawn(serve(admin, admin_routes, admin_places, metrics, stopped, ended)),
        ];
        tracing::info!(%address, %admin_address, data_dir = %settings.data_dir.display(), "listening");
        let reloading = Reloading::start(settings.arguments, settings.stamps, edge.clone());
        Ok(Self {
            address,
            admin_address,
            edge,
            closing: Closing { publisher, log, worker, lock },
            delivering,
            reloading,
            stop,
            listeners,
        })
    }

    /// Where the public listener is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the privileged listener is.
    pub const fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// The key of the privileged listener.
    pub fn secret_key(&self) -> &str {
        &self.edge.secret_key
    }

    /// Has write keys, limits and destinations read again.
    pub fn reload(&self) {
        self.reloading.ask();
    }

    /// Refuses new work, finishes what was begun, makes everything durable.
    pub async fn shutdown(self) {
        self.edge.draining.store(true, Ordering::Relaxed);
        self.edge.hub.close();
        self.edge.ingest.live.close();
        self.stop.send_replace(true);
        self.delivering.stop();
        self.reloading.stop().await;
        for listener in self.listeners {
            if let Err(error) = listener.await {
                tracing::error!(%error, "a listener had ended early");
            }
        }
        // What has been delivered is written before the state is made durable.
        self.delivering.ended().await;
        let closing = self.closing;
        if let Err(error) = spawn_blocking(move || closing.close()).await {
            tracing::error!(%error, "the shutdown was cut short");
        }
        tracing::info!("stopped; everything received is durable");
    }
}

fn bind(settings: &Settings, setting: &str, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let address = SocketAddr::new(settings.host, port);
    let told = |error: std::io::Error| {
        StartError(format!("{}: {address}: {error}", at_fault(setting, error.kind())))
    };
    let listener = listen(address).map_err(told)?;
    let address = listener.local_addr().map_err(told)?;
    Ok((listener, address))
}

/// Listens as [`TcpListener::bind`] does, but lets more wait than the 1,024 that are usual: who finds no room in the queue tries
/// again after a second (RFC 6298, section 2.1).
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Every connection that is accepted has it as well.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_QUEUE)
}

/// The setting for which an address cannot be listened on: its port's, unless no interface has the address.
const fn at_fault(port: &str, error: std::io::ErrorKind) -> &str {
    if matches!(error, std::io::ErrorKind::AddrNotAvailable) { "--host" } else { port }
}

fn demo_config(settings: &Settings) -> Option<String> {
    let rules_dir = settings.rules_dir.as_deref().map(|folder| {
        let whole = fs::canonicalize(folder);
        whole.as_deref().unwrap_or(folder).display().to_string()
    });
    let config = serde_json::json!({
        "write_key": settings.keys.first(),
        "control": settings.demo_control.as_deref().map(|url| url.trim_end_matches('/')),
        "rules_dir": rules_dir,
    });
    settings.demo.then(|| config.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::{IpAddr, Ipv4Addr};

    #[tokio::test]
    async fn an_address_that_cannot_be_listened_on_is_told_with_the_setting_at_fault() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let error = TcpListener::bind(taken.local_addr().unwrap()).await.unwrap_err();
        assert_eq!(at_fault("--admin-port", error.kind()), "--admin-port");
        // A block for documentation, which no interface has.
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 0);
        let error = TcpListener::bind(nowhere).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        assert_eq!(at_fault("--port", error.kind()), "--host");
    }
}
