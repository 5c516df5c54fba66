//! An imported payload decides what the payload itself says, visitor by visitor.
#![cfg(feature = "author")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a payload that cannot be read is a failed test")]

use attune_core::bundle::Bundle;
use attune_core::bundle::author::{SourceFile, compile};
use attune_core::condition::Outlook;
use attune_core::experiment::Assigned;
use attune_core::growthbook::{GrowthBook, import};
use attune_core::id::{EventId, MemberId, Uuid};
use attune_core::profile::{EventDocument, Tiles, Traits};
use attune_core::rules::{VisitorDocument, decide};
use attune_core::time::Timestamp;
use attune_core::value::{Value, ValueRef};
use attune_core::wire::{EXPOSURE, Event, IDENTIFY};

const PAYLOAD: &str = r#"{
  "savedGroups":{"staff":["s1","s2"],"beta":{"type":"list","attributeKey":"company","values":["ü","日本"]},
                 "rich":{"type":"condition","condition":{"spent":{"$gt":100}}}},
  "features":{
    "plain":{"defaultValue":"d"},
    "nothing":{"defaultValue":null},
    "forced":{"defaultValue":1,"rules":[{"condition":{"country":"de","$or":[{"plan":"pro"},{"spent":{"$gte":50}}]},"force":2},
                                        {"condition":{"country":{"$in":["fr","it"]}},"force":{"a":[1.5]}}]},
    "groups":{"defaultValue":false,"rules":[{"condition":{"user":{"$inGroup":"staff"}},"force":"staff"},
                                            {"condition":{"$savedGroup":{"id":"beta"},"country":{"$ne":"it"}},"force":"beta"},
                                            {"condition":{"$savedGroup":{"id":"rich"}},"force":"rich"}]},
    "rollout":{"defaultValue":"out","rules":[{"force":"in","coverage":0.37},{"force":"late","coverage":0.6,"hashAttribute":"company","hashVersion":2,"seed":"日本"},
                                             {"force":"never","coverage":0},{"force":"range","range":[0.6,0.9],"seed":"r"}]},
    "trial":{"defaultValue":"none","rules":[{"key":"exp","variations":["a","b","c"],"weights":[0.2,0.3,0.5],"coverage":0.8,
              "meta":[{"key":"control"},{"key":"x"},{"key":"y","passthrough":true}],"condition":{"country":{"$ne":"fr"}}},
              {"variations":[1,2],"hashVersion":2,"namespace":["n",0,0.4],"condition":{"country":"fr"}},
              {"variations":[3,4],"filters":[{"seed":"f","ranges":[[0,0.3],[0.8,1]]}],"ranges":[[0.5,1],[0,0.5]]}]},
    "odd":{"defaultValue":0,"rules":[{"key":"odd key!","variations":["a","b"],"weights":[0.9,0.9]}]}
  }}"#;

const FEATURES: [&str; 7] = ["plain", "nothing", "forced", "groups", "rollout", "trial", "odd"];

fn bundle(payload: &str) -> (Bundle, Vec<&'static str>) {
    let imported = import(payload).unwrap();
    let compiled = compile(&[SourceFile { name: "growthbook.json".into(), text: imported.rules }]);
    assert_eq!(compiled.diagnostics, []);
    (compiled.bundle, imported.notes.iter().map(|note| note.code).collect())
}

/// The value of each feature as the bundle decides it.
fn decided(bundle: &Bundle, id: &str, attributes: &str) -> Vec<Value> {
    values(bundle, &Tiles::default(), id, attributes, &FEATURES)
}

/// The values of features as the bundle decides them for a visitor of whom events have been counted.
fn values(bundle: &Bundle, tiles: &Tiles, id: &str, attributes: &str, features: &[&str]) -> Vec<Value> {
    let (mut traits, member) = (Traits::default(), MemberId(id.into()));
    traits.apply(&EventDocument::new(Event {
        event_id: EventId(Uuid::from_u128(1)),
        event_type: IDENTIFY.into(),
        timestamp: Timestamp(0),
        member: member.clone(),
        lane: None,
        session: None,
        user_id: None,
        metadata: Some(format!(r#"{{"traits":{attributes}}}"#).into()),
    }));
    let assigned = Assigned::new(&bundle.experiments);
    let document = VisitorDocument {
        models: None,
        consent: Default::default(),
        zone: &attune_core::time::Clocks::UTC,
        matcher: None,
        reads: None,
        traits: &traits,
        signals: &bundle.signals,
        parts: &[tiles],
        experiments: &assigned,
        unit: (&member, None),
        context: ValueRef::Null,
        event: None,
        now: Timestamp(0),
        session: None,
    };
    assigned.assign(&document, &mut Outlook::default());
    let changes = decide(&bundle.rules, &document, &[], &[]).changes;
    let value = |feature: &&str| {
        let change = changes.iter().find(|change| *change.slot == **feature);
        let variables = change.and_then(|change| change.decision.as_ref()).map(|decision| {
            let mut variables = decision.actions.variables();
            variables.next().map_or(Value::Null, |(_, value)| value.to_tree())
        });
        variables.unwrap_or(Value::Null)
    };
    features.iter().map(value).collect()
}

#[test]
fn an_imported_payload_gives_every_visitor_what_the_payload_gives() {
    let (bundle, notes) = bundle(PAYLOAD);
    assert_eq!(notes, [""; 0]);
    let mut growthbook = GrowthBook::new(PAYLOAD).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for visitor in 0..600 {
        let id = format!("visitor-{visitor}-ü");
        let country = ["de", "fr", "it", "us"][visitor % 4];
        let company = ["ü", "日本", "acme"][visitor % 3];
        let user = ["s1", "u"][visitor % 2];
        // What saved groups say is worked out by hand below.
        let attributes = format!(
            r#"{{"country":"{country}","company":"{company}","user":"{user}","spent":{},"plan":"{}"}}"#,
            visitor % 150,
            ["pro", "free"][visitor / 4 % 2],
        );
        let with_id = format!(r#"{{"id":"{id}",{}"#, &attributes[1..]);
        growthbook.set(&format!(r#"{{"attributes":{with_id}}}"#)).unwrap();
        let found = decided(&bundle, &id, &attributes);
        for (feature, found) in FEATURES.iter().zip(found) {
            let expected = match *feature {
                "groups" => {
                    if user == "s1" {
                        Value::string("staff")
                    } else if company != "acme" && country != "it" {
                        Value::string("beta")
                    } else if visitor % 150 > 100 {
                        Value::string("rich")
                    } else {
                        Value::Bool(false)
                    }
                }
                _ => {
                    let result = Value::parse(&growthbook.eval_feature(feature)).unwrap();
                    result.field("value").cloned().unwrap()
                }
            };
            assert_eq!(found, expected, "{feature} for {with_id}");
            seen.insert(format!("{feature}: {found:?}"));
        }
    }
    assert_eq!(seen.len(), 22, "{seen:#?}");
}

const STICKY: &str = r#"{"features":{
    "sticks":{"defaultValue":"out","rules":[{"key":"s","variations":["a","b"],"hashAttribute":"company","fallbackAttribute":"id",
              "bucketVersion":3,"minBucketVersion":2,"meta":[{"key":"x"},{"key":"y"}],"namespace":["n",0,0.8],
              "condition":{"country":{"$ne":"fr"}}}]},
    "moves":{"defaultValue":"out","rules":[{"key":"m","variations":["a","b"],"hashAttribute":"company","fallbackAttribute":"id",
             "bucketVersion":3,"minBucketVersion":2,"meta":[{"key":"x"},{"key":"y"}],"disableStickyBucketing":true}]}}}"#;

#[test]
fn assignments_of_an_imported_payload_stick_as_those_of_the_payload() {
    let (bundle, notes) = bundle(STICKY);
    assert_eq!(notes, [""; 0]);
    let mut growthbook = GrowthBook::new(STICKY).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for visitor in 0..400 {
        let id = format!("gerät-{visitor}");
        let country = ["de", "fr"][visitor % 2];
        let company =
            if visitor / 2 % 2 == 0 { String::from("null") } else { format!("\"firma-{visitor}\"") };
        let attributes = format!(r#"{{"country":"{country}","company":{company}}}"#);
        // What the visitor was exposed to before: a version and a variation.
        let past = [None, Some((3, "x")), Some((3, "y")), Some((2, "x")), Some((1, "y")), Some((3, "gone"))];
        let past = past[visitor / 4 % past.len()];
        let (mut tiles, mut assignments) = (Tiles::default(), String::new());
        if let Some((version, variation)) = past {
            assignments = format!(r#""s__{version}":"{variation}","m__{version}":"{variation}""#);
            for (number, experiment) in ["s", "m"].into_iter().enumerate() {
                let metadata = format!(
                    r#"{{"experiment":"{experiment}","variation":"{variation}","bucket_version":{version}}}"#
                );
                let exposure = EventDocument::new(Event {
                    event_id: EventId(Uuid::from_u128(number as u128)),
                    event_type: EXPOSURE.into(),
                    timestamp: Timestamp(0),
                    member: MemberId(id.as_str().into()),
                    lane: None,
                    session: None,
                    user_id: None,
                    metadata: Some(metadata.into()),
                });
                tiles.apply(&bundle.signals, &exposure, Timestamp(0));
            }
        }
        let documents = format!(
            r#"{{"id||{id}":{{"attributeName":"id","attributeValue":"{id}","assignments":{{{assignments}}}}}}}"#
        );
        let with_id = format!(r#"{{"id":"{id}",{}"#, &attributes[1..]);
        growthbook
            .set(&format!(r#"{{"attributes":{with_id},"stickyBucketAssignmentDocs":{documents}}}"#))
            .unwrap();
        let found = values(&bundle, &tiles, &id, &attributes, &["sticks", "moves"]);
        for (feature, found) in ["sticks", "moves"].into_iter().zip(found) {
            let result = Value::parse(&growthbook.eval_feature(feature)).unwrap();
            let expected = result.field("value").cloned().unwrap();
            assert_eq!(found, expected, "{feature} for {with_id} after {past:?}");
            seen.insert(format!("{feature} {past:?} {found:?}"));
        }
    }
    assert_eq!(seen.len(), 30, "{seen:#?}");
}

#[test]
fn what_has_no_counterpart_is_named_with_its_place() {
    let payload = r#"{"features":{"a/b":{"defaultValue":1,"rules":[
        {"force":2,"parentConditions":[{"id":"x","condition":{}}]},
        {"contextualVariations":[1,2],"contextualBanditRef":"z"},
        {"force":3,"condition":{"u":{"$inGroup":"gone"}}},
        {"hashAttribute":"id"},
        {"variations":[1,2],"fallbackAttribute":"deviceId"},
        {"variations":[3,4],"fallbackAttribute":"deviceId","disableStickyBucketing":true}]}},
      "experiments":[{"key":"visual","variations":[{},{}]}]}"#;
    let imported = import(payload).unwrap();
    let found: Vec<String> = imported.notes.iter().map(|note| format!("{} {}", note.code, note.at)).collect();
    assert_eq!(
        found,
        [
            "prerequisite_not_imported /features/a~1b/rules/0",
            "bandit_not_imported /features/a~1b/rules/1",
            "saved_group_unknown /features/a~1b/rules/2",
            "rule_not_imported /features/a~1b/rules/3",
            "experiment_not_imported /experiments/0",
        ]
    );
    assert!(bundle(payload).0.rule("a/b").is_some() && import("[]").is_err() && import("{}").is_ok());
}
