//! The OpenAPI document of the privileged listener: what all of its entries share, and how it is served.

use super::schemas::ErrorBody;
use axum::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    Response as Answer, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

/// The name of the one way to show that one may ask.
const SECRET_KEY: &str = "secret_key";
/// What every route behind the secret key may answer besides what its entry says.
const SHARED: [(&str, &str); 2] = [
    (
        "400",
        "`parameter_unknown`: the route takes no query parameter of this name; `parameter_repeated`: one is given twice",
    ),
    ("401", "`secret_key_invalid`: the secret key is missing or another"),
];

/// Headers of errors behind the secret key.
const HEADERS: [(&str, &str, &str); 2] = [
    ("401", "WWW-Authenticate", "`Bearer`"),
    ("503", "Retry-After", "after how many seconds the same request may be sent again"),
];

/// The document's text, once all routes are in it.
#[derive(Clone, Debug)]
pub struct Text(Arc<str>);

/// A document of nothing yet.
pub fn begin() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Attune collector, privileged listener")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Everything here needs the collector's secret key. Errors are `{code, message}`; codes are stable."))
        .build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = ComponentsBuilder::new()
        .security_scheme(SECRET_KEY, SecurityScheme::Http(bearer))
        .schema(ErrorBody::name(), ErrorBody::schema())
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new(SECRET_KEY, [""; 0])]))
        .build()
}

/// Adds what all routes behind the secret key share and then those that are open, and says of each error which codes it may
/// have.
pub fn finish(mut guarded: OpenApi, open: OpenApi) -> OpenApi {
    guarded.paths.paths.values_mut().flat_map(operations).for_each(share);
    guarded.paths.paths.extend(open.paths.paths);
    for operation in guarded.paths.paths.values_mut().flat_map(operations) {
        operation.responses.responses.iter_mut().for_each(|(status, answer)| name_codes(status, answer));
    }
    guarded
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn share(operation: &mut Operation) {
    for (status, said) in SHARED {
        let answers = &mut operation.responses.responses;
        match answers.get_mut(status) {
            Some(RefOr::T(answer)) => answer.description = format!("{}; {said}", answer.description),
            _ => {
                let answer = ResponseBuilder::new().description(said).build();
                answers.insert(status.to_owned(), RefOr::T(answer));
            }
        }
    }
    for (status, name, said) in HEADERS {
        if let Some(RefOr::T(answer)) = operation.responses.responses.get_mut(status) {
            let header = HeaderBuilder::new().schema(Some(String::schema())).description(Some(said)).build();
            answer.headers.insert(name.to_owned(), RefOr::T(header));
        }
    }
}

/// An error's body has one of the codes that its description explains, each as `` `code`: words ``.
fn name_codes(status: &str, answer: &mut RefOr<Answer>) {
    let RefOr::T(answer) = answer else { return };
    if !status.starts_with(['4', '5']) {
        return;
    }
    let code = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(codes(&answer.description)))
        .build();
    let one_of_them = AllOfBuilder::new()
        .item(Ref::from_schema_name(ErrorBody::name()))
        .item(ObjectBuilder::new().property("code", code))
        .build();
    let content = ContentBuilder::new().schema(Some(Schema::AllOf(one_of_them))).build();
    answer.content.insert("application/json".to_owned(), RefOr::T(content));
}

fn codes(description: &str) -> Vec<&str> {
    let mut rest = description.split('`').skip(1);
    let mut codes = Vec::new();
    while let Some(quoted) = rest.next() {
        if rest.next().is_some_and(|behind| behind.starts_with(':')) {
            codes.push(quoted);
        }
    }
    codes
}

/// Brings the text to its handler.
pub fn layer(document: &OpenApi) -> Extension<Text> {
    // Nothing in it has no JSON form.
    Extension(Text(document.to_json().unwrap_or_default().into()))
}

/// This document
///
/// Every route of the listener is in it, with its parameters, answers and errors.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "readDocument",
    tag = "document",
    responses((status = 200, description = "the document, of OpenAPI 3.1", body = Object)),
)]
pub async fn read(Extension(text): Extension<Text>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.0.to_string()).into_response()
}
