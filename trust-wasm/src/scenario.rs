//! The chain of trust as a page lives through it, judged alike by checks of our own and by a host that is asked.

use crate::asked::Asked;
use crate::checks::{Checks, Question};
use crate::keeper::{Keeper, Known, Named, Terms};
use crate::own::Own;
use attune_core::bundle::author::delta;
use attune_core::bundle::{
    Candidate, Current, Header, KeySet, KeySetEntry, PUBLIC_KEY_BYTES, Refused, WHOLE_SHARE,
    attach_signature, seal_current, seal_envelope, seal_keyset,
};
use attune_core::time::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey};
use std::string::String;
use std::vec::Vec;

const NOW: Timestamp = Timestamp(1_000);

/// The trusted key, the key that signs, and a key that nobody has named.
const TRUST: u8 = 1;
const SIGNING: u8 = 2;
const STRANGER: u8 = 3;

fn key(of: u8) -> SigningKey {
    SigningKey::from_bytes(&[of; 32])
}

fn public(of: u8) -> [u8; PUBLIC_KEY_BYTES] {
    key(of).verifying_key().to_bytes()
}

fn id(of: u8) -> String {
    public(of).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn signed(by: u8, sealed: Vec<u8>) -> Vec<u8> {
    let signature = key(by).sign(&sealed).to_bytes();
    attach_signature(sealed, &signature)
}

fn key_set(by: u8, project: &str, revision: u64, expires: Option<i64>, key_until: Option<i64>) -> Vec<u8> {
    let (signer, named) = (id(by), id(SIGNING));
    let entry = KeySetEntry {
        key_id: &named,
        public_key: public(SIGNING),
        not_before: None,
        expires: key_until.map(Timestamp),
    };
    let expires = expires.map(Timestamp);
    signed(by, seal_keyset(&KeySet { project, revision, expires, key_id: &signer, keys: vec![entry] }))
}

fn envelope(revision: u64, body: &[u8]) -> Vec<u8> {
    let key_id = id(SIGNING);
    let header =
        Header { project: "shop", environment: "live", revision, key_id: &key_id, ..Header::default() };
    signed(SIGNING, seal_envelope(&header, body))
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Own.hash(bytes).unwrap_or_default()
}

fn statement(by: u8, change: impl FnOnce(&mut Current<'_>), bundle: &[u8]) -> Vec<u8> {
    let key_id = id(by);
    let mut current = Current {
        project: "shop",
        environment: "live",
        revision: 5,
        hash: hash(bundle),
        candidate: None,
        issued_at: Timestamp(900),
        expires: Timestamp(2_000),
        key_id: &key_id,
    };
    change(&mut current);
    signed(by, seal_current(&current))
}

/// Two keepers with the same terms, one that checks by itself and one whose host is asked.
struct Twins([Keeper; 2]);

impl Twins {
    fn new() -> Self {
        Self([(); 2].map(|()| {
            Keeper::new(Terms {
                trust: vec![public(TRUST)],
                project: Some("shop".into()),
                environment: Some("live".into()),
            })
        }))
    }

    fn with_keys() -> Self {
        let mut twins = Self::new();
        assert_eq!(twins.keys(&key_set(TRUST, "shop", 1, None, None), None), Ok(1));
        twins
    }

    /// With a statement that names the bundle, and the bundle.
    fn with_bundle(bundle: &[u8]) -> Self {
        let mut twins = Self::with_keys();
        assert!(twins.current(&statement(SIGNING, |_| {}, bundle), None, "unit").is_ok());
        assert_eq!(twins.bundle(bundle).as_deref(), Ok(bundle));
        twins
    }

    fn both<T: PartialEq + std::fmt::Debug>(
        &mut self,
        own: impl Fn(&mut Keeper) -> Result<T, Refused>,
        asked: impl Fn(&mut Keeper, &Asked<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let [first, second] = &mut self.0;
        let expected = own(first);
        let mut answers = Vec::new();
        for _ in 0..4 {
            let checks = Asked::new(&answers);
            let verdict = asked(second, &checks);
            match checks.question() {
                None => {
                    assert_eq!(verdict, expected, "a host that is asked comes to the same verdict");
                    return expected;
                }
                Some(Question::Signature { key, signature, bytes }) => {
                    answers.push(u8::from(Own.verify(&key, &bytes, &signature)));
                }
                Some(Question::Hash(bytes)) => answers.extend(hash(&bytes)),
            }
        }
        panic!("questions without end");
    }

    fn keys(&mut self, bytes: &[u8], known: Option<u64>) -> Result<u64, Refused> {
        self.both(
            |keeper| keeper.take_keys(bytes, known, NOW, &Own),
            |keeper, checks| keeper.take_keys(bytes, known, NOW, checks),
        )
    }

    fn current(&mut self, bytes: &[u8], known: Option<Known>, unit: &str) -> Result<Named, Refused> {
        self.current_at(bytes, known, unit, NOW)
    }

    fn current_at(
        &mut self,
        bytes: &[u8],
        known: Option<Known>,
        unit: &str,
        now: Timestamp,
    ) -> Result<Named, Refused> {
        self.both(
            |keeper| keeper.take_current(bytes, known, unit, now, &Own),
            |keeper, checks| keeper.take_current(bytes, known, unit, now, checks),
        )
    }

    fn bundle(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
        self.both(
            |keeper| keeper.take_bundle(bytes, NOW, &Own).map(Vec::from),
            |keeper, checks| keeper.take_bundle(bytes, NOW, checks).map(Vec::from),
        )
    }
}

fn code<T>(verdict: Result<T, Refused>) -> Option<&'static str> {
    verdict.err().map(Refused::code)
}

#[test]
fn from_a_trusted_key_to_the_bundle_and_on_by_a_delta() {
    let (first, second) = (envelope(5, b"the first body"), envelope(6, b"the second body"));
    let mut page = Twins::with_bundle(&first);
    let next = statement(SIGNING, |current| current.revision = 6, &second);
    let named = page.current(&next, None, "unit").unwrap();
    assert_eq!((named.revision, named.hash), (6, hash(&second)));
    let change = delta(&first, &hash(&first), &second);
    assert_eq!(page.bundle(&change).as_deref(), Ok(&*second));
    assert_eq!(code(page.bundle(&change)), Some("bundle_wrong_parent"));
}

#[test]
fn only_a_trusted_key_names_keys() {
    let mut page = Twins::new();
    let good = key_set(TRUST, "shop", 3, None, None);
    assert_eq!(code(page.keys(&key_set(STRANGER, "shop", 3, None, None), None)), Some("bundle_unknown_key"));
    assert_eq!(code(page.keys(&key_set(TRUST, "news", 3, None, None), None)), Some("bundle_wrong_project"));
    assert_eq!(code(page.keys(&key_set(TRUST, "shop", 3, Some(999), None), None)), Some("bundle_expired"));
    let mut damaged = good.clone();
    damaged[60] ^= 1;
    assert_eq!(code(page.keys(&damaged, None)), Some("bundle_tampered"));
    assert_eq!(code(page.keys(b"ATNK", None)), Some("bundle_truncated"));
    let statement = statement(SIGNING, |_| {}, b"");
    assert_eq!(code(page.current(&statement, None, "unit")), Some("bundle_unknown_key"));
    assert_eq!(page.keys(&good, Some(3)), Ok(3));
    assert!(page.current(&statement, None, "unit").is_ok());
    assert_eq!(
        code(page.keys(&key_set(TRUST, "shop", 2, None, None), Some(3))),
        Some("bundle_lower_revision")
    );
}

#[test]
fn a_key_for_development_is_known_by_the_id_that_its_collector_gives_it() {
    let mut page = Twins::new();
    let signer = format!("dev-{}", id(TRUST));
    let set = KeySet { project: "shop", revision: 1, key_id: &signer, ..KeySet::default() };
    assert_eq!(page.keys(&signed(TRUST, seal_keyset(&set)), None), Ok(1));
}

#[test]
fn keys_and_sets_past_their_time_sign_nothing_more() {
    let statement = statement(SIGNING, |current| current.expires = Timestamp(9_000), b"");
    for set in [key_set(TRUST, "shop", 1, Some(1_500), None), key_set(TRUST, "shop", 1, None, Some(1_500))] {
        let mut page = Twins::new();
        assert!(page.keys(&set, None).is_ok());
        assert!(page.current_at(&statement, None, "unit", Timestamp(1_500)).is_ok());
        let later = page.current_at(&statement, None, "unit", Timestamp(1_501));
        assert_eq!(later, Err(Refused::Expired(Timestamp(1_500))));
    }
}

#[test]
fn every_statement_that_is_refused_has_its_code_and_the_one_before_stays() {
    let bundle = envelope(5, b"body");
    let known = Some(Known { revision: 5, issued_at: Timestamp(900) });
    let cases: [(Vec<u8>, &str); 6] = [
        (statement(STRANGER, |_| {}, b""), "bundle_unknown_key"),
        (statement(SIGNING, |current| current.project = "news", b""), "bundle_wrong_project"),
        (statement(SIGNING, |current| current.environment = "test", b""), "bundle_wrong_environment"),
        (statement(SIGNING, |current| current.revision = 4, b""), "bundle_lower_revision"),
        (statement(SIGNING, |current| current.issued_at = Timestamp(899), b""), "bundle_superseded"),
        (statement(SIGNING, |current| current.expires = Timestamp(999), b""), "bundle_expired"),
    ];
    let mut page = Twins::with_keys();
    assert!(page.current(&statement(SIGNING, |_| {}, &bundle), None, "unit").is_ok());
    for (bytes, expected) in cases {
        assert_eq!(code(page.current(&bytes, known, "unit")), Some(expected));
    }
    let mut damaged = statement(SIGNING, |_| {}, b"");
    damaged[20] ^= 1;
    assert_eq!(code(page.current(&damaged, known, "unit")), Some("bundle_tampered"));
    assert_eq!(page.bundle(&bundle), Ok(bundle.clone()));
}

#[test]
fn a_bundle_is_the_one_that_was_named_or_none() {
    let bundle = envelope(5, b"body");
    let mut page = Twins::with_bundle(&bundle);
    let other = envelope(5, b"another body");
    assert_eq!(code(page.bundle(&other)), Some("bundle_wrong_hash"));
    let mut damaged = bundle.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    assert_eq!(code(page.bundle(&damaged)), Some("bundle_tampered"));
    let mut change = delta(&bundle, &hash(&bundle), &other);
    let last = change.len() - 1;
    change[last] ^= 1;
    assert!(page.bundle(&change).is_err());
    assert_eq!(code(page.bundle(b"nothing of ours")), Some("bundle_bad_magic"));
    assert_eq!(page.bundle(&bundle), Ok(bundle.clone()));
    assert_eq!(
        code(Twins::with_keys().bundle(&bundle)),
        Some("bundle_wrong_hash"),
        "no statement, no bundle"
    );
}

#[test]
fn a_candidate_may_come_and_go_while_the_statement_keeps_its_revision() {
    let (settled, trial) = (envelope(5, b"settled"), envelope(6, b"on trial"));
    let mut page = Twins::with_bundle(&settled);
    let mut known = Some(Known { revision: 5, issued_at: Timestamp(900) });
    let on_trial = |share: u32, at: i64| {
        let candidate = Candidate { revision: 6, hash: hash(&trial), share, seed: "s" };
        let change = |current: &mut Current<'_>| {
            current.candidate = (share > 0).then_some(candidate);
            current.issued_at = Timestamp(at);
        };
        statement(SIGNING, change, &settled)
    };
    for (share, at, bundle, revision) in
        [(WHOLE_SHARE, 901, &trial, 6), (0, 902, &settled, 5), (WHOLE_SHARE, 903, &trial, 6)]
    {
        let named = page.current(&on_trial(share, at), known, "unit").unwrap();
        assert_eq!((named.revision, named.known.revision), (revision, 5));
        known = Some(named.known);
        assert_eq!(page.bundle(bundle).as_deref(), Ok(&**bundle));
    }
}
