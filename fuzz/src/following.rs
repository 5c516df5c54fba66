//! A body that has something of everything that rules can say, and bodies that follow it.

use crate::compiled;
use attune_core::bundle::settle_body;

/// The rule file of the body that others follow. Lengths of names choose what [`crate::Anything`] says of them.
pub const RULES: &str = r##"{
"signals":[{"name":"views","on":"page_view","by":"metadata.category","aggregate":"count","window":"5m"},
  {"name":"spent","on":"purchase","of":"metadata.price","aggregate":"sum","window":"lifetime"},
  {"name":"last","on":"page_view","of":"metadata.category","aggregate":"last","window":"today"},
  {"name":"seen_at","on":"*","aggregate":"last_at","window":"lifetime"}],
"experiments":[{"id":"checkout","variations":[{"key":"a","weight":0.4},{"key":"b","weight":0.6}],"when":{"traits.plan":{"$exists":true}}},
  {"id":"banner","hash_attribute":"traits.company","variations":[{"key":"x"},{"key":"y"}],
   "prerequisites":[{"experiment":"checkout","variations":["a"]}]}],
"models":[{"name":"warm","kind":"plan","items":[{"when":{"traits.plan":"10.1.2.3"},"points":2},
   {"signal":"views","key":"shoes","points":0.5,"half_life":"1m"}]}],
"rules":[
{"id":"a01","slot":"hero","priority":9,"when":{"traits.plan":"pro"},"actions":[{"kind":"text","target":"h1","value":"Pro"}]},
{"id":"a02","slot":"hero","priority":8,"when":{"traits.category":{"$gt":42,"$lt":60}},"actions":[{"kind":"text","target":"h1","value":"High"}]},
{"id":"a03","slot":"hero","priority":7,"when":{"traits.category":{"$gte":41.5},"traits.company":{"$in":["x","y"]}},"actions":[{"kind":"class","target":"p","add":["on"],"remove":["off"]}]},
{"id":"a04","slot":"hero","when":{"traits.category":{"$lte":41.5},"traits.admin":true},"actions":[{"kind":"text","target":"h1","value":"Hello {{traits.company|you}}"}]},
{"id":"a05","slot":"hero","priority":-1,"when":{},"actions":[{"kind":"hide","target":".x"}]},
{"id":"b01","slot":"side","when":{"traits.of":{"$in":["a","b"]},"context.page.path":{"$nin":["/cart","/pay"]}},"actions":[{"kind":"style","target":"p","property":"color","value":"red"}]},
{"id":"b02","slot":"side","when":{"$or":[{"traits.plan":"free"},{"$not":{"traits.plan":"pro","traits.device":null}},{"$and":[{"traits.admin":true},{"traits.plan":{"$ne":"pro"}}]}]},"actions":[{"kind":"text","target":"h2","value":"{{traits.plan}} {{signals.views.shoes}}"}]},
{"id":"b03","slot":"side","priority":2,"when":{"$nor":[{"traits.admin":true},{"traits.category":{"$gt":100}}]},"actions":[]},
{"id":"b04","slot":"side","priority":3,"when":{"traits.plan":{"$regex":"^a"}},"actions":[{"kind":"show","target":".y"}]},
{"id":"c01","slot":"late","on":"page_view","hold":"10m","when":{"signals.spent":{"$gt":5}},"cap":{"per":"day","key":"event.metadata.category","count":2,"min_gap":"1m"},"actions":[{"kind":"text","target":"h3","value":"More {{key}}"}]},
{"id":"c02","slot":"cart","when":{"signals.views.shoes":{"$gte":3}},"cap":{"per":"session","count":1},"actions":[{"kind":"variable","name":"v","value":{"n":[1,null]}}]},
{"id":"c03","slot":"cart","priority":1,"cap":{"per":"day","key":"traits.company","count":4},"when":{"traits.company":{"$exists":true}},"actions":[{"kind":"text","target":"h3","value":"{{key}}"}]},
{"id":"d01","slot":"left","group":"g","priority":2,"when":{"traits.admin":true},"actions":[{"kind":"text","target":"h4","value":"g1"}]},
{"id":"d02","slot":"right","group":"g","priority":1,"when":{"traits.admin":true},"actions":[{"kind":"text","target":"h4","value":"g2"}]},
{"id":"d03","slot":"right","when":{"traits.x":{"$gt":1}},"actions":[{"kind":"text","target":"h4","value":"{{traits.x}}"}]},
{"id":"e01","slot":"night","schedule":{"days":["sat","sun"],"hours":"22:00-06:00","zone":"Europe/Rome"},"actions":[{"kind":"variable","name":"night","value":true}]},
{"id":"e02","slot":"night","priority":-2,"schedule":{"from":"2026-01-01T00:00","until":"2030-01-01T00:00","zone":"UTC"},"actions":[{"kind":"variable","name":"night","value":false}]},
{"id":"f01","slot":"test","consent":"analytics","when":{"experiments.checkout":"b"},"actions":[{"kind":"variable","name":"t","value":"b"}]},
{"id":"f02","slot":"test","when":{"experiments.banner":{"$in":["x","y"]}},"actions":[{"kind":"variable","name":"t","value":"{{experiments.banner|-}}"}]},
{"id":"f03","slot":"test","when":{"$score":{"name":"warm","is":{"$gte":2}}},"actions":[{"kind":"variable","name":"t","value":"warm"}]},
{"id":"g01","slot":"key","when":{"$signal":{"name":"views","key":{"$path":"traits.company"},"is":{"$gte":3,"$not":9}}},"actions":[]},
{"id":"g02","slot":"key","when":{"signals.last":{"$in":["shoes","hats"]},"signals.seen_at":{"$after":"-30m"}},"actions":[]},
{"id":"g03","slot":"key","when":{"traits.old":{"$gt":{"$path":"traits.x"}},"$bucket":{"by":"traits.company","seed":"s","in":[[0,0.5]]}},"actions":[]},
{"id":"g04","slot":"key","priority":-1,"when":{"traits.at":{"$before":"-30m"},"$tod":{"between":["09:00","17:00"],"zone":"Europe/Rome"},"$dow":{"in":["mon"]}},"actions":[]}],
"triggers":[{"id":"t01","on":"click","when":{"traits.plan":"pro"},"actions":[{"kind":"webhook","url":"https://x.example/"}]}]}"##;

/// What differs in each body that follows.
const CHANGES: [&[(&str, &str)]; 9] = [
    // A condition.
    &[(r#"{"$gt":42,"$lt":60}"#, r#"{"$gt":41,"$lt":60}"#)],
    // Another rule, of a slot that is there and of one that is not.
    &[(
        r#"{"id":"b01""#,
        r#"{"id":"a06","slot":"hero","priority":8,"when":{"traits.admin":true},"actions":[]},{"id":"b01""#,
    )],
    &[(
        r#"{"id":"b01""#,
        r#"{"id":"a06","slot":"extra","when":{"traits.device":null},"actions":[]},{"id":"b01""#,
    )],
    // A rule that has gone, and its attributes with it.
    &[(
        r#"{"id":"d03","slot":"right","when":{"traits.x":{"$gt":1}},"actions":[{"kind":"text","target":"h4","value":"{{traits.x}}"}]},"#,
        "",
    )],
    // An attribute.
    &[(r#""traits.company":{"$in":["x","y"]}"#, r#""traits.birthday":{"$nin":["x","y"]}"#)],
    // What an action says.
    &[("Hello {{traits.company|you}}", "Hi {{traits.plan|you}}")],
    // Signals and caps.
    &[
        (
            r#""window":"today"}"#,
            r#""window":"7d"},{"name":"clicks","on":"click","aggregate":"count","window":"1h"}"#,
        ),
        (r#""cap":{"per":"session","count":1}"#, r#""cap":{"per":"day","count":1}"#),
        (r#"{"signals.spent":{"$gt":5}}"#, r#"{"signals.clicks":{"$gt":5}}"#),
    ],
    // Ranks and groups.
    &[
        (r#""group":"g","priority":1"#, r#""group":"g","priority":3"#),
        (r#""slot":"side","priority":2"#, r#""slot":"side","group":"h""#),
    ],
    // Models, experiments and schedules.
    &[
        (r#""points":2"#, r#""points":1"#),
        (r#"{"key":"x"},{"key":"y"}"#, r#"{"key":"x"},{"key":"z"}"#),
        (r#"["x","y"]}},"actions":[{"kind":"variable""#, r#"["x","z"]}},"actions":[{"kind":"variable""#),
        (r#""days":["sat","sun"]"#, r#""days":["fri"]"#),
    ],
];

/// The body of [`RULES`] and those that follow it, with the numbers that it has.
pub fn bodies() -> (Vec<u8>, Vec<Vec<u8>>) {
    let base = compiled(RULES).body;
    let follows = |changes: &[(&str, &str)]| {
        let mut rules = RULES.to_owned();
        for (from, to) in changes {
            assert!(rules.contains(from), "{from}");
            rules = rules.replace(from, to);
        }
        settle_body(&compiled(&rules).body, &base).expect("what is compiled opens")
    };
    let next = CHANGES.iter().map(|changes| follows(changes)).collect();
    (base, next)
}
