//! Requests whose end, or whose server, somebody in between could see elsewhere are refused (RFC 9112, sections 3.2 and
//! 6.3).

use crate::http::error::ApiError;
use axum::http::request::Parts;
use axum::http::{StatusCode, Version, header};

/// Looks at a head, and at its bytes as they came.
///
/// # Errors
/// It names no host or several, or has both a length and chunks.
pub fn check(head: &Parts, raw: &[u8]) -> Result<(), ApiError> {
    let hosts = head.headers.get_all(header::HOST).iter().count();
    if hosts > 1 || hosts == 0 && head.version >= Version::HTTP_11 {
        let message = format!("a request has exactly one Host header; this one has {hosts}");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "host_not_one", &message));
    }
    // Where the chunks are not named in what was kept, the head came behind another request, before its answer: nobody
    // that sends chunks does.
    let is_chunked = head.headers.contains_key(header::TRANSFER_ENCODING);
    if is_chunked && (!has_line(raw, "transfer-encoding:") || has_line(raw, "content-length:")) {
        let message = "a request has a Content-Length or a Transfer-Encoding, and a chunked one waits for the answer before it";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "framing_ambiguous", message));
    }
    Ok(())
}

/// Whether a line begins with a name, in whatever case.
fn has_line(raw: &[u8], name: &str) -> bool {
    raw.split(|byte| *byte == b'\n')
        .any(|line| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn code(headers: &[(&str, &str)], version: Version, raw: &str) -> String {
        let mut request = Request::builder().version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        check(&head, raw.as_bytes()).err().map(|error| error.code().to_owned()).unwrap_or_default()
    }

    #[test]
    fn one_host_is_named() {
        let (host, old, new) = (("host", "a.example"), Version::HTTP_10, Version::HTTP_11);
        assert_eq!(code(&[host], new, ""), "");
        assert_eq!(code(&[], new, ""), "host_not_one");
        assert_eq!(code(&[host, host], new, ""), "host_not_one");
        assert_eq!(code(&[], old, ""), "");
        assert_eq!(code(&[host, host], old, ""), "host_not_one");
    }

    #[test]
    fn chunks_have_no_length_beside_them() {
        let headers = [("host", "a.example"), ("transfer-encoding", "chunked")];
        let told = |raw: &str| code(&headers, Version::HTTP_11, raw);
        assert_eq!(told("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), "");
        assert_eq!(
            told("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"),
            "framing_ambiguous"
        );
        assert_eq!(
            told("POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"),
            "framing_ambiguous"
        );
        assert_eq!(told("x: Content-Length: 3\r\nTRANSFER-ENCODING: chunked\r\n"), "");
        assert_eq!(told(""), "framing_ambiguous");
    }
}
