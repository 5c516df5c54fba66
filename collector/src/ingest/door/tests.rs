//! That ids are known exactly, whatever becomes of the files, and for how long.

use super::rig::{Rig, SMALL, copy_files, flip, send};
use super::*;
use attune_core::id::uuid_v7;
use proptest::prelude::*;
use std::collections::HashSet;
use std::fs::{self, OpenOptions};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const TEN_YEARS_MS: i64 = 3_652 * DAY_MS as i64;

/// What happens to a door.
#[derive(Clone, Debug)]
enum Step {
    /// So many ids are sent, from one on, a part of them made by pages now.
    Send(u128, u128),
    /// The collector is ended in order and started again.
    Restart,
    /// What the disk has now is what it will have again after the next loss.
    Keep,
    /// The collector is killed, and the disk has what it had then, or nothing.
    Lose,
    /// A file is cut, at a share of its length, while nobody has it open.
    Cut(usize, f64),
    /// A byte of a file is changed, while nobody has it open.
    Flip(usize, f64),
    /// The same while the door is in use.
    FlipInUse(usize, f64),
    /// A file is gone.
    Remove(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..1_500_u128, 1..400_u128).prop_map(|(from, count)| Step::Send(from, count)),
        1 => Just(Step::Restart),
        1 => Just(Step::Keep),
        1 => Just(Step::Lose),
        1 => (any::<usize>(), 0.0..1.0).prop_map(|(file, share)| Step::Cut(file, share)),
        1 => (any::<usize>(), 0.0..1.0).prop_map(|(file, share)| Step::Flip(file, share)),
        2 => (any::<usize>(), 0.0..1.0).prop_map(|(file, share)| Step::FlipInUse(file, share)),
        1 => any::<usize>().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 1..25)
}

/// Half of the ids say when they were made, in hours of their own.
fn id_of(number: u128) -> u128 {
    if number.is_multiple_of(2) {
        return number << 7;
    }
    let hour = 489_000 + (number / 200) as i64;
    let mut random = [0; 10];
    random[8..].copy_from_slice(&(number as u16).to_be_bytes());
    uuid_v7(Timestamp(hour * HOUR_MS as i64), &random).as_u128()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn an_id_is_new_exactly_once_whatever_becomes_of_the_files(steps in steps()) {
        let rig = Rig::new();
        let kept = tempfile::tempdir().unwrap();
        let mut known = HashSet::new();
        let mut log = rig.open();
        for step in steps {
            let in_use = match step {
                Step::Send(from, count) => {
                    let ids: Vec<u128> = (from..from + count).map(id_of).collect();
                    let expected: Vec<bool> = ids.iter().map(|id| known.insert(*id)).collect();
                    prop_assert_eq!(send(&log, ids), expected);
                    continue;
                }
                Step::Keep => {
                    copy_files(&rig.files(), kept.path());
                    continue;
                }
                Step::FlipInUse(file, share) => {
                    let files = rig.list();
                    flip(&files[file % files.len()], share);
                    continue;
                }
                other => other,
            };
            log.close();
            let files = rig.list();
            match in_use {
                Step::Lose => copy_files(kept.path(), &rig.files()),
                Step::Cut(file, share) => {
                    let file = OpenOptions::new().write(true).open(&files[file % files.len()]).unwrap();
                    let length = file.metadata().unwrap().len();
                    file.set_len((length as f64 * share) as u64).unwrap();
                }
                Step::Flip(file, share) => flip(&files[file % files.len()], share),
                Step::Remove(file) => fs::remove_file(&files[file % files.len()]).unwrap(),
                _ => {}
            }
            log = rig.open();
        }
        let ids: Vec<u128> = (0..2_000).map(id_of).collect();
        let expected: Vec<bool> = ids.iter().map(|id| known.insert(*id)).collect();
        prop_assert_eq!(send(&log, ids), expected);
        log.close();
    }
}

/// What a door says that has been asked for one event at a time.
fn is_new(door: &mut Door, id: u128, end: u64) -> bool {
    let key = EventKey { event_id: id, lane: None, payload: 0, origin: Origin::Sender };
    let verdict = door.admit(&key, b"record", &mut Vec::new());
    door.commit(end);
    verdict == Verdict::New
}

#[test]
fn an_id_is_known_for_the_whole_window_and_a_generation_later_no_more() {
    let rig = Rig::with(Window::of(8, 1));
    let mut door = rig.lone_door();
    let hour = |hour: u64| Duration::from_millis(hour * HOUR_MS);
    let at = |hour: u64| Timestamp(1_764_000_000_000).plus((hour * HOUR_MS) as i64);
    // Another event every hour, so that generations follow each other.
    for now in 0..=8 * 24 + 13 {
        door.begin(at(now), hour(now));
        assert!(is_new(&mut door, u128::from(now), 2 * now), "{now}");
        for past in [0, 5] {
            let past = past.min(now);
            let age = now - past;
            if age <= 8 * 24 {
                assert!(!is_new(&mut door, u128::from(past), 2 * now + 1), "after {age} hours");
            }
        }
    }
    assert!(is_new(&mut door, 0, 1_000), "8 days and 13 hours later");
    door.known.settle();
    assert!((16..=18).contains(&rig.metrics.door_generations.get()));
    assert!(rig.list().len() <= 2 * 18);
}

#[test]
fn a_wall_clock_that_jumps_by_years_neither_loses_nor_doubles() {
    let rig = Rig::with(Window { generation_ids: 300, ..Window::of(8, 1) });
    let mut log = rig.open();
    let mut expected = HashSet::new();
    for (round, wall_ms) in [0, TEN_YEARS_MS, 5, -2 * TEN_YEARS_MS, 5, TEN_YEARS_MS].into_iter().enumerate() {
        rig.pass(HOUR_MS, wall_ms);
        let ids = (0..2 * round as u128 * 100).map(id_of);
        let is_new: Vec<bool> = ids.clone().map(|id| expected.insert(id)).collect();
        assert_eq!(send(&log, ids), is_new, "round {round}");
        // With what the files have, and with what the log has.
        log.close();
        if round % 2 == 1 {
            fs::remove_dir_all(rig.files()).unwrap();
        }
        rig.begin_process();
        log = rig.open();
    }
    assert!(send(&log, (0..1_000).map(id_of)).iter().all(|is_new| !is_new));
    log.close();
}

#[test]
fn frames_count_for_the_time_between_them_but_never_for_years() {
    let rig = Rig::new();
    let mut door = rig.lone_door();
    let start = Timestamp(1_764_000_000_000);
    door.known.begin_again(Some(start));
    let before = door.known.now.ran_ms;
    for (wall_ms, passed) in
        [(60_000, 60_000), (TEN_YEARS_MS, HOUR_MS), (-2 * TEN_YEARS_MS, 0), (90_000, 90_000)]
    {
        let (at, before) = (door.known.now.at.plus(wall_ms), door.known.now.ran_ms);
        door.known.begin_again(Some(at));
        assert_eq!(door.known.now.ran_ms - before, passed);
    }
    door.known.begin_again(None);
    assert_eq!(door.known.now.ran_ms - before, HOUR_MS + 150_000);
}

#[test]
fn an_orderly_end_leaves_nothing_to_be_read_from_the_log_and_a_kill_only_the_last_part() {
    let rig = Rig::new();
    let log = rig.open();
    send(&log, 0..1_000);
    let kept = tempfile::tempdir().unwrap();
    let reader = log.reader(0);
    log.close();
    let covered = || {
        let known = Known::open(rig.files(), SMALL, reader.at(0), rig.metrics.clone()).unwrap();
        (known.covered(), known.generations.iter().map(|generation| generation.len()).sum::<usize>())
    };
    assert_eq!(covered(), (reader.end(), 1_000));
    copy_files(&rig.files(), kept.path());
    let log = rig.open();
    send(&log, 1_000..1_100);
    log.close();
    copy_files(kept.path(), &rig.files());
    assert_eq!(covered(), (reader.end(), 1_000), "the reader ends where it was made");
    let log = rig.open();
    assert!(send(&log, 0..1_100).iter().all(|is_new| !is_new));
    log.close();
}

#[test]
fn what_the_log_and_the_files_have_lost_is_new_again() {
    let rig = Rig::new();
    let log = rig.open();
    send(&log, 0..500);
    log.close();
    for folder in [rig.files(), rig.log_folder()] {
        fs::remove_dir_all(folder).unwrap();
    }
    let log = rig.open();
    assert!(send(&log, 0..500).iter().all(|is_new| *is_new));
    log.close();
    // Files of a log that is no more are of no use.
    fs::remove_dir_all(rig.log_folder()).unwrap();
    let log = rig.open();
    assert!(send(&log, 0..500).iter().all(|is_new| *is_new));
    log.close();
}

#[test]
fn old_ids_take_little_more_than_a_byte() {
    let rig = Rig::with(Window { generation_ids: 100_000, ..SMALL });
    let mut door = rig.lone_door();
    for batch in 0..3_u128 {
        for id in batch * 100_000..(batch + 1) * 100_000 {
            let key = EventKey { event_id: id, lane: None, payload: 0, origin: Origin::Sender };
            assert_eq!(door.admit(&key, b"record", &mut Vec::new()), Verdict::New);
        }
        door.commit(batch as u64 + 1);
    }
    door.known.settle();
    let (ids, bytes) = (rig.metrics.door_filed_ids.get(), rig.metrics.door_filed_bytes.get());
    assert_eq!((ids, rig.metrics.door_generations.get()), (300_000, 4));
    assert!(bytes * 2 <= ids * 3, "{bytes} bytes for {ids} ids");
}

#[test]
fn a_disk_that_takes_nothing_costs_no_knowledge() {
    let rig = Rig::new();
    let mut door = rig.lone_door();
    fs::remove_dir_all(rig.files()).unwrap();
    // The newest file is open and goes on; nothing can be made beside it.
    for id in 0..1_000 {
        assert!(is_new(&mut door, id, id as u64 + 1));
    }
    assert!((0..1_000).all(|id| !is_new(&mut door, id, 1_001)));
    fs::create_dir_all(rig.files()).unwrap();
    assert!(is_new(&mut door, 1_000, 1_002));
    door.known.settle();
    assert!((0..1_001).all(|id| !is_new(&mut door, id, 1_003)));
    assert!(rig.metrics.door_generations.get() > 1);
}
