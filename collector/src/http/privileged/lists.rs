//! Lists in parts: how many rows, behind which, and where the next part is.

use crate::query::Page;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Display;

/// A part of a list as NDJSON, with the address of the next one where there is one; `place` writes a place in the list.
pub fn lines<C: Copy>(uri: &Uri, page: Page<C>, place: impl FnOnce(C) -> String) -> Response {
    let next = page.next().map(place);
    let mut response = ([(header::CONTENT_TYPE, "application/x-ndjson")], page.into_lines()).into_response();
    link_next(response.headers_mut(), uri, next);
    response
}

/// Says where the next part of a list is: the same address with another `after` (RFC 8288).
pub fn link_next(headers: &mut HeaderMap, uri: &Uri, next: Option<impl Display>) {
    let Some(next) = next else { return };
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(given.filter(|(name, _)| name != "after"));
    query.append_pair("after", &next.to_string());
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish());
    // Of a path and a query that are encoded there is always one.
    headers.extend(HeaderValue::try_from(link).ok().map(|link| (header::LINK, link)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_part_is_asked_for_as_this_one_was() {
        let link = |uri: &'static str, next: Option<&str>| {
            let mut headers = HeaderMap::new();
            link_next(&mut headers, &Uri::from_static(uri), next);
            headers.get(header::LINK).map(|link| link.to_str().unwrap().to_owned())
        };
        assert_eq!(link("/admin/firings", None), None);
        assert_eq!(link("/admin/firings", Some("7")).unwrap(), "</admin/firings?after=7>; rel=\"next\"");
        assert_eq!(
            link("/admin/x?after=3&code=a%3E%0A%C3%A4&limit=2", Some("4096-3")).unwrap(),
            "</admin/x?code=a%3E%0A%C3%A4&limit=2&after=4096-3>; rel=\"next\""
        );
    }
}
