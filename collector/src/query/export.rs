//! All that is kept of a person, one line of JSON each: state, firings with their calls, dead letters, and what the log still has.

use super::{Found, Query, add_totals, named_totals, unproven};
use crate::limits::EXPORT_SCAN_ENTRIES;
use crate::profile::{Letter, StoreError, Table, delivery_key, is_of};
use attune_core::id::{MemberId, write_uuid};
use attune_core::profile::MemberState;
use attune_core::value::Value as CoreValue;
use attune_core::wire::{LetterId, Record, Refused, decode_record, write_whole_event};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

/// Why an export ends before all has been told.
#[derive(Debug)]
pub enum ExportError {
    /// The store is broken.
    Store(StoreError),
    /// The log cannot be read.
    Log(io::Error),
    /// Nobody reads on.
    Left,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Log(error) => write!(f, "log: {error}"),
            Self::Left => f.write_str("nobody reads on"),
        }
    }
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Takes a key and what was found under it.
type Tell<'a, T> = dyn FnMut(&Query, &[u8], T) -> Result<(), ExportError> + 'a;

/// What is being told, and how much has been.
struct Telling<'a> {
    members: BTreeSet<MemberId>,
    profile: &'a str,
    /// Dead letters that have been told.
    letters: BTreeSet<LetterId>,
    counts: BTreeMap<&'static str, u64>,
    /// What is kept and cannot be read.
    unreadable: u64,
    emit: &'a mut dyn FnMut(&str) -> bool,
}

impl Telling<'_> {
    fn tell(&mut self, kind: &'static str, mut line: Value) -> Result<(), ExportError> {
        line["kind"] = kind.into();
        self.tell_line(kind, &line.to_string())
    }

    fn tell_line(&mut self, kind: &'static str, line: &str) -> Result<(), ExportError> {
        *self.counts.entry(kind).or_default() += 1;
        if (self.emit)(line) { Ok(()) } else { Err(ExportError::Left) }
    }

    fn tell_unreadable(&mut self, what: &str, id: &str, error: &dyn fmt::Display) -> Result<(), ExportError> {
        self.unreadable += 1;
        self.tell("unreadable", json!({"what": what, "id": id, "message": error.to_string()}))
    }
}

impl Query {
    /// Tells all that is kept of a profile, its members and the one that carries what servers say of it, a line each by `emit`, which says
    /// whether anybody reads on; it is asked so with an empty line as well. The last line, of kind `end`, says how much of what kind that was, and whether it
    /// is all: where it is missing, there is more.
    ///
    /// # Errors
    /// Why there is no last line.
    pub fn export(
        &self,
        (id, carrier): (&str, &MemberId),
        emit: &mut dyn FnMut(&str) -> bool,
    ) -> Result<(), ExportError> {
        let mut telling = Telling {
            members: carrier
                .0
                .strip_prefix("user:")
                .map(unproven)
                .into_iter()
                .chain([carrier.clone()])
                .collect(),
            profile: id,
            letters: BTreeSet::new(),
            counts: BTreeMap::new(),
            unreadable: 0,
            emit,
        };
        self.tell_states(&mut telling)?;
        self.tell_firings(&mut telling)?;
        self.tell_letters(&mut telling)?;
        let damaged = self.tell_log(&mut telling)?;
        let is_whole = damaged == 0 && telling.unreadable == 0;
        let counts = json!(telling.counts);
        telling.tell("end", json!({"complete": is_whole, "damaged_log_bytes": damaged, "counts": counts}))
    }

    fn tell_states(&self, telling: &mut Telling<'_>) -> Result<(), ExportError> {
        let id = telling.profile;
        match self.state(id)? {
            Found::Known(state) => {
                telling.members.extend(state.members().cloned());
                let shown = self.show(id, &state).json;
                telling.tell_line("profile", &format!("{{\"kind\":\"profile\",\"profile\":{shown}}}"))?;
            }
            Found::Unreadable(error) => telling.tell_unreadable("profile", id, &error)?,
            Found::Unknown => {}
        }
        for member in telling.members.clone() {
            match self.member(&member)? {
                Found::Known(state) => telling.tell_line("member", &self.member_line(&state))?,
                Found::Unreadable(error) => telling.tell_unreadable("member", &member.0, &error)?,
                Found::Unknown => {}
            }
        }
        Ok(())
    }

    fn member_line(&self, state: &MemberState) -> String {
        let mut totals = BTreeMap::new();
        let bundle = self.bundle();
        add_totals(&bundle, &[state.tiles()], &mut totals);
        let lanes = state.lanes().iter().map(|(lane, lane_state)| {
            let ranges = |ranges: &attune_core::profile::Ranges| ranges.iter().collect::<Vec<_>>();
            json!({
                "lane": uuid_text(lane.0),
                "absorbed": ranges(lane_state.absorbed()),
                "void": ranges(lane_state.void()),
                "closed": lane_state.closed(),
            })
        });
        json!({
            "kind": "member",
            "member": state.member().0,
            "profile": state.profile().0,
            "version": state.version(),
            "traits": tree(&state.traits().to_object()),
            "signals": tree(&named_totals(&bundle, &totals)),
            "lanes": lanes.collect::<Vec<_>>(),
            "utc_offset_minutes": state.clocks().map(|clocks| clocks.ahead_ms(crate::clock::now()) / 60_000),
        })
        .to_string()
    }

    /// Firings are kept by their order, so all of them are looked through: some at a time, since nothing else may hold the store while
    /// somebody reads what is told.
    fn tell_firings(&self, telling: &mut Telling<'_>) -> Result<(), ExportError> {
        let finders: Vec<_> = telling.members.iter().map(|member| text_of(member).into_bytes()).collect();
        let members = telling.members.clone();
        let theirs = |_: &[u8], value: &[u8]| {
            let may_be = finders.iter().any(|name| memchr::memmem::find(value, name).is_some());
            let firing = serde_json::from_slice::<Value>(value).ok().filter(|_| may_be)?;
            let member = MemberId(firing["member"].as_str()?.into());
            members.contains(&member).then_some(firing)
        };
        self.scan_in_parts(Table::Firings, theirs, &mut |query, key, firing| {
            let id = firing["id"].clone();
            let actions = firing["actions"].as_array().map_or(0, Vec::len);
            telling.tell("firing", json!({"firing": firing}))?;
            for action in 0..u16::try_from(actions).unwrap_or(u16::MAX) {
                let Some(kept) = query.store.get(Table::Deliveries, &delivery_key(key, action))? else {
                    continue;
                };
                let delivery: Value = serde_json::from_slice(&kept).unwrap_or_default();
                telling.tell("delivery", json!({"firing": id, "action": action, "delivery": delivery}))?;
            }
            Ok(())
        })
    }

    fn tell_letters(&self, telling: &mut Telling<'_>) -> Result<(), ExportError> {
        let members = telling.members.clone();
        let theirs = |key: &[u8], value: &[u8]| {
            let letter = Letter::decode(key, value)?;
            members.iter().any(|member| is_of(&letter.refused, member)).then_some(letter)
        };
        self.scan_in_parts(Table::DeadLetters, theirs, &mut |_, _, letter| {
            telling.letters.insert(letter.id);
            let mut line = refused_json(letter.id, &letter.refused);
            line["replays"] = letter.replays.into();
            telling.tell("dead_letter", line)
        })
    }

    /// Shows what is theirs of a table, with nothing held meanwhile.
    fn scan_in_parts<T>(
        &self,
        table: Table,
        theirs: impl Fn(&[u8], &[u8]) -> Option<T>,
        tell: &mut Tell<'_, T>,
    ) -> Result<(), ExportError> {
        let mut first = Vec::new();
        loop {
            let (mut found, mut seen, mut next) = (Vec::new(), 0, None);
            self.store.scan_from(table, &first, &mut |key, value| {
                if seen == EXPORT_SCAN_ENTRIES {
                    next = Some(key.to_vec());
                    return false;
                }
                seen += 1;
                found.extend(theirs(key, value).map(|found| (key.to_vec(), found)));
                true
            })?;
            for (key, entry) in found {
                tell(self, &key, entry)?;
            }
            match next {
                Some(next) => first = next,
                None => return Ok(()),
            }
        }
    }

    /// Tells what the log has up to where it ends now; returns how many of its bytes cannot be read.
    fn tell_log(&self, telling: &mut Telling<'_>) -> Result<u64, ExportError> {
        let end = self.log.end();
        let (mut reader, mut damaged) = (self.log.reader_beside(), 0);
        while reader.position() < end {
            let Some(chunk) = self.log.read_beside(&mut reader).map_err(ExportError::Log)? else { break };
            damaged += reader.take_damaged().iter().map(|range| range.end - range.start).sum::<u64>();
            for frame in chunk.frames() {
                for (index, bytes) in (0..).zip(frame.records()) {
                    let Ok(record) = decode_record(bytes) else { continue };
                    tell_record(telling, LetterId { position: frame.position, index }, &record)?;
                }
            }
            // Whoever waits for nothing may have gone.
            if !(telling.emit)("") {
                return Err(ExportError::Left);
            }
        }
        Ok(damaged)
    }
}

fn tell_record(telling: &mut Telling<'_>, place: LetterId, record: &Record) -> Result<(), ExportError> {
    let at = place.to_string();
    match record {
        Record::Event { event, received_at, proven, facts } if telling.members.contains(&event.member) => {
            let head = json!({"kind": "event", "position": at, "received_at": received_at.to_string(), "proven": proven});
            // Metadata stays as it was sent, to the last digit; its tokens may stand on several lines.
            let event = write_whole_event(event).replace(['\n', '\r'], " ");
            let head = head.to_string();
            // What was found out at the edge where it came from, which is JSON as well.
            let found = facts.as_ref().map_or_else(String::new, |facts| {
                format!(",\"context\":{},\"aside\":{},\"gpc\":{}", facts.context, facts.aside, facts.gpc)
            });
            let line = format!("{}{found},\"event\":{event}}}", &head[..head.len() - 1]);
            telling.tell_line("event", &line)
        }
        Record::Void { member, lane, from, to } if telling.members.contains(member) => telling.tell(
            "void",
            json!({"position": at, "member": member.0, "lane": uuid_text(lane.0), "from": from, "to": to}),
        ),
        Record::Close { member, lane, count, at: heard } if telling.members.contains(member) => {
            let lane = uuid_text(lane.0);
            let line = json!({"position": at, "member": member.0, "lane": lane, "count": count, "at": heard.to_string()});
            telling.tell("close", line)
        }
        Record::Clocks { member, clocks, at: heard } if telling.members.contains(member) => {
            let minutes = clocks.ahead_ms(*heard) / 60_000;
            let line = json!({"position": at, "member": member.0, "at": heard.to_string(), "utc_offset_minutes": minutes});
            telling.tell("clocks", line)
        }
        Record::WakeUp { profile, at: due } if *profile.0 == *telling.profile => {
            telling.tell("wake_up", json!({"position": at, "at": due.to_string()}))
        }
        Record::Refused(refused)
            if !telling.letters.contains(&place)
                && telling.members.iter().any(|member| is_of(refused, member)) =>
        {
            telling.tell("refused", refused_json(place, refused))
        }
        _ => Ok(()),
    }
}

fn refused_json(id: LetterId, refused: &Refused) -> Value {
    let content = refused.content.as_ref();
    json!({
        "id": id.to_string(),
        "code": refused.code,
        "message": refused.message,
        "received_at": refused.at.to_string(),
        "event_type": refused.event_type,
        "event_id": content.and_then(|content| content.event_id.as_deref()),
        "member": content.and_then(|content| content.member.as_ref()).map(|member| &member.0),
        "raw": content.map(|content| &content.raw),
    })
}

/// An id as a text of JSON has it, without its quotes.
fn text_of(member: &MemberId) -> String {
    let quoted = Value::from(&*member.0).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn uuid_text(id: attune_core::id::Uuid) -> String {
    let mut text = String::new();
    write_uuid(id, &mut text);
    text
}

fn tree(value: &CoreValue) -> Value {
    let mut json = String::new();
    value.write(&mut json);
    serde_json::from_str(&json).unwrap_or_default()
}
