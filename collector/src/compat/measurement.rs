//! Google Analytics 4's Measurement Protocol: events of one visitor, and what is known of the user.

use super::json::{Fields, Object, as_sent, fields, given, id, object, quoted, text};
use super::{
    Arrived, PAGE_VIEW, PostedError, Problem, RESERVED, Translated, Translation, check_shared, derived_id,
};
use crate::ingest::Origin;
use attune_core::limits::MAX_EVENT_BYTES;
use attune_core::time::Timestamp;
use attune_core::wire::IDENTIFY;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What is said of a page, and our names for it.
const PAGE_FIELDS: [(&str, &str); 3] =
    [("page_location", "url"), ("page_title", "title"), ("page_referrer", "referrer")];

/// A body as it arrived.
#[derive(Debug)]
pub struct Posted<'a> {
    /// Of the whole text, by which it is known again.
    text_id: String,
    raw: RawBody<'a>,
    events: Vec<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawBody<'a> {
    #[serde(borrow)]
    client_id: Option<&'a RawValue>,
    #[serde(borrow)]
    app_instance_id: Option<&'a RawValue>,
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp_micros: Option<&'a RawValue>,
    #[serde(borrow)]
    user_properties: Option<&'a RawValue>,
    #[serde(borrow)]
    user_agent: Option<&'a RawValue>,
    #[serde(borrow)]
    events: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawEvent<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp_micros: Option<&'a RawValue>,
}

/// What becomes an event.
struct Happened<'a> {
    event_type: Option<Cow<'a, str>>,
    session: Option<Cow<'a, str>>,
    time: Option<&'a RawValue>,
    metadata: Option<Cow<'a, str>>,
}

impl<'a> Posted<'a> {
    /// Reads a body; unknown fields are passed over and `null` counts as absent.
    ///
    /// # Errors
    /// Says what keeps it as a whole from being read.
    pub fn parse(body: &'a str) -> Result<Self, PostedError> {
        if !body.trim_start().starts_with('{') {
            return Err(PostedError::Unreadable("it has to be a JSON object".into()));
        }
        let mut raw: RawBody<'a> =
            serde_json::from_str(body).map_err(|error| PostedError::Unreadable(error.to_string()))?;
        let events = raw.events.take().ok_or(PostedError::BatchMissing("events"))?;
        check_shared(&[
            ("client_id", raw.client_id),
            ("app_instance_id", raw.app_instance_id),
            ("user_id", raw.user_id),
            ("timestamp_micros", raw.timestamp_micros),
            ("user_agent", raw.user_agent),
        ])?;
        Ok(Self {
            raw,
            text_id: derived_id(Some(body), "", 0),
            events: events.into_iter().map(RawValue::get).collect(),
        })
    }

    /// Each event as text.
    pub fn events(&self) -> &[&'a str] {
        &self.events
    }

    /// Puts what is known of the user and every event into our form, each alone.
    pub fn translate(&self, arrived: Arrived<'a>) -> Translation<'a> {
        let mut translation = Translation::default();
        let events = self.events.len();
        match self.known() {
            Ok(None) => {}
            Ok(Some(known)) => translation.take(self.in_our_form(&known, arrived, events)),
            Err(problem) => translation.refuse(events, String::new(), problem),
        }
        for (index, raw) in self.events.iter().enumerate() {
            match happened(raw) {
                Ok(happened) => translation.take(self.in_our_form(&happened, arrived, index)),
                Err(problem) => translation.refuse(index, String::new(), problem),
            }
        }
        translation
    }

    /// What is known of the user, as traits.
    fn known(&self) -> Result<Option<Happened<'a>>, Problem> {
        let Some(raw) = given(self.raw.user_properties) else { return Ok(None) };
        let properties = fields(Some(raw)).ok_or_else(|| {
            ("traits_invalid", "user_properties has to be an object that can be read".to_owned())
        })?;
        let mut traits = Fields::new();
        for (name, raw) in properties {
            let value = fields(Some(raw)).and_then(|property| property.get("value").copied());
            traits.extend(value.map(|value| (name, value)));
        }
        let mut metadata = Object::new();
        metadata.put("traits", &object(&traits));
        Ok(Some(Happened {
            event_type: Some(Cow::Owned(quoted(IDENTIFY))),
            session: None,
            time: None,
            metadata: Some(Cow::Owned(metadata.finish())),
        }))
    }

    fn in_our_form(&self, happened: &Happened<'a>, arrived: Arrived<'_>, index: usize) -> Translated<'a> {
        let time = given(happened.time).or(given(self.raw.timestamp_micros));
        // Nothing else tells two events of one body apart.
        let timed_text = time.map(|_| format!("{index} {}", self.text_id));
        let mut event = Object::new();
        event.put("event_id", &derived_id(timed_text.as_deref(), arrived.request, index));
        event.put_given("event_type", happened.event_type.as_deref());
        event.put("timestamp", &instant(time, arrived.now));
        event.put_given("anonymous_id", id(self.raw.client_id).or(id(self.raw.app_instance_id)));
        event.put_given("user_id", id(self.raw.user_id));
        event.put_given("session_id", happened.session.as_deref());
        event.put_given("metadata", happened.metadata.as_deref());
        let origin = Origin { user_agent: text(self.raw.user_agent), time_zone: None, context: None };
        Translated { event: event.finish(), origin }
    }
}

fn happened(raw: &str) -> Result<Happened<'_>, Problem> {
    if raw.len() > MAX_EVENT_BYTES {
        let message = format!("the event is {} bytes; the limit is {MAX_EVENT_BYTES}", raw.len());
        return Err(("event_too_large", message));
    }
    if !raw.starts_with('{') {
        return Err(("event_not_an_object", "an event is a JSON object".to_owned()));
    }
    let event: RawEvent<'_> =
        serde_json::from_str(raw).map_err(|error| ("event_unreadable", error.to_string()))?;
    let name = text(event.name).unwrap_or_default();
    if name.starts_with(RESERVED) {
        let message = format!("name begins with {RESERVED}, which is for events of the SDK");
        return Err(("event_type_reserved", message));
    }
    let params = fields(event.params);
    let session = params.as_ref().and_then(|params| id(params.get("session_id").copied()));
    let metadata = match params {
        Some(params) if name == PAGE_VIEW => Some(Cow::Owned(page(&params))),
        _ => as_sent(event.params),
    };
    Ok(Happened { event_type: as_sent(event.name), session, time: event.timestamp_micros, metadata })
}

/// A page view as the SDK has it.
fn page(params: &Fields<'_>) -> String {
    let mut page = Object::new();
    let path = text(params.get("page_location").copied()).map(|url| quoted(path_of(&url)));
    page.put_given("path", path.filter(|_| !params.contains_key("path")));
    for (name, raw) in params {
        let ours = PAGE_FIELDS.iter().find(|(theirs, _)| theirs == name);
        page.put(ours.map_or(name, |(_, ours)| ours), raw.get());
    }
    page.finish()
}

/// The path of an address.
fn path_of(url: &str) -> &str {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let rest = plain.split_once("://").map_or(plain, |(_, rest)| rest);
    rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/")
}

/// The instant as JSON: microseconds since 1970, as a number or as a text of digits. Anything else stays as it is, for the
/// reader of events.
fn instant(raw: Option<&RawValue>, now: Timestamp) -> Cow<'_, str> {
    let Some(raw) = raw else { return Cow::Owned(quoted(&now.to_string())) };
    let micros = raw.get().trim_matches('"').parse::<i64>();
    micros.map_or(Cow::Borrowed(raw.get()), |micros| {
        Cow::Owned(quoted(&Timestamp(micros.div_euclid(1_000)).to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_address_is_found() {
        for (url, path) in [
            ("https://shop.example/shoes?a=/b#c", "/shoes"),
            ("https://shop.example?a=/b", "/"),
            ("https://shop.example#/b", "/"),
            ("/shoes/", "/shoes/"),
            ("", "/"),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }
}
