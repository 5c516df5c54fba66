//! The privileged listener: its routes, each with its entry in the OpenAPI document.
//!
//! A route is added in two steps. Its handler says in `#[utoipa::path]` which method and path it has, which parameters it takes
//! and every answer that it gives; `routes` names the handler. What is asked of a route with a query parameter that its
//! entry does not have is refused in front of it, and what has no entry is not served.

mod document;
pub mod letters;
mod lists;
mod parameters;
pub mod people;
pub mod revisions;
pub mod schemas;

use super::error::{method_not_allowed, not_found};
use super::request::RequestIds;
use super::{
    Edge, admin, bundles, dead_letters, experiments, finish, health_router, keys, profile_export,
    profile_traits, profiles, tail,
};
use axum::Router;
use axum::middleware::from_fn_with_state;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use super::request::PathText;
pub use lists::{lines, link_next};
pub use parameters::Parameters;

/// What needs the secret key.
fn routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::with_openapi(document::begin())
        .routes(routes!(document::read))
        .routes(routes!(admin::summary))
        .routes(routes!(admin::bundle))
        .routes(routes!(admin::firings))
        .routes(routes!(admin::deliveries))
        .routes(routes!(admin::retry_delivery))
        .routes(routes!(admin::profile))
        .routes(routes!(profiles::show, profiles::erase))
        .routes(routes!(profiles::traits, profile_traits::patch))
        .routes(routes!(profile_export::export))
        .routes(routes!(tail::follow))
        .routes(routes!(keys::list))
        .routes(routes!(bundles::list, bundles::publish))
        .routes(routes!(bundles::check))
        .routes(routes!(bundles::one))
        .routes(routes!(bundles::activate))
        .routes(routes!(experiments::count))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::replay_code))
        .routes(routes!(dead_letters::one))
        .routes(routes!(dead_letters::replay_one))
}

/// Routes of the privileged listener.
pub fn admin_router(edge: Arc<Edge>, ids: RequestIds) -> Router {
    let (routes, document) = routes().split_for_parts();
    let (health, open) = health_router().split_for_parts();
    let served = document::finish(document, open);
    let known = Arc::new(parameters::Operations::of(&served));
    let guarded = routes
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .route_layer(from_fn_with_state(known, parameters::check))
        .layer(document::layer(&served))
        .with_state(edge.clone());
    // Around the whole of it, paths that lead nowhere included: strangers do not learn which there are.
    let guarded = Router::new()
        .fallback_service(guarded)
        .layer(from_fn_with_state(edge.clone(), admin::require_secret));
    finish(guarded.merge(health), edge, ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use tower_service::Service as _;

    fn document() -> Value {
        serde_json::to_value(document::finish(routes().into_openapi(), health_router().into_openapi()))
            .unwrap()
    }

    fn operations(document: &Value) -> Vec<(String, String, &Value)> {
        let paths = document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, item)| {
            let item = item.as_object().unwrap().iter();
            item.map(move |(method, operation)| (path.clone(), method.clone(), operation))
        });
        operations.collect()
    }

    #[test]
    fn every_entry_says_what_it_is_and_which_codes_its_errors_have() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        let open = health_router().into_openapi().paths.paths;
        let mut ids = BTreeSet::new();
        for (path, method, operation) in operations(&document) {
            let place = format!("{method} {path}");
            for field in ["summary", "operationId"] {
                assert!(operation[field].as_str().is_some_and(|text| !text.is_empty()), "{place}: {field}");
            }
            assert!(ids.insert(operation["operationId"].to_string()), "{place}: two have its operationId");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let said = parameter["description"].as_str().unwrap_or_default();
                assert!(!said.is_empty(), "{place}: {} is not described", parameter["name"]);
            }
            let answers = operation["responses"].as_object().unwrap();
            assert_eq!(answers.contains_key("401"), !open.contains_key(&path), "{place}");
            for (status, answer) in answers.iter().filter(|(status, _)| status.as_str() >= "400") {
                let schema = &answer["content"]["application/json"]["schema"];
                let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array().unwrap();
                assert!(!codes.is_empty(), "{place}: {status} explains no code");
            }
        }
    }

    #[test]
    fn examples_have_the_fields_of_their_schemas() {
        let document = document();
        let mut seen = 0;
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let Some(example) = schema["example"].as_object() else { continue };
            let required = schema["required"].as_array().unwrap();
            assert!(required.iter().all(|field| example.contains_key(field.as_str().unwrap())), "{name}");
            let known = schema["properties"].as_object().unwrap();
            assert!(example.keys().all(|field| known.contains_key(field)), "{name}");
            seen += 1;
        }
        assert!(seen > 0);
    }

    #[tokio::test]
    async fn a_route_without_an_entry_is_not_served() {
        let documented = routes().into_openapi();
        let known = Arc::new(parameters::Operations::of(&documented));
        let beside = async || "served";
        let mut router = Router::new()
            .route("/admin/summary", get(beside))
            .route("/admin/beside", get(beside))
            .route_layer(from_fn_with_state(known, parameters::check));
        for (path, status) in [
            ("/admin/summary", StatusCode::OK),
            ("/admin/summary?settled=1", StatusCode::OK),
            ("/admin/summary?limit=1", StatusCode::BAD_REQUEST),
            ("/admin/beside", StatusCode::NOT_FOUND),
        ] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            assert_eq!(router.call(request).await.unwrap().status(), status, "{path}");
        }
    }
}
