//! The two steps over states that the host owns: absorb by member, combine by profile.

mod readings;
mod rollout;

use crate::answer::{Answer, failure, no_json};
use crate::cut::elements;
use crate::event::peek_event_id;
use crate::record::read_record;
use crate::state::OpenProfile;
use attune_core::bundle::{Bundle, BundleError};
use attune_core::condition::Engine;
use attune_core::processor::{Processor, ProfileState};
use attune_core::profile::{Absorbed, Change, MemberState};
use attune_core::rules::Succession;
use attune_core::time::Timestamp;
use attune_core::value::{ValueRef, parse};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The furthest instant from 1970 that hosts name, in milliseconds: that of JavaScript's dates.
const MAX_TIME_MS: f64 = 8.64e15;

/// A bundle in effect for states that are given with each call.
#[derive(Debug)]
pub struct Steps {
    processor: Processor,
}

impl Steps {
    /// Steps with a bundle that has been in effect since an instant, in milliseconds since 1970.
    ///
    /// # Errors
    /// Bytes that are no bundle, or a number that is no instant, as an object with `error` and `message`.
    pub fn new(bundle: &[u8], at_ms: f64) -> Result<Self, String> {
        let mut steps = Self { processor: Processor::asking(Box::new(Engine::default())) };
        steps.publish(bundle, at_ms)?;
        Ok(steps)
    }

    /// Puts another bundle into effect at an instant. States follow when they are next combined.
    ///
    /// # Errors
    /// As [`Steps::new`]; or a revision that is not above the one in effect, which stays then.
    pub fn publish(&mut self, bundle: &[u8], at_ms: f64) -> Result<(), String> {
        let (bundle, _, at) = later_bundle(&self.processor, bundle, at_ms)?;
        self.processor.set_bundle(bundle, at);
        Ok(())
    }

    /// Takes a JSON array of a member's records in, in their order, and answers with the changes for its profile.
    pub fn absorb(&self, state: &mut MemberState, records: &str) -> String {
        let mut answer = Answer::default();
        let Some(records) = elements(records) else {
            answer.unreadable("records");
            return answer.absorbed();
        };
        for (index, text) in records.into_iter().enumerate() {
            let record = match read_record(text, state.member()) {
                Ok(record) => record,
                Err(error) => {
                    let id = event_id(text);
                    answer.refuse(index, id, error.code(), error.field(), &error.message());
                    continue;
                }
            };
            match self.processor.absorb(state, &record) {
                Absorbed::Change(change) => {
                    answer.accepted += 1;
                    let bytes = BASE64_STANDARD.encode(change.encode());
                    answer.change(&change, self.processor.counted(), &bytes);
                }
                Absorbed::Duplicate => answer.duplicates += 1,
                Absorbed::Conflict => answer.refuse_lane(index, event_id(text), false),
                Absorbed::LaneFull => answer.refuse_lane(index, event_id(text), true),
                Absorbed::Ignored => {}
            }
        }
        answer.absorbed()
    }

    /// Takes a JSON array of changes into a profile, in their order, and answers with what fired. `left` is the profile
    /// that a member has left with one of them.
    pub fn combine(
        &self,
        profile: &mut OpenProfile,
        mut left: Option<&mut OpenProfile>,
        changes: &str,
    ) -> String {
        let mut answer = Answer::default();
        let Some(changes) = elements(changes) else {
            answer.unreadable("changes");
            return answer.combined(profile.state.wake_at());
        };
        for (index, text) in changes.into_iter().enumerate() {
            let checked = read_change(text).and_then(|change| {
                check_profiles(&change, &profile.state, left.as_deref().map(|left| &left.state))
                    .map(|()| change)
            });
            match checked {
                Ok(change) => {
                    let left = left.as_deref_mut().map(|left| &mut left.state);
                    let left = left.filter(|_| change.moved_from.is_some());
                    let outcome = self.processor.combine(&mut profile.state, &change, left);
                    match outcome.changed {
                        true => answer.accepted += 1,
                        false => answer.duplicates += 1,
                    }
                    outcome.firings.iter().for_each(|firing| answer.firing(firing));
                }
                Err((code, message)) => answer.refuse(index, None, code, "change", message),
            }
        }
        answer.combined(profile.state.wake_at())
    }

    /// Lets time pass for a profile up to an instant: triggers that time alone has made true fire.
    ///
    /// # Errors
    /// A number that is no instant.
    pub fn wake(&self, profile: &mut OpenProfile, at_ms: f64) -> Result<String, String> {
        let outcome = self.processor.wake(&mut profile.state, instant(at_ms)?);
        let mut answer = Answer::default();
        outcome.firings.iter().for_each(|firing| answer.firing(firing));
        Ok(answer.combined(outcome.wake_at))
    }

    /// Decides the slots of a profile in a page's context and answers with those that differ since the last time.
    ///
    /// # Errors
    /// A context that is neither empty nor a JSON object.
    pub fn decide(&self, profile: &mut OpenProfile, context: &str) -> Result<String, String> {
        let context = match context {
            "" => None,
            text => {
                let context = parse(text).map_err(no_json)?;
                if !matches!(context.get(), ValueRef::Object(_)) {
                    return Err(failure("context_no_object", "the context is no JSON object"));
                }
                Some(context)
            }
        };
        let context = context.as_ref().map_or(ValueRef::Null, |context| context.get());
        let decided = self.processor.decide(&mut profile.state, context, &profile.decisions);
        let mut answer = Answer::default();
        for change in decided.changes {
            answer.decision(profile.state.profile(), &change);
            profile.decisions.retain(|decision| decision.slot != change.slot);
            profile.decisions.extend(change.decision);
        }
        Ok(answer.decided(decided.wake_at))
    }

    /// A profile as a JSON object: who, when, how much, traits and the values of signals at profile time.
    pub fn view(&self, profile: &OpenProfile) -> String {
        crate::answer::profile(&profile.state, &self.processor.bundle_of(&profile.state).signals)
    }
}

/// A bundle that may follow the one in effect at an instant, and what of it is as it was there.
pub(crate) fn later_bundle(
    processor: &Processor,
    bundle: &[u8],
    at_ms: f64,
) -> Result<(Bundle, Succession, Timestamp), String> {
    let at = instant(at_ms)?;
    let told = |error: BundleError| failure(error.code(), &error.to_string());
    let (bundle, succession) = Bundle::open_after(bundle, processor.bundle()).map_err(told)?;
    let current = processor.bundle().revision;
    if current > 0 && bundle.revision <= current {
        let words = format!("revision {} is not above {current}, which is in effect", bundle.revision);
        return Err(failure("bundle_lower_revision", &words));
    }
    Ok((bundle, succession, at))
}

/// The instant of a number, in milliseconds since 1970.
///
/// # Errors
/// A number that is none.
pub(crate) fn instant(ms: f64) -> Result<Timestamp, String> {
    if ms.abs() <= MAX_TIME_MS {
        return Ok(Timestamp(ms as i64));
    }
    Err(failure("time_out_of_range", "expected milliseconds since 1970, at most 8.64e15 from it"))
}

/// The id of a record's event, for the row of one that was refused.
fn event_id(record: &str) -> Option<Box<str>> {
    let fields = crate::cut::fields(record)?;
    peek_event_id(fields.iter().rev().find(|(name, _)| *name == "event")?.1)
}

type Refusal = (&'static str, &'static str);

fn read_change(text: &str) -> Result<Change, Refusal> {
    const UNREADABLE: Refusal =
        ("change_unreadable", "expected the text of a change that absorbing has answered with");
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(UNREADABLE)?;
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| UNREADABLE)?;
    Change::decode(&bytes).map_err(|_| UNREADABLE)
}

/// Whether a change belongs into this profile, and what it leaves is at hand.
fn check_profiles(change: &Change, into: &ProfileState, left: Option<&ProfileState>) -> Result<(), Refusal> {
    if into.version() > 0 && change.profile != *into.profile() {
        return Err(("profile_other", "the change is for another profile"));
    }
    let Some(from) = &change.moved_from else { return Ok(()) };
    match left {
        None => {
            Err(("left_missing", "the member has left a profile with this change, which has to be given"))
        }
        Some(left) if left.version() > 0 && left.profile() != from => {
            Err(("left_other", "the profile that is given is not the one that the member has left"))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;
    use attune_core::bundle::author::{SourceFile, compile};
    use attune_core::bundle::{Header, attach_signature, seal_envelope};
    use attune_core::value::Value;
    use proptest::prelude::*;

    const RULES: &str = r##"{
        "signals":[{"name":"clicks","on":"click","by":"metadata.category","aggregate":"count","window":"session"},
            {"name":"left_at","on":"click","aggregate":"last_at","window":"lifetime"}],
        "rules":[{"id":"keen","slot":"hero","when":{"$signal":{"name":"clicks","key":"shoes","is":{"$gte":2}}},
            "actions":[{"kind":"text","target":"#hero","value":"Hello"}]}],
        "triggers":[{"id":"third-click","on":"click",
            "when":{"$signal":{"name":"clicks","key":{"$path":"event.metadata.category"},"is":{"$gte":3}}},
            "cap":{"per":"session","key":"event.metadata.category","count":1},"actions":[]},
            {"id":"gone","when":{"signals.left_at":{"$before":"-30m"}},"actions":[]}]
    }"##;

    fn sealed(revision: u64) -> Vec<u8> {
        let compiled = compile(&[SourceFile { name: "rules.json".into(), text: RULES.into() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "shop", revision, ..Header::default() };
        attach_signature(seal_envelope(&header, &compiled.body), &[0; 64])
    }

    fn steps() -> Steps {
        Steps::new(&sealed(1), 0.0).unwrap()
    }

    fn click(member: &str, number: u32, user: &str) -> String {
        let user = if user.is_empty() { String::from("null") } else { format!("\"{user}\"") };
        format!(
            r#"{{"event":{{"event_id":"{member}{number}","event_type":"click","timestamp":"2026-11-20T10:00:{number:02}Z",
            "anonymous_id":"{member}","session_id":"s","user_id":{user},"metadata":{{"category":"shoes"}}}},"proven":true}}"#
        )
    }

    fn array(items: &[String]) -> String {
        format!("[{}]", items.join(","))
    }

    fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
        value.at(path).unwrap_or_else(|| panic!("{path} of {value:?}"))
    }

    /// Absorbs records and gives the changes as `combine` takes them.
    fn changes(steps: &Steps, member: &mut State, records: &[String]) -> Vec<String> {
        let answer = Value::parse(&steps.absorb(member.member().unwrap(), &array(records))).unwrap();
        assert_eq!(at(&answer, "errors"), &Value::Array(vec![]));
        let Value::Array(rows) = at(&answer, "changes") else { panic!("a list") };
        rows.iter().map(|row| format!("\"{}\"", at(row, "change").as_str().unwrap())).collect()
    }

    fn combine(steps: &Steps, profile: &mut State, left: Option<&mut State>, changes: &[String]) -> Value {
        let left = left.map(|left| left.profile().unwrap());
        Value::parse(&steps.combine(profile.profile().unwrap(), left, &array(changes))).unwrap()
    }

    fn new_member(name: &str) -> State {
        State::open_member(name, &[]).unwrap()
    }

    fn new_profile() -> State {
        State::open_profile(&[]).unwrap()
    }

    fn code(answer: &str) -> String {
        at(&Value::parse(answer).unwrap(), "error").as_str().unwrap().to_owned()
    }

    fn errors(answer: &Value) -> Vec<&str> {
        let Value::Array(rows) = at(answer, "errors") else { panic!("a list") };
        rows.iter().map(|row| at(row, "code").as_str().unwrap()).collect()
    }

    #[test]
    fn a_member_that_is_saved_and_opened_anew_goes_on_as_if_it_had_stayed_open() {
        let steps = steps();
        let (mut member, mut profile) = (new_member("m"), new_profile());
        let first = changes(&steps, &mut member, &[click("m", 1, ""), click("m", 2, "")]);
        let answer = combine(&steps, &mut profile, None, &first);
        assert_eq!(at(&answer, "firings"), &Value::Array(vec![]));
        assert_eq!(at(&answer, "wake_at"), &Value::string("2026-11-20T10:30:02.001Z"));
        let mut member = State::open_member("m", &member.save()).unwrap();
        let mut profile = State::open_profile(&profile.save()).unwrap();
        let third = changes(&steps, &mut member, &[click("m", 2, ""), click("m", 3, "")]);
        assert_eq!(third.len(), 1, "what was absorbed before is a duplicate");
        let answer = combine(&steps, &mut profile, None, &[&first[..], &third].concat());
        assert_eq!(at(&answer, "duplicates"), &Value::Number(2.0));
        assert_eq!(at(&answer, "firings.0.key"), &Value::string("shoes"));
        let view = Value::parse(&steps.view(profile.profile().unwrap())).unwrap();
        assert_eq!(at(&view, "signals.clicks.shoes"), &Value::Number(3.0));
        assert_eq!(at(&view, "profile"), &Value::string("member:m"));
        let decided = steps.decide(profile.profile().unwrap(), "").unwrap();
        assert!(decided.contains(r#""rule":"keen""#), "{decided}");
        assert!(steps.decide(profile.profile().unwrap(), "{}").unwrap().starts_with(r#"{"decisions":[],"#));
        let woken = steps.wake(profile.profile().unwrap(), 1_795_200_000_000.0).unwrap();
        assert!(woken.contains(r#""rule":"gone""#), "{woken}");
    }

    #[test]
    fn two_members_of_a_user_that_were_absorbed_apart_add_up() {
        let steps = steps();
        let (mut a, mut b) = (new_member("a"), new_member("b"));
        let of_a = changes(&steps, &mut a, &[click("a", 1, ""), click("a", 3, "ada")]);
        let of_b = changes(&steps, &mut b, &[click("b", 2, "ada")]);
        let (mut alone, mut ada) = (new_profile(), new_profile());
        combine(&steps, &mut alone, None, &of_a[..1]);
        combine(&steps, &mut ada, None, &of_b);
        let without = combine(&steps, &mut ada, None, &of_a[1..]);
        assert_eq!(errors(&without), ["left_missing"]);
        let answer = combine(&steps, &mut ada, Some(&mut alone), &of_a[1..]);
        assert_eq!(at(&answer, "firings.0.rule"), &Value::string("third-click"));
        let members = |profile: &mut State| {
            let view = Value::parse(&steps.view(profile.profile().unwrap())).unwrap();
            at(&view, "members").clone()
        };
        assert_eq!(members(&mut ada), Value::Array(vec![Value::string("a"), Value::string("b")]));
        assert_eq!(members(&mut alone), Value::Array(vec![]));
    }

    #[test]
    fn what_does_not_belong_together_is_refused_by_name() {
        let steps = steps();
        let (mut a, mut b) = (new_member("a"), new_member("b"));
        let of_a = changes(&steps, &mut a, &[click("a", 1, "")]);
        let of_b = changes(&steps, &mut b, &[click("b", 1, ""), click("b", 2, "ada")]);
        let mut profile = new_profile();
        combine(&steps, &mut profile, None, &of_a);
        let rows = ["7".to_owned(), "\"AA==\"".to_owned(), of_b[0].clone()];
        let answer = combine(&steps, &mut profile, None, &rows);
        assert_eq!(errors(&answer), ["change_unreadable", "change_unreadable", "profile_other"]);
        let mut ada = new_profile();
        let answer = combine(&steps, &mut ada, Some(&mut profile), &of_b[1..]);
        assert_eq!(errors(&answer), ["left_other"]);
        let answer = steps.absorb(a.member().unwrap(), &array(&[click("b", 3, "")]));
        assert_eq!(errors(&Value::parse(&answer).unwrap()), ["member_other"]);
        assert_eq!(code(&a.profile().unwrap_err()), "state_not_profile");
        assert_eq!(code(&profile.member().unwrap_err()), "state_not_member");
        assert_eq!(code(&State::open_member("b", &a.save()).unwrap_err()), "member_other");
        assert_eq!(code(&State::open_member("", &[]).unwrap_err()), "member_missing");
        assert_eq!(code(&State::open_profile(&a.save()).unwrap_err()), "snapshot_not_this");
        assert_eq!(code(&steps.wake(profile.profile().unwrap(), f64::NAN).unwrap_err()), "time_out_of_range");
        assert_eq!(code(&steps.decide(profile.profile().unwrap(), "[]").unwrap_err()), "context_no_object");
    }

    #[test]
    fn a_bundle_takes_effect_only_above_the_one_that_is_in_effect() {
        let mut steps = steps();
        assert_eq!(code(&steps.publish(&sealed(1), 1.0).unwrap_err()), "bundle_lower_revision");
        assert_eq!(code(&steps.publish(b"no bundle at all", 1.0).unwrap_err()), "bundle_bad_magic");
        assert_eq!(code(&steps.publish(&sealed(2), f64::INFINITY).unwrap_err()), "time_out_of_range");
        assert_eq!(steps.publish(&sealed(2), 1.0), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn saved_bytes_that_are_cut_or_changed_are_refused(
            is_member: bool, at in any::<prop::sample::Index>(), flip in 0_u8..=255,
        ) {
            let steps = steps();
            let (mut member, mut profile) = (new_member("m"), new_profile());
            let taken = changes(&steps, &mut member, &[click("m", 1, "")]);
            combine(&steps, &mut profile, None, &taken);
            let mut saved = if is_member { member.save() } else { profile.save() };
            let at = at.index(saved.len());
            if flip == 0 { saved.truncate(at.max(1)); } else { saved[at] ^= flip; }
            let opened = if is_member { State::open_member("m", &saved) } else { State::open_profile(&saved) };
            prop_assert!(code(&opened.unwrap_err()).starts_with("snapshot_"));
        }

        #[test]
        fn any_text_is_answered_in_json(text in r#"\[?[\[\]{}",:\\a1]{0,40}\]?"#) {
            let (mut member, mut profile) = (new_member("m"), new_profile());
            prop_assert!(Value::parse(&steps().absorb(member.member().unwrap(), &text)).is_ok());
            combine(&steps(), &mut profile, None, &[text]);
        }
    }
}
