//! The compiled body: the packed signals, experiments, models and rules, each with its own tables, and the filter policy.

use super::{Bundle, BundleError};
use crate::codec::{CodecError, Source, Writer};
use crate::experiment::{Trial, TrialRef, TrialTable};
use crate::limits::{
    MAX_BUNDLE_BYTES, MAX_EXPERIMENTS, MAX_MODELS, MAX_POLICY_BYTES, MAX_RULES, MAX_SIGNALS,
};
use crate::model::{Model, ModelRef, ModelTable};
use crate::profile::{Signal, SignalRef, SignalTable};
use crate::rules::{Rule, RuleRef, RuleTable, Succession};
use alloc::vec::Vec;

/// Version of the body's form, its first byte.
pub const BODY_VERSION: u8 = 7;

/// What a body is written from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts<'a> {
    /// Its signals.
    pub signals: &'a [Signal],
    /// Its experiments.
    pub experiments: &'a [Trial],
    /// Its models.
    pub models: &'a [Model],
    /// Its filter policy, in binary form; empty for none.
    pub policy: &'a [u8],
    /// Its rules, in order of id, without repeats.
    pub rules: &'a [Rule],
}

/// Writes a body.
pub fn encode_body(parts: &Parts<'_>) -> Vec<u8> {
    let mut out = Writer::new();
    out.u8(BODY_VERSION);
    out.bytes(&SignalTable::pack(parts.signals));
    out.bytes(&TrialTable::pack(parts.experiments));
    out.bytes(&ModelTable::pack(parts.models));
    out.bytes(parts.policy);
    out.raw(&RuleTable::pack(parts.rules));
    out.into_bytes()
}

/// Writes a body anew with the numbers that rules have in an earlier one, so that a delta between the two is small; it
/// says the same.
///
/// # Errors
/// What is wrong with either body.
pub fn settle_body(body: &[u8], before: &[u8]) -> Result<Vec<u8>, BundleError> {
    let (bundle, before) = (decode_body(body)?, decode_body(before)?);
    let signals: Vec<Signal> = bundle.signals.iter().map(SignalRef::to_signal).collect();
    let trials: Vec<Trial> = bundle.experiments.iter().map(TrialRef::to_trial).collect();
    let models: Vec<Model> = bundle.models.iter().map(ModelRef::to_model).collect();
    let rules: Vec<Rule> = bundle.rules.iter().map(RuleRef::to_rule).collect();
    let mut out = Writer::new();
    out.u8(BODY_VERSION);
    out.bytes(&SignalTable::pack_like(&before.signals, &signals));
    out.bytes(&TrialTable::pack_like(&before.experiments, &trials));
    out.bytes(&ModelTable::pack_like(&before.models, &models));
    out.bytes(&bundle.policy);
    out.raw(&RuleTable::pack_like(&before.rules, &rules));
    Ok(out.into_bytes())
}

/// The filter policy of a body, in the form that [`Policy::decode`](crate::filter::Policy::decode) reads; empty where it
/// has none.
///
/// # Errors
/// Bytes that are no body of this version.
pub fn policy_of(body: &[u8]) -> Result<&[u8], BundleError> {
    sections(body).map(|[_, _, _, policy, _]| policy)
}

/// Takes a body in, as a bundle of revision 0. It is checked to its last byte here, once, so that evaluation cannot
/// meet anything unsound.
///
/// # Errors
/// Fails on another version, on bytes that are no body, and on more bytes, signals, experiments, models or rules than
/// their bounds.
pub fn decode_body(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let [signals, experiments, models, policy, rules] = sections(bytes)?;
    let mut section = "signals";
    let mut open = || {
        let signals = SignalTable::open(signals)?;
        section = "experiments";
        let experiments = TrialTable::open(experiments)?;
        section = "models";
        let models = ModelTable::open(models)?;
        section = "rules";
        let rules = RuleTable::open(rules)?;
        section = "counts";
        bounded(Bundle { signals, experiments, models, policy: policy.into(), rules, ..Bundle::default() })
    };
    open().map_err(|CodecError| BundleError::BadBody(section))
}

/// Takes a body in that follows a bundle, as [`decode_body`] does, in the time that what differs takes besides a look at
/// the bytes.
///
/// # Errors
/// Those of [`decode_body`].
pub(super) fn decode_body_after(bytes: &[u8], before: &Bundle) -> Result<(Bundle, Succession), BundleError> {
    let [signals, experiments, models, policy, rules] = sections(bytes)?;
    let signals = SignalTable::open_after(signals, &before.signals).map_err(within("signals"))?;
    let experiments =
        TrialTable::open_after(experiments, &before.experiments).map_err(within("experiments"))?;
    let models = ModelTable::open_after(models, &before.models).map_err(within("models"))?;
    let (rules, succession) = RuleTable::open_after(rules, &before.rules).map_err(within("rules"))?;
    let others = experiments.is_like(&before.experiments) && models.is_like(&before.models);
    let succession = succession.with(signals.is_like(&before.signals), others);
    let bundle =
        bounded(Bundle { signals, experiments, models, policy: policy.into(), rules, ..Bundle::default() })
            .map_err(within("counts"))?;
    Ok((bundle, succession))
}

fn within(section: &'static str) -> impl FnOnce(CodecError) -> BundleError {
    move |CodecError| BundleError::BadBody(section)
}

/// The signals, experiments, models, policy and rules of a body.
fn sections(bytes: &[u8]) -> Result<[&[u8]; 5], BundleError> {
    match bytes.split_first() {
        _ if bytes.len() > MAX_BUNDLE_BYTES => Err(BundleError::TooLarge),
        Some((&BODY_VERSION, packed)) => {
            let mut source = Source::new(packed);
            Ok([source.bytes(), source.bytes(), source.bytes(), source.bytes(), source.rest()])
        }
        Some((other, _)) => Err(BundleError::UnsupportedBody(*other)),
        None => Err(BundleError::BadBody("version")),
    }
}

/// The bundle, where nothing in it is more than it may be.
fn bounded(bundle: Bundle) -> Result<Bundle, CodecError> {
    // Each rule and each experiment may bring two hidden signals of its own.
    let hidden = 2 * (MAX_RULES + MAX_EXPERIMENTS);
    let is_bounded = bundle.models.len() <= MAX_MODELS
        && bundle.policy.len() <= MAX_POLICY_BYTES
        && bundle.rules.len() <= MAX_RULES
        && bundle.experiments.len() <= MAX_EXPERIMENTS
        && bundle.signals.len() <= MAX_SIGNALS + hidden;
    if is_bounded { Ok(bundle) } else { Err(CodecError) }
}

#[cfg(all(test, feature = "author"))]
mod tests {
    use super::super::author::{SourceFile, compile};
    use super::super::{Bundle, Header, SIGNATURE_BYTES, attach_signature, seal_envelope};
    use super::*;
    use crate::filter::Policy;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    const RULES: &str = r##"{
        "filter":{"deny":["debug.*"],"redact":["email"],"types":[{"on":"shop.*","sample":0.5}]},
        "signals":[{"name":"views","on":"page_view","where":{"metadata.category":{"$exists":true}},
                    "by":"metadata.category","aggregate":"count","window":"5m"},
                   {"name":"spent","on":"purchase","of":"metadata.price","aggregate":"sum","window":"session"}],
        "experiments":[{"id":"second","hash_attribute":"traits.company","variations":[{"key":"x","weight":0.4},{"key":"y","weight":0.6}],
                        "coverage":0.5,"seed":"s","hash_version":1,"namespace":{"name":"n","from":0,"until":0.5},
                        "filters":[{"seed":"f","ranges":[[0,0.5],[0.7,1]]}],"holdout":{"id":"h","share":0.05},"bucket_version":2,"force":"y",
                        "when":{"traits.plan":"pro"},"prerequisites":[{"experiment":"third","variations":["a"]}]},
                       {"id":"third","variations":[{"key":"a"},{"key":"b"}],"exclusion":{"group":"g","share":0.3},
                        "sticky":true,"bucket_version":2,"min_bucket_version":1,"fallback_attribute":"traits.device",
                        "when":{"context.page.path":"/","traits.plan":"pro"}}],
        "models":[{"name":"warm","kind":"plan","items":[{"when":{"traits.plan":"pro"},"points":2},
                       {"signal":"views","key":"shoes","points":0.5,"half_life":"1m"}]},
                  {"name":"likely","kind":"logistic","intercept":-1,"coefficients":{"spent":0.25},
                   "inputs":{"spent":{"path":"signals.spent","categories":{"much":9},"missing":0}}}],
        "rules":[{"id":"b","slot":"hero","priority":-3,"on":"page_view","hold":"10m","group":"g",
                  "schedule":{"days":["sat"],"hours":"22:00-02:00","from":"2026-01-01T00:00","zone":"Europe/Rome"},
                  "when":{"$signal":{"name":"views","key":{"$path":"event.metadata.category"},"is":{"$gte":3,"$not":9}},
                          "$or":[{"$score":{"name":"likely","is":{"$gt":0.5}}},{"$score":{"name":"warm","is":2}}]},
                  "cap":{"per":"day","key":"event.metadata.category","count":2,"min_gap":"1m"},
                  "actions":[{"kind":"text","target":"h1","value":"More {{key}}"},
                             {"kind":"attribute","target":"a","name":"title","value":"x"},
                             {"kind":"class","target":"p","add":["on"],"remove":["off"]},
                             {"kind":"style","target":"p","property":"color","value":"red"},
                             {"kind":"hide","target":".x"},{"kind":"show","target":".y"},
                             {"kind":"variable","name":"v","value":{"n":[1,null]}},
                             {"kind":"insert","target":"p","template":"#t","position":"after","values":{"who":"{{traits.plan|you}}"}},
                             {"kind":"event","name":"hero","detail":{"n":1,"key":"{{key}}"}}]},
                 {"id":"a","slot":"hero","consent":"analytics","when":{"$or":[{"signals.spent":{"$gt":5.5}},{"traits.plan":{"$in":["x",{"$path":"traits.old"}]}}],
                  "context.at":{"$before":"-30m","$after":"2026-01-01T00:00:00Z"}},"actions":[]}],
        "triggers":[{"id":"t","on":"click","on_publish":"fire","when":{"$tod":{"between":["09:00","17:00"],"zone":"Europe/Rome"},"$dow":{"in":["mon"]}},
                     "actions":[{"kind":"webhook","url":"https://x.example/"},{"kind":"webhook","destination":"crm"},{"kind":"email","destination":"welcome"}]}]
    }"##;

    fn sealed() -> Vec<u8> {
        let compiled = compile(&[SourceFile { name: "a".to_string(), text: RULES.to_string() }]);
        assert_eq!(compiled.diagnostics, []);
        let header = Header { project: "p", environment: "e", revision: 3, key_id: "k", ..Header::default() };
        attach_signature(seal_envelope(&header, &compiled.body), &[0; SIGNATURE_BYTES])
    }

    #[test]
    fn a_compiled_bundle_survives_its_bytes() {
        let bundle = Bundle::open(&sealed()).unwrap();
        assert_eq!((bundle.revision, bundle.rules.len(), bundle.signals.len()), (3, 3, 7));
        assert_eq!(bundle.models.len(), 2);
        assert_eq!(Policy::decode(&bundle.policy).map(|policy| policy.types.len()), Ok(1));
        let signals: Vec<Signal> = bundle.signals.iter().map(SignalRef::to_signal).collect();
        let models: Vec<Model> = bundle.models.iter().map(ModelRef::to_model).collect();
        let rules: Vec<Rule> = bundle.rules.iter().map(RuleRef::to_rule).collect();
        let experiments: Vec<Trial> = bundle.experiments.iter().map(TrialRef::to_trial).collect();
        assert_eq!(
            decode_body(&encode_body(&Parts {
                signals: &signals,
                experiments: &experiments,
                models: &models,
                policy: &bundle.policy,
                rules: &rules,
            })),
            Ok(Bundle { revision: 0, ..bundle.clone() })
        );
        let (slot, ranking) = bundle.rules.slot(0).unwrap();
        assert_eq!((slot, ranking.map(|rule| rule.id).collect()), ("hero", vec!["a", "b"]));
        assert_eq!(bundle.rule("t").map(|rule| rule.fires_on_publish()), Some(true));
    }

    #[test]
    fn another_body_version_is_told_apart() {
        assert_eq!(decode_body(&[9, 0]).err(), Some(BundleError::UnsupportedBody(9)));
        assert_eq!(decode_body(&[]).err(), Some(BundleError::BadBody("version")));
    }

    #[test]
    fn a_text_that_reads_like_none_is_told_from_one_that_has_gone() {
        let body = |text: &str| {
            let compiled = compile(&[SourceFile { name: "a".to_string(), text: text.to_string() }]);
            assert_eq!(compiled.diagnostics, []);
            compiled.body
        };
        let other = RULES.replace(r#""value":"red""#, r#""value":"\u0000""#);
        let mut before = body(RULES);
        for text in [&*other, RULES, &*other, &*other] {
            let after = settle_body(&body(text), &before).unwrap();
            let alone = decode_body(&after);
            assert!(alone.is_ok());
            assert_eq!(
                decode_body_after(&after, &decode_body(&before).unwrap()).map(|(bundle, _)| bundle),
                alone
            );
            before = after;
        }
    }

    proptest! {
        #[test]
        fn a_damaged_body_that_follows_is_taken_or_refused_as_one_that_comes_alone(
            change in 0..3_usize,
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let body = |text: &str| {
                compile(&[SourceFile { name: "a".to_string(), text: text.to_string() }]).body
            };
            let before = body(RULES);
            let (from, to) = [
                (r#""id":"a","slot":"hero""#, r#""id":"a1","slot":"aside""#),
                (r#"{"$gt":5.5}"#, r#"{"$gt":7}"#),
                (r#""when":{"traits.plan":"pro"},"points":2"#, r#""when":{"traits.age":3},"points":2"#),
            ][change];
            prop_assert!(RULES.contains(from));
            let mut after = settle_body(&body(&RULES.replace(from, to)), &before).unwrap();
            for (at, byte) in damage {
                let at = at.index(after.len());
                after[at] = byte;
            }
            let before = decode_body(&before).unwrap();
            let alone = decode_body(&after);
            prop_assert_eq!(decode_body_after(&after, &before).map(|(bundle, _)| bundle), alone);
        }

        #[test]
        fn random_and_damaged_bodies_never_panic(random: Vec<u8>, at: prop::sample::Index, byte: u8) {
            let _ = decode_body(&[[BODY_VERSION].as_slice(), &random].concat());
            let mut bytes = sealed();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Bundle::open(&bytes);
            let _ = Bundle::open(&bytes[..at]);
        }
    }
}
