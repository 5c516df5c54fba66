//! One record of Mixpanel's, and the event that it stands for.

use crate::compat::json::{
    Fields, Object, as_sent, clipped, fields, given, id, kind_of, object, quoted, text,
};
use crate::compat::{PAGE_VIEW, Problem, RESERVED, Translated, derived_id};
use crate::ingest::Origin;
use attune_core::time::Timestamp;
use attune_core::wire::IDENTIFY;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The event of `track_pageview()`.
const WEB_PAGE_VIEW: &str = "$mp_web_page_view";
/// The event of `identify()`.
const WEB_IDENTIFY: &str = "$identify";
/// What anonymous visitors' ids begin with.
const DEVICE: &str = "$device:";
/// Numbers from here on are milliseconds: as seconds it would be the year 5138.
const FIRST_MILLISECOND: f64 = 1e11;
/// What is said of a page, and our names for it.
const PAGE_FIELDS: [(&str, &str); 5] = [
    ("current_url_path", "path"),
    ("current_page_title", "title"),
    ("current_url_search", "search"),
    ("$current_url", "url"),
    ("$referrer", "referrer"),
];
/// Properties of a profile whose names Mixpanel reserves, and which say something of the user.
const USER_FIELDS: [&str; 7] =
    ["$avatar", "$created", "$email", "$first_name", "$last_name", "$name", "$phone"];
/// Changes of a profile that are not made of values alone.
const OPERATIONS: [&str; 6] = ["$add", "$append", "$delete", "$remove", "$set_once", "$union"];

/// What a record takes from the request around it.
#[derive(Clone, Copy, Debug)]
pub struct Around<'r> {
    /// Its text.
    pub raw: &'r str,
    /// When the request arrived.
    pub now: Timestamp,
    /// Unlike that of any other request.
    pub request: &'r str,
    /// The record's place in it.
    pub index: usize,
}

/// The event of a record of `/track` or `/import`.
///
/// # Errors
/// Its `$insert_id`, and why no event can stand for it.
pub fn event<'a>(record: &Fields<'a>, around: &Around<'_>) -> Result<Translated<'a>, (String, Problem)> {
    let named = record.get("event").copied();
    let properties = match given(record.get("properties").copied()) {
        None => Fields::new(),
        Some(raw) => fields(Some(raw)).ok_or_else(|| {
            let found = kind_of(raw);
            let message = format!("properties is {found}; it has to be an object that can be read");
            (String::new(), ("properties_invalid", message))
        })?,
    };
    let property = |name: &str| properties.get(name).copied();
    let insert_id = property("$insert_id");
    let name = text(named).unwrap_or_default();
    if name.starts_with(RESERVED) {
        let message = format!("event begins with {RESERVED}, which is for events of the SDK");
        let shown = clipped(&text(insert_id).unwrap_or_default());
        return Err((shown, ("event_type_reserved", message)));
    }
    let (event_type, metadata) = match &*name {
        WEB_PAGE_VIEW => (Some(Cow::Owned(quoted(PAGE_VIEW))), page_of(&properties)),
        WEB_IDENTIFY => (Some(Cow::Owned(quoted(IDENTIFY))), Fields::new()),
        _ => (as_sent(named), own(&properties)),
    };
    let who =
        Who { device: property("$device_id"), user: property("$user_id"), distinct: property("distinct_id") };
    Ok(who.did(insert_id, event_type, property("time"), &object(&metadata), around))
}

/// The event of a record of `/engage`: what is known of the user from now on.
///
/// # Errors
/// Why no event can stand for it.
pub fn profile<'a>(record: &Fields<'a>, around: &Around<'_>) -> Result<Translated<'a>, Problem> {
    let field = |name: &str| record.get(name).copied();
    if let Some(operation) = OPERATIONS.iter().find(|name| record.contains_key(**name)) {
        let message = format!("{operation} is not supported; $set and $unset are");
        return Err(("operation_unsupported", message));
    }
    let mut traits = Fields::new();
    if let Some(raw) = given(field("$set")) {
        let set = fields(Some(raw)).ok_or_else(|| invalid("$set", "an object that can be read", raw))?;
        traits.extend(set.into_iter().filter_map(|(name, value)| Some((trait_name(&name)?.into(), value))));
    }
    if let Some(raw) = given(field("$unset")) {
        let names: Result<Vec<String>, _> = serde_json::from_str(raw.get());
        let names = names.map_err(|_| invalid("$unset", "a list of names", raw))?;
        let named = names.iter().filter_map(|name| trait_name(name));
        traits.extend(named.map(|name| (Cow::Owned(name), RawValue::NULL)));
    }
    let mut metadata = Object::new();
    metadata.put("traits", &object(&traits));
    let who = Who { device: field("$device_id"), user: field("$user_id"), distinct: field("$distinct_id") };
    let event_type = Some(Cow::Owned(quoted(IDENTIFY)));
    Ok(who.did(None, event_type, field("$time"), &metadata.finish(), around))
}

/// Whose record it is.
struct Who<'a> {
    device: Option<&'a RawValue>,
    user: Option<&'a RawValue>,
    distinct: Option<&'a RawValue>,
}

impl<'a> Who<'a> {
    fn did(
        &self,
        insert_id: Option<&'a RawValue>,
        event_type: Option<Cow<'a, str>>,
        time: Option<&'a RawValue>,
        metadata: &str,
        around: &Around<'_>,
    ) -> Translated<'a> {
        let timed_text = given(time).map(|_| around.raw);
        let event_id =
            id(insert_id).unwrap_or_else(|| Cow::Owned(derived_id(timed_text, around.request, around.index)));
        let (member, user) = self.named();
        let mut event = Object::new();
        event.put("event_id", &event_id);
        event.put_given("event_type", event_type);
        event.put("timestamp", &instant(time, around.now));
        event.put_given("anonymous_id", member);
        event.put_given("user_id", user);
        event.put("metadata", metadata);
        Translated { event: event.finish(), origin: Origin::default() }
    }

    /// The member and the user, each as JSON: by their own fields, or by the one that may be either.
    fn named(&self) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
        match (id(self.device), id(self.user)) {
            (None, None) => match text(self.distinct).as_deref().and_then(|text| text.strip_prefix(DEVICE)) {
                Some(device) => (Some(Cow::Owned(quoted(device))), None),
                None => (None, id(self.distinct)),
            },
            named => named,
        }
    }
}

/// What a sender has said itself: the properties that are not Mixpanel's own.
fn own<'a>(properties: &Fields<'a>) -> Fields<'a> {
    let is_own = |name: &str| {
        !name.starts_with('$')
            && !name.starts_with("mp_")
            && !matches!(name, "token" | "distinct_id" | "time" | "ip")
    };
    properties.iter().filter(|(name, _)| is_own(name)).map(|(name, raw)| (name.clone(), *raw)).collect()
}

fn page_of<'a>(properties: &Fields<'a>) -> Fields<'a> {
    let mut page = own(properties);
    for (theirs, ours) in PAGE_FIELDS {
        page.remove(theirs);
        page.extend(properties.get(theirs).map(|raw| (ours.into(), *raw)));
    }
    page
}

fn trait_name(name: &str) -> Option<String> {
    match name.strip_prefix('$') {
        None => Some(name.to_owned()),
        Some(plain) => USER_FIELDS.contains(&name).then(|| plain.to_owned()),
    }
}

/// The instant as JSON: seconds or milliseconds since 1970, whole or not. A text stays as it is, for the reader of events.
fn instant<'a>(raw: Option<&'a RawValue>, now: Timestamp) -> Cow<'a, str> {
    let Some(raw) = given(raw) else { return Cow::Owned(quoted(&now.to_string())) };
    match raw.get().parse::<f64>().ok().filter(|number| number.is_finite()) {
        None => Cow::Borrowed(raw.get()),
        Some(number) => {
            let ms = if number.abs() < FIRST_MILLISECOND { number * 1_000.0 } else { number };
            // A float beyond the range becomes the end of the range.
            Cow::Owned(quoted(&Timestamp(ms.round() as i64).to_string()))
        }
    }
}

fn invalid(field: &str, expected: &str, raw: &RawValue) -> Problem {
    ("traits_invalid", format!("{field} is {}; it has to be {expected}", kind_of(raw)))
}
