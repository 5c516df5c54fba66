//! Every bound and default of the collector in one place, with its unit and its reason.

use attune_core::limits::{MAX_BUNDLE_BYTES, MAX_EVENT_BYTES};
use std::num::NonZeroU32;
use std::time::Duration;

/// Capacity of one log segment unless set, in MiB: large enough that rolling is rare, small enough to give space back.
pub const SEGMENT_MIB: u64 = 64;
/// Largest capacity of one log segment that can be set, in MiB.
pub const MAX_SEGMENT_MIB: u64 = 1_024;
/// Largest payload of one log frame, in bytes: the bundle in effect and the one that is tried, with room for what is said of them.
pub const MAX_FRAME_BYTES: usize = 2 * MAX_BUNDLE_BYTES + 1024 * 1024;
/// Bytes written and synced together at most: bounds the latency of one group commit.
pub const MAX_GROUP_BYTES: usize = 8 * 1024 * 1024;
/// Batches waiting for the log writer at most; beyond it the collector answers 503.
pub const LOG_QUEUE_BATCHES: usize = 1_024;
/// Bytes waiting for the log writer at most; beyond it the collector answers 503.
pub const LOG_QUEUE_BYTES: usize = 64 * 1024 * 1024;
/// Newest log bytes kept in memory for the worker; an older position is read from disk.
pub const LOG_TAIL_BYTES: usize = 64 * 1024 * 1024;
/// Bytes the worker reads from disk at a time while it catches up.
pub const LOG_READ_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a spare segment that are written between two syncs: what a sync of the log may find in its way.
pub const SPARE_WRITE_BYTES: usize = 1024 * 1024;
/// Days for which the log is kept unless set; older segments that the worker has absorbed are used again.
pub const LOG_KEEP_DAYS: u32 = 30;
/// Most days for which the log can be kept: a century, which is for ever.
pub const MAX_LOG_KEEP_DAYS: u32 = 36_500;
/// Largest size that the log can be kept within, in MiB.
pub const MAX_LOG_KEEP_MIB: u64 = 1_000_000_000;
/// Free room on the disk of the data folder below which senders get 503 unless set, in MiB: what has been acknowledged still
/// has to get into the state.
pub const DISK_RESERVE_MIB: u64 = 256;
/// Largest such room that can be set, in MiB.
pub const MAX_DISK_RESERVE_MIB: u64 = 1_000_000;
/// Free files, where the file system counts them, below which senders get 503.
pub const MIN_FREE_FILES: u64 = 64;
/// Time between two looks at the room on the disk.
pub const DISK_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Days for which the door knows an event id again unless set: pages keep events for 7 days, and clocks and silence cost some hours.
pub const DEDUP_DAYS: u32 = 8;
/// Most days that can be set: a year.
pub const MAX_DEDUP_DAYS: u32 = 365;
/// Time after which a generation of event ids is closed, in milliseconds: so much longer than it should an id may be known.
pub const DOOR_GENERATION_MS: u64 = 12 * 3_600_000;
/// Memory of the newest generation of event ids unless set, in MiB: some 33 million ids, before the next is begun.
pub const DEDUP_MEMORY_MIB: u64 = 384;
/// Most that can be set, in MiB: places of entries are numbers of 32 bits.
pub const MAX_DEDUP_MEMORY_MIB: u64 = 16_384;
/// Memory that an id of the newest generation takes at most, in bytes.
pub const DOOR_ID_BYTES: u64 = 12;
/// Hours that are told apart in which the ids of a generation were made: pages send what is up to 7 days old, and some clocks are off.
pub const DOOR_GENERATION_HOURS: usize = 512;
/// Longest silence of the log that counts as time, in milliseconds, where nothing but its wall clock says how long it was: a
/// clock that jumps costs so much of the door's window.
pub const DOOR_SILENCE_MS: u64 = 3_600_000;
/// Newest numbers of one lane whose event ids the door remembers, to tell a conflict from a repeat.
pub const DOOR_LANE_NUMBERS: usize = 2_048;
/// Numbers a lane may skip at once before the door forgets its older ones: bounds the memory of crafted numbers.
pub const DOOR_LANE_GAP: u64 = 32;
/// Numbers per generation of lanes; two generations are held, the older is dropped when the newer is full.
pub const DOOR_LANE_EVENTS: usize = 500_000;
/// Lanes per generation: what a table of 131,072 slots takes without growing.
pub const DOOR_LANES: usize = 114_688;
/// Newest log bytes from which the numbers of lanes are read at start.
pub const DOOR_REBUILD_BYTES: u64 = 64 * 1024 * 1024;

/// Largest text of a dead letter, in bytes; of a longer one the beginning is kept. An event of the largest size fits, with the
/// member and lane that its batch had said.
pub const MAX_LETTER_BYTES: usize = MAX_EVENT_BYTES + 1024;
/// Longest message of a dead letter, in characters.
pub const MAX_LETTER_MESSAGE_CHARS: usize = 200;
/// Bytes that a dead letter takes in the log besides its texts, at most.
pub const LETTER_HEAD_BYTES: usize = 64;
/// Bytes that the dead letters of one batch may add to the log for each byte of its events: what is said of a small event
/// takes about as much as the event.
pub const LETTER_BYTES_PER_BYTE: usize = 3;
/// Bytes that they may add besides: with both, a flood of bad events fills the log no faster than one of good ones could.
pub const LETTER_BATCH_BYTES: usize = 64 * 1024;
/// Dead letters kept unless set, in MiB; beyond it the oldest go.
pub const DEAD_LETTERS_MIB: u64 = 64;
/// Most that can be set, in MiB: all of them are read at start and for a list.
pub const MAX_DEAD_LETTERS_MIB: u64 = 1_024;
/// Dead letters kept at most, whatever their size: each takes some 60 bytes of memory.
pub const MAX_DEAD_LETTERS: usize = 100_000;
/// Dead letters listed at once at most.
pub const MAX_LISTED_LETTERS: usize = 1_000;
/// Dead letters listed at once where no number is given.
pub const LISTED_LETTERS: usize = 100;
/// Dead letters tried again by one request at most: some 17 MB of the log.
pub const MAX_REPLAYED_LETTERS: usize = 500;
/// Longest path to a value of an event that a message tells, in characters: a sender chooses its names.
pub const MAX_PATH_CHARS: usize = 200;
/// Lanes whose totals of dropped events are remembered, some 250 bytes each; the total of a lane that is forgotten counts once
/// more when it is told again.
pub const REMEMBERED_DROP_LANES: usize = 32_768;
/// Events that a lane can tell of as dropped, for each reason: more than a page ever makes, so that nobody spoils the sum.
pub const MAX_DROPPED_OF_LANE: u64 = 100_000;

/// Bytes a body may decompress to before it is given up unread; up to here a 413 names the offending events.
pub const MAX_INSPECTED_BYTES: usize = 8 * 1024 * 1024;
/// Time zones whose transitions are kept, by name: more than the database has names, of about a kilobyte each.
pub const MAX_ZONES_KEPT: usize = 640;
/// Largest field in which another maker's batch says something for all of its messages, in bytes: each message gets a copy.
pub const MAX_SHARED_FIELD_BYTES: usize = 2 * 1024;
/// User agents whose reading is kept: a site sees some hundreds a day, and each takes some hundred bytes.
pub const MAX_KNOWN_AGENTS: usize = 4_096;
/// Bytes of a user agent that are looked at: browsers' have a quarter of it.
pub const MAX_AGENT_BYTES: usize = 1_024;
/// Bytes of a client hint that are looked at: lists of brands have some hundred.
pub const MAX_HINT_BYTES: usize = 512;
/// Bytes of one text that is kept of a campaign, a place or a browser: as long as names are, since each event has a copy.
pub const MAX_CONTEXT_TEXT_BYTES: usize = 100;
/// Ids of clicks that are kept of a campaign: a visit has come by one or two advertisements.
pub const MAX_CLICK_IDS: usize = 8;
/// Bytes of an address, or of what a sender tells of its campaign, that are looked into for each event type.
pub const MAX_TOLD_BYTES: usize = 8 << 10;
/// Difference of the clocks from which a batch without a known skew is shifted, in milliseconds.
pub const CLOCK_SHIFT_MS: i64 = 60_000;
/// Time a request head may take to arrive, and the next one to begin.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest request head, in bytes.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Time in which nothing of a body may arrive, or nothing of an answer be read, where it moves at the least rate otherwise.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Least rate at which a body arrives and an answer is read, in bytes a second: below the worst of mobile networks.
pub const MIN_BYTES_PER_SECOND: u32 = 512;
/// Time for which the system keeps what it has taken of an answer and nobody acknowledges, in milliseconds.
pub const UNREAD_TIMEOUT_MS: u32 = 30_000;
/// Memory of all bodies together unless set, in MiB: more than waits for the log, whose answer then says what is at fault,
/// and as many as 64 of the largest batches, or thousands of a page's.
pub const BODY_MEMORY_MIB: usize = 128;
/// Least memory of bodies that can be set, in MiB: several of the largest batches, as they arrive and decompressed.
pub const MIN_BODY_MEMORY_MIB: usize = 8;
/// Most memory of bodies that can be set, in MiB.
pub const MAX_BODY_MEMORY_MIB: usize = 65_536;
/// Time that a body waits for memory before it is refused: nobody waits for long who had better come back later.
pub const MEMORY_WAIT: Duration = Duration::from_millis(500);
/// Time for which a body may be arriving before it can be ended because others find no memory.
pub const BODY_GRACE: Duration = Duration::from_secs(2);
/// Connections open at a time on the public listener, unless set; a further one waits with the system. Every stream is one.
pub const MAX_CONNECTIONS: usize = 16_384;
/// Fewest connections that can be set.
pub const MIN_CONNECTIONS: usize = 16;
/// Most connections that can be set.
pub const MOST_CONNECTIONS: usize = 1_000_000;
/// Files that the store keeps open at most.
pub const STORE_FILES: usize = 900;
/// Descriptors kept for everything else: segments of the log, rule files, listeners, the privileged listener's connections.
pub const RESERVED_DESCRIPTORS: usize = 192;
/// Fewest descriptors with which the collector starts.
pub const MIN_DESCRIPTORS: usize = 512;
/// Connections that wait with the system to be accepted; Linux lets as many wait as `net.core.somaxconn` says at most.
pub const ACCEPT_QUEUE: u32 = 65_535;
/// Bytes of answers that the system takes for one connection at once; Linux takes twice as many. By itself it would take
/// megabytes for somebody who reads nothing; this fills 10 Mbit/s over 100 ms there and back.
pub const SEND_BUFFER_BYTES: u32 = 64 * 1024;
/// Connections open at a time on the privileged listener.
pub const MAX_ADMIN_CONNECTIONS: usize = 64;
/// `Retry-After` of a 503, in seconds; up to as much again is added as jitter.
pub const RETRY_AFTER_SECONDS: u64 = 2;
/// Jitter of the `Retry-After` of a 429, in seconds at least: of what has to wait a moment.
pub const MIN_LIMITED_JITTER_SECONDS: u64 = 2;
/// The same at most: who waits for the next day does not come with all others.
pub const MAX_LIMITED_JITTER_SECONDS: u64 = 600;
/// What may be sent at once after a while of nothing where no burst is set, in seconds of the rate.
pub const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Addresses whose rates are counted at a time, some 220 bytes each; of more, those that send seldom are forgotten, and begin
/// anew.
pub const THROTTLED_ADDRESSES: usize = 65_536;

/// Member and profile states the worker keeps decoded, each.
pub const HOT_STATES: usize = 100_000;
/// Time between two commits of the worker's state while it keeps up.
pub const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
/// The same while it catches up: a crash then repeats more of the log, and every state is written less often.
pub const COMMIT_INTERVAL_BUSY: Duration = Duration::from_secs(2);
/// Marks of when the log grew that are kept to tell how long the worker is behind, 24 bytes each: an hour of them.
pub const LAG_MARKS: usize = 3_600;
/// Time within which what is written shares a mark.
pub const LAG_MARK_INTERVAL: Duration = Duration::from_secs(1);
/// Pause before a worker that met a broken store or log begins again.
pub const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// Time between two syncs of the committed state to the disk; the log covers what lies between.
pub const STATE_SYNC_INTERVAL: Duration = Duration::from_secs(10);
/// Shortest time from the end of one pass of erasures to the next: each costs a reading of the log and a copy of the store,
/// whoever asks for it.
pub const ERASE_PAUSE: Duration = Duration::from_secs(60);
/// Entries copied together where the store begins new files: bounds their memory.
pub const PURGE_ENTRIES: usize = 1_000;
/// Wake-ups logged together at most.
pub const WAKE_UPS_AT_ONCE: usize = 1_000;

/// Log bytes before a bundle from which its new signals are filled: bounds the time for which later records wait.
pub const BACKFILL_LOG_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Members whose past is counted in one reading of the log: bounds its memory, some KB for each. More members need
/// more readings.
pub const BACKFILL_MEMBERS: usize = 50_000;

/// Open streams at most; a further one is answered 503.
pub const MAX_STREAMS: usize = 10_000;
/// Open streams of one member at most: far more tabs than a person keeps.
pub const MAX_STREAMS_PER_MEMBER: usize = 64;
/// Time between two comment pings on a stream: below the idle limits of common proxies.
pub const STREAM_PING: Duration = Duration::from_secs(25);
/// Age at which a stream is closed, up to a tenth more as jitter, so that load spreads after a deployment.
pub const STREAM_AGE: Duration = Duration::from_secs(30 * 60);
/// Time a stream token is valid, in milliseconds.
pub const STREAM_TOKEN_MS: i64 = 15 * 60_000;
/// Largest body of a stream token request, in bytes.
pub const MAX_TOKEN_REQUEST_BYTES: usize = 4 * 1024;
/// Time that a browser keeps the visitor's cookie, in seconds: 400 days, beyond which browsers keep none (RFC 6265bis).
pub const VISITOR_COOKIE_SECONDS: u32 = 400 * 24 * 3_600;
/// Longest domain of the visitor's cookie, in characters: as long as names may be (RFC 1035, section 2.3.4).
pub const MAX_DOMAIN_CHARS: usize = 253;

/// Time between two looks at the rules folder.
pub const RULES_POLL: Duration = Duration::from_millis(200);
/// Bundles that wait to be put into effect by request.
pub const MAX_BUNDLE_ORDERS: usize = 16;
/// Rule files in one folder at most.
pub const MAX_RULE_FILES: usize = 1_000;
/// Time a page or proxy may reuse a bundle without asking, in seconds.
pub const BUNDLE_MAX_AGE_SECONDS: u64 = 5;
/// Largest file of settings, in bytes: all of them take some thousands.
pub const MAX_CONFIG_BYTES: u64 = 1024 * 1024;
/// Longest write key, in characters.
pub const MAX_WRITE_KEY_CHARS: usize = 100;
/// Characters of a write key that are shown where it is not to be told whole, at most.
pub const SHOWN_KEY_CHARS: usize = 8;
/// Shortest secret for identity proofs or the privileged listener, in characters.
pub const MIN_SECRET_CHARS: usize = 16;
/// Time in which requests may finish once shutdown has begun.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// Time in which the worker may take in what is left of the log after that; the next start takes in the rest.
pub const WORKER_DRAIN_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Time in which what came while connections were draining may finish: it is told that the collector is shutting down.
pub const LATE_TIMEOUT: Duration = Duration::from_millis(200);
/// Pause before a page asks for its stream again after a shutdown, in milliseconds: a restart takes about that long.
pub const DRAIN_RETRY_MS: u64 = 1_000;
/// Jitter of it, in milliseconds: 10,000 pages come back at about a thousand a second.
pub const DRAIN_RETRY_JITTER_MS: u64 = 9_000;
/// Time for which the speed of syncs is measured at the start: nobody waits for it noticeably.
pub const SELFTEST_TIME: Duration = Duration::from_millis(200);
/// Syncs that are measured at most: as many as tell a median.
pub const SELFTEST_ROUNDS: usize = 64;
/// Bytes that are written for each: a page of the disk, as of a small group of batches.
pub const SELFTEST_BYTES: usize = 4 * 1024;
/// Median from which on a disk is said to be slow: the worst of hard disks, which turn once in 11 ms, take less.
pub const SLOW_SYNC: Duration = Duration::from_millis(50);
/// Median below which it is said that this may be no sync: two system calls alone take a few microseconds, and flash with a
/// cache that outlives a loss of power some tens.
pub const FAST_SYNC: Duration = Duration::from_micros(10);
/// Largest patch of traits, in bytes: as much as an event may say.
pub const MAX_TRAITS_PATCH_BYTES: usize = 32 * 1024;
/// Who may follow what is taken in at a time.
pub const MAX_FOLLOWERS: usize = 16;
/// Events that wait for whoever follows; who is further behind loses the oldest. Bounds memory: some KB each, 32 at most.
pub const FOLLOWED_EVENTS: usize = 1_024;
/// Entries of the store that an export looks through at a time: the store is nobody else's meanwhile.
pub const EXPORT_SCAN_ENTRIES: usize = 4_096;
/// Bytes of the name of an experiment or variation that is counted: as long as an id of 100 characters can be.
pub const MAX_COUNTED_NAME_BYTES: usize = 400;
/// Variations of experiments that are counted: more are sent by nobody whose events are to be believed.
pub const MAX_COUNTED_VARIATIONS: usize = 10_000;
/// Members of variations that are told apart: bounds memory, some 16 bytes each.
pub const MAX_COUNTED_MEMBERS: usize = 4_000_000;
/// Exports and counts at a time: each reads the whole log.
pub const MAX_EXPORTS: usize = 4;
/// Bytes of an export that are handed over together.
pub const EXPORT_PIECE_BYTES: usize = 64 * 1024;
/// Pieces of an export that wait for its reader: bounds memory.
pub const EXPORT_PIECES: usize = 4;
/// How often a profile is read again where something about it comes before what depends on it is written.
pub const WATCHED_TRIES: usize = 16;
/// Rows of a list of lines, such as that of firings, where the question names no limit.
pub const LISTED_ROWS: usize = 1_000;
/// Most rows of a list of lines in one answer.
pub const MAX_LISTED_ROWS: usize = 10_000;
/// Bytes of rows after which an answer ends and the list goes on in the next one: bounds the memory that a list takes.
pub const MAX_LISTED_BYTES: usize = 4 * 1024 * 1024;
/// Time that `settled=1` waits for the worker to catch up.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Destinations of triggers at most: each may have a call open whatever the others do.
pub const MAX_DESTINATIONS: usize = 256;
/// Calls of one destination open at a time unless set: enough for a receiver that is well, gentle to one that is not.
pub const DESTINATION_CALLS: usize = 4;
/// Most calls of one destination that can be set.
pub const MAX_DESTINATION_CALLS: usize = 64;
/// Calls open over all destinations; beyond it each destination may have one, so that none waits for another's.
pub const MAX_CALLS: usize = 128;
/// Time that a call may take unless set, from the look-up of the name to the end of the answer, in milliseconds.
pub const CALL_TIMEOUT_MS: i64 = 15_000;
/// Shortest time for a call that can be set, in milliseconds.
pub const MIN_CALL_TIMEOUT_MS: i64 = 100;
/// Longest time for a call that can be set, in milliseconds: so long it holds a place of its destination.
pub const MAX_CALL_TIMEOUT_MS: i64 = 60_000;
/// Bytes of an answer that are read and thrown away, so that its connection can be used again; beyond it that is closed.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Time for which a connection to a destination is kept without use: below what common servers keep theirs for.
pub const CALL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause before the first repetition of a call; each further one is twice as long.
pub const FIRST_RETRY: Duration = Duration::from_secs(5);
/// Longest pause between two calls for the same delivery.
pub const MAX_RETRY: Duration = Duration::from_secs(60 * 60);
/// Longest pause that a receiver can ask for with `Retry-After`.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Age of a firing, in milliseconds, from which on it is not delivered any more by itself: 3 days, a long weekend.
pub const DELIVERY_AGE_MS: i64 = 3 * 86_400_000;
/// Calls that are made before a delivery is given up for its age: a clock that jumps must not give up what was never tried.
pub const MIN_CALLS: u32 = 8;
/// Deliveries of one destination that wait at most; a further one is dead at once. Bounds memory, some 100 bytes each.
pub const MAX_WAITING_DELIVERIES: usize = 100_000;
/// Firings taken out of the outbox in one commit.
pub const FIRINGS_AT_ONCE: usize = 1_000;
/// Shortest secret that signs webhooks, in bytes (Standard Webhooks, "Signature scheme").
pub const MIN_WEBHOOK_SECRET_BYTES: usize = 24;
/// Longest secret that signs webhooks, in bytes, likewise.
pub const MAX_WEBHOOK_SECRET_BYTES: usize = 64;
/// Largest file of destinations, in bytes.
pub const MAX_DESTINATION_FILE_BYTES: usize = 1024 * 1024;
/// Time between two log lines of the same trouble of the same destination: each delivery is counted and listed anyhow.
pub const TROUBLE_LOG_INTERVAL: Duration = Duration::from_secs(60);
/// Repetitions that are asked for by hand and wait at most.
pub const MAX_ASKED_RETRIES: usize = 64;

/// Largest file of test scripts, in bytes.
pub const MAX_SCRIPT_BYTES: usize = 8 * 1024 * 1024;
/// Script files of one folder at most.
pub const MAX_SCRIPT_FILES: usize = 1_000;
/// How often time alone may wake the page within one step of a script.
pub const MAX_SCRIPT_WAKES: usize = 100_000;
/// Visitors a simulation keeps at most: bounds its memory, some KB for each.
pub const MAX_SIMULATED_VISITORS: usize = 1_000_000;
/// How often time alone may wake one visitor between two of its events in a simulation.
pub const MAX_SIMULATED_WAKES: usize = 1_000;
/// Longest line of a file of events that a simulation reads, in bytes.
pub const MAX_SIMULATED_LINE_BYTES: usize = 256 * 1024;

/// Project of bundles where none is given.
pub const DEFAULT_PROJECT: &str = "default";
/// Environment of bundles where none is given.
pub const DEFAULT_ENVIRONMENT: &str = "development";
/// Longest name of a project or environment, in characters.
pub const MAX_PLACE_CHARS: usize = 100;
/// Bundles kept, the one in effect included: pages that are further behind get the whole one.
pub const KEPT_BUNDLES: usize = 16;
/// Bytes of the bundles kept besides the one in effect: bounds the memory of large ones.
pub const KEPT_BUNDLE_BYTES: usize = 64 * 1024 * 1024;
/// Largest bundle between which and another a delta is sought, in bytes: seeking takes some 100 ns and 8 bytes of memory
/// a byte; a larger one is sent whole.
pub const MAX_DELTA_BUNDLE_BYTES: usize = 4 * 1024 * 1024;
/// Shortest time for which a bundle is signed, in milliseconds: it is signed anew, and logged, when half of it is over.
pub const MIN_BUNDLE_VALID_MS: i64 = 10 * 60_000;
/// Longest time for which a bundle is signed, in milliseconds.
pub const MAX_BUNDLE_VALID_MS: i64 = 3_650 * 86_400_000;
/// Time for which a statement of the bundle in effect is signed, where none is given.
pub const DEFAULT_STATEMENT_VALID: &str = "1h";
/// Shortest time for which a statement is signed, in milliseconds.
pub const MIN_STATEMENT_VALID_MS: i64 = 60_000;
/// Longest time for which a statement is signed, in milliseconds: so long a rollback can be kept from a page.
pub const MAX_STATEMENT_VALID_MS: i64 = 30 * 86_400_000;
/// Longest time for which a link to a preview works, in milliseconds: it may be passed on.
pub const MAX_PREVIEW_MS: i64 = 30 * 86_400_000;
/// Longest link to a preview, in bytes: servers refuse addresses that are longer.
pub const MAX_PREVIEW_LINK_BYTES: usize = 8 * 1024;
/// Largest file of the binary that is compressed as well as can be, in bytes: the core of previews, which few load, would
/// take seconds of every start.
pub const BEST_COMPRESSED_BYTES: usize = 512 * 1024;
