//! Experiments among each other: exclusion groups shared out, and each one behind those it reads.

use super::experiment::{Draft, exclusion_filter, experiments_read};
use super::sought::Sought;
use super::written::Written;
use crate::experiment::{Claim, share_out};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Why an experiment takes no part: its id, a code and a message.
pub(super) type Refused = (Box<str>, &'static str, String);

/// Orders experiments; those that read themselves over others, or one that does not exist, are refused.
pub(super) fn arrange(
    mut drafts: BTreeMap<Box<str>, Draft>,
    written: &Written,
) -> (Vec<Draft>, Vec<Refused>) {
    let mut refused = share_groups_out(&mut drafts);
    let mut ordered: Vec<Draft> = Vec::new();
    let mut placed: BTreeSet<Box<str>> = BTreeSet::new();
    loop {
        let is_free =
            |draft: &Draft| experiments_read(&draft.trial.when).iter().all(|read| placed.contains(read));
        let Some(next) = drafts.values().find(|draft| is_free(draft)).map(|draft| draft.trial.id.clone())
        else {
            break;
        };
        ordered.extend(drafts.remove(&next));
        placed.insert(next);
    }
    for draft in drafts.values() {
        let read = experiments_read(&draft.trial.when);
        let unknown = read.iter().find(|read| !placed.contains(*read) && !drafts.contains_key(*read));
        let (code, message) = match unknown {
            Some(name) if written.has("experiments", name) => {
                ("unknown_experiment", format!("experiment {name} has errors and takes no part"))
            }
            Some(name) => {
                let hint = written.hint(&Sought::of("experiments", name), "");
                ("unknown_experiment", format!("there is no experiment {name}{hint}"))
            }
            None => (
                "experiment_cycle",
                format!("it reads {}, which depends on it or on nothing sound", read.join(", ")),
            ),
        };
        refused.push((draft.trial.id.clone(), code, message));
    }
    (ordered, refused)
}

/// Gives every experiment of an exclusion group its part, in order of id; a group that asks for too much takes no part.
fn share_groups_out(drafts: &mut BTreeMap<Box<str>, Draft>) -> Vec<Refused> {
    let groups: BTreeSet<Box<str>> =
        drafts.values().filter_map(|draft| draft.claim.as_ref().map(|(group, _)| group.clone())).collect();
    let mut refused = Vec::new();
    for group in groups {
        let members: Vec<(Box<str>, Option<f64>)> = drafts
            .values()
            .filter_map(|draft| {
                let (name, share) = draft.claim.as_ref()?;
                (*name == group).then(|| (draft.trial.id.clone(), *share))
            })
            .collect();
        let claims: Vec<Claim<'_>> =
            members.iter().map(|(id, share)| Claim { experiment: id, share: *share }).collect();
        match share_out(&claims) {
            Ok(parts) => {
                for ((id, _), part) in members.iter().zip(parts) {
                    if let Some(draft) = drafts.get_mut(id) {
                        let filter = exclusion_filter(&group, part);
                        draft.trial.filters.push(filter);
                    }
                }
            }
            Err(error) => {
                for (id, _) in members {
                    drafts.remove(&id);
                    refused.push((id, error.code(), format!("{group}: {error}")));
                }
            }
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, compile};
    use alloc::string::String;
    use alloc::vec::Vec;

    fn compiled(text: &str) -> (Vec<String>, Vec<String>) {
        let compiled = compile(&[SourceFile { name: "a.json".into(), text: text.into() }]);
        let experiments = compiled.bundle.experiments.iter().map(|trial| trial.id.into()).collect();
        (
            experiments,
            compiled
                .diagnostics
                .iter()
                .map(|found| alloc::format!("{}:{}", found.code, found.path))
                .collect(),
        )
    }

    #[test]
    fn each_experiment_stands_behind_those_it_reads() {
        let (experiments, found) = compiled(
            r#"{"experiments":[
                {"id":"a","variations":[{"key":"x"}],"when":{"experiments.b":"x"}},
                {"id":"b","variations":[{"key":"x"}],"prerequisites":[{"experiment":"c"}]},
                {"id":"c","variations":[{"key":"x"}]}]}"#,
        );
        assert_eq!((experiments, found), (["c", "b", "a"].map(String::from).to_vec(), Vec::new()));
    }

    #[test]
    fn cycles_and_unknown_experiments_take_no_part_and_neither_do_rules_over_them() {
        let (experiments, found) = compiled(
            r#"{"experiments":[
                {"id":"a","variations":[{"key":"x"}],"when":{"experiments.b":"x"}},
                {"id":"b","variations":[{"key":"x"}],"when":{"experiments.a":"x"}},
                {"id":"c","variations":[{"key":"x"}],"when":{"traits.d":{"$path":"experiments.gone"}}},
                {"id":"sound","variations":[{"key":"x"}]}],
               "rules":[{"id":"r","slot":"s","when":{"experiments.a":"x"},"actions":[]},
                        {"id":"t","slot":"s","when":{"experiments.sound":"x"},"actions":[]}]}"#,
        );
        assert_eq!(experiments, ["sound"]);
        let expected = [
            "experiment_cycle:/experiments/0",
            "experiment_cycle:/experiments/1",
            "unknown_experiment:/experiments/2",
            "unknown_experiment:/rules/0/when",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn broken_experiments_are_named_and_their_neighbours_go_on() {
        for (experiment, expected) in [
            (r#""variations":[]"#, "bad_field:/experiments/0/variations"),
            (r#""x":1"#, "missing_field:/experiments/0/variations"),
            (
                r#""variations":[{"key":"a"},{"key":"a"}]"#,
                "duplicate_variation:/experiments/0/variations/1/key",
            ),
            (
                r#""variations":[{"key":"a","weight":0.5},{"key":"b"}]"#,
                "bad_weights:/experiments/0/variations",
            ),
            (r#""variations":[{"key":"a"}],"coverage":2"#, "bad_field:/experiments/0/coverage"),
            (r#""variations":[{"key":"a"}],"ranges":[[0,1],[0,1]]"#, "bad_field:/experiments/0/ranges"),
            (r#""variations":[{"key":"a"}],"force":"b""#, "bad_field:/experiments/0/force"),
            (r#""variations":[{"key":"a"}],"hash_version":3"#, "bad_field:/experiments/0/hash_version"),
            (
                r#""variations":[{"key":"a"}],"hash_attribute":"event.x""#,
                "bad_field:/experiments/0/hash_attribute",
            ),
            (r#""variations":[{"key":"a"}],"sticky":1"#, "bad_field:/experiments/0/sticky"),
            (r#""variations":[{"key":"a"}],"status":"draft""#, "unsupported_field:/experiments/0/status"),
            (
                r#""variations":[{"key":"a"}],"min_bucket_version":0"#,
                "misplaced_field:/experiments/0/min_bucket_version",
            ),
            (
                r#""variations":[{"key":"a"}],"fallback_attribute":"user_id""#,
                "misplaced_field:/experiments/0/fallback_attribute",
            ),
            (
                r#""variations":[{"key":"a"}],"sticky":true,"bucket_version":1,"min_bucket_version":2"#,
                "bad_field:/experiments/0/min_bucket_version",
            ),
            (
                r#""variations":[{"key":"a"}],"sticky":true,"fallback_attribute":"event.x""#,
                "bad_field:/experiments/0/fallback_attribute",
            ),
            (
                r#""variations":[{"key":"a"}],"when":{"event.metadata.x":1}"#,
                "event_in_experiment:/experiments/0/when",
            ),
            (
                r#""variations":[{"key":"a"}],"exclusion":{"group":"g","share":0.6}"#,
                "exclusion_shares_exceed_one:/experiments/0",
            ),
        ] {
            let other = r#"{"id":"sound","variations":[{"key":"x"}],"exclusion":{"group":"h"}}"#;
            let rival = r#"{"id":"rival","variations":[{"key":"x"}],"exclusion":{"group":"g","share":0.7}}"#;
            let (experiments, found) =
                compiled(&alloc::format!(r#"{{"experiments":[{{"id":"e",{experiment}}},{other},{rival}]}}"#));
            assert!(
                experiments.contains(&"sound".into()) && !experiments.contains(&"e".into()),
                "{experiment}"
            );
            assert_eq!(found.first().map(String::as_str), Some(expected), "{experiment}");
        }
    }
}
