//! What rules are made of, by kind: common ones, which the first file decides alone, and those that need the rest.

/// Conditions that the first file decides.
pub const CONDITIONS: &[(&str, &str)] = &[
    ("everybody", r#"{}"#),
    ("equal to a text", r#"{"context.page.path":"/hats"}"#),
    ("equal to a number", r#"{"context.device.viewport.width":1280}"#),
    ("equal to a flag", r#"{"context.member":true}"#),
    ("equal to nothing", r#"{"context.campaign":null}"#),
    ("$eq", r#"{"context.locale":{"$eq":"en-GB"}}"#),
    ("$eq of a number", r#"{"context.device.viewport.width":{"$eq":1280}}"#),
    ("$ne", r#"{"context.locale":{"$ne":"de-DE"}}"#),
    ("$in", r#"{"context.device.class":{"$in":["phone","tablet"]}}"#),
    ("$in of numbers", r#"{"context.device.viewport.width":{"$in":[1280,1920]}}"#),
    ("$nin", r#"{"context.device.class":{"$nin":["phone","tablet"]}}"#),
    ("$in of a list", r#"{"context.tags":{"$in":["sale","new"]}}"#),
    ("$inGroup", r#"{"context.device.class":{"$inGroup":"small"}}"#),
    ("$notInGroup", r#"{"context.device.class":{"$notInGroup":"small"}}"#),
    ("$gt", r#"{"context.device.viewport.width":{"$gt":1000}}"#),
    ("$gte", r#"{"context.device.viewport.width":{"$gte":1000}}"#),
    ("$lt", r#"{"context.device.viewport.width":{"$lt":1000}}"#),
    ("$lte", r#"{"context.device.viewport.width":{"$lte":1000}}"#),
    ("several comparisons", r#"{"context.device.viewport.width":{"$gt":600,"$lte":1300.5}}"#),
    ("$between", r#"{"context.device.viewport.width":{"$between":[640,1024]}}"#),
    ("$exists", r#"{"context.campaign.source":{"$exists":true}}"#),
    ("$exists, not", r#"{"context.campaign.source":{"$exists":false}}"#),
    ("$startsWith", r#"{"context.page.path":{"$startsWith":"/hats"}}"#),
    ("$startsWithi", r#"{"context.page.path":{"$startsWithi":"/Hats"}}"#),
    ("$endsWith", r#"{"context.page.path":{"$endsWith":".html"}}"#),
    ("$contains", r#"{"context.page.url":{"$contains":"hats"}}"#),
    ("$containsi", r#"{"context.page.title":{"$containsi":"GRÖSSE"}}"#),
    ("$and", r#"{"$and":[{"context.page.path":"/hats"},{"context.device.class":"desktop"}]}"#),
    ("$or", r#"{"$or":[{"context.page.path":"/shoes"},{"context.device.class":"desktop"}]}"#),
    ("$nor", r#"{"$nor":[{"context.page.path":"/shoes"},{"context.device.class":"phone"}]}"#),
    ("$not", r#"{"$not":{"context.page.path":"/shoes"}}"#),
    ("$not of a test", r#"{"context.page.path":{"$not":{"$startsWith":"/shoes"}}}"#),
    (
        "several fields",
        r#"{"context.page.path":"/hats","context.device.class":"desktop","context.locale":"en-GB"}"#,
    ),
    (
        "conditions in conditions",
        r#"{"$or":[{"$and":[{"context.page.path":"/hats"},{"$not":{"context.device.class":"phone"}}]},
            {"$and":[{"context.locale":"de-DE"},{"$or":[{"context.campaign.source":"ads"},{"signals.views":{"$gt":2}}]}]}]}"#,
    ),
    ("a count", r#"{"signals.views":{"$gte":3}}"#),
    ("a count of nothing", r#"{"signals.views":0}"#),
    ("a count of days", r#"{"signals.views_7d":{"$gte":3}}"#),
    ("a sum", r#"{"signals.spent":{"$gte":20}}"#),
    ("whether something was", r#"{"signals.cart_at":{"$exists":true}}"#),
    ("$before, some time ago", r#"{"signals.cart_at":{"$before":"-30m"}}"#),
    ("$after, some time ago", r#"{"signals.cart_at":{"$after":"-30m"}}"#),
    ("a signal above another", r#"{"signals.spent":{"$gt":{"$path":"signals.views"}}}"#),
    (
        "a key of the context",
        r#"{"$signal":{"name":"by_category","key":{"$path":"context.category"},"is":{"$gte":3}}}"#,
    ),
    ("$segment", r#"{"$segment":"phone"}"#),
    ("a segment of segments", r#"{"$segment":"small_buyer"}"#),
];

/// What rules have beside conditions that the first file decides.
pub const FORMS: &[(&str, &str)] = &[
    ("an event", r#""on":"click","when":{"event.metadata.category":"hats"}"#),
    ("an event, held for a time", r#""on":"click","hold":"10m","when":{"signals.views":{"$gte":1}}"#),
    ("an event, held until the next", r#""on":"click","hold":"until_next_holder","when":{}"#),
    (
        "an event with a cap",
        r#""on":"click","cap":{"per":"session","key":"event.metadata.category"},"when":{}"#,
    ),
    ("functional", r#""consent":"functional","when":{"context.page.path":"/hats"}"#),
    ("analytics", r#""consent":"analytics","when":{"signals.views":0}"#),
    ("personalization", r#""consent":"personalization","when":{"signals.views":0}"#),
];

/// Actions that the first file decides.
pub const ACTIONS: &[(&str, &str)] = &[
    ("text", r##"{"kind":"text","target":"#hero","value":"Hello"}"##),
    ("a place in a text", r##"{"kind":"text","target":"#hero","value":"Of {{context.page.title}}"}"##),
    ("attribute", r##"{"kind":"attribute","target":"#hero a","name":"href","value":"/cart"}"##),
    ("link", r##"{"kind":"link","target":"#hero a","href":"/cart","text":"Cart"}"##),
    ("class", r##"{"kind":"class","target":"#hero","add":["warm"],"remove":["cold"]}"##),
    ("style", r##"{"kind":"style","target":"#hero","property":"--gap","value":"8px"}"##),
    ("hide", r##"{"kind":"hide","target":"#hero"}"##),
    ("show", r##"{"kind":"show","target":"#hero"}"##),
    ("variable", r##"{"kind":"variable","name":"offer","value":10}"##),
    ("a variable of a text", r##"{"kind":"variable","name":"offer","value":"ten"}"##),
    ("a variable that is a flag", r##"{"kind":"variable","name":"offer","value":true}"##),
];

/// Conditions that are decided when the rest is there.
pub const LATER: &[(&str, &str)] = &[
    ("a trait", r#"{"traits.plan":"pro"}"#),
    ("a key of a signal", r#"{"$signal":{"name":"by_category","key":"hats","is":{"$gte":3}}}"#),
    ("$tod", r#"{"$tod":{"between":["22:00","02:00"]}}"#),
    ("$dow", r#"{"$dow":{"in":["sat"]}}"#),
    ("$bucket", r#"{"$bucket":{"by":"context.locale","seed":"s","in":[[0,0.5]]}}"#),
    ("$regex", r#"{"context.page.path":{"$regex":"^/h.ts"}}"#),
    ("$cidr", r#"{"context.ip":{"$cidr":"10.0.0.0/8"}}"#),
    ("$vgt", r#"{"context.version":{"$vgt":"1.9.0"}}"#),
    ("an experiment", r#"{"experiments.tone":"a"}"#),
    ("$size", r#"{"context.tags":{"$size":2}}"#),
    ("$all", r#"{"context.tags":{"$all":["sale"]}}"#),
    ("$mod", r#"{"context.device.viewport.width":{"$mod":[2,0]}}"#),
];

/// Where a site's visitors are, and with what: contexts as pages give them.
pub const CONTEXTS: &[&str] = &[
    r#"{"page":{"path":"/hats","title":"Hats","referrer":"https://search.example/"},
        "device":{"class":"desktop","platform":"linux"},"campaign":{"source":"newsletter"},"locale":"en-GB"}"#,
    r#"{"page":{"url":"https://shop.example/hats?utm_source=newsletter","path":"/hats","search":"?utm_source=newsletter",
          "title":"Hats – jede Größe 帽子 🎩","referrer":"https://search.example/"},
        "device":{"class":"desktop","viewport":{"width":1280,"height":720.5}},"locale":"en-GB","time_zone":"Europe/Rome",
        "time":{"utc_offset_minutes":120,"changes_at":"2026-10-25T01:00:00.000Z","next_utc_offset_minutes":60},
        "campaign":{"source":"newsletter","medium":"mail"},"member":true,"tags":["sale","red"],"category":"hats"}"#,
    r#"{"page":{"url":"https://shop.example/shoes/a.html","path":"/shoes/a.html","search":"","title":"","referrer":""},
        "device":{"class":"phone","viewport":{"width":390,"height":844}},"locale":"de-DE","time_zone":"UTC",
        "time":{"utc_offset_minutes":0},"member":false,"tags":[],"category":null}"#,
    "{}",
];

/// A site with some rules, each with what stands behind its slot.
pub fn site<'a>(rules: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let rules: Vec<String> = rules
        .into_iter()
        .enumerate()
        .map(|(place, (form, action))| {
            let (slot, priority) = (place % 7, place * 5 % 11);
            format!(
                r#"{{"id":"rule-{place}","slot":"slot-{slot}","priority":{priority},{form},"actions":[{action}]}}"#
            )
        })
        .collect();
    format!("{}{}]}}", SITE, rules.join(",\n"))
}

/// A condition as the form of a rule.
pub fn when(condition: &str) -> String {
    format!(r#""when":{condition}"#)
}

const SITE: &str = r#"{"signals":[
  {"name":"views","on":"page_view","aggregate":"count","window":"session"},
  {"name":"views_7d","on":"page_view","aggregate":"count","window":"7d"},
  {"name":"by_category","on":"page_view","by":"metadata.category","aggregate":"count","window":"30m"},
  {"name":"cart_at","on":"add_to_cart","aggregate":"last_at","window":"lifetime"},
  {"name":"spent","on":"purchase","of":"metadata.price","aggregate":"sum","window":"lifetime"}],
 "groups":[{"id":"small","values":["phone","tablet"]}],
 "segments":[{"id":"phone","when":{"context.device.class":"phone"}},
  {"id":"small_buyer","when":{"$segment":"phone","signals.spent":{"$gt":0}}}],
 "rules":["#;
