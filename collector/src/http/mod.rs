//! The HTTP edge: routes of the public and the privileged listener.

mod admin;
mod assets;
mod bundle;
mod bundles;
mod compat;
mod cors;
mod dead_letters;
mod error;
mod events;
mod experiments;
mod forget;
mod found;
mod health;
mod keys;
mod listen;
mod membership;
mod privileged;
mod profile_export;
mod profile_traits;
mod profiles;
mod rate;
mod request;
mod stream;
mod tail;
mod token;
mod visitor;

use crate::access::{CookieDomain, Proxies, Tokens, Tombstones, WriteKeys};
use crate::assets::Assets;
use crate::bundle::{Orders, Published, Signer};
use crate::content::Document;
use crate::enrich::Enricher;
use crate::ingest::Ingest;
use crate::metrics::Metrics;
use crate::push::Hub;
use crate::query::Query;
use crate::trigger::Triggers;
use axum::Router;
use axum::handler::Handler as _;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::{Mutex, Semaphore, watch};
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use listen::{Places, serve};
pub use privileged::admin_router;
pub use request::RequestIds;

/// What the handlers reach.
#[derive(Debug)]
pub struct Edge {
    /// Write keys.
    pub keys: Arc<WriteKeys>,
    /// Proxies that are believed about who asks.
    pub proxies: Arc<Proxies>,
    /// The domain for which the visitor's cookie is set, if it is.
    pub cookie_domain: Option<CookieDomain>,
    /// Tokens of browsers.
    pub tokens: Arc<Tokens>,
    /// Erased members.
    pub tombstones: Arc<Tombstones>,
    /// Finds out where events come from.
    pub enricher: Enricher,
    /// Takes batches in.
    pub ingest: Ingest,
    /// The bundle in effect, if any.
    pub bundles: watch::Receiver<Option<Arc<Published>>>,
    /// The signed statement of which bundle that is.
    pub statements: watch::Receiver<Option<Arc<Document>>>,
    /// Puts bundles into effect by request.
    pub orders: Arc<Orders>,
    /// The signed key set.
    pub keyset: Arc<Document>,
    /// Signs what is published.
    pub signer: Arc<Signer>,
    /// The key that pages are to trust, where the collector has made it.
    pub trust_key: Option<String>,
    /// Open streams.
    pub hub: Arc<Hub>,
    /// Read-only questions.
    pub query: Query,
    /// Triggers' calls.
    pub triggers: Triggers,
    /// Embedded files.
    pub assets: Arc<Assets>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether new requests should go elsewhere.
    pub draining: AtomicBool,
    /// `/demo/config.json`, where the demo is served.
    pub demo_config: Option<String>,
    /// The key of the privileged listener.
    pub secret_key: String,
    /// Places of those who have a person's data exported.
    pub exports: Arc<Semaphore>,
    /// Held by who takes dead letters in again, so that nobody else takes the same ones.
    pub replaying: Mutex<()>,
}

/// Routes of the public listener.
pub fn public_router(edge: Arc<Edge>, ids: RequestIds) -> Router {
    let api = Router::new()
        .route("/v1/events", post(events::accept))
        .route("/v1/bundle", get(bundle::latest))
        .route("/v1/bundle/keys", get(bundle::keys))
        .route("/v1/bundle/current", get(bundle::current))
        .route("/v1/bundle/{hash}", get(bundle::by_hash))
        .route("/v1/stream", get(stream::open))
        .route("/v1/stream/token", post(token::issue))
        .route("/v1/forget", post(forget::erase))
        .merge(compat::segment())
        .merge(compat::measurement())
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(from_fn_with_state(edge.clone(), rate::limit))
        // A preflight is a method that no route takes, so the layer goes around the whole of them.
        .layer(cors::layer(edge.keys.clone()));
    // Its answers are for the pages of one domain, with credentials, so it stays outside of the layer.
    let visitor = Router::new().route("/v1/visitor", post(visitor::issue));
    let visitor = visitor
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(from_fn_with_state(edge.clone(), rate::limit));
    // Its libraries for pages send credentials with everything, and nothing here looks at them.
    let mixpanel = compat::mixpanel()
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(from_fn_with_state(edge.clone(), rate::limit))
        .layer(cors::layer(edge.keys.clone()).allow_credentials(true));
    let mut router = api
        .merge(visitor)
        .merge(mixpanel)
        .merge(Router::from(health_router()))
        .route("/sdk/{*path}", get(assets::sdk));
    // A page whose address of the collector has a path too many is to read what it gets, rather than nothing.
    let readable = cors::layer(edge.keys.clone());
    if edge.demo_config.is_some() {
        let demo = get(assets::demo).fallback(error::method_not_allowed).layer(readable);
        router = router.route("/demo/config.json", get(assets::demo_config)).fallback(demo);
    } else {
        router = router.fallback(error::not_found.layer(readable));
    }
    finish(router, edge, ids)
}

fn health_router() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::default()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
}

fn finish(router: Router<Arc<Edge>>, edge: Arc<Edge>, ids: RequestIds) -> Router {
    router
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(ids))
        .with_state(edge)
}
