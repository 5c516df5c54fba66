//! Tests of the log as a whole: append, recovery, reading from memory and from disk.

use super::*;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Lets everything in.
struct Open;

impl Gate for Open {
    fn admit(&mut self, _: &EventKey, record: &[u8], out: &mut Vec<u8>) -> Verdict {
        push_record(out, record);
        Verdict::New
    }

    fn commit(&mut self) {}

    fn rollback(&mut self) {}
}

/// A folder that is removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("attune-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(folder: &Path) -> Log {
    Log::open(folder.to_owned(), Arc::default(), Arc::default(), |_| Ok(Open)).unwrap()
}

fn append(log: &Log, texts: &[&str]) -> Appended {
    let mut batch = Batch::default();
    texts.iter().for_each(|text| batch.push(None, |out| out.extend_from_slice(text.as_bytes())));
    log.append_blocking(batch).unwrap()
}

fn read(log: &Log, from: u64) -> Vec<String> {
    let mut reader = log.reader(from);
    let mut texts = Vec::new();
    while let Some(chunk) = reader.read_on().unwrap() {
        for (payload, _) in chunk.frames() {
            texts.extend(records(payload).map(|record| String::from_utf8(record.to_vec()).unwrap()));
        }
    }
    texts
}

#[test]
fn what_was_appended_is_read_in_order_from_memory_and_after_reopening_from_disk() {
    let folder = Folder::new("order");
    let log = open(&folder.0);
    append(&log, &["a", "b"]);
    let middle = append(&log, &["c"]).end;
    append(&log, &["d", "e"]);
    for log in [log, open(&folder.0)] {
        assert_eq!(read(&log, 0), ["a", "b", "c", "d", "e"]);
        assert_eq!(read(&log, middle), ["d", "e"]);
        assert_eq!(read(&log, log.end()), [""; 0]);
        log.close();
    }
}

#[test]
fn a_closed_log_refuses() {
    let folder = Folder::new("closed");
    let log = open(&folder.0);
    log.close();
    let mut batch = Batch::default();
    batch.push(None, |out| out.push(b'a'));
    assert_eq!(log.append_blocking(batch), Err(LogError::Closed));
}

#[test]
fn a_torn_tail_is_cut_wherever_it_is_torn() {
    let folder = Folder::new("torn");
    let log = open(&folder.0);
    let kept = append(&log, &["kept"]).end;
    let end = append(&log, &["torn", "off"]).end;
    log.close();
    let segment = folder.0.join(format!("{:020}.log", 0));
    let whole = fs::read(&segment).unwrap();
    for torn_at in kept..end {
        let file = OpenOptions::new().write(true).open(&segment).unwrap();
        file.write_all_at(&whole, 0).unwrap();
        file.write_all_at(&vec![0; (end - torn_at) as usize], segment::PREFIX_BYTES + torn_at).unwrap();
        let log = open(&folder.0);
        assert_eq!((log.end(), read(&log, 0)), (kept, vec!["kept".to_owned()]), "torn at {torn_at}");
        append(&log, &["next"]);
        assert_eq!(read(&log, 0), ["kept", "next"]);
        log.close();
    }
}

#[test]
fn bytes_behind_a_torn_frame_never_come_back() {
    let folder = Folder::new("behind");
    let log = open(&folder.0);
    let first = append(&log, &["first"]).end;
    append(&log, &["second"]);
    append(&log, &["third!"]);
    log.close();
    let segment = folder.0.join(format!("{:020}.log", 0));
    let file = OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(&[0xff], segment::PREFIX_BYTES + first + 9).unwrap();
    let log = open(&folder.0);
    // As long as the damaged record, so that the third would line up behind it.
    append(&log, &["SECOND"]);
    assert_eq!(read(&log, 0), ["first", "SECOND"]);
    log.close();
}

#[test]
fn what_is_as_large_as_a_bundle_may_be_is_read_again_with_what_stands_behind_it() {
    let folder = Folder::new("large");
    let log = open(&folder.0);
    let large = "x".repeat(attune_core::limits::MAX_BUNDLE_BYTES);
    append(&log, &["before"]);
    append(&log, &[&large]);
    append(&log, &["behind"]);
    for log in [log, open(&folder.0)] {
        let lengths: Vec<_> = read(&log, 0).iter().map(String::len).collect();
        assert_eq!(lengths, [6, large.len(), 6]);
        log.close();
    }
}

#[test]
fn what_nobody_could_read_is_refused_and_its_neighbours_stay() {
    let folder = Folder::new("too-large");
    let log = open(&folder.0);
    append(&log, &["before"]);
    let mut batch = Batch::default();
    batch.push(None, |out| out.resize(crate::limits::MAX_FRAME_BYTES, 7));
    assert_eq!(log.append_blocking(batch), Err(LogError::TooLarge));
    append(&log, &["behind"]);
    log.close();
    assert_eq!(read(&open(&folder.0), 0), ["before", "behind"]);
}

#[test]
fn a_segment_that_was_not_finished_is_begun_anew() {
    let folder = Folder::new("unfinished");
    let log = open(&folder.0);
    let end = append(&log, &["kept"]).end;
    log.close();
    // What is left of one whose maker died before it was whole.
    fs::write(folder.0.join("segment.new"), [0; 3]).unwrap();
    let log = open(&folder.0);
    let large = "x".repeat(7 * 1024 * 1024);
    for _ in 0..10 {
        append(&log, &[&large]);
    }
    assert_eq!(segment::bases(&folder.0).unwrap().len(), 2);
    assert_eq!(read(&log, end).len(), 10);
    assert!(!folder.0.join("segment.new").exists());
    log.close();
}

#[test]
fn a_full_disk_leaves_no_segment_that_cannot_be_opened() {
    let folder = Folder::new("full");
    fs::create_dir_all(&folder.0).unwrap();
    // More than any file system gives a file.
    assert!(segment::Segment::create(&folder.0, 0, u64::MAX / 2).is_err());
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    let log = open(&folder.0);
    append(&log, &["first"]);
    log.close();
}

#[test]
fn segments_roll_and_old_ones_are_given_back() {
    let folder = Folder::new("roll");
    let log = open(&folder.0);
    let large = "x".repeat(7 * 1024 * 1024);
    for _ in 0..20 {
        append(&log, &[&large]);
    }
    assert_eq!(segment::bases(&folder.0).unwrap().len(), 3);
    let second = segment::bases(&folder.0).unwrap()[1];
    let end = log.end();
    assert_eq!(read(&log, second).len(), 11);
    segment::remove_old(&folder.0, second - 1, 0).unwrap();
    assert_eq!(segment::bases(&folder.0).unwrap().len(), 3, "the first is still needed");
    segment::remove_old(&folder.0, end, 0).unwrap();
    assert_eq!(segment::bases(&folder.0).unwrap().len(), 1, "the newest always stays");
    log.close();
}
