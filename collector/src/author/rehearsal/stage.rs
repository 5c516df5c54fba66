//! Plays a script: lets time pass, tracks, decides, and compares with what is expected.

use super::outcome::{Mismatch, Played, Subject};
use super::page::{Notice, Page};
use super::script::{Script, Step};
use super::server::Server;
use crate::author::source::Folder;
use crate::author::words;
use crate::limits::MAX_SCRIPT_WAKES;
use attune_core::bundle::Bundle;
use attune_core::bundle::author::{Severity, SourceFile, compile};
use attune_core::condition::{Consent, Purpose};
use attune_core::filter::{Asking, Policy, RateState, Reason, Sender, Verdict, check_bounds};
use attune_core::id::{EventId, MemberId, SessionId, Uuid, uuid_from_text};
use attune_core::limits::MAX_ID_CHARS;
use attune_core::rules::unmet;
use attune_core::time::{Monotonic, Now, Timestamp, parse_duration_ms};
use attune_core::value::Value as CoreValue;
use attune_core::wire::{EXPOSURE, Event, IDENTIFY, SHOWN};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

/// When a script begins that does not say so.
const START: &str = "2026-01-05T10:00:00Z";
/// The session of a script that names none.
const SESSION: &str = "first";
/// The member of a script that names none.
const MEMBER: &str = "visitor";

/// Plays one script. `folder` is where it stands, from which it names folders of rules.
///
/// # Errors
/// Something in the script that cannot be played, with its step.
pub fn play(bundle: &Bundle, script: &Script, folder: &Path) -> Result<Played, String> {
    let start = script.start.as_deref().unwrap_or(START);
    let now = instant(start).map_err(|error| format!("start: {error}"))?;
    let member = MemberId(Box::from(MEMBER));
    let mut stage = Stage {
        folder,
        bundle: Rc::new(bundle.clone()),
        pages: BTreeMap::new(),
        server: Server::new(bundle, now),
        member: member.clone(),
        users: BTreeMap::new(),
        now,
        events: 0,
        rates: RateState::default(),
        dropped: None,
        fired: Vec::new(),
        exposed: BTreeMap::new(),
        misses: BTreeMap::new(),
    };
    let mut page = Page::new(stage.bundle.clone(), member.clone(), session_of(SESSION)?);
    page.set_context(&core_value(&Value::Object(script.visitor.context.clone())));
    stage.pages.insert(member, page);
    if !script.visitor.traits.is_empty() {
        stage.identify(&script.visitor.traits)?;
    }
    stage.decide()?;
    let mut played = Played { name: script.name.clone(), checked: 0, mismatches: Vec::new() };
    for (index, step) in script.steps.iter().enumerate() {
        let place = index + 1;
        stage.take(step).map_err(|error| format!("step {place}: {error}"))?;
        let before = played.mismatches.len();
        stage.compare(step, &mut played).map_err(|error| format!("step {place}: {error}"))?;
        for mismatch in played.mismatches.iter_mut().skip(before) {
            mismatch.step = place;
            mismatch.event = event_text(step);
        }
        stage.exposed.remove(&stage.member);
    }
    Ok(played)
}

struct Stage<'a> {
    folder: &'a Path,
    bundle: Rc<Bundle>,
    pages: BTreeMap<MemberId, Page>,
    server: Server,
    /// Who acts.
    member: MemberId,
    /// Who is logged in, by member.
    users: BTreeMap<MemberId, Box<str>>,
    now: Timestamp,
    events: u128,
    /// How many events the filter has let through.
    rates: RateState,
    /// Why the filter has not let the first event of this step through that it has stopped.
    dropped: Option<Reason>,
    /// What has fired in this step.
    fired: Vec<String>,
    /// What each member's page has exposed since its step before; at first, since it opened.
    exposed: BTreeMap<MemberId, Vec<String>>,
    /// Why event rules did not match the latest event of this step that concerned them.
    misses: BTreeMap<Box<str>, String>,
}

impl Stage<'_> {
    fn take(&mut self, step: &Step) -> Result<(), String> {
        self.fired.clear();
        self.misses.clear();
        self.dropped = None;
        self.take_time(step)?;
        if let Some(member) = &step.member {
            self.meet(member)?;
        }
        if let Some(user) = &step.user {
            self.users.insert(self.member.clone(), Box::from(user.as_str()));
        }
        if let Some(session) = &step.session {
            self.page().session = session_of(session)?;
        }
        if let Some(purposes) = &step.consent {
            self.page().consent = consent_of(purposes)?;
        }
        if let Some(rules) = &step.publish {
            self.publish(rules).map_err(|error| format!("publish: {error}"))?;
        }
        if let Some(context) = &step.context {
            self.page().set_context(&core_value(&Value::Object(context.clone())));
        }
        if step.reload {
            self.page().reload();
        }
        if step.user.is_some() && step.traits.is_none() {
            self.identify(&Map::new())?;
        }
        if let Some(traits) = &step.traits {
            self.identify(traits)?;
        }
        match (&step.track, &step.metadata) {
            (Some(event_type), metadata) => {
                self.track(event_type, &Value::Object(metadata.clone().unwrap_or_default()))?;
            }
            (None, Some(_)) => return Err("metadata: there is no event without track".to_owned()),
            (None, None) => {}
        }
        self.decide()
    }

    fn page(&mut self) -> &mut Page {
        let (bundle, member) = (&self.bundle, &self.member);
        let fresh = || Page::new(bundle.clone(), member.clone(), SessionId(Uuid::nil()));
        self.pages.entry(member.clone()).or_insert_with(fresh)
    }

    fn take_time(&mut self, step: &Step) -> Result<(), String> {
        let to = match (&step.after, &step.at) {
            (Some(_), Some(_)) => return Err("at: the step has after as well".to_owned()),
            (Some(after), None) => {
                let ms = parse_duration_ms(after).filter(|ms| *ms >= 0);
                self.now.plus(ms.ok_or_else(|| format!("after: '{after}' is no duration such as 90s"))?)
            }
            (None, Some(at)) => instant(at).map_err(|error| format!("at: {error}"))?,
            (None, None) => return Ok(()),
        };
        if to < self.now {
            return Err(format!("at: {to} is before the step before, at {}", self.now));
        }
        self.pass_time(to)
    }

    /// Goes over to the page of another member, which opens when it is first named.
    fn meet(&mut self, member: &str) -> Result<(), String> {
        if !(1..=MAX_ID_CHARS).contains(&member.chars().count()) {
            return Err(format!("member: '{member}' has to have 1 to {MAX_ID_CHARS} characters"));
        }
        self.member = MemberId(Box::from(member));
        if !self.pages.contains_key(&self.member) {
            self.page().session = session_of(SESSION)?;
        }
        Ok(())
    }

    fn publish(&mut self, rules: &Value) -> Result<(), String> {
        let mut bundle = match rules {
            Value::String(path) => Folder::read_sound(&self.folder.join(path))?.compiled.bundle,
            Value::Object(_) => compiled(rules)?,
            _ => return Err("expected a rule file as an object, or the path of a folder".to_owned()),
        };
        bundle.revision = self.bundle.revision + 1;
        self.bundle = Rc::new(bundle);
        self.pages.values_mut().for_each(|page| page.publish(self.bundle.clone()));
        self.server.publish(&self.bundle, self.now);
        Ok(())
    }

    /// Lets time pass; where time alone may change a decision of a page, it wakes up and decides, as in a browser.
    fn pass_time(&mut self, to: Timestamp) -> Result<(), String> {
        let acting = self.member.clone();
        let mut wakes = 0;
        loop {
            let now = self.now;
            let due = self.pages.iter().filter_map(|(member, page)| Some((page.wake_at()?, member)));
            let next = due.filter(|(at, _)| *at > now && *at < to).min();
            let Some((at, member)) = next.map(|(at, member)| (at, member.clone())) else { break };
            wakes += 1;
            if wakes > MAX_SCRIPT_WAKES {
                return Err(format!(
                    "after: time alone changes decisions more than {MAX_SCRIPT_WAKES} times; use shorter steps"
                ));
            }
            (self.now, self.member) = (at, member);
            self.decide()?;
        }
        (self.now, self.member) = (to, acting);
        let fired = self.server.pass_time(to);
        self.note_fired(&fired);
        Ok(())
    }

    fn identify(&mut self, traits: &Map<String, Value>) -> Result<(), String> {
        self.track(IDENTIFY, &json!({ "traits": traits }))
    }

    fn track(&mut self, event_type: &str, metadata: &Value) -> Result<(), String> {
        self.events += 1;
        let Some(metadata) = self.filter(event_type, metadata)? else { return Ok(()) };
        let event = Event {
            event_id: EventId(Uuid::from_u128(self.events)),
            event_type: Box::from(event_type),
            timestamp: self.now,
            member: self.member.clone(),
            lane: None,
            session: Some(self.page().session),
            user_id: self.users.get(&self.member).cloned(),
            metadata: Some(metadata.into_boxed_str()),
        };
        check_bounds(&event, event.metadata_bytes())
            .map_err(|error| format!("track: {} ({})", error.message(), error.code()))?;
        let (bundle, mut misses) = (self.bundle.clone(), core::mem::take(&mut self.misses));
        self.page().track(&event, &mut |rule, document| {
            let parts = unmet(rule, document);
            let why = match parts.is_empty() {
                true => "its condition is met at the event, and its cap is reached".to_owned(),
                false => {
                    format!("at {event_type}: {}", words::unmet(&parts, rule, &bundle.signals, document))
                }
            };
            misses.insert(Box::from(rule.id), why);
        });
        self.misses = misses;
        let fired = self.server.track(event);
        self.note_fired(&fired);
        self.push_profiles();
        Ok(())
    }

    /// What the bundle's filter leaves of an event's metadata, as JSON; nothing where it may not leave.
    fn filter(&mut self, event_type: &str, metadata: &Value) -> Result<Option<String>, String> {
        if self.bundle.policy.is_empty() {
            return Ok(Some(metadata.to_string()));
        }
        let policy =
            Policy::decode(&self.bundle.policy).map_err(|_| "the filter cannot be read".to_owned())?;
        let metadata = core_value(metadata).to_packed();
        let monotonic = Monotonic(self.now.0.unsigned_abs());
        let asking = Asking {
            event_type,
            member: &self.member,
            metadata: metadata.get(),
            sender: Sender::Person,
            now: Now { wall: self.now, monotonic },
        };
        match policy.judge(&asking, &mut self.rates) {
            Verdict::Keep(kept) => Ok(Some(words::json(&kept.metadata.get().to_tree()))),
            Verdict::Drop(reason) => {
                self.dropped.get_or_insert(reason);
                Ok(None)
            }
        }
    }

    /// Sends everybody who is logged in the profile as it is now.
    fn push_profiles(&mut self) {
        for member in self.users.keys() {
            if let (Some(page), Some(view)) = (self.pages.get_mut(member), self.server.view(member)) {
                page.follow(view);
            }
        }
    }

    fn note_fired(&mut self, firings: &[attune_core::processor::Firing]) {
        for firing in firings {
            self.fired.push(with_key(&firing.rule, firing.key.as_deref()));
        }
    }

    fn decide(&mut self) -> Result<(), String> {
        let now = self.now;
        let mut notices = self.page().decide(now);
        while !notices.is_empty() {
            for notice in notices {
                match notice {
                    Notice::Shown { rule, key } => {
                        self.track(SHOWN, &json!({"rule": rule, "key": key.unwrap_or_default()}))?;
                    }
                    Notice::Exposed { experiment, variation, bucket_version } => {
                        let exposed = self.exposed.entry(self.member.clone()).or_default();
                        exposed.push(format!("{experiment}:{variation}"));
                        let metadata = json!({
                            "experiment": experiment,
                            "variation": variation,
                            "bucket_version": bucket_version,
                        });
                        self.track(EXPOSURE, &metadata)?;
                    }
                }
            }
            notices = self.page().decide(now);
        }
        Ok(())
    }

    fn compare(&self, step: &Step, played: &mut Played) -> Result<(), String> {
        let Some(page) = self.pages.get(&self.member) else { return Ok(()) };
        let mut look = |subject: Subject, expected: Value, found: Value, explain: &dyn Fn() -> Explained| {
            played.checked += 1;
            if expected != found {
                let explain = explain();
                let (step, event) = (0, String::new());
                played.mismatches.push(Mismatch { step, event, subject, expected, found, explain });
            }
        };
        for (slot, expected) in &step.holds {
            let found = page.decision(slot);
            let found = found.map(|decision| with_key(&decision.rule, decision.key.as_deref()));
            if !(expected.is_null() || expected.is_string()) {
                return Err(format!(
                    "holds: slot {slot} expects {expected}, which is neither a rule nor null"
                ));
            }
            look(Subject::Slot(slot.clone()), expected.clone(), json!(found), &|| self.explain_slot(slot));
        }
        for (name, expected) in &step.variables {
            let found = serde_json::from_str(&words::json(&page.variable(name))).unwrap_or_default();
            // Both go through the same form, so that 10 and 10.0 are equal.
            let expected = serde_json::from_str(&words::json(&core_value(expected))).unwrap_or_default();
            look(Subject::Variable(name.clone()), expected, found, &|| self.explain_variable(name));
        }
        if let Some(expected) = &step.dropped {
            let found = self.dropped.as_ref().map(Reason::code);
            let explain =
                || self.dropped.iter().map(|reason| ("filter".to_owned(), reason.message())).collect();
            look(Subject::Dropped, json!(expected), json!(found), &explain);
        }
        if let Some(expected) = &step.fires {
            let names = expected.iter().chain(&self.fired).map(|name| rule_of(name));
            let concerned: BTreeSet<&str> = names.collect();
            look(Subject::Firings, json!(expected), json!(self.fired), &|| self.explain(&concerned));
        }
        if let Some(expected) = &step.exposes {
            let found = self.exposed.get(&self.member).map_or(&[][..], Vec::as_slice);
            look(Subject::Exposures, json!(expected), json!(found), &Vec::new);
        }
        if let Some(expected) = &step.wake_after {
            let wake_ms = page.wake_at().map(|at| at.since(self.now));
            let wanted_ms = match expected {
                Some(text) => Some(
                    parse_duration_ms(text)
                        .ok_or_else(|| format!("wake_after: '{text}' is no duration such as 90s"))?,
                ),
                None => None,
            };
            let text = |ms: Option<i64>| json!(ms.map(words::duration_text));
            look(Subject::Wake, text(wanted_ms), text(wake_ms), &Vec::new);
        }
        Ok(())
    }

    fn explain_slot(&self, slot: &str) -> Explained {
        let rules = self.bundle.rules.iter().filter(|rule| rule.head().slot == Some(slot));
        let concerned: BTreeSet<&str> = rules.map(|rule| rule.id).collect();
        if concerned.is_empty() {
            return vec![(slot.to_owned(), "no rule has this slot".to_owned())];
        }
        self.explain(&concerned)
    }

    /// The rules that set a variable, of whatever slot.
    fn explain_variable(&self, name: &str) -> Explained {
        let sets = |rule: &attune_core::rules::RuleRef<'_>| {
            rule.written_actions().variables().any(|(known, _)| known == name)
        };
        let concerned: BTreeSet<&str> = self.bundle.rules.iter().filter(sets).map(|rule| rule.id).collect();
        if concerned.is_empty() {
            return vec![(name.to_owned(), "no rule sets this variable".to_owned())];
        }
        self.explain(&concerned)
    }

    fn explain(&self, concerned: &BTreeSet<&str>) -> Explained {
        let Some(page) = self.pages.get(&self.member) else { return Vec::new() };
        let mut explained = page.explain(self.now, |standings, document| {
            let known = standings.iter().filter_map(|standing| {
                let rule = self.bundle.rules.get(standing.rule).filter(|rule| concerned.contains(rule.id))?;
                let mut why = words::verdict(&standing.verdict, &rule, &self.bundle.signals, document);
                if let Some(miss) = self.misses.get(rule.id) {
                    why = format!("{why}; {miss}");
                }
                Some((rule.id.to_owned(), why))
            });
            known.collect::<Explained>()
        });
        for id in concerned.iter().filter(|id| self.bundle.rule(id).is_none()) {
            explained.push(((*id).to_owned(), "there is no such rule".to_owned()));
        }
        explained
    }
}

/// Rules, each with why it stands as it does.
type Explained = Vec<(String, String)>;

fn session_of(name: &str) -> Result<SessionId, String> {
    uuid_from_text(name)
        .map(SessionId)
        .ok_or_else(|| format!("session: '{name}' has to have 1 to 100 characters"))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("'{text}' is no instant such as {START}"))
}

fn consent_of(names: &[String]) -> Result<Consent, String> {
    let purpose = |name: &String| {
        let found = Purpose::ALL.into_iter().find(|purpose| purpose.name() == name);
        found.ok_or_else(|| {
            format!("consent: '{name}' is no purpose; there are functional, analytics and personalization")
        })
    };
    Ok(Consent::of(&names.iter().map(purpose).collect::<Result<Vec<_>, _>>()?))
}

/// The bundle of a rule file inside a script.
fn compiled(rules: &Value) -> Result<Bundle, String> {
    let compiled = compile(&[SourceFile { name: "publish".to_owned(), text: rules.to_string() }]);
    let error = compiled.diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
    error.map_or(Ok(compiled.bundle), |error| {
        Err(format!("{} ({}) at {}", error.message, error.code, error.path))
    })
}

fn with_key(rule: &str, key: Option<&str>) -> String {
    key.map_or_else(|| rule.to_owned(), |key| format!("{rule}:{key}"))
}

fn rule_of(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

fn core_value(value: &Value) -> CoreValue {
    // What serde_json writes is JSON, so this reads; deeper nesting than the core takes becomes null.
    CoreValue::parse(&value.to_string()).unwrap_or(CoreValue::Null)
}

fn event_text(step: &Step) -> String {
    let mut parts = Vec::new();
    parts.extend(step.after.as_ref().map(|after| format!("after {after}")));
    parts.extend(step.at.as_ref().map(|at| format!("at {at}")));
    parts.extend(step.member.as_ref().map(|member| format!("member {member}")));
    parts.extend(step.user.as_ref().map(|user| format!("user {user}")));
    parts.extend(step.consent.as_ref().map(|purposes| format!("consent [{}]", purposes.join(", "))));
    parts.extend(step.publish.as_ref().map(|_| "publish".to_owned()));
    parts.extend(step.session.as_ref().map(|session| format!("session {session}")));
    parts.extend(step.reload.then(|| "reload".to_owned()));
    parts.extend(step.traits.as_ref().map(|_| "traits".to_owned()));
    parts.extend(step.track.as_ref().map(|event| format!("track {event}")));
    if parts.is_empty() { "nothing happens".to_owned() } else { parts.join(", ") }
}
