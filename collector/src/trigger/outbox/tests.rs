//! The outbox on a store of its own, without anybody who calls.

use super::*;
use crate::limits::STORE_FILES;
use crate::profile::{EmbeddedStore, delivery_key};
use crate::secret::Secret;
use std::fs;
use tempfile::TempDir;

const FILE: &str = r#"{"webhooks":[{"name":"crm","url":"https://crm.example/",
    "secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]}"#;

fn outbox() -> (Outbox, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("destinations.json");
    fs::write(&path, FILE).unwrap();
    let outbox = Outbox {
        store: Arc::new(EmbeddedStore::open(&folder.path().join("state"), STORE_FILES).unwrap()),
        destinations: RwLock::new(Arc::new(Destinations::read_file(&path).unwrap())),
        tombstones: Arc::new(Tombstones::new(Secret::of([7; 32]))),
        metrics: Arc::default(),
        told: Told::default(),
    };
    (outbox, folder)
}

/// Firings as the worker commits them, one of each of these times; their member is `m<number>`.
fn fire(outbox: &Outbox, at: &[Timestamp]) {
    let first = number(&*outbox.store, b"firings").unwrap();
    let mut changes = Changes::default();
    for (number, at) in (first..).zip(at) {
        let json = json!({
            "id": format!("00000000-0000-8000-8000-{number:012}"), "rule": "r", "profile": "p",
            "member": format!("m{number}"), "key": null, "at": at.to_string(), "cause": {}, "bundle_revision": 1,
            "actions": [{"kind": "webhook", "destination": "crm"}],
        });
        changes.put(Table::Firings, number.to_be_bytes(), json.to_string());
        let id = uuid_from_text(json["id"].as_str().unwrap()).unwrap();
        changes.put(Table::FiringIds, id.into_bytes(), number.to_be_bytes());
    }
    changes.put(Table::Progress, *b"firings", (first + at.len() as u64).to_be_bytes());
    outbox.store.commit(changes).unwrap();
}

fn take_on(outbox: &Outbox, length: usize) -> Vec<u64> {
    let lengths = BTreeMap::from([("crm".to_owned(), length)]);
    let waiting = outbox.take_on(&lengths).unwrap().unwrap_or_default();
    waiting.iter().map(|waiting| waiting.id.firing).collect()
}

fn states(outbox: &Outbox) -> Vec<(String, String)> {
    let lines = outbox.list(None, None, 100).unwrap().into_lines();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines.map(|line| (text(&line["state"]), text(&line["error"]["code"]))).collect()
}

fn pair(state: &str, code: &str) -> (String, String) {
    (state.to_owned(), code.to_owned())
}

#[test]
fn firings_are_taken_on_once_and_in_order() {
    let (outbox, _folder) = outbox();
    prepare(&*outbox.store).unwrap();
    let now = clock::now();
    fire(&outbox, &[now; FIRINGS_AT_ONCE + 2]);
    assert_eq!(take_on(&outbox, 0), (0..FIRINGS_AT_ONCE as u64).collect::<Vec<_>>());
    prepare(&*outbox.store).unwrap();
    assert_eq!(take_on(&outbox, 0).len(), 2);
    assert!(outbox.take_on(&BTreeMap::new()).unwrap().is_none());
    let loaded: Vec<u64> = outbox.load().unwrap().iter().map(|waiting| waiting.id.firing).collect();
    assert_eq!(loaded, (0..FIRINGS_AT_ONCE as u64 + 2).collect::<Vec<_>>());
}

#[test]
fn what_fired_before_there_were_deliveries_is_not_called() {
    let (outbox, _folder) = outbox();
    fire(&outbox, &[clock::now(); 3]);
    prepare(&*outbox.store).unwrap();
    assert_eq!(take_on(&outbox, 0), [0; 0]);
    fire(&outbox, &[clock::now()]);
    assert_eq!(take_on(&outbox, 0), [3]);
}

#[test]
fn what_is_too_old_or_too_much_is_dead_with_its_reason() {
    let (outbox, _folder) = outbox();
    prepare(&*outbox.store).unwrap();
    let now = clock::now();
    fire(
        &outbox,
        &[Timestamp(now.0 - DELIVERY_AGE_MS - 60_000), Timestamp(now.0 - DELIVERY_AGE_MS + 60_000), now],
    );
    assert_eq!(take_on(&outbox, MAX_WAITING_DELIVERIES - 1), [1]);
    assert_eq!(states(&outbox), [pair("dead", "expired"), pair("pending", ""), pair("dead", "queue_full")]);
    let revive = |number: u64| outbox.revive(&format!("00000000-0000-8000-8000-{number:012}.0"));
    assert_eq!(revive(0).unwrap().id.firing, 0, "somebody wants it nevertheless");
    assert!(matches!(revive(0), Err(RetryError::NotDead(State::Pending))));
    assert!(matches!(revive(9), Err(RetryError::Unknown)));
    assert_eq!(states(&outbox)[0], pair("pending", ""));
}

#[test]
fn an_erased_firing_takes_its_delivery_along_whenever_that_is_written() {
    let (outbox, _folder) = outbox();
    prepare(&*outbox.store).unwrap();
    fire(&outbox, &[clock::now(); 3]);
    outbox.tombstones.note(outbox.tombstones.of(&MemberId("m1".into())));
    assert_eq!(take_on(&outbox, 0), [0, 2], "nothing begins for an erased member");
    let crm = outbox.destinations().iter().next().unwrap().clone();
    let id = CallId { firing: 0, action: 0 };
    let (_, mut delivery, _) = outbox.open(id, &crm).unwrap().unwrap();
    // The worker erases while the call is open.
    let mut changes = Changes::default();
    changes.remove(Table::Firings, 0_u64.to_be_bytes());
    changes.remove(Table::Deliveries, delivery_key(&0_u64.to_be_bytes(), 0));
    outbox.store.commit(changes).unwrap();
    delivery.finish(clock::now());
    assert!(!outbox.write(id, &delivery).unwrap());
    assert_eq!(outbox.store.get(Table::Deliveries, &id.key()).unwrap(), None);
    // The worker has noted that another is erased, and has not come to its firings.
    outbox.tombstones.note(outbox.tombstones.of(&MemberId("m2".into())));
    let id = CallId { firing: 2, action: 0 };
    assert!(outbox.open(id, &crm).unwrap().is_none());
    assert_eq!(outbox.store.get(Table::Deliveries, &id.key()).unwrap(), None);
}
