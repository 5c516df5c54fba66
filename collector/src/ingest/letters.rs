//! What is kept of a batch's refused events: their text where it may be kept, else that there were some and why.

use super::Moment;
use super::guard::Guard;
use crate::access::WriteKey;
use crate::limits::{
    LETTER_BATCH_BYTES, LETTER_BYTES_PER_BYTE, LETTER_HEAD_BYTES, MAX_LETTER_BYTES, MAX_LETTER_MESSAGE_CHARS,
};
use attune_core::id::MemberId;
use attune_core::limits::MAX_ID_CHARS;
use attune_core::wire::{Envelope, Event, Refused, RefusedBy, RefusedContent};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Fields of an event, in the order in which they are written.
const FIELDS: [&str; 9] = [
    "event_id",
    "event_type",
    "timestamp",
    "anonymous_id",
    "lane",
    "seq",
    "session_id",
    "user_id",
    "metadata",
];

/// Why an event is refused: a code and a message.
pub type Why<'a> = (&'a str, &'a str);

/// The refused events of one batch.
#[derive(Debug)]
pub struct Letters<'a> {
    moment: &'a Moment<'a>,
    key: &'a WriteKey,
    sender: Option<&'a MemberId>,
    clock_shift_ms: i64,
    /// Bytes that these may still add to the log.
    budget: usize,
    kept: Vec<Refused>,
    /// Those of which nothing is kept, by code and type.
    alike: BTreeMap<(String, Option<Box<str>>), Refused>,
    /// How many found no room.
    pub left_out: u64,
}

impl<'a> Letters<'a> {
    /// None yet, of an envelope under a key, whose timestamps are shifted.
    pub fn new(
        envelope: &'a Envelope<'_>,
        key: &'a WriteKey,
        moment: &'a Moment<'a>,
        clock_shift_ms: i64,
    ) -> Self {
        let bytes: usize = envelope.events.iter().map(|raw| raw.len()).sum();
        Self {
            moment,
            key,
            sender: envelope.anonymous_id.as_ref(),
            clock_shift_ms,
            budget: LETTER_BYTES_PER_BYTE * bytes + LETTER_BATCH_BYTES,
            kept: Vec::new(),
            alike: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// Keeps an event that could not be read, as far as it may be.
    pub fn unread(&mut self, index: usize, raw: &str, why: Why<'_>) {
        let peek = Peek::of(raw);
        let member = peek.member(self.sender);
        let is_erased = member.as_ref().is_some_and(|member| self.moment.erased.has(member));
        let text =
            if is_erased { None } else { cleared(raw, &peek, member.as_ref(), self.moment.guard_of(index)) };
        // The message may name what is in it.
        let Some(text) = text else { return self.nothing_of(peek.event_type, (why.0, "")) };
        let content = RefusedContent {
            member,
            event_id: peek.event_id,
            key: Some(self.key.key.clone()),
            proven: false,
            clock_shift_ms: self.clock_shift_ms,
            raw: beginning(&text, MAX_LETTER_BYTES).into(),
            raw_bytes: text.len() as u64,
        };
        self.keep(peek.event_type, content, why);
    }

    /// Keeps an event of which everything may be kept that it still has.
    pub fn read(&mut self, mut event: Event, proven: bool, why: Why<'_>) {
        event.timestamp = event.timestamp.plus(self.clock_shift_ms);
        let content = RefusedContent::of_event(&event, proven);
        self.keep(Some(event.event_type), content, why);
    }

    /// Counts an event that may not be kept.
    pub fn nothing_of(&mut self, event_type: Option<Box<str>>, why: Why<'_>) {
        let key = (why.0.to_owned(), event_type);
        if let Some(refused) = self.alike.get_mut(&key) {
            refused.count += 1;
            return;
        }
        let refused = self.refused(key.1.clone(), None, why);
        if self.pays(&refused) {
            self.alike.insert(key, refused);
        }
    }

    /// What goes into the log.
    pub fn into_refused(self) -> impl Iterator<Item = Refused> {
        self.kept.into_iter().chain(self.alike.into_values())
    }

    fn keep(&mut self, event_type: Option<Box<str>>, content: RefusedContent, why: Why<'_>) {
        let refused = self.refused(event_type, Some(content), why);
        if self.pays(&refused) {
            self.kept.push(refused);
        }
    }

    /// Takes the bytes of one more from the budget, or counts it as left out.
    fn pays(&mut self, refused: &Refused) -> bool {
        let left = self.budget.checked_sub(bytes_of(refused));
        self.budget = left.unwrap_or(self.budget);
        self.left_out += u64::from(left.is_none());
        left.is_some()
    }

    fn refused(
        &self,
        event_type: Option<Box<str>>,
        content: Option<RefusedContent>,
        (code, message): Why<'_>,
    ) -> Refused {
        let message = message.chars().take(MAX_LETTER_MESSAGE_CHARS).collect::<String>().into();
        let (by, at) = (RefusedBy::Reading, self.moment.now);
        Refused { by, at, code: code.into(), message, count: 1, event_type, content }
    }
}

/// Bytes of the log that it takes, at most.
fn bytes_of(refused: &Refused) -> usize {
    let content = refused.content.as_ref().map_or(0, |content| {
        let member = content.member.as_ref().map_or(0, |member| member.0.len());
        let texts = [&content.event_id, &content.key].map(|text| text.as_ref().map_or(0, |text| text.len()));
        content.raw.len() + member + texts.iter().sum::<usize>()
    });
    let event_type = refused.event_type.as_ref().map_or(0, |text| text.len());
    LETTER_HEAD_BYTES + refused.code.len() + refused.message.len() + event_type + content
}

/// What may be kept of the text of an event that nobody has judged: all of it where there is no policy, else the fields of an
/// event with the metadata that the policy leaves, where it would let such an event in at all.
fn cleared<'r>(
    raw: &'r str,
    peek: &Peek,
    member: Option<&MemberId>,
    guard: Option<Guard<'_>>,
) -> Option<Cow<'r, str>> {
    let Some(guard) = guard else { return Some(Cow::Borrowed(raw)) };
    let event_type = peek.event_type.as_deref()?;
    let nobody = MemberId(Box::default());
    if !guard.lets_in(event_type, member.unwrap_or(&nobody)) {
        return None;
    }
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(raw).ok()?;
    let mut out = String::from("{");
    for name in FIELDS {
        let Some(value) = fields.get(name).map(|value| value.get()) else { continue };
        // Whatever has members where a plain value belongs could hold anything.
        let is_plain = !value.starts_with(['{', '[']);
        let value = match name {
            "metadata" => guard.strip(event_type, value)?,
            _ if is_plain => Cow::Borrowed(value),
            _ => continue,
        };
        out.push_str(if out.len() > 1 { ",\"" } else { "\"" });
        out.push_str(name);
        out.push_str("\":");
        out.push_str(&value);
    }
    out.push('}');
    Some(Cow::Owned(out))
}

/// What can be told of an event without reading it.
#[derive(Debug, Default)]
struct Peek {
    event_id: Option<Box<str>>,
    event_type: Option<Box<str>>,
    anonymous_id: Option<Box<str>>,
    user_id: Option<Box<str>>,
}

impl Peek {
    fn of(raw: &str) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Fields<'a> {
            #[serde(borrow)]
            event_id: Option<&'a RawValue>,
            #[serde(borrow)]
            event_type: Option<&'a RawValue>,
            #[serde(borrow)]
            anonymous_id: Option<&'a RawValue>,
            #[serde(borrow)]
            user_id: Option<&'a RawValue>,
        }
        let fields: Fields<'_> = serde_json::from_str(raw).unwrap_or_default();
        let text = |value: Option<&RawValue>| {
            let text: String = serde_json::from_str(value?.get()).ok()?;
            Some(beginning(&text, 4 * MAX_ID_CHARS).into())
        };
        Self {
            event_id: text(fields.event_id),
            event_type: text(fields.event_type),
            anonymous_id: text(fields.anonymous_id),
            user_id: text(fields.user_id),
        }
    }

    /// Whose event it would be.
    fn member(&self, sender: Option<&MemberId>) -> Option<MemberId> {
        let user = || self.user_id.as_ref().map(|user| MemberId(format!("user:{user}").into()));
        let own = self.anonymous_id.clone().map(MemberId);
        own.or_else(|| sender.filter(|member| member.0.len() <= 4 * MAX_ID_CHARS).cloned()).or_else(user)
    }
}

/// As much of a text as so many bytes hold.
fn beginning(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Tombstones;
    use crate::ingest::batch;
    use crate::secret::Secret;
    use attune_core::filter::{Kinds, Others, Policy, Presence, Property, PropertyType, TypePolicy};
    use attune_core::limits::MAX_EVENT_BYTES;
    use attune_core::time::Timestamp;
    use attune_core::wire::{Record, decode_record};

    const NOW: Timestamp = Timestamp(1_763_632_802_120);

    /// What is logged of the refused events of a batch, and how many are not.
    fn refused(policy: Option<&Policy>, head: &str, events: &[String]) -> (Vec<Refused>, u64) {
        let erased = Tombstones::new(Secret::of([7; 32]));
        erased.note(erased.of(&MemberId("gone".into())));
        let guard = policy.map(|policy| Guard { policy, user_agent: "" });
        let moment = Moment {
            now: NOW,
            bundle_revision: 1,
            site: None,
            erased: &erased,
            guard,
            enriching: None,
            origins: &[],
        };
        let text = format!(r#"{{"v":1,"anonymous_id":"m1"{head},"events":[{}]}}"#, events.join(","));
        let read =
            batch::read(&Envelope::parse(&text).unwrap(), Vec::new(), &WriteKey::open("k").unwrap(), &moment);
        let letters = read.records.records().filter_map(|record| match decode_record(record).unwrap() {
            Record::Refused(refused) => Some(*refused),
            _ => None,
        });
        (letters.collect(), read.letters_left_out)
    }

    fn event(id: &str, extra: &str) -> String {
        format!(r#"{{"event_id":"{id}","event_type":"click","timestamp":"{NOW}"{extra}}}"#)
    }

    fn raw(refused: &Refused) -> Option<&str> {
        refused.content.as_ref().map(|content| &*content.raw)
    }

    #[test]
    fn a_refused_event_is_kept_as_it_was_sent_with_what_its_batch_said() {
        let bad = event("b", r#","seq":0,"anonymous_id":"m2","metadata":{"x":"\ud800"}"#);
        let sent_at = format!(r#","sent_at":"{}""#, NOW.plus(-90_000));
        let (letters, left_out) = refused(None, &sent_at, &[event("a", ""), bad.clone()]);
        let expected = RefusedContent {
            member: Some(MemberId("m2".into())),
            event_id: Some("b".into()),
            key: Some("k".into()),
            proven: false,
            clock_shift_ms: 90_000,
            raw: bad.as_str().into(),
            raw_bytes: bad.len() as u64,
        };
        assert_eq!((letters.len(), left_out), (1, 0));
        let letter = &letters[0];
        assert_eq!((letter.by, letter.at, &*letter.code), (RefusedBy::Reading, NOW, "json_bad_escape"));
        assert_eq!((letter.event_type.as_deref(), &letter.content), (Some("click"), &Some(expected)));
    }

    #[test]
    fn of_a_text_that_is_too_long_the_beginning_is_kept() {
        let long = event("long", &format!(r#","metadata":{{"x":"{}"}}"#, "ü".repeat(MAX_EVENT_BYTES)));
        let (letters, _) = refused(None, "", std::slice::from_ref(&long));
        let content = letters[0].content.as_ref().unwrap();
        assert!(long.starts_with(&*content.raw) && content.raw.len() > MAX_LETTER_BYTES - 4);
        assert_eq!((content.raw_bytes, content.is_whole()), (long.len() as u64, false));
    }

    #[test]
    fn of_whom_is_erased_and_of_what_the_policy_forbids_only_code_type_and_time_are_kept() {
        let policy = Policy {
            deny: vec!["click".into()],
            types: vec![TypePolicy { share: 0, ..TypePolicy::new("sampled") }],
            ..Policy::default()
        };
        let secret = r#","metadata":{"x":"planted"}"#;
        let gone = r#","anonymous_id":"gone","metadata":{"x":"planted"}"#;
        let events = [
            event("a", secret),
            event("b", secret),
            event("c", secret).replace("click", "sampled"),
            event("d", gone).replace("click", "view"),
            // These could not be read, so nobody has asked the policy of them yet.
            event("e", &format!(r#"{secret},"session_id":7"#)),
            event("f", &format!(r#"{gone},"session_id":7"#)).replace("click", "view"),
            r#"{"x":"planted"}"#.to_owned(),
        ];
        let (letters, _) = refused(Some(&policy), "", &events);
        let told: Vec<_> = letters
            .iter()
            .map(|letter| {
                (&*letter.code, letter.event_type.as_deref(), letter.count, letter.content.is_some())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("denied_type", Some("click"), 2, false),
                ("event_id_missing", None, 1, false),
                ("member_erased", Some("view"), 1, false),
                ("sampled_out", Some("sampled"), 1, false),
                ("session_id_invalid", Some("click"), 1, false),
                ("session_id_invalid", Some("view"), 1, false),
            ]
        );
        assert!(!format!("{letters:?}").contains("planted"));
    }

    #[test]
    fn what_the_policy_takes_out_is_not_kept_either() {
        let (name, of, presence) = ("by".into(), PropertyType::Text, Presence::Required);
        let property = Property { name, of, presence, max_bytes: None };
        let strict =
            TypePolicy { others: Others::Remove, properties: vec![property], ..TypePolicy::new("strict") };
        let policy = Policy { redact: Kinds::ALL, types: vec![strict], ..Policy::default() };
        let metadata = r#","metadata":{"by":"ann@example.com","other":1}"#;
        let unread = event(
            "a",
            &format!(r#"{metadata},"session_id":{{"by":"ann@example.com"}},"more":"ann@example.com""#),
        );
        let unlike =
            event("b", r#","metadata":{"by":7,"other":"ann@example.com"}"#).replace("click", "strict");
        let unparsed = event("c", r#","metadata":{"by":"ann@example.com","x":1e400}"#);
        let (letters, _) = refused(Some(&policy), "", &[unread, unlike, unparsed]);
        let told: Vec<_> = letters.iter().map(|letter| (&*letter.code, raw(letter))).collect();
        let first = event("a", r#","metadata":{"by":"[email]","other":1}"#);
        assert_eq!(told[0], ("session_id_invalid", Some(&*first)));
        assert_eq!((told[1].0, told[2]), ("schema_mismatch", ("json_number_out_of_range", None)));
        let second = told[1].1.unwrap();
        assert!(
            second.contains(r#""metadata":{"by":7}"#) && second.contains(r#""anonymous_id":"m1""#),
            "{second}"
        );
    }

    #[test]
    fn a_batch_of_bad_events_adds_no_more_to_the_log_than_one_of_good_ones() {
        let (letters, left_out) = refused(None, "", &vec!["7".to_owned(); 2_500]);
        assert_eq!(letters.len() as u64 + left_out, 2_500);
        assert!(left_out > 0);
        let bytes: usize = letters.iter().map(logged_bytes).sum();
        assert!(bytes <= LETTER_BATCH_BYTES + LETTER_BYTES_PER_BYTE * 2_500, "{bytes}");
        // Real ones all find room.
        let id = |number| format!("0197a000-0000-7000-8000-{number:012}");
        let real: Vec<_> = (0..2_500).map(|number| event(&id(number), r#","session_id":7"#)).collect();
        assert_eq!(refused(None, "", &real).1, 0);
    }

    #[test]
    fn a_dead_letter_takes_no_more_in_the_log_than_is_reckoned_with() {
        let long = event("long", &format!(r#","metadata":{{"x":"{}"}}"#, "x".repeat(MAX_EVENT_BYTES)));
        let (letters, _) = refused(None, "", &[long, "7".to_owned(), event("a", r#","metadata":7"#)]);
        for letter in &letters {
            let reckoned = bytes_of(letter);
            assert!(logged_bytes(letter) <= reckoned && reckoned <= logged_bytes(letter) + LETTER_HEAD_BYTES);
        }
    }

    fn logged_bytes(refused: &Refused) -> usize {
        let mut record = Vec::new();
        attune_core::wire::encode_record(&Record::Refused(refused.clone().into()), &mut record);
        record.len()
    }
}
