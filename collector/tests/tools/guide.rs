//! What docs/authoring.md shows, run as it stands there.

use super::{Place, demo};
use serde_json::json;
use std::fs;

/// The fenced blocks of the guide, in order: language and text.
fn blocks() -> Vec<(String, String)> {
    blocks_of("authoring.md")
}

fn blocks_of(document: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(demo(&format!("../docs/{document}"))).unwrap();
    let (mut found, mut open): (Vec<(String, String)>, bool) = (Vec::new(), false);
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(language) if !open => {
                found.push((language.to_owned(), String::new()));
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                let block = &mut found.last_mut().unwrap().1;
                block.push_str(line);
                block.push('\n');
            }
            None => {}
        }
    }
    found
}

fn first(language: &str) -> String {
    blocks().into_iter().find(|(of, _)| of == language).unwrap().1
}

/// The rules of the guide, and the same after its first check has been listened to.
fn rules() -> [String; 2] {
    let before = first("json");
    let searches =
        ",\n    { \"name\": \"searches\", \"on\": \"search\", \"aggregate\": \"count\", \"window\": \"1h\" }";
    let after = before.replace(searches, "").replace("\"priority\": 5", "\"priority\": 15");
    let shown: Vec<String> =
        blocks().into_iter().filter(|(of, _)| of == "json").map(|(_, block)| block).take(2).collect();
    assert_eq!(
        shown,
        [&*before, &*after],
        "the file as it is at first, and as it is from the end of Check on"
    );
    [before, after]
}

/// The command lines of a block, each with what it prints.
fn transcript(block: &str) -> Vec<(String, String)> {
    let mut runs: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ attune "), runs.last_mut()) {
            (Some(command), _) => runs.push((command.to_owned(), String::new())),
            (None, Some((_, out))) => {
                out.push_str(line);
                out.push('\n');
            }
            (None, None) => {}
        }
    }
    runs
}

/// The same with keys, links and instants that differ from run to run left out.
fn settled(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches(',');
        if bare.len() == 16 && bare.chars().all(|sign| sign.is_ascii_hexdigit()) {
            return "a key".to_owned();
        }
        if bare.starts_with("ed25519:") {
            return "a public key".to_owned();
        }
        if let Some((page, _)) = bare.split_once("attune_preview=") {
            return format!("{page} a link");
        }
        if bare.starts_with("20") && bare.ends_with('Z') { "an instant".to_owned() } else { word.to_owned() }
    };
    text.lines().map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n").collect()
}

fn recorded() -> String {
    let views: [(&str, &[&str]); 3] =
        [("ada", &["desk", "desk", "lamp", "desk"]), ("ben", &["desk", "desk", "lamp"]), ("cem", &["desk"])];
    let mut lines = String::new();
    for minute in 0..4 {
        for (member, seen) in views {
            let Some(category) = seen.get(minute) else { continue };
            let number = minute + 1;
            let event = json!({"event_id": format!("{member}-{number}"), "event_type": "page_view",
                "timestamp": format!("2026-03-01T10:{number:02}:00Z"), "anonymous_id": member,
                "session_id": format!("s-{member}"), "metadata": {"category": category}});
            lines.push_str(&format!("{event}\n"));
        }
    }
    lines
}

#[test]
fn every_command_of_the_guide_prints_what_the_guide_says() {
    let [before, after] = rules();
    let place = Place::new(&[("rules/shop.json", &before), ("rules.test.yaml", &first("yaml"))]);
    place.write(
        "draft/shop.json",
        &after.replace("\"$gte\": 3", "\"$gte\": 2").replace("\"priority\": 15", "\"priority\": 25"),
    );
    let parsed = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let shown =
        blocks().into_iter().find(|(_, block)| block.starts_with("{\"event_id\":\"ada-1\"")).unwrap().1;
    assert_eq!(parsed(&shown), parsed(&recorded()));
    place.write("events.jsonl", &shown);
    let mut keys: Vec<(String, String)> = Vec::new();
    let mut count = 0;
    for (command, expected) in blocks().iter().flat_map(|(_, block)| transcript(block)) {
        // The guide's key may sign until a day that will have passed.
        let mut line = command.replace("@2027-", "@2999-");
        keys.iter().for_each(|(shown, own)| line = line.replace(shown, own));
        let run = place.run(&line.split(' ').map(|word| word.trim_matches('\'')).collect::<Vec<_>>());
        assert!(run.err.is_empty(), "{command}: {}", run.err);
        assert_eq!(settled(&run.out), settled(&expected), "{command}");
        if command.starts_with("bundle keygen") {
            keys.push((expected.trim().to_owned(), run.out.trim().to_owned()));
        }
        if count == 0 {
            place.write("rules/shop.json", &after);
            let clean = place.run(&["bundle", "check", "rules"]).out;
            assert!(clean.starts_with("0 errors, 0 warnings\n"), "{clean}");
        }
        count += 1;
    }
    assert!(count >= 16, "{count} commands");
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    assert_eq!(read("copy.bundle"), read("next.bundle"));
}

#[test]
fn the_other_outputs_of_the_guide_are_what_its_words_lead_to() {
    let [before, after] = rules();
    let place = Place::new(&[("rules/shop.json", &after)]);
    let script = first("yaml");
    let third = "category: desk }, holds: { hero: \"keen:desk\" }";
    let lamp = script.replace(third, &third.replacen("desk", "lamp", 1));
    assert_ne!(script, lamp);
    place.write("rules.test.yaml", &lamp);
    let failed = place.run(&["bundle", "test", "rules"]).out;
    let shown = |start: &str| blocks().into_iter().find(|(_, block)| block.starts_with(start)).unwrap().1;
    assert!(failed.contains(&shown("FAIL ")), "{failed}");
    place.write("rules.test.yaml", &shown("tests:\n  - name: views on the phone"));
    assert!(place.run(&["bundle", "test", "rules"]).is_clean);
    let headline = r#"{"experiments":[{"id":"headline","variations":[{"key":"plain"},{"key":"loud"}]}],
        "rules":[{"id":"loud","slot":"hero","when":{"experiments.headline":"loud"},"actions":[]}]}"#;
    place.write("headline/a.json", headline);
    place.write("headline.test.yaml", &shown("tests:\n  - name: the loud headline"));
    assert!(place.run(&["bundle", "test", "headline"]).is_clean);
    let errors = shown("shop.json:13: error");
    let (unknown, comma) = errors.split_once('\n').unwrap();
    for (text, expected) in [
        (before.replace("$gte", "$atLeast"), unknown),
        (before.replace("\"window\": \"1h\" }", "\"window\": \"1h\" },"), comma.trim()),
    ] {
        place.write("rules/shop.json", &text);
        let out = place.run(&["bundle", "check", "rules"]).out;
        assert!(out.lines().any(|line| line == expected), "{expected}: {out}");
    }
    place.write("rules/shop.json", &after);
    let lines: Vec<String> = recorded().lines().map(str::to_owned).collect();
    let broken = [&lines[..3].join("\n"), "{\"event_id\":\"x\"", &lines[3..].join("\n")].join("\n");
    place.write("events.jsonl", &broken);
    let out = place.run(&["simulate", "--log", "events.jsonl", "--rules", "rules", "--against", "rules"]).out;
    let passed_over = shown("  passed over: ");
    assert!(out.contains(passed_over.trim()) && out.starts_with("replayed 8 events of 3 visitors"), "{out}");
}

#[test]
fn the_rule_for_a_share_of_visitors_passes_and_is_for_a_share() {
    let whole =
        blocks_of("rules.md").into_iter().find(|(_, block)| block.contains("\"new-hero\"")).unwrap().1;
    let place = Place::new(&[("rules/a.json", &whole)]);
    let checked = place.run(&["bundle", "check", "rules"]);
    assert!(checked.is_clean && checked.out.contains("0 errors, 0 warnings"), "{}", checked.out);
    let test = |number: usize| json!({"name": number.to_string(), "steps": [{"member": format!("m{number}"), "holds": {"hero": "new-hero"}}]});
    let tests: Vec<serde_json::Value> = (0..500).map(test).collect();
    place.write("rules.test.json", &json!({ "tests": tests }).to_string());
    let inside =
        place.run(&["bundle", "test", "rules"]).out.lines().filter(|line| line.starts_with("ok ")).count();
    assert!((70..130).contains(&inside), "{inside} of 500 are inside");
}
