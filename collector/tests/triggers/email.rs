//! What is promised of e-mails: they say what their templates say, and what goes wrong says nothing of the visitor.

use super::rig::{Collector, MailServer, Place, batch, event, eventually};
use super::{File, RULE_FILES, deliveries, delivery_in, firing_ids, has_been_called};
use serde_json::{Value, json};

fn mail(server: &MailServer) -> File {
    File::of(&json!({
        "mail": {"server": "127.0.0.1", "port": server.port, "security": "none", "from": "Shop <hello@shop.example>"},
        "emails": [{
            "name": "welcome",
            "to": "{{ traits.email }}",
            "subject": "Welcome, {{ traits.name | default('you') }}",
            "text": "You signed up at {{ at }} ({{ rule }}).",
        }],
    }))
}

fn sign_up(place: &Place, member: &str, traits: &Value) {
    let mut login = event(&format!("{member}-1"), "attune.identify", json!({"traits": traits}));
    login["user_id"] = json!(format!("user-{member}"));
    let signup = event(&format!("{member}-2"), "signup", json!({}));
    place.receipt(&batch(member, &[login, signup]));
}

#[test]
fn an_e_mail_is_filled_in_and_sent_again_where_the_mail_server_says_later() {
    let server = MailServer::start(|number| if number == 0 { "451 later" } else { "250 ok" });
    let file = mail(&server);
    let collector = Collector::start_with(RULE_FILES, &file.arguments());
    sign_up(&collector.place, "m1", &json!({"email": "ada@visitor.example", "name": "Ada"}));
    eventually("the first is written", || has_been_called(&collector.place));
    let waiting = delivery_in(&collector.place, "pending");
    assert_eq!(waiting["error"], json!({"code": "status", "message": "the mail server answered 451"}));
    let done = delivery_in(&collector.place, "done");
    assert_eq!(
        (&done["kind"], &done["destination"], &done["calls"]),
        (&json!("email"), &json!("welcome"), &json!(2))
    );
    let [mail] = &server.mails()[..] else { panic!("{:?}", server.mails()) };
    let [firing] = &firing_ids(&collector.place)[..] else { panic!("one firing") };
    for line in [
        "RCPT TO:<ada@visitor.example>",
        "From: Shop <hello@shop.example>",
        "To: ada@visitor.example",
        "Subject: Welcome, Ada",
        &format!("Message-ID: <{firing}.welcome@shop.example>"),
    ] {
        assert!(mail.lines().any(|found| found == line), "{line} in {mail}");
    }
    assert!(mail.contains("You signed up at 20") && mail.contains("(signup)."), "{mail}");
}

#[test]
fn an_e_mail_that_has_no_recipient_or_is_refused_is_dead_and_says_nothing_of_the_visitor() {
    let server = MailServer::start(|_| "550 no ada@visitor.example here");
    let file = mail(&server);
    let collector = Collector::start_with(RULE_FILES, &file.arguments());
    sign_up(&collector.place, "m1", &json!({"name": "Ada"}));
    let dead = delivery_in(&collector.place, "dead");
    assert_eq!(dead["error"]["code"], "recipient_missing");
    sign_up(&collector.place, "m2", &json!({"email": "ada@visitor.example"}));
    eventually("both are dead", || {
        let all = deliveries(&collector.place);
        all.len() == 2 && all[1]["state"] == "dead"
    });
    let refused = deliveries(&collector.place).remove(1);
    assert_eq!(refused["error"], json!({"code": "refused", "message": "the mail server answered 550"}));
    assert_eq!(server.mails().len(), 0);
}
