//! Query parameters: each by its name, and none that a route does not take.

use crate::http::error::{ApiError, method_not_allowed};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

/// Query parameters that each operation of the document takes, by its path and method.
#[derive(Debug)]
pub struct Operations(HashMap<String, HashMap<Method, Vec<String>>>);

impl Operations {
    /// Those of a document.
    pub fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter().map(|(path, item)| {
            let methods = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let methods = methods
                .into_iter()
                .filter_map(|(method, operation)| Some((method, query_names(operation.as_ref()?))));
            (path.clone(), methods.collect())
        });
        Self(paths.collect())
    }

    /// What each operation of a path takes; nothing where that has no entry.
    fn at(&self, path: &str) -> Option<&HashMap<Method, Vec<String>>> {
        self.0.get(path)
    }
}

fn query_names(operation: &Operation) -> Vec<String> {
    let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
        _ => None,
    });
    parameters.collect()
}

/// Lets requests through whose parameters are those of their route's entry, each at most once.
pub async fn check(State(operations): State<Arc<Operations>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(methods) = operations.at(path) else {
        // That is a mistake of ours, which shows where the route is tried first.
        let message = format!("{path} is not in the OpenAPI document");
        return ApiError::new(StatusCode::NOT_FOUND, "not_found", &message).into_response();
    };
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let Some(taken) = methods.get(method) else { return method_not_allowed(method.clone()).await };
    match misfit(&Parameters::of(request.uri()), taken) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

fn misfit(given: &Parameters, taken: &[String]) -> Option<ApiError> {
    let mut seen = HashSet::new();
    given.0.iter().find_map(|(name, _)| {
        let (code, what) = if !taken.contains(name) {
            ("parameter_unknown", "is no parameter of this route")
        } else if !seen.insert(name) {
            ("parameter_repeated", "is given more than once")
        } else {
            return None;
        };
        let taken = if taken.is_empty() { "none".to_owned() } else { taken.join(", ") };
        // A name can be as long as an address.
        let name: String = name.chars().take(100).collect();
        let message = format!("'{name}' {what}; it takes {taken}");
        Some(ApiError::new(StatusCode::BAD_REQUEST, code, &message))
    })
}

/// The query parameters of a request, decoded.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Those of an address.
    pub fn of(uri: &Uri) -> Self {
        Self(form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The value of one, if it is given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// One that is not plain text: `takes` says what it is to be.
    ///
    /// # Errors
    /// 400 `<name>_malformed` for what `read` makes nothing of.
    pub fn read<T>(
        &self,
        name: &str,
        takes: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.text(name) else { return Ok(None) };
        let told = || {
            let value: String = value.chars().take(100).collect();
            let message = format!("{name} is {takes}, not '{value}'");
            ApiError::new(StatusCode::BAD_REQUEST, &format!("{name}_malformed"), &message)
        };
        read(value).map(Some).ok_or_else(told)
    }

    /// Whether the answer is to wait until everything received is taken in.
    ///
    /// # Errors
    /// It is given, and neither 1 nor 0.
    pub fn is_settled(&self) -> Result<bool, ApiError> {
        let read = self.read("settled", "1 or 0", |value| match value {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        });
        Ok(read?.unwrap_or_default())
    }

    /// How many rows the answer may have.
    ///
    /// # Errors
    /// It is given, and no number from 1 to `most`.
    pub fn limit(&self, usual: usize, most: usize) -> Result<usize, ApiError> {
        let is_plain = |value: &str| value.bytes().all(|byte| byte.is_ascii_digit());
        let read =
            |value: &str| value.parse().ok().filter(|limit| is_plain(value) && (1..=most).contains(limit));
        Ok(self.read("limit", &format!("a number from 1 to {most}"), read)?.unwrap_or(usual))
    }
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(query: &str, taken: &[&str]) -> Option<(String, String)> {
        let uri = Uri::try_from(format!("/admin/x?{query}")).unwrap();
        let taken: Vec<String> = taken.iter().map(|&name| name.to_owned()).collect();
        let error = misfit(&Parameters::of(&uri), &taken)?;
        Some((error.code().to_owned(), format!("{error:?}")))
    }

    #[test]
    fn a_parameter_that_a_route_does_not_take_is_named_with_those_that_it_takes() {
        assert!(told("", &[]).is_none());
        assert!(told("limit=5&after=%20x", &["after", "limit"]).is_none());
        let (code, said) = told("limit=5&lim%69ts=6", &["after", "limit"]).unwrap();
        assert_eq!(code, "parameter_unknown");
        assert!(said.contains("'limits' is no parameter of this route; it takes after, limit"), "{said}");
        let (code, said) = told("limit=5&limi%74=5", &["after", "limit"]).unwrap();
        assert_eq!(code, "parameter_repeated");
        assert!(said.contains("'limit' is given more than once"), "{said}");
        let (_, said) = told("settled", &[]).unwrap();
        assert!(said.contains("it takes none"), "{said}");
    }

    #[test]
    fn what_a_parameter_is_to_be_is_told_with_what_it_was() {
        let of = |query: &str| Parameters::of(&Uri::try_from(format!("/x?{query}")).unwrap());
        assert!(of("settled=1").is_settled().unwrap());
        assert!(!of("settled=0").is_settled().unwrap());
        assert!(!of("").is_settled().unwrap());
        assert_eq!(of("settled=yes").is_settled().unwrap_err().code(), "settled_malformed");
        assert_eq!(of("limit=7").limit(100, 1_000).unwrap(), 7);
        assert_eq!(of("").limit(100, 1_000).unwrap(), 100);
        for wrong in ["0", "1001", "%2B7", "-1", "", "7.0", "99999999999999999999999"] {
            let error = of(&format!("limit={wrong}")).limit(100, 1_000).unwrap_err();
            assert!(format!("{error:?}").contains("a number from 1 to 1000"), "{error:?}");
        }
    }
}
