//! Writes seeds for every target into a folder: the demo's rules and the numbered vectors, compiled and packed.
//!
//! `cargo run --example seeds -- <folder>` makes `<folder>/<target>/<number>`; merge them into `corpus/` with libFuzzer.

use attune_core::bundle::author::{SourceFile, compile, delta};
use attune_core::bundle::{
    HASH_BYTES, KeySet, KeySetEntry, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, attach_signature, seal_keyset,
    settle_body,
};
use attune_core::condition::{ConditionScope, KnownSignal, Packer, encode_condition, parse_condition};
use attune_core::id::SignalId;
use attune_core::model::ModelTable;
use attune_core::time::Timestamp;
use attune_core::value::Value;
use attune_fuzz::following::bodies;
use attune_fuzz::{SIGNALS, compiled, processor, sealed, statement, states};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Every so many-th vector of a file is a seed: neighbours are alike.
const STEP: usize = 5;
/// Every so many-th byte of a body that follows is edited by a seed.
const EDIT_STEP: usize = 97;
/// Bytes of a state's envelope before its content, but for the length.
const ENVELOPE_HEAD: usize = 6;

struct Seeds {
    folder: PathBuf,
    count: usize,
}

impl Seeds {
    fn add(&mut self, target: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        self.count += 1;
        fs::write(folder.join(format!("{:04}", self.count)), bytes)
    }

    fn rule_file(&mut self, text: &str) -> io::Result<()> {
        self.add("rule_file", text.as_bytes())?;
        let compiled = compile(&[SourceFile { name: "a.json".into(), text: text.into() }]);
        self.add("bundle", &compiled.body)?;
        self.add("page", &[b"B", &*compiled.body].concat())?;
        let models: Vec<_> = compiled.bundle.models.iter().map(|model| model.to_model()).collect();
        if models.is_empty() { Ok(()) } else { self.add("model", &ModelTable::pack(&models)) }
    }

    fn condition(&mut self, condition: &Value, document: &Value) -> io::Result<()> {
        let attributes = document.field("traits").cloned().unwrap_or(Value::Null);
        let groups = document.field("groups").cloned().unwrap_or(Value::Null);
        self.add("condition_source", &text(&Value::Array(vec![condition.clone(), attributes, groups])))?;
        let names = |name: &str| Some(KnownSignal { id: SignalId(name.len() as u64), keyed: true });
        if let Ok(tree) = parse_condition(condition, ConditionScope::Visitor(&names), "") {
            let mut packer = Packer::new();
            encode_condition(&tree, &mut packer);
            self.add("condition", &packer.finish())?;
        }
        Ok(())
    }

    fn states(&mut self) -> io::Result<()> {
        let processor = processor();
        let (member, profile, changes) = states();
        for change in &changes {
            self.add("snapshot", &[b"C", &*change.encode()].concat())?;
        }
        self.add("snapshot", &[b"M", content(&member.encode())].concat())?;
        self.add("snapshot", &[b"P", content(&profile.encode())].concat())?;
        let view = processor.view(&profile, member.member()).encode();
        self.add("snapshot", &[b"V", &*view].concat())?;
        if let Ok(length) = u8::try_from(view.len() + 1) {
            self.add("page", &[b"V", &[length][..], &*view, &*compiled(SIGNALS).body].concat())?;
        }
        self.add("snapshot", &member.encode())
    }

    /// Bodies that follow another, whole ones and edits.
    fn following(&mut self) -> io::Result<()> {
        let (base, next) = bodies();
        for (number, body) in next.iter().enumerate() {
            let number = number as u8;
            self.add("follow", &[number])?;
            for at in (0..body.len() as u16).step_by(EDIT_STEP) {
                let [high, low] = at.to_be_bytes();
                self.add("follow", &[number, high, low, number])?;
            }
            self.add("follow", &[b"B", &**body].concat())?;
        }
        self.add("follow", &[b"B", &*base].concat())
    }

    /// What is signed around bundles, with signatures that the target takes.
    fn signed(&mut self) -> io::Result<()> {
        let (base, next) = (sealed(&compiled(SIGNALS).body), sealed(&compile(&[]).body));
        self.add("signed", &delta(&base, &[0; HASH_BYTES], &next))?;
        self.add("signed", &next)?;
        self.add("signed", &statement())?;
        let key = KeySetEntry {
            key_id: "k",
            public_key: [7; PUBLIC_KEY_BYTES],
            not_before: Some(Timestamp(1)),
            expires: Some(Timestamp(9)),
        };
        let set = KeySet { project: "shop", revision: 1, expires: None, key_id: "k", keys: vec![key] };
        self.add("signed", &attach_signature(seal_keyset(&set), &[0; SIGNATURE_BYTES]))
    }

    /// Every call of the byte interface, of the evaluator, of the payload and of one that is not there.
    fn calls(&mut self) -> io::Result<()> {
        let (body, statement) = (compiled(SIGNALS).body, statement());
        let other = compiled(&SIGNALS.replace(r#"{"$gt":5}"#, r#"{"$gt":6}"#)).body;
        let next = settle_body(&other, &body).expect("what is compiled opens");
        let texts: [&[u8]; 8] = [
            br#"{"traits":{"plan":"pro"}}"#,
            br#"[[{"a":"x"},{"a":{"$in":["x"]}}]]"#,
            br#"{"attributes":{"id":"1"}}"#,
            br#"{"count":3,"coverage":0.5,"weights":[0.5,0.3,null]}"#,
            br#"[{"condition":{"signals.a":1},"document":{"signals":{"a":{"keys":{"k":{"value":1}}}}},"segments":{"s":{}}}]"#,
            // Asked of handle 3, which is the processor.
            br#"[{"signal":"views","key":"shoes","session":null},{"signal":"last","time":{"utc_offset_minutes":60}}]"#,
            b"traits.plan",
            b"a",
        ];
        for (place, text) in texts.iter().enumerate() {
            let calls = (0..43).flat_map(|call| {
                let content = match call {
                    1 => &*body,
                    28 => &*next,
                    40 | 42 => &*statement,
                    _ => text,
                };
                let length = (content.len() as u16).to_be_bytes();
                [&[call, 1 + (place % 3) as u8][..], &length, content].concat()
            });
            self.add("abi", &calls.collect::<Vec<u8>>())?;
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).map(PathBuf::from).ok_or_else(|| io::Error::other("name a folder"))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seeds = Seeds { folder, count: 0 };
    seeds.rule_file(SIGNALS)?;
    seeds.add("bundle", &sealed(&compile(&[]).body))?;
    seeds.states()?;
    seeds.signed()?;
    seeds.calls()?;
    seeds.following()?;
    for file in files(&root.join("demo-site/rules"))? {
        seeds.rule_file(&fs::read_to_string(file)?)?;
    }
    for file in files(&root.join("tests/spec"))? {
        let vectors = Value::parse(&fs::read_to_string(file)?).unwrap_or(Value::Null);
        for vector in items(&vectors).iter().step_by(STEP) {
            of_vector(vector, &mut seeds)?;
        }
        for pattern in items(vectors.field("patterns").unwrap_or(&Value::Null)).iter().step_by(STEP) {
            let source = pattern.field("source").or_else(|| pattern.field("pattern")).unwrap_or(pattern);
            if let Some(source) = source.as_str() {
                seeds.add("pattern", format!("{source}\ni\nGrün foo.bar 7-41").as_bytes())?;
            }
        }
    }
    println!("{} seeds", seeds.count);
    Ok(())
}

fn of_vector(vector: &Value, seeds: &mut Seeds) -> io::Result<()> {
    let none = Value::Object(Vec::new());
    if let Some(condition) = vector.field("condition") {
        seeds.condition(condition, vector.field("document").unwrap_or(&none))?;
    }
    if let Some(rules) = vector.field("rules") {
        seeds.rule_file(&String::from_utf8_lossy(&text(rules)))?;
    }
    if let Some(signals) = vector.field("signals") {
        let file = Value::Object(vec![("signals".into(), signals.clone())]);
        seeds.rule_file(&String::from_utf8_lossy(&text(&file)))?;
    }
    let options = vector.field("options").unwrap_or(&none);
    if let Some(payload) = vector.field("payload") {
        seeds.add("growthbook", &[&*text(payload), b"\n---\n", &*text(options)].concat())?;
    }
    if let Some(experiment) = vector.field("experiment") {
        seeds.add("growthbook", &[b"{}\n---\n", &*text(experiment)].concat())?;
    }
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

fn items(value: &Value) -> &[Value] {
    if let Value::Array(items) = value { items } else { &[] }
}

fn text(value: &Value) -> Vec<u8> {
    let mut text = String::new();
    value.write(&mut text);
    text.into_bytes()
}

/// What stands in a state's envelope, which the target makes anew.
fn content(state: &[u8]) -> &[u8] {
    let behind = state.get(ENVELOPE_HEAD..).unwrap_or_default();
    let length = behind.iter().position(|byte| *byte < 0x80).map_or(0, |last| last + 1);
    behind.get(length..).unwrap_or_default()
}
