//! First visits of somebody to a page, as the calls that the page makes until it has decided for the first time.
//!
//! What they reach is what pages load first. Their rules are such as most sites have; what these do not use (experiments,
//! models, calendars, networks, places, patterns, versions, sketches) comes with the rest, as does all that begins with
//! the first event: until then the page keeps and stores events by itself.

use crate::Error;
use crate::kinds::{ACTIONS, CONDITIONS, CONTEXTS, FORMS, site, when};
use attune_core::bundle::author::{SourceFile, compile};
use attune_core::bundle::{Header, SIGNATURE_BYTES, attach_signature, seal_envelope};
use attune_core::codec::Writer;
use attune_core::value::Value;
use attune_wasm::Operation;

/// An operation with its input, as docs/page-abi.md describes them.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation's number.
    pub operation: u32,
    /// Its input.
    pub input: Vec<u8>,
}

/// Such rules as most sites have.
pub const RULES: &str = r##"{
  "signals": [
    { "name": "views", "on": "page_view", "aggregate": "count", "window": "session" },
    { "name": "category_views", "on": "page_view", "by": "metadata.category", "aggregate": "count", "window": "30m" },
    { "name": "cart_at", "on": "add_to_cart", "aggregate": "last_at", "window": "lifetime" },
    { "name": "cart_value", "on": "add_to_cart", "of": "metadata.price", "aggregate": "sum", "window": "7d" }
  ],
  "segments": [
    { "id": "phone", "when": { "context.device.class": { "$in": ["phone", "tablet"] } } },
    { "id": "shopping", "when": { "signals.cart_at": { "$exists": true }, "signals.cart_value": { "$gte": 20 } } }
  ],
  "rules": [
    { "id": "welcome", "slot": "hero", "priority": 1, "when": {},
      "actions": [{ "kind": "text", "target": "h1", "value": "Welcome to {{context.page.title}}" }] },
    { "id": "campaign", "slot": "hero", "priority": 5,
      "when": { "context.campaign.source": "newsletter", "context.page.path": { "$startsWith": "/" } },
      "actions": [{ "kind": "text", "target": "h1", "value": "Welcome back" }] },
    { "id": "third-view", "slot": "offer", "priority": 10, "on": "page_view",
      "cap": { "per": "session" },
      "when": { "$signal": { "name": "category_views", "key": { "$path": "event.metadata.category" }, "is": { "$gte": 3 } } },
      "actions": [
        { "kind": "text", "target": "#offer", "value": "More of {{key}}" },
        { "kind": "class", "target": "#offer", "add": ["warm"], "remove": ["cold"] }
      ] },
    { "id": "cart", "slot": "offer", "priority": 50,
      "when": { "$segment": "shopping", "signals.cart_at": { "$before": "-20s" }, "$not": { "$segment": "phone" } },
      "actions": [
        { "kind": "attribute", "target": "#offer a", "name": "href", "value": "/cart" },
        { "kind": "variable", "name": "offer_percent", "value": 10 }
      ] },
    { "id": "layout", "slot": "layout", "when": { "$or": [{ "$segment": "phone" }, { "signals.views": { "$gt": 5 } }] },
      "actions": [{ "kind": "style", "target": "body", "property": "--gap", "value": "8px" }, { "kind": "hide", "target": "#aside" }] }
  ]
}"##;

/// A first visit, call by call.
///
/// # Errors
/// The rules do not compile, or the context is no JSON.
pub fn first_visit(rules: &str, context: &str, consent: u8) -> Result<Vec<Call>, Error> {
    let mut page = Page::new();
    page.start();
    page.make(Operation::Consent, |out| out.u8(consent));
    page.context(context)?;
    page.make(Operation::Wake, |_| {});
    let bundle = bundle(rules)?;
    page.make(Operation::NamedBundle, |out| out.raw(&bundle));
    page.wait(30_000.0);
    page.make(Operation::Wake, |_| {});
    Ok(page.calls)
}

/// The visits by which the core is divided: to sites of each kind of rules by itself and to one with all of them, from
/// several places, by visitors that agree to everything and to little.
///
/// # Errors
/// As of [`first_visit`].
pub fn first_visits() -> Result<Vec<Vec<Call>>, Error> {
    let (_, action) = ACTIONS.first().copied().unwrap_or_default();
    let conditions: Vec<String> = CONDITIONS.iter().map(|(_, condition)| when(condition)).collect();
    let forms = conditions.iter().map(String::as_str).chain(FORMS.iter().map(|(_, form)| *form));
    let actions = ACTIONS.iter().map(|(_, action)| (r#""when":{}"#, *action));
    let rules: Vec<_> = forms.map(|form| (form, action)).chain(actions).collect();
    let mut sites = vec![RULES.to_owned(), site(rules.iter().copied())];
    sites.extend(rules.into_iter().map(|rule| site([rule])));
    let mut visits = Vec::new();
    for rules in sites {
        for context in CONTEXTS {
            for consent in [7, 1] {
                visits.push(first_visit(&rules, context, consent)?);
            }
        }
    }
    Ok(visits)
}

/// Rules as the bundle that a page takes.
///
/// # Errors
/// What is wrong with the rules.
pub fn bundle(rules: &str) -> Result<Vec<u8>, Error> {
    let compiled = compile(&[SourceFile { name: "rules.json".into(), text: rules.into() }]);
    if let Some(diagnostic) = compiled.diagnostics.first() {
        return Err(format!("the rules of the visit: {diagnostic:?}").into());
    }
    let header = Header { project: "p", environment: "e", revision: 1, key_id: "k", ..Header::default() };
    Ok(attach_signature(seal_envelope(&header, &compiled.body), &[0; SIGNATURE_BYTES]))
}

/// A page that makes calls.
pub struct Page {
    /// What it has called so far.
    pub calls: Vec<Call>,
    wall_ms: f64,
    ids: u8,
}

impl Page {
    /// A page that has called nothing.
    pub const fn new() -> Self {
        Self { calls: Vec::new(), wall_ms: 1_790_000_000_000.0, ids: 0 }
    }

    /// Makes a call.
    pub fn make(&mut self, operation: Operation, write: impl FnOnce(&mut Writer)) {
        let mut out = Writer::new();
        out.f64(self.wall_ms);
        out.f64(self.wall_ms - 1_790_000_000_000.0);
        write(&mut out);
        self.calls.push(Call { operation: operation as u32, input: out.into_bytes() });
    }

    /// Begins.
    pub fn start(&mut self) {
        self.make(Operation::Start, |out| {
            out.str("01970000-0000-7000-8000-000000000001");
            out.raw(&[1; 16]);
            out.raw(&[9; 16]);
        });
    }

    /// Says where the page stands.
    ///
    /// # Errors
    /// The context is no JSON.
    pub fn context(&mut self, context: &str) -> Result<(), Error> {
        let value = Value::parse(context).map_err(|error| format!("the context of a visit: {error}"))?;
        self.make(Operation::Context, |out| {
            out.len(context.len());
            value.encode(out);
        });
        Ok(())
    }

    /// Tracks an event with a category and a price.
    pub fn track(&mut self, event_type: &str, category: &str) {
        self.ids += 1;
        self.wait(1_000.0);
        let (id, wall_ms) = ([self.ids; 16], self.wall_ms);
        self.make(Operation::Track, |out| {
            out.raw(&id);
            out.str(event_type);
            out.f64(wall_ms);
            out.raw(&[9; 16]);
            out.u8(1);
            out.u64(300);
            out.bool(true);
            out.len(60);
            object(out, &["category", "price"], |out, name| {
                if name == "price" {
                    out.u8(3);
                    out.f64(24.5);
                } else {
                    text(out, category);
                }
            });
        });
    }

    /// Asks what is to be sent.
    pub fn poll(&mut self) {
        self.make(Operation::Poll, |_| {});
    }

    /// Time goes by.
    pub fn wait(&mut self, ms: f64) {
        self.wall_ms += ms;
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}

fn object(out: &mut Writer, names: &[&str], mut value: impl FnMut(&mut Writer, &str)) {
    out.u8(6);
    out.len(names.len());
    for name in names {
        out.str(name);
        value(out, name);
    }
}

fn text(out: &mut Writer, value: &str) {
    out.u8(4);
    out.str(value);
}
