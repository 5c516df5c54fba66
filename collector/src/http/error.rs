//! Errors of the edge: a status and `{code, message}`.

use crate::access::{AccessError, Limited};
use crate::ingest::{BodyError, IngestError, MemoryBusy};
use crate::limits::{MAX_LIMITED_JITTER_SECONDS, MIN_LIMITED_JITTER_SECONDS, RETRY_AFTER_SECONDS};
use attune_core::limits::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES};
use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer that is an error.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: Value,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    /// An error of a status with its stable code.
    pub fn new(status: StatusCode, code: &str, message: &str) -> Self {
        Self { status, body: json!({"code": code, "message": message}), retry_after_seconds: None }
    }

    /// The same request may be sent again, after a jittered pause.
    pub fn retry(status: StatusCode, code: &str, message: &str) -> Self {
        let seconds = RETRY_AFTER_SECONDS + random_up_to(RETRY_AFTER_SECONDS);
        Self { retry_after_seconds: Some(seconds), ..Self::new(status, code, message) }
    }

    /// More than somebody may send: the same request may be sent again after a time, and a jittered pause.
    pub fn limited(limited: &Limited) -> Self {
        let seconds = limited.wait.as_secs() + u64::from(limited.wait.subsec_nanos() > 0);
        let jitter = seconds.clamp(MIN_LIMITED_JITTER_SECONDS, MAX_LIMITED_JITTER_SECONDS);
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, limited.code(), &limited.to_string());
        Self { retry_after_seconds: Some(seconds.max(1) + random_up_to(jitter)), ..error }
    }

    /// A batch over a limit of `max_bytes`; names the events that are too large alone.
    pub fn batch_too_large(message: &str, max_bytes: usize, offending: &[usize]) -> Self {
        let body = json!({
            "code": "batch_too_large",
            "message": message,
            "max_bytes": max_bytes,
            "max_events": MAX_BATCH_EVENTS,
            "max_event_bytes": MAX_EVENT_BYTES,
            "offending": offending,
        });
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, body, retry_after_seconds: None }
    }

    /// With another field for programs.
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.body[name] = value;
        self
    }

    /// Says the same also as libraries of Mixpanel look for it.
    pub fn for_mixpanel(mut self) -> Self {
        self.body["error"] = self.body["message"].clone();
        self.body["status"] = json!(0);
        self
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

fn random_up_to(most: u64) -> u64 {
    let mut random = [0; 4];
    // Without a random source all clients wait alike, which is no worse than no jitter.
    let _ = getrandom::fill(&mut random);
    u64::from(u32::from_le_bytes(random)) % (most + 1)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            // Every 401 says how to authenticate (RFC 9110, section 11.6.1); `Basic` would have browsers ask people.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        let status = match error {
            AccessError::KeyMissing | AccessError::KeyUnknown => StatusCode::UNAUTHORIZED,
            AccessError::OriginRefused(_) => StatusCode::FORBIDDEN,
        };
        Self::new(status, error.code(), &error.to_string())
    }
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> Self {
        let message = error.to_string();
        match &error {
            IngestError::TooLarge(offending) => Self::batch_too_large(&message, MAX_BATCH_BYTES, offending),
            IngestError::Body(BodyError::TypeUnsupported | BodyError::EncodingUnsupported) => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.code(), &message)
            }
            IngestError::Body(_) | IngestError::Envelope(_) => {
                Self::new(StatusCode::BAD_REQUEST, error.code(), &message)
            }
            IngestError::Limited(limited) => Self::limited(limited),
            IngestError::Memory(_) | IngestError::Log(_) => {
                Self::retry(StatusCode::SERVICE_UNAVAILABLE, error.code(), &message)
            }
        }
    }
}

impl From<MemoryBusy> for ApiError {
    fn from(busy: MemoryBusy) -> Self {
        IngestError::Memory(busy).into()
    }
}

/// Answers for paths that lead nowhere.
pub async fn not_found(uri: Uri) -> ApiError {
    nothing_at(uri.path())
}

/// Nothing is served at a path.
pub fn nothing_at(path: &str) -> ApiError {
    // One can be as long as the head of a request.
    let path: String = path.chars().take(200).collect();
    ApiError::new(StatusCode::NOT_FOUND, "not_found", &format!("nothing is served at {path}"))
}

/// Answers for methods that a path does not take; `Allow` is added around it. Who asks for the methods by `OPTIONS` gets
/// nothing else (RFC 9110, section 9.3.7).
pub async fn method_not_allowed(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    // One can be as long as the head of a request.
    let method: String = method.as_str().chars().take(20).collect();
    let message = format!("this path does not take {method}; the header Allow says what it takes");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &message).into_response()
}
