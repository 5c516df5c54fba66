//! For tests: a log with the door before it, a clock that the test sets, and a disk that it damages.

use super::*;
use crate::limits::SEGMENT_MIB;
use crate::log::{Batch, Log, Place, Retention};
use crate::secret::Secret;
use attune_core::id::{EventId, MemberId, Uuid};
use attune_core::wire::Event;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use tempfile::TempDir;

/// What clocks say: the wall clock, and for how long the process runs.
pub type Clocks = (Timestamp, Duration);

/// So few ids that a test has many generations, and more than a block each.
pub const SMALL: Window = Window { window_ms: u64::MAX, generation_ms: u64::MAX, generation_ids: 300 };

/// The folders, and the clocks.
pub struct Rig {
    folder: TempDir,
    pub clocks: Arc<Mutex<Clocks>>,
    pub window: Window,
    pub metrics: Arc<Metrics>,
}

/// The door with the clocks of the test.
struct Timed {
    door: Door,
    clocks: Arc<Mutex<Clocks>>,
}

impl Gate for Timed {
    fn begin(&mut self, _: Timestamp, _: Duration) {
        let (at, uptime) = *self.clocks.lock().unwrap();
        self.door.begin(at, uptime);
    }

    fn admit(&mut self, key: &EventKey, record: &[u8], out: &mut Vec<u8>) -> Verdict {
        self.door.admit(key, record, out)
    }

    fn commit(&mut self, end: u64) {
        self.door.commit(end);
        // What is on the disk is looked up there, as it would be a moment later.
        self.door.known.settle();
    }

    fn rollback(&mut self) {
        self.door.rollback();
    }
}

impl Rig {
    pub fn new() -> Self {
        Self::with(SMALL)
    }

    pub fn with(window: Window) -> Self {
        let clocks = Arc::new(Mutex::new((Timestamp(1_764_000_000_000), Duration::ZERO)));
        Self { folder: tempfile::tempdir().unwrap(), clocks, window, metrics: Arc::default() }
    }

    pub fn files(&self) -> PathBuf {
        self.folder.path().join("door")
    }

    pub fn log_folder(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    pub fn open_door(&self, reader: LogReader) -> io::Result<Door> {
        let parts = DoorParts {
            folder: self.files(),
            window: self.window,
            absorbed: u64::MAX,
            tombstones: &Tombstones::new(Secret::of([7; 32])),
            metrics: self.metrics.clone(),
        };
        Door::open(reader, parts)
    }

    /// The log, which asks the door.
    pub fn open(&self) -> Log {
        let place = Place {
            folder: self.log_folder(),
            segment_bytes: SEGMENT_MIB << 20,
            absorbed: 0,
            reserve_bytes: 0,
            retention: Retention { days: 30, bytes: None },
        };
        let clocks = self.clocks.clone();
        let door = |reader: LogReader| Ok(Timed { door: self.open_door(reader)?, clocks });
        Log::open(place, Arc::default(), self.metrics.clone(), door).unwrap()
    }

    /// A door that no log asks.
    pub fn lone_door(&self) -> Door {
        let log = self.open();
        let reader = log.reader(0);
        log.close();
        self.open_door(reader).unwrap()
    }

    /// Lets time pass, for the wall clock as much as is said.
    pub fn pass(&self, ms: u64, wall_ms: i64) {
        let mut clocks = self.clocks.lock().unwrap();
        *clocks = (clocks.0.plus(wall_ms), clocks.1 + Duration::from_millis(ms));
    }

    /// Says that a process has just begun.
    pub fn begin_process(&self) {
        self.clocks.lock().unwrap().1 = Duration::ZERO;
    }

    /// The files of the door, in order.
    pub fn list(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.files()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

/// Sends events; says which were new, by their places.
pub fn send(log: &Log, ids: impl IntoIterator<Item = u128>) -> Vec<bool> {
    let mut batch = Batch::default();
    let mut count = 0;
    for id in ids {
        let event = Event {
            event_id: EventId(Uuid::from_u128(id)),
            event_type: "click".into(),
            timestamp: Timestamp(7),
            member: MemberId("m".into()),
            lane: None,
            session: None,
            user_id: None,
            metadata: None,
        };
        let key = key_of(&event, Origin::Sender);
        let record = Record::Event { event, received_at: Timestamp(8), proven: true, facts: None };
        batch.push(Some(key), |out| encode_record(&record, out));
        count += 1;
    }
    let mut is_new = vec![true; count];
    for (place, verdict) in log.append_blocking(batch).unwrap().not_new {
        assert_eq!(verdict, Verdict::Duplicate);
        is_new[place] = false;
    }
    is_new
}

/// Changes one byte of a file, at a share of its length.
pub fn flip(path: &Path, share: f64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    if length > 0 {
        let at = ((length as f64 * share) as u64).min(length - 1);
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 16], at).unwrap();
    }
}

/// Copies the files of a folder into another, and removes all others there.
pub fn copy_files(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
