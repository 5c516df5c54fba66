//! A candidate for a share of all members: the worker judges each by the bundle that the member's page gets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod rig;

use attune_core::bundle::open_current;
use rig::{Collector, Place, eventually, fresh_id, now};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

const MEMBERS: usize = 60;

/// The bundle in effect wants three views, of any kind; the candidate two that last, by a signal and an experiment of its own.
fn rules(is_candidate: bool) -> String {
    let views = json!({"name": "views", "on": "page_view", "aggregate": "count", "window": "lifetime"});
    let trigger = |id: &str, when: Value| json!({"id": id, "when": when});
    if !is_candidate {
        let third = trigger("keen", json!({"signals.views": {"$gte": 3}}));
        return json!({"signals": [views], "triggers": [third]}).to_string();
    }
    let reads = json!({"name": "reads", "on": "page_view", "where": {"metadata.seconds": {"$gte": 10}},
        "aggregate": "count", "window": "lifetime", "on_publish": "backfill"});
    let halves = json!({"id": "half", "variations": [{"key": "one"}, {"key": "other"}]});
    let second = trigger("keen", json!({"signals.reads": {"$gte": 2}}));
    let one = trigger("half-one", json!({"experiments.half": "one", "signals.reads": 2}));
    json!({"signals": [views, reads], "experiments": [halves], "triggers": [second, one]}).to_string()
}

fn name(member: usize) -> String {
    format!("visitor-{member}")
}

/// A view of everybody's that lasts so many seconds.
fn view(place: &Place, seconds: u64) {
    for member in 0..MEMBERS {
        let event = json!({"event_id": fresh_id(), "event_type": "page_view", "timestamp": now(0),
            "metadata": {"seconds": seconds}});
        place.receipt(&json!({"v": 1, "anonymous_id": name(member), "events": [event]}));
    }
}

fn firings(place: &Place) -> Vec<Value> {
    place.summary();
    let text = place.admin("/admin/firings").text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Rule, revision and member of every firing.
fn fired(place: &Place) -> BTreeSet<(String, u64, String)> {
    let text = |firing: &Value, field: &str| firing[field].as_str().unwrap().to_owned();
    let firings = firings(place);
    let told = firings.iter().map(|firing| {
        (text(firing, "rule"), firing["bundle_revision"].as_u64().unwrap(), text(firing, "member"))
    });
    let told: BTreeSet<_> = told.collect();
    assert_eq!(told.len(), firings.len(), "nothing fires twice");
    told
}

/// The members to whom the statement gives the candidate, as a page decides it.
fn in_share(place: &Place) -> BTreeSet<String> {
    let statement = place.get("/v1/bundle/current?k=demo").body;
    let current = open_current(&statement).unwrap().current;
    (0..MEMBERS).map(name).filter(|member| current.candidate_for(member).is_some()).collect()
}

fn expected(
    share: &BTreeSet<String>,
    rule: &str,
    [inside, outside]: [Option<u64>; 2],
) -> BTreeSet<(String, u64, String)> {
    let told = (0..MEMBERS).map(name).filter_map(|member| {
        let revision = if share.contains(&member) { inside } else { outside };
        Some((rule.to_owned(), revision?, member))
    });
    told.collect()
}

#[test]
fn members_in_the_share_are_judged_by_the_candidate_and_a_replay_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let draft = folder.path().join("draft");
    fs::create_dir(&draft).unwrap();
    fs::write(draft.join("rules.json"), rules(true)).unwrap();
    let words = |percent: &str| {
        let words = ["--candidate-rules", &draft.display().to_string(), "--candidate-percent", percent];
        words.map(str::to_owned).to_vec()
    };
    let collector = Collector::start(&[("rules.json", &rules(false))]);
    view(&collector.place, 60);
    collector.place.summary();
    // One lasting view is known when the trial begins; the candidate's signal asks for the past.
    let collector = collector.restart_with(words("40"));
    let share = in_share(&collector.place);
    assert!(share.len() > MEMBERS / 5 && share.len() < MEMBERS * 3 / 5, "{}", share.len());
    view(&collector.place, 60);
    let mut told = expected(&share, "keen", [Some(2), None]);
    let halves: BTreeSet<_> =
        fired(&collector.place).into_iter().filter(|(rule, ..)| rule == "half-one").collect();
    assert!(halves.len() > 2 && halves.len() < share.len(), "{halves:?}");
    assert!(halves.iter().all(|(_, revision, member)| *revision == 2 && share.contains(member)));
    told.extend(halves);
    assert_eq!(fired(&collector.place), told);
    for member in
        [share.iter().next().unwrap(), &(0..MEMBERS).map(name).find(|name| !share.contains(name)).unwrap()]
    {
        let profile = collector.place.admin(&format!("/admin/profiles/member:{member}?settled=1")).json();
        let reads = share.contains(member).then_some(2);
        assert_eq!(profile["bundle_revision"], if reads.is_some() { 2 } else { 1 });
        assert_eq!((profile["signals"]["reads"].as_u64(), &profile["signals"]["views"]), (reads, &json!(2)));
    }
    // A restart goes on with it.
    let collector = collector.restart();
    assert_eq!(in_share(&collector.place), share);
    view(&collector.place, 1);
    told.extend(expected(&share, "keen", [None, Some(1)]));
    assert_eq!(fired(&collector.place), told);
    // A share that grows takes members along who have been counted like the others.
    let collector = collector.restart_with(words("100"));
    assert_eq!(in_share(&collector.place).len(), MEMBERS);
    let metrics = collector.place.get("/metrics").text();
    for line in ["attune_bundle_revision 1", "attune_candidate_revision 2", "attune_candidate_share 10000"] {
        assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
    }
    view(&collector.place, 1);
    assert_eq!(fired(&collector.place), told, "what holds already is silent for those who come over");
    let collector = collector.restart_with(Vec::new());
    assert_eq!(in_share(&collector.place).len(), 0);
    view(&collector.place, 1);
    assert_eq!(fired(&collector.place), told);
    let late = json!({"v": 1, "anonymous_id": "late", "events": (0..3).map(|_| json!({"event_id": fresh_id(),
        "event_type": "page_view", "timestamp": now(0), "metadata": {"seconds": 60}})).collect::<Vec<_>>()});
    collector.place.receipt(&late);
    told.insert(("keen".to_owned(), 3, "late".to_owned()));
    assert_eq!(fired(&collector.place), told);

    // Whoever loses the state repeats all of it from the log, to the id.
    let before = firings(&collector.place);
    let mut collector = collector;
    collector.stop();
    fs::remove_dir_all(collector.data.join("state")).unwrap();
    let collector = collector.restart();
    eventually("the log is taken in", || collector.place.summary()["profiles"] == MEMBERS + 1);
    assert_eq!(firings(&collector.place), before);
}

#[test]
fn a_draft_with_a_file_left_out_is_not_tried_until_it_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let draft = folder.path().join("rules.json");
    fs::write(&draft, "{").unwrap();
    let words = ["--candidate-rules", &folder.path().display().to_string(), "--candidate-percent", "100"]
        .map(str::to_owned);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let collector = Collector::start_with(&[("rules.json", &rules(false))], &words);
    let candidate =
        |collector: &Collector| collector.place.admin("/admin/bundle").json()["candidate"].clone();
    assert_eq!(candidate(&collector), Value::Null);
    fs::write(&draft, rules(true)).unwrap();
    eventually("the draft is tried", || candidate(&collector)["revision"] == 2);
    assert_eq!(candidate(&collector)["percent"], 100.0);
    // What breaks it later, or leaves nothing of it, changes nothing.
    let errors = || {
        let text = collector.place.get("/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix("attune_bundle_errors_total "));
        line.unwrap().parse::<u64>().unwrap()
    };
    for text in [Some("{"), None] {
        let before = errors();
        match text {
            Some(text) => fs::write(&draft, text).unwrap(),
            None => fs::remove_file(&draft).unwrap(),
        }
        eventually("it is seen", || errors() > before);
        collector.place.summary();
        assert_eq!(candidate(&collector)["revision"], 2);
    }
}
