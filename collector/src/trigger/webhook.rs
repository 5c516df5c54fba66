//! Calls of webhooks: one POST that follows no redirect, asks no proxy, and connects to the addresses that were looked at.

use super::address::refusal;
use super::signature::SigningSecret;
use super::verdict::{Trouble, Verdict, judge};
use crate::limits::{CALL_IDLE_TIMEOUT, MAX_ANSWER_BYTES};
use attune_core::time::Timestamp;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;
use url::{Host, Url};

/// How a webhook is to be called.
#[derive(Debug)]
pub struct WebhookSettings {
    /// Where, as the operator has written it.
    pub url: String,
    /// Signs what is sent.
    pub secret: SigningSecret,
    /// Whether addresses of this machine and of private networks may be called.
    pub allow_private: bool,
    /// For how long one call may take.
    pub timeout: Duration,
    /// Calls open at a time.
    pub calls: usize,
    /// Authorities that are trusted besides the public ones.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// A webhook that can be called.
#[derive(Debug)]
pub struct Webhook {
    uri: Uri,
    secret: SigningSecret,
    timeout: Duration,
    client: Client<HttpsConnector<HttpConnector<Guard>>, Full<Bytes>>,
}

impl Webhook {
    /// Checks where it leads; nothing is looked up yet.
    ///
    /// # Errors
    /// The field that cannot be used, and why.
    pub fn new(settings: WebhookSettings) -> Result<Self, String> {
        let uri = checked(&settings.url, settings.allow_private).map_err(|why| format!("url {why}"))?;
        let tls = trusting(settings.authorities).map_err(|why| format!("ca_file {why}"))?;
        let mut tcp = HttpConnector::new_with_resolver(Guard { allow_private: settings.allow_private });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(CALL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(settings.calls)
            .build(connector.wrap_connector(tcp));
        Ok(Self { uri, secret: settings.secret, timeout: settings.timeout, client })
    }

    /// Sends a body under an id, signed as of now.
    pub async fn call(&self, id: &str, body: Bytes, now: Timestamp) -> Verdict {
        let seconds = now.0.div_euclid(1_000);
        let request = Request::post(&self.uri)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("attune/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", self.secret.sign(id, seconds, &body))
            .body(Full::new(body));
        let Ok(request) = request else {
            return Verdict::Dead(Trouble::new("unsendable", "the firing's id is no value of a header"));
        };
        let end = Instant::now() + self.timeout;
        let late = format!("no answer within {} ms", self.timeout.as_millis());
        match timeout_at(end, self.client.request(request)).await {
            Err(_) => Verdict::Again(Trouble::new("timeout", late), None),
            Ok(Err(error)) => failed(&error),
            Ok(Ok(answer)) => {
                let verdict = judge(answer.status(), answer.headers());
                // A body that never ends costs its connection and changes nothing.
                let _ = timeout_at(end, discard(answer.into_body())).await;
                verdict
            }
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MAX_ANSWER_BYTES {
            return;
        }
    }
}

/// The address in the form in which it is called, where that may be. A host that is an address of the network is looked at
/// here: nothing resolves it later.
fn checked(text: &str, allow_private: bool) -> Result<Uri, String> {
    let url = Url::parse(text).map_err(|error| format!("'{text}' must be an http or https URL: {error}"))?;
    let wrong = |why: &str| Err(format!("'{text}' {why}"));
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("must begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not have a user name or password; what is sent is signed");
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return wrong("must have a host"),
    };
    if let Some(refused) = address.and_then(|address| refusal(address, allow_private)) {
        return wrong(&AddressRefused::because(refused.kind(), allow_private));
    }
    url.as_str().parse().or_else(|_| wrong("must be an http or https URL"))
}

fn trusting(authorities: Vec<CertificateDer<'static>>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for authority in authorities {
        roots.add(authority).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

fn failed(error: &(dyn Error + 'static)) -> Verdict {
    let causes: Vec<_> = std::iter::successors(Some(error), |error| (*error).source()).collect();
    if let Some(refused) = causes.iter().find_map(|cause| cause.downcast_ref::<AddressRefused>()) {
        return Verdict::Dead(Trouble::new("address_refused", refused.to_string()));
    }
    let texts: Vec<String> = causes.iter().map(ToString::to_string).collect();
    Verdict::Again(Trouble::new("connection", texts.join(": ")), None)
}

/// Resolves names, and gives nothing out that may not be called. What it gives out is what is connected to.
#[derive(Clone, Debug)]
struct Guard {
    allow_private: bool,
}

/// A name led to where nothing is called.
#[derive(Debug)]
struct AddressRefused(String);

impl AddressRefused {
    fn because(kind: &str, allow_private: bool) -> String {
        let hint =
            if allow_private { "" } else { "; allow_private lets private ones and this machine be called" };
        format!("leads to a {kind} address, which is not called{hint}")
    }
}

impl fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for AddressRefused {}

impl Service<Name> for Guard {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One address of a name that may not be called makes the others no better.
            let refused = found.iter().find_map(|address| refusal(address.ip(), allow_private));
            match refused {
                Some(refused) => {
                    let why = AddressRefused::because(refused.kind(), allow_private);
                    Err(AddressRefused(format!("{name} {why}")).into())
                }
                None => Ok(found.into_iter()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_may_not_be_called_is_told_before_anything_is_sent() {
        for (url, expected) in [
            ("crm.example/hook", "must be an http or https URL"),
            ("ftp://crm.example/", "must begin with https://"),
            ("https://user:pass@crm.example/", "must not have a user name"),
            ("https://10.0.0.1/", "leads to a private address"),
            ("http://2130706433/", "leads to a loopback address"),
            ("http://0x7f.1/", "leads to a loopback address"),
            ("http://[::ffff:169.254.169.254]/", "leads to a metadata address"),
            ("http://[fd00:ec2::254]/", "leads to a metadata address"),
        ] {
            let told = checked(url, false).unwrap_err();
            assert!(told.contains(expected), "{url}: {told}");
        }
        for url in ["https://crm.example/hook?a=b", "http://crm.example:8080", "https://1.1.1.1/"] {
            assert!(checked(url, false).is_ok(), "{url}");
        }
        assert!(checked("http://127.0.0.1:9/", true).is_ok());
        assert!(checked("http://169.254.169.254/", true).unwrap_err().ends_with("which is not called"));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_given_out() {
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = Guard { allow_private: false }.call(name()).await.unwrap_err();
        assert!(refused.to_string().starts_with("localhost leads to a loopback address"), "{refused}");
        let found = Guard { allow_private: true }.call(name()).await.unwrap();
        assert!(found.as_slice().iter().all(|address| address.ip().is_loopback()));
    }
}
