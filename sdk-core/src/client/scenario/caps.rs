//! What is capped: pages that take turns, and visitors who come and go.

use super::{PageRig, sealed};
use crate::client::MemoryStore;
use crate::id::{LaneId, MemberId, SessionId, Uuid};
use alloc::string::String;
use alloc::vec::Vec;
use std::format;

#[test]
fn what_is_capped_waits_for_the_turn_of_its_page_and_gives_way_to_what_others_have_shown() {
    for others_have_shown in [false, true] {
        let mut page = PageRig::new();
        page.client.take_turns();
        page.track("add_to_cart", "{}");
        page.wait(20_001);
        assert_eq!(page.client.decision("offer"), None);
        assert_eq!(
            [page.client.wants_turn(), page.client.wants_turn()],
            [true, false],
            "it is asked for once"
        );
        if others_have_shown {
            page.track("attune.shown", r#"{"rule":"rescue","key":""}"#);
        }
        page.client.handle_turn(page.now);
        assert_eq!(page.client.decision("offer").is_none(), others_have_shown);
        let changes = page.client.take_decisions();
        assert_eq!(changes.iter().any(|change| change.is_shown), !others_have_shown, "{changes:?}");
        page.wait(1);
        assert!(!page.client.wants_turn());
    }
}

#[test]
fn what_is_capped_is_asked_anew_for_a_visitor_who_has_come() {
    let capped = |revision| {
        let rules = r#"{"rules":[
            {"id":"once","slot":"bar","when":{"context.on":true},"cap":{"per":"session","count":1},"actions":[]},
            {"id":"open","slot":"side","when":{"context.on":true},"actions":[]}]}"#;
        sealed(rules, revision, None)
    };
    let shown = r#"{"rule":"once","key":""}"#;
    let fresh = |n: u128| {
        let id = Uuid::from_u128(n);
        (MemberId(format!("visitor-{n}").into()), LaneId(id), SessionId(id))
    };
    let told = |page: &mut PageRig| -> Vec<_> {
        let changes = page.client.take_decisions();
        changes
            .iter()
            .map(|change| (String::from(&*change.slot), change.decision.is_some(), change.is_shown))
            .collect()
    };
    let bar = |is_there, is_shown| Vec::from([(String::from("bar"), is_there, is_shown)]);
    let mut page = PageRig::opened("visitor", MemoryStore::default(), 1, &capped(1));
    page.context(r#"{"on":true}"#);
    told(&mut page);

    // Nobody was here yet: what is shown is said of whoever comes first.
    let (member, lane, session) = fresh(20);
    page.client.handle_follow(member, lane, session, page.now);
    assert_eq!(told(&mut page), []);
    page.track("attune.shown", shown);

    // Shown anew in the same millisecond, and counted.
    let (member, lane, session) = fresh(21);
    page.client.handle_reset(member, lane, session, page.now);
    assert_eq!(told(&mut page), bar(true, true));

    page.track("attune.shown", shown);
    page.client.take_turns();
    for others_have_shown in [false, true] {
        let (member, lane, session) = fresh(30 + u128::from(others_have_shown));
        page.client.handle_forget(member, lane, session, page.now);
        assert_eq!(told(&mut page), [], "it stays as it is until it is this page's turn");
        assert!(page.client.decision("bar").is_some() && page.client.wants_turn());
        if others_have_shown {
            page.track("attune.shown", shown);
        }
        page.client.handle_turn(page.now);
        assert_eq!(told(&mut page), bar(!others_have_shown, !others_have_shown));
        assert_eq!(page.client.decision("bar").is_some(), !others_have_shown);
        page.track("attune.shown", shown);
        page.wait(1);
        assert!(!page.client.wants_turn());
        assert_eq!(told(&mut page), [], "it is held for the one who has come");
    }
}
