//! Tests of the log as a whole: append, recovery, reading from memory and from disk.

mod beside;
pub mod content;
mod cuts;
pub mod simulated;
mod sweep;
mod world;

use super::*;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// Lets everything in.
struct Open;

impl Gate for Open {
    fn begin(&mut self, _: Timestamp, _: Duration) {}

    fn admit(&mut self, _: &EventKey, record: &[u8], out: &mut Vec<u8>) -> Verdict {
        push_record(out, record);
        Verdict::New
    }

    fn commit(&mut self, _: u64) {}

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
    open_behind(folder, 0)
}

fn place_of(folder: &Path, absorbed: u64) -> Place {
    Place {
        folder: folder.to_owned(),
        segment_bytes: crate::limits::SEGMENT_MIB << 20,
        absorbed,
        reserve_bytes: 0,
        retention: Retention { days: 30, bytes: None },
    }
}

/// Opens a log that has been taken in up to a position.
fn open_behind(folder: &Path, absorbed: u64) -> Log {
    Log::open(place_of(folder, absorbed), Arc::default(), Arc::default(), |_| Ok(Open)).unwrap()
}

fn first_segment(folder: &Path) -> PathBuf {
    folder.join(format!("{:020}.log", 0))
}

fn append(log: &Log, texts: &[&str]) -> Appended {
    let mut batch = Batch::default();
    texts.iter().for_each(|text| batch.push(None, |out| out.extend_from_slice(text.as_bytes())));
    log.append_blocking(batch).unwrap()
}

fn read(log: &Log, from: u64) -> Vec<String> {
    read_all(&mut log.reader(from)).0
}

/// What a reader finds, and what it passes over.
fn read_all(reader: &mut LogReader) -> (Vec<String>, Vec<(u64, u64)>) {
    let mut texts = Vec::new();
    while let Some(chunk) = reader.read_on().unwrap() {
        for frame in chunk.frames() {
            texts.extend(frame.records().map(|record| String::from_utf8(record.to_vec()).unwrap()));
        }
    }
    let damaged = reader.take_damaged().into_iter().map(|range| (range.start, range.end));
    (texts, damaged.collect())
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
    let segment = first_segment(&folder.0);
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
fn damage_in_the_middle_costs_what_is_damaged_alone() {
    let folder = Folder::new("middle");
    let log = open(&folder.0);
    let first = append(&log, &["first"]).end;
    let second = append(&log, &["second"]).end;
    let end = append(&log, &["third"]).end;
    log.close();
    let file = OpenOptions::new().write(true).open(first_segment(&folder.0)).unwrap();
    file.write_all_at(&[0], segment::PREFIX_BYTES + second - 1).unwrap();
    let log = open(&folder.0);
    assert_eq!(log.end(), end);
    append(&log, &["fourth"]);
    let (texts, damaged) = read_all(&mut log.reader(0));
    assert_eq!(texts, ["first", "third", "fourth"]);
    assert_eq!(damaged, [(first, second)]);
    log.close();
}

#[test]
fn every_bit_and_every_truncation_costs_the_record_that_it_hits_alone() {
    const RECORDS: usize = 200;
    let folder = Folder::new("bits");
    let log = open(&folder.0);
    let texts: Vec<_> = (0..RECORDS).map(|number| format!("record {number}")).collect();
    let ends: Vec<_> = texts.iter().map(|text| append(&log, &[text]).end).collect();
    log.close();
    let path = first_segment(&folder.0);
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let end = ends[RECORDS - 1];
    file.set_len(segment::PREFIX_BYTES + end).unwrap();
    let whole = fs::read(&path).unwrap();
    let begins = |record: usize| record.checked_sub(1).map_or(0, |before| ends[before]);
    let read = || read_all(&mut read_folder(&folder.0).unwrap());
    let flip = |at: usize, bit: u32| file.write_all_at(&[whole[at] ^ (1 << bit)], at as u64).unwrap();
    let is_used =
        |at: &usize| whole[*at] != 0 || *at as u64 >= segment::PREFIX_BYTES || at.is_multiple_of(64);
    for at in (0..whole.len()).filter(is_used) {
        let Some(position) = (at as u64).checked_sub(segment::PREFIX_BYTES) else {
            // There are two heads.
            for bit in 0..8 {
                flip(at, bit);
                assert_eq!(read_folder(&folder.0).unwrap().behind(), end, "bit {bit} of byte {at}");
            }
            file.write_all_at(&whole[at..=at], at as u64).unwrap();
            continue;
        };
        let hit = ends.partition_point(|end| *end <= position);
        let lost = (begins(hit), ends[hit]);
        let others = |from: usize, to: usize| -> Vec<_> {
            (from..to).filter(|record| *record != hit).map(|record| texts[record].clone()).collect()
        };
        // All bits with the neighbours, and one with everything.
        let (from, to) = (hit.saturating_sub(1), (hit + 2).min(RECORDS));
        for bit in 0..8 {
            flip(at, bit);
            let tail = Arc::new(Tail::new(begins(to)));
            let near = read_all(&mut LogReader::new(disk::folder(&folder.0), tail, begins(from)));
            assert_eq!(near, (others(from, to), vec![lost]), "bit {bit} of byte {at}");
        }
        // Behind the last record nothing says that there was one.
        let told = if hit + 1 < RECORDS { vec![lost] } else { Vec::new() };
        assert_eq!(read(), (others(0, RECORDS), told), "byte {at}");
        file.write_all_at(&whole[at..=at], at as u64).unwrap();
    }
    for length in (segment::PREFIX_BYTES as usize..whole.len()).rev() {
        file.set_len(length as u64).unwrap();
        let left = ends.partition_point(|end| *end <= length as u64 - segment::PREFIX_BYTES);
        assert_eq!(read(), (texts[..left].to_vec(), vec![]), "cut at {length}");
    }
}

#[test]
fn a_segment_without_a_head_is_passed_over_and_never_written_to() {
    let folder = Folder::new("head");
    let log = open(&folder.0);
    let end = append(&log, &["lost"]).end;
    log.close();
    let file = OpenOptions::new().write(true).open(first_segment(&folder.0)).unwrap();
    file.write_all_at(&[0; segment::PREFIX_BYTES as usize], 0).unwrap();
    for round in 1..=2 {
        let log = open(&folder.0);
        append(&log, &["next"]);
        let (texts, damaged) = read_all(&mut log.reader(0));
        assert_eq!(texts, vec!["next"; round]);
        assert!(damaged.len() == 1 && damaged[0].0 == 0 && damaged[0].1 >= end, "{damaged:?}");
        log.close();
    }
}

#[test]
fn positions_that_have_been_taken_in_are_never_given_out_again() {
    let folder = Folder::new("absorbed");
    let log = open(&folder.0);
    let kept = append(&log, &["kept"]).end;
    let end = append(&log, &["lost"]).end;
    log.close();
    let file = OpenOptions::new().write(true).open(first_segment(&folder.0)).unwrap();
    file.set_len(segment::PREFIX_BYTES + kept).unwrap();
    let log = open_behind(&folder.0, end);
    assert_eq!(log.end(), end);
    append(&log, &["next"]);
    assert_eq!(read_all(&mut log.reader(0)), (vec!["kept".to_owned(), "next".to_owned()], vec![(kept, end)]));
    log.close();
}

#[test]
fn a_segment_that_takes_no_more_is_followed_by_one_that_does() {
    let folder = Folder::new("sealed");
    fs::create_dir_all(&folder.0).unwrap();
    let disk = disk::folder(&folder.0);
    let (spare, _maker) = Spare::open(&disk, 1 << 20, 0, Arc::default()).unwrap();
    let mut appender = writer::Appender::open(&disk, 1 << 20, 0, Arc::new(spare)).unwrap();
    let mut texts = Vec::new();
    let mut put = |appender: &mut writer::Appender, text: &str| {
        let mut record = Vec::new();
        push_record(&mut record, text.as_bytes());
        let group = appender.form().write(&record, appender.position(), crate::clock::now());
        let done = appender.append(&group);
        done.inspect(|_| texts.push(text.to_owned())).inspect_err(|_| {
            // What a write that has failed may leave.
            let bases = segment::bases(&disk::folder(&folder.0)).unwrap();
            let newest = segment::Segment::open_to_write(&disk, bases[bases.len() - 1]).unwrap();
            newest.write(&group, appender.position()).unwrap();
        })
    };
    put(&mut appender, "first").unwrap();
    appender.break_segment();
    put(&mut appender, "second").unwrap();
    assert_eq!(segment::bases(&disk::folder(&folder.0)).unwrap().len(), 2);
    // Nor can another one be made.
    appender.break_segment();
    fs::create_dir(folder.0.join("segment.new")).unwrap();
    assert!(put(&mut appender, "refused").is_err());
    assert!(put(&mut appender, "refused as well").is_err());
    fs::remove_dir(folder.0.join("segment.new")).unwrap();
    put(&mut appender, "third").unwrap();
    put(&mut appender, "fourth").unwrap();
    assert_eq!(read(&open(&folder.0), 0), texts);
    assert_eq!(texts, ["first", "second", "third", "fourth"]);
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
    assert_eq!(segment::bases(&disk::folder(&folder.0)).unwrap().len(), 2);
    assert_eq!(read(&log, end).len(), 10);
    assert!(!folder.0.join("segment.new").exists());
    log.close();
}

#[test]
fn a_full_disk_leaves_no_segment_that_cannot_be_opened() {
    let folder = Folder::new("full");
    fs::create_dir_all(&folder.0).unwrap();
    // More than any file system gives a file.
    assert!(segment::Segment::create(&disk::folder(&folder.0), 0, 7, u64::MAX / 2, |_| false).is_err());
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    let log = open(&folder.0);
    append(&log, &["first"]);
    log.close();
}

/// A log of segments of a MiB, of which no byte need be kept.
fn open_small(folder: &Path) -> Log {
    let retention = Retention { days: 30, bytes: Some(0) };
    let place = Place { segment_bytes: 1 << 20, retention, ..place_of(folder, 0) };
    Log::open(place, Arc::default(), Arc::default(), |_| Ok(Open)).unwrap()
}

/// Lets a log begin another segment; returns where that begins.
fn roll(log: &Log, folder: &Path) -> u64 {
    let before = segment::bases(&disk::folder(folder)).unwrap();
    while segment::bases(&disk::folder(folder)).unwrap().len() == before.len() {
        append(log, &[&"planted ".repeat(1 << 14)]);
    }
    *segment::bases(&disk::folder(folder)).unwrap().last().unwrap()
}

fn wait_for(path: &Path) {
    for _ in 0..6_000 {
        if path.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("{} has not come", path.display());
}

#[test]
fn segments_roll_and_old_ones_are_given_back() {
    let folder = Folder::new("roll");
    let log = open_small(&folder.0);
    let (second, third) = (roll(&log, &folder.0), roll(&log, &folder.0));
    let count = read(&log, second).len();
    assert!(count > 1);
    log.release(second - 1).unwrap();
    assert_eq!(segment::bases(&disk::folder(&folder.0)).unwrap().len(), 3, "the first is still needed");
    log.release(second).unwrap();
    assert_eq!(segment::bases(&disk::folder(&folder.0)).unwrap(), [second, third]);
    assert_eq!(read(&log, second).len(), count, "nothing else has changed");
    log.release(log.end()).unwrap();
    assert_eq!(segment::bases(&disk::folder(&folder.0)).unwrap(), [third], "the newest always stays");
    log.close();
}

#[test]
fn segments_are_kept_for_their_days_and_within_their_bytes() {
    let folder = Folder::new("days");
    let log = open_small(&folder.0);
    let began = clock::now();
    let (second, third) = (roll(&log, &folder.0), roll(&log, &folder.0));
    let all = Keep { since: began, bytes: None };
    let outlived = |keep| segment::outlived(&disk::folder(&folder.0), log.end(), keep).unwrap();
    assert_eq!(outlived(all), [0; 0]);
    assert_eq!(outlived(Keep { since: clock::now().plus(1), ..all }), [0, second]);
    assert_eq!(outlived(Keep { bytes: Some(third - second), ..all }), [0]);
    assert_eq!(outlived(Keep { bytes: Some(third - second + 1), ..all }), [0; 0]);
    log.close();
}

#[test]
fn what_is_given_back_becomes_the_next_segment_and_nothing_of_it_is_left() {
    let folder = Folder::new("recycled");
    let log = open_small(&folder.0);
    let spare = folder.0.join(spare::SPARE);
    let (second, inode) = (roll(&log, &folder.0), |path: &Path| fs::metadata(path).unwrap().ino());
    // The one that was made meanwhile.
    wait_for(&spare);
    let made = inode(&spare);
    let third = roll(&log, &folder.0);
    assert_eq!(inode(&folder.0.join(segment::name_of(third))), made);
    wait_for(&spare);
    let given_back = inode(&folder.0.join(segment::name_of(0)));
    log.release(second).unwrap();
    assert!(!folder.0.join(segment::name_of(0)).exists(), "there is a spare already, so it is removed");
    fs::remove_file(&spare).unwrap();
    log.close();

    // Where there is none it is used again.
    let log = open_small(&folder.0);
    let given = inode(&folder.0.join(segment::name_of(second)));
    assert_ne!(given, given_back);
    log.release(third).unwrap();
    wait_for(&spare);
    assert_eq!(inode(&spare), given);
    let bytes = fs::read(&spare).unwrap();
    assert!(bytes.len() == 1 << 20 && bytes.iter().all(|byte| *byte == 0));
    let before = read(&log, third);
    let fourth = roll(&log, &folder.0);
    assert_eq!(inode(&folder.0.join(segment::name_of(fourth))), given);
    log.close();
    assert!(read(&open_small(&folder.0), third).len() > before.len());
}

#[test]
fn a_spare_that_was_not_finished_is_finished_with_nothing_of_the_old_left() {
    let folder = Folder::new("unfinished-spare");
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.0.join(spare::UNFINISHED_SPARE), "planted ".repeat(1 << 18)).unwrap();
    // Of another capacity.
    fs::write(folder.0.join(spare::SPARE), "planted").unwrap();
    let log = open_small(&folder.0);
    let spare = folder.0.join(spare::SPARE);
    while fs::read(&spare).is_ok_and(|bytes| bytes == b"planted") {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(fs::read(&spare).unwrap(), vec![0; 1 << 20]);
    roll(&log, &folder.0);
    log.close();
}

#[test]
fn what_is_given_back_where_room_is_short_does_not_stay() {
    let folder = Folder::new("no-room");
    let retention = Retention { days: 30, bytes: Some(0) };
    let place =
        Place { segment_bytes: 1 << 20, retention, reserve_bytes: u64::MAX / 2, ..place_of(&folder.0, 0) };
    let log = Log::open(place, Arc::default(), Arc::default(), |_| Ok(Open)).unwrap();
    let second = roll(&log, &folder.0);
    log.release(second).unwrap();
    let files = || fs::read_dir(&folder.0).unwrap().count();
    for _ in 0..6_000 {
        if files() == 1 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!((files(), segment::bases(&disk::folder(&folder.0)).unwrap()), (1, vec![second]));
    log.close();
}

#[test]
fn a_disk_with_less_room_than_is_to_be_left_counts_as_full() {
    let folder = Folder::new("reserve");
    let open = |reserve_bytes| {
        let place = Place { reserve_bytes, ..place_of(&folder.0, 0) };
        Log::open(place, Arc::default(), Arc::default(), |_| Ok(Open)).unwrap()
    };
    for (reserve_bytes, is_full) in [(u64::MAX / 2, true), (0, false)] {
        let log = open(reserve_bytes);
        assert_eq!(log.is_full(), is_full);
        // What the collector itself has to say still gets in.
        append(&log, &["said"]);
        log.close();
    }
}
