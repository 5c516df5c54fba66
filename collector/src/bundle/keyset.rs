//! The key set that is served: one made by the author's tools, or the collector's own.

use super::{SecretKey, Signer};
use crate::whole_file;
use attune_core::bundle::open_keyset;
use attune_core::time::Timestamp;
use std::fs;
use std::path::Path;

/// Reads a key set that must name the signer's key for the signer's project. The second part is why pages refuse it at
/// this instant, where they do.
///
/// # Errors
/// A file that cannot be read, is none, is for another project, or does not name the key.
pub fn read_keyset(
    path: &Path,
    signer: &Signer,
    now: Timestamp,
) -> Result<(Vec<u8>, Option<String>), String> {
    let told = |what: String| format!("{}: {what}", path.display());
    let bytes = fs::read(path).map_err(|error| told(error.to_string()))?;
    let set = open_keyset(&bytes).map_err(|error| told(format!("{error} ({})", error.code())))?.set;
    if set.project != signer.project {
        return Err(told(format!("it is for the project '{}', not '{}'", set.project, signer.project)));
    }
    let id = signer.key.id();
    let named: Vec<&str> = set.keys.iter().map(|entry| entry.key_id).collect();
    match set.keys.iter().find(|entry| entry.key_id == id) {
        Some(entry) if entry.public_key == signer.key.public() => {}
        _ => {
            let named = if named.is_empty() { "no key".to_owned() } else { named.join(", ") };
            return Err(told(format!("it does not name the signing key {id}, but {named}")));
        }
    }
    let over = set.expires.filter(|end| now > *end).map(|end| format!("the key set has expired at {end}"));
    let refused =
        over.or_else(|| set.key(id, now).err().map(|refused| format!("the signing key {id}: {refused}")));
    Ok((bytes, refused))
}

/// The collector's own key set, kept in a file: signed anew under the next number where it says something else.
///
/// # Errors
/// A file that cannot be read or written, or that holds something else.
pub fn own_keyset(path: &Path, trust: &SecretKey, signer: &Signer) -> Result<Vec<u8>, String> {
    let told = |what: String| format!("{}: {what}", path.display());
    let kept = whole_file::read(path).map_err(|error| error.to_string())?;
    let mut revision = 1;
    if let Some(bytes) = kept {
        let set = open_keyset(&bytes).map_err(|error| told(format!("{error} ({})", error.code())))?.set;
        let says_so =
            set.project == signer.project && set.key_id == trust.id() && set.keys == [signer.entry()];
        if says_so {
            return Ok(bytes);
        }
        revision = set.revision.saturating_add(1);
    }
    let fresh = signer.keyset(trust, revision);
    whole_file::write(path, &fresh).map_err(|error| error.to_string())?;
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use attune_core::bundle::{KeySet, KeySetEntry, seal_keyset};

    fn key() -> SecretKey {
        SecretKey::of(&Secret::random().unwrap())
    }

    fn signer(project: &str) -> Signer {
        Signer { key: key(), project: project.to_owned(), environment: "e".to_owned() }
    }

    #[test]
    fn the_own_key_set_stays_until_it_has_to_say_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let (path, trust, signer) = (folder.path().join("keys"), key(), signer("shop"));
        let first = own_keyset(&path, &trust, &signer).unwrap();
        assert_eq!(own_keyset(&path, &trust, &signer).unwrap(), first);
        let other = Signer { key: key(), ..signer };
        let second = own_keyset(&path, &trust, &other).unwrap();
        let opened = open_keyset(&second).unwrap().set;
        assert_eq!((opened.revision, opened.keys[0].key_id), (2, other.key.id()));
        fs::write(&path, "damaged").unwrap();
        assert!(own_keyset(&path, &trust, &other).unwrap_err().contains("bundle_bad_magic"));
    }

    #[test]
    fn a_given_key_set_has_to_name_the_signing_key() {
        let folder = tempfile::tempdir().unwrap();
        let (path, trust, signer) = (folder.path().join("keys"), key(), signer("shop"));
        let read = |signer: &Signer, set: &KeySet<'_>| {
            fs::write(&path, trust.sign(seal_keyset(set))).unwrap();
            read_keyset(&path, signer, Timestamp(100))
        };
        let set =
            KeySet { project: "shop", revision: 1, expires: None, key_id: "t", keys: vec![signer.entry()] };
        assert_eq!(read(&signer, &set).unwrap().1, None);
        let late = KeySet { expires: Some(Timestamp(99)), ..set.clone() };
        assert!(read(&signer, &late).unwrap().1.unwrap().contains("has expired"));
        let ended = KeySetEntry { expires: Some(Timestamp(99)), ..signer.entry() };
        assert!(
            read(&signer, &KeySet { keys: vec![ended], ..set.clone() })
                .unwrap()
                .1
                .unwrap()
                .contains("signing key")
        );
        let other = key();
        let impostor = KeySetEntry { public_key: other.public(), ..signer.entry() };
        for (keys, expected) in [(vec![], "but no key"), (vec![impostor], "does not name the signing key")] {
            let error = read(&signer, &KeySet { keys, ..set.clone() }).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let foreign = KeySet { project: "news", ..set };
        assert!(read(&signer, &foreign).unwrap_err().contains("for the project 'news', not 'shop'"));
    }
}
