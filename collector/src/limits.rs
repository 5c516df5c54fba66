//! Every bound and default of the collector in one place, with its unit and its reason.

use attune_core::limits::MAX_BUNDLE_BYTES;
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
/// Log kept on disk, in bytes; the oldest segments that the worker has absorbed are removed beyond it.
pub const LOG_KEEP_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// Event ids per generation of the door table; two generations are held, the older is dropped when the newer is full.
pub const DOOR_EVENT_IDS: usize = 1_800_000;
/// Newest numbers of one lane whose event ids the door remembers, to tell a conflict from a repeat.
pub const DOOR_LANE_NUMBERS: usize = 2_048;
/// Numbers a lane may skip at once before the door forgets its older ones: bounds the memory of crafted numbers.
pub const DOOR_LANE_GAP: u64 = 32;
/// Newest log bytes from which the door table is rebuilt at start.
pub const DOOR_REBUILD_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes a body may decompress to before it is given up unread; up to here a 413 names the offending events.
pub const MAX_INSPECTED_BYTES: usize = 8 * 1024 * 1024;
/// Largest field in which another maker's batch says something for all of its messages, in bytes: each message gets a copy.
pub const MAX_SHARED_FIELD_BYTES: usize = 2 * 1024;
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

/// Member and profile states the worker keeps decoded, each.
pub const HOT_STATES: usize = 100_000;
/// Time between two commits of the worker's state while it keeps up.
pub const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
/// The same while it catches up: a crash then repeats more of the log, and every state is written less often.
pub const COMMIT_INTERVAL_BUSY: Duration = Duration::from_secs(2);
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
/// Rule files in one folder at most.
pub const MAX_RULE_FILES: usize = 1_000;
/// Time a page or proxy may reuse a bundle without asking, in seconds.
pub const BUNDLE_MAX_AGE_SECONDS: u64 = 5;
/// Longest write key, in characters.
pub const MAX_WRITE_KEY_CHARS: usize = 100;
/// Shortest secret for identity proofs or the privileged listener, in characters.
pub const MIN_SECRET_CHARS: usize = 16;
/// Time in which requests may finish once shutdown has begun.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Time that `settled=1` waits for the worker to catch up.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);

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
