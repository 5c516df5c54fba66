//! The bundle on trial: whether it may stand beside the one in effect, and what is kept of it over a restart.

use crate::whole_file;
use attune_core::bundle::{Bundle, decode_body};
use attune_core::condition::{self, Root, visit_paths};
use attune_core::experiment::{Trial, TrialRef};
use attune_core::rules::{Rule, RuleRef};
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct TrialSettings {
    /// Folder of its rule files.
    pub folder: PathBuf,
    /// For how many units, in hundredths of a percent.
    pub share: u32,
}

/// What pages have been told of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialRecord {
    /// Its revision.
    pub revision: u64,
    /// For how many units, in hundredths of a percent.
    pub share: u32,
    /// Divides the units, from the first revision of the trial to its end.
    pub seed: String,
}

impl TrialRecord {
    /// Reads a record; nothing where there is none.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let Some(bytes) = whole_file::read(path)? else { return Ok(None) };
        let record = serde_json::from_slice::<Value>(&bytes).ok().and_then(|value| {
            Some(Self {
                revision: value["revision"].as_u64()?,
                share: u32::try_from(value["share"].as_u64()?).ok()?,
                seed: value["seed"].as_str()?.to_owned(),
            })
        });
        let told = || io::Error::other(format!("{}: it is no record of a trial", path.display()));
        record.map(Some).ok_or_else(told)
    }

    /// Writes it; durable when this returns.
    ///
    /// # Errors
    /// The disk refused.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let json = json!({"revision": self.revision, "share": self.share, "seed": self.seed});
        whole_file::write(path, json.to_string().as_bytes())
    }

    /// Forgets the record of a trial that is over.
    ///
    /// # Errors
    /// The disk refused.
    pub fn remove(path: &Path) -> io::Result<()> {
        fs::remove_file(path).map_err(|error| whole_file::named(path, &error))
    }
}

/// Whether a body may be tried beside the one in effect. The worker counts and fires for all units by the one in effect,
/// so that signals and triggers have to be those, and experiments too where a trigger may read them.
///
/// # Errors
/// The first signal, trigger or experiment that is not.
pub fn fits(body: &[u8], current: &[u8]) -> Result<(), String> {
    let opened = |body: &[u8]| decode_body(body).map_err(|error| error.to_string());
    let (tried, current) = (opened(body)?, opened(current)?);
    if let Some(signal) = tried.signals.iter().find(|signal| current.signals.by_id(signal.id).is_none()) {
        return Err(format!("its signal {} is not one of the bundle in effect", signal.name()));
    }
    let fires = (triggers(&tried), triggers(&current));
    if let Some(trigger) = differing(&fires.0, &fires.1) {
        return Err(format!("its trigger {} is not as in the bundle in effect", trigger.id));
    }
    let Some(reader) = fires.0.iter().find(|trigger| may_read_experiments(trigger, &tried)) else {
        return Ok(());
    };
    match differing(&experiments(&tried), &experiments(&current)) {
        Some(experiment) => Err(format!(
            "its experiment {} is not as in the bundle in effect, and trigger {} may read it",
            experiment.id, reader.id
        )),
        None => Ok(()),
    }
}

/// The first of either that the other one lacks.
fn differing<'a, T: PartialEq>(tried: &'a [T], current: &'a [T]) -> Option<&'a T> {
    let lacking = |of: &'a [T], other: &'a [T]| of.iter().find(|one| !other.contains(one));
    lacking(tried, current).or_else(|| lacking(current, tried))
}

/// Whether a variation can show in what fires; a model may read one as well.
fn may_read_experiments(trigger: &Rule, bundle: &Bundle) -> bool {
    let mut reads = !bundle.models.is_empty();
    let mut read = |path: &condition::Path| reads |= path.root == Root::Experiments;
    visit_paths(&trigger.when, &mut read);
    trigger.key.iter().for_each(&mut read);
    reads
}

fn experiments(bundle: &Bundle) -> Vec<Trial> {
    bundle.experiments.iter().map(TrialRef::to_trial).collect()
}

fn triggers(bundle: &Bundle) -> Vec<Rule> {
    bundle.rules.iter().filter(|rule| !rule.has_slot()).map(RuleRef::to_rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_core::bundle::author::{SourceFile, compile};

    fn body(signals: &str, rules: &str, triggers: &str) -> Vec<u8> {
        let text = format!(r#"{{"signals":[{signals}],"rules":[{rules}],"triggers":[{triggers}]}}"#);
        let compiled = compile(&[SourceFile { name: "a.json".to_owned(), text }]);
        assert_eq!(compiled.bundle.rules.iter().filter(|rule| !rule.is_active()).count(), 0);
        compiled.body
    }

    #[test]
    fn what_the_worker_counts_and_fires_has_to_be_that_of_the_bundle_in_effect() {
        let views = r#"{"name":"views","on":"page_view","aggregate":"count","window":"5m"}"#;
        let longer = views.replace("5m", "6m");
        let rule = |when: &str| format!(r#"{{"id":"r","slot":"s","when":{{{when}}},"actions":[]}}"#);
        let plain = rule(r#""signals.views":{"$gt":2}"#);
        let trigger = |least: u8| {
            format!(r#"{{"id":"t","on":"page_view","when":{{"signals.views":{{"$gt":{least}}}}}}}"#)
        };
        let current = body(views, &plain, &trigger(1));
        assert_eq!(fits(&body(views, &rule(r#""signals.views":{"$gt":9}"#), &trigger(1)), &current), Ok(()));
        let capped = plain.replace(r#""actions""#, r#""cap":{"per":"session","count":2},"actions""#);
        let signal = "is not one of the bundle in effect";
        let fired = "its trigger t is not as in the bundle in effect";
        for (tried, expected) in [
            (body(&longer, &plain, &trigger(1)), signal),
            (body(views, &capped, &trigger(1)), signal),
            (body(views, &plain, &trigger(2)), fired),
            (body(views, &plain, ""), fired),
        ] {
            let refused = fits(&tried, &current).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
        assert_eq!(fits(&body(views, &plain, &trigger(1)), &body(views, &plain, "")), Err(fired.to_owned()));
    }

    #[test]
    fn experiments_that_a_trigger_may_read_have_to_be_those_as_well() {
        let body = |weight: f64, trigger: &str| {
            let text = format!(
                r#"{{"experiments":[{{"id":"look","variations":[{{"key":"a","weight":{weight}}},{{"key":"b","weight":{}}}]}}],
                     "rules":[{{"id":"r","slot":"s","when":{{"experiments.look":"a"}},"actions":[]}}],
                     "triggers":[{{"id":"t","on":"page_view",{trigger}}}]}}"#,
                1.0 - weight
            );
            let compiled = compile(&[SourceFile { name: "a.json".to_owned(), text }]);
            assert_eq!(compiled.diagnostics, []);
            compiled.body
        };
        let blind = r#""when":{"event.metadata.n":1},"actions":[]"#;
        assert_eq!(fits(&body(0.25, blind), &body(0.5, blind)), Ok(()));
        for reading in [
            r#""when":{"experiments.look":"b"},"actions":[]"#,
            r#""cap":{"per":"day","count":1,"key":"experiments.look"},"actions":[]"#,
        ] {
            assert_eq!(fits(&body(0.5, reading), &body(0.5, reading)), Ok(()));
            let refused = fits(&body(0.25, reading), &body(0.5, reading)).unwrap_err();
            assert!(refused.contains("its experiment look is not as"), "{refused}");
        }
    }

    #[test]
    fn a_record_is_read_back_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trial.json");
        assert_eq!(TrialRecord::read(&path).unwrap(), None);
        let record = TrialRecord { revision: 7, share: 1_250, seed: "shop/production/7".to_owned() };
        record.write(&path).unwrap();
        assert_eq!(TrialRecord::read(&path).unwrap(), Some(record));
        fs::write(&path, "{}").unwrap();
        assert!(TrialRecord::read(&path).unwrap_err().to_string().contains("trial.json: it is no record"));
    }
}
