//! One message of Segment's Tracking API, and the event that it stands for.

use super::stamp::Stamps;
use crate::compat::json::{
    Fields, Object, as_sent, clipped, fields, given, id, kind_of, object, quoted, text,
};
use crate::compat::{PAGE_VIEW, Problem, RESERVED, Translated, derived_id};
use crate::ingest::Origin;
use attune_core::time::Timestamp;
use attune_core::wire::IDENTIFY;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The event type of the SDK's `group()`.
const GROUP: &str = "attune.group";
/// The event type of an alias, which the SDK does not have.
const ALIAS: &str = "attune.alias";
/// What a page's context says about the page, where its properties do not.
const PAGE_FIELDS: [&str; 5] = ["path", "referrer", "search", "title", "url"];

/// A call of the Tracking API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something the user did.
    Track,
    /// Who the user is.
    Identify,
    /// A page that was seen.
    Page,
    /// A screen of an app that was seen.
    Screen,
    /// Which group the user belongs to.
    Group,
    /// Another id of the same user.
    Alias,
}

/// A message with each field as its own text.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Message<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    message_id: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    anonymous_id: Option<&'a RawValue>,
    #[serde(borrow)]
    previous_id: Option<&'a RawValue>,
    #[serde(borrow)]
    group_id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    category: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    #[serde(borrow)]
    traits: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    integrations: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    original_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    sent_at: Option<&'a RawValue>,
}

/// What a message takes from the request around it.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// When the request arrived.
    pub now: Timestamp,
    /// `sentAt` of the batch.
    pub sent_at: Option<&'a RawValue>,
    /// `context` of the batch.
    pub context: Option<&'a RawValue>,
    /// `integrations` of the batch.
    pub integrations: Option<&'a RawValue>,
    /// Unlike that of any other request.
    pub request: &'a str,
    /// The message's place in it.
    pub index: usize,
}

impl Kind {
    /// The call of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "track" => Self::Track,
            "identify" => Self::Identify,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "group" => Self::Group,
            "alias" => Self::Alias,
            _ => return None,
        })
    }
}

impl<'a> Message<'a> {
    /// The call that the message names.
    ///
    /// # Errors
    /// It names none, or another.
    pub fn kind(&self) -> Result<Kind, Problem> {
        let named = text(self.kind).unwrap_or_default();
        Kind::of_name(&named).ok_or_else(|| {
            let found = given(self.kind).map_or("missing".to_owned(), |raw| clipped(raw.get()));
            let message =
                format!("type is {found}; it has to be track, identify, page, screen, group or alias");
            ("type_unknown", message)
        })
    }

    /// The id that its sender gave it, as far as it can be shown.
    pub fn shown_id(&self) -> String {
        clipped(&text(self.message_id).unwrap_or_default())
    }

    /// The event that the message stands for; what is wrong with its fields is left to the reader of events.
    ///
    /// # Errors
    /// What no event can stand for.
    pub fn translate(&self, kind: Kind, raw: &str, around: &Around<'a>) -> Result<Translated<'a>, Problem> {
        let event_type = match kind {
            Kind::Track => given(self.event).map(|raw| Cow::Borrowed(raw.get())),
            Kind::Identify => Some(Cow::Owned(quoted(IDENTIFY))),
            Kind::Page | Kind::Screen => Some(Cow::Owned(quoted(PAGE_VIEW))),
            Kind::Group => Some(Cow::Owned(quoted(GROUP))),
            Kind::Alias => Some(Cow::Owned(quoted(ALIAS))),
        };
        if kind == Kind::Track && text(self.event).is_some_and(|name| name.starts_with(RESERVED)) {
            let message =
                format!("event begins with {RESERVED}, which is for the calls identify, group and alias");
            return Err(("event_type_reserved", message));
        }
        let own = [self.context, around.context].into_iter().flatten();
        let (context_text, context) =
            own.filter_map(|raw| Some((raw.get(), fields(Some(raw))?))).next().unzip();
        let context = context.unwrap_or_default();
        let stamps = Stamps {
            timestamp: self.timestamp,
            original: self.original_timestamp,
            sent_at: given(self.sent_at).or(around.sent_at),
        };
        let mut event = Object::new();
        let event_id = id(self.message_id).unwrap_or_else(|| {
            Cow::Owned(derived_id(stamps.has_own().then_some(raw), around.request, around.index))
        });
        event.put("event_id", &event_id);
        event.put_given("event_type", event_type);
        event.put("timestamp", &stamps.at(around.now));
        event.put_given("anonymous_id", id(self.anonymous_id));
        event.put_given("user_id", id(self.user_id));
        event.put_given("metadata", self.metadata(kind, &context, around)?);
        Ok(Translated {
            event: event.finish(),
            origin: Origin {
                user_agent: text(context.get("userAgent").copied()),
                time_zone: text(context.get("timezone").copied()),
                context: context_text,
            },
        })
    }

    fn metadata(
        &self,
        kind: Kind,
        context: &Fields<'a>,
        around: &Around<'a>,
    ) -> Result<Option<Cow<'a, str>>, Problem> {
        let mut metadata = Object::new();
        match kind {
            Kind::Track => return Ok(as_sent(self.properties)),
            Kind::Page | Kind::Screen => return Ok(self.view(kind, context)),
            Kind::Identify => {
                metadata.put_given("traits", self.all_traits(context)?);
                metadata.put_given("proof", self.proof(around));
            }
            Kind::Group => {
                metadata.put_given("group_id", id(self.group_id));
                metadata.put_given("traits", as_sent(self.traits));
            }
            Kind::Alias => metadata.put_given("previous_id", id(self.previous_id)),
        }
        Ok(Some(Cow::Owned(metadata.finish())))
    }

    /// What is said of a page or screen, by its properties or else by its context.
    fn view(&self, kind: Kind, context: &Fields<'a>) -> Option<Cow<'a, str>> {
        let mut known = Fields::new();
        let page = fields(context.get("page").copied()).unwrap_or_default();
        for name in PAGE_FIELDS {
            known.extend(page.get(name).and_then(|raw| given(Some(raw))).map(|raw| (name.into(), raw)));
        }
        let campaign = context.get("campaign").filter(|raw| raw.get().starts_with('{'));
        known.extend(campaign.map(|raw| ("campaign".into(), *raw)));
        for (name, raw) in [("name", self.name), ("category", self.category)] {
            known.extend(given(raw).map(|raw| (name.into(), raw)));
        }
        if kind == Kind::Screen {
            known.insert("screen".into(), RawValue::TRUE);
        }
        match (given(self.properties), fields(self.properties)) {
            (Some(_), None) => return as_sent(self.properties),
            (_, properties) => known.extend(properties.unwrap_or_default()),
        }
        Some(Cow::Owned(object(&known)))
    }

    /// The traits of an identify: RudderStack's Python library has them in the context.
    fn all_traits(&self, context: &Fields<'a>) -> Result<Option<String>, Problem> {
        let mut traits = Fields::new();
        for (place, raw) in [("context.traits", context.get("traits").copied()), ("traits", self.traits)] {
            let Some(raw) = given(raw) else { continue };
            let found = fields(Some(raw)).ok_or_else(|| {
                let found = kind_of(raw);
                ("traits_invalid", format!("{place} is {found}; it has to be an object that can be read"))
            })?;
            traits.extend(found);
        }
        Ok(Some(object(&traits)).filter(|_| !traits.is_empty()))
    }

    /// The proof that the site's own backend has named this user.
    fn proof(&self, around: &Around<'a>) -> Option<Cow<'a, str>> {
        let integrations = fields(self.integrations).or_else(|| fields(around.integrations))?;
        let own = fields(integrations.get("Attune").copied())?;
        as_sent(own.get("proof").copied())
    }
}
