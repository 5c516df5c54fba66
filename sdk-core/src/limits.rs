//! Every bound and default of the core in one place, with its unit and its reason.

/// Largest event on the wire, in bytes: what existing senders already respect.
pub const MAX_EVENT_BYTES: usize = 32 * 1024;
/// Largest `metadata` object of one event, in bytes: the event's bound less room for its ids.
pub const MAX_METADATA_BYTES: usize = 32 * 1024 - 1024;
/// Largest batch after decompression, in bytes: bounds the collector's memory per request.
pub const MAX_BATCH_BYTES: usize = 2 * 1024 * 1024;
/// Largest request body as it arrives, in bytes: bounds what is read before decompression.
pub const MAX_REQUEST_BYTES: usize = 512 * 1024;
/// Most events in one batch: the bound Segment's libraries already keep.
pub const MAX_BATCH_EVENTS: usize = 2_500;
/// Longest event type, id or user id, in characters: fits every id format met in the field.
pub const MAX_ID_CHARS: usize = 100;
/// Largest number of a lane: the largest whole number that JavaScript counts to exactly.
pub const MAX_SEQ: u64 = (1 << 53) - 1;
/// Deepest nesting of JSON that is read: stops a crafted body from exhausting the stack.
pub const MAX_JSON_DEPTH: usize = 32;

/// Events the page sends in one batch at most: keeps one receipt small.
pub const PAGE_BATCH_EVENTS: usize = 250;
/// Bytes the page sends in one batch at most: below the 64 KiB that keepalive requests share.
pub const PAGE_BATCH_BYTES: usize = 48 * 1024;
/// Bytes of one body that a leaving page sends at most: one body fits the 64 KiB that keepalive requests share.
pub const FAREWELL_BODY_BYTES: usize = 60 * 1024;
/// Part of a batch's bytes that its context may take; a larger context is left out, so that events always fit.
pub const CONTEXT_SHARE: usize = 4;
/// Bytes of unsent events the page keeps by default: what a day offline produces on a busy site.
pub const PAGE_QUEUE_BYTES: usize = 1024 * 1024;
/// Age after which an undeliverable event is given up, in milliseconds: 7 days.
pub const MAX_EVENT_AGE_MS: i64 = 7 * 24 * 3_600_000;
/// Answers that an event has to be sent again after which it is given up: hours of trying on one page, so that an event
/// that breaks what stands before a collector does not keep others waiting for a week.
pub const MAX_EVENT_ATTEMPTS: u32 = 1_000;
/// First retry delay, in milliseconds; later ones double with full jitter.
pub const RETRY_BASE_MS: u64 = 1_000;
/// Longest retry delay, in milliseconds.
pub const RETRY_MAX_MS: u64 = 60_000;
/// Longest `Retry-After` that is honoured, in milliseconds: a day, so that a slip of a proxy ends.
pub const RETRY_AFTER_MAX_MS: u64 = 24 * 3_600_000;
/// Silent requests in a row after which they count as blocked on a page that has never had an answer: an extension that
/// blocks one blocks all, and every further one is a line on the visitor's console.
pub const BLOCKED_AFTER: u32 = 3;
/// Probe interval after 401, 403 or 404, in milliseconds: the key may be repaired while the page is open. Where requests are
/// blocked, the time until the one probe, and between two that are made because somebody looks at the page.
pub const PROBE_MS: u64 = 300_000;
/// Failures in a row after which the breaker opens.
pub const BREAKER_FAILURES: u32 = 5;
/// Events in the batch that probes a half open breaker: cheap for a collector that is coming back.
pub const PROBE_BATCH_EVENTS: usize = 10;
/// Receipts after which a batch size that was halved doubles again: whoever shrank it may have been passing.
pub const BATCH_RECOVERY_RECEIPTS: u32 = 16;

/// Keys one tile keeps, and names of traits one member keeps, chosen by smallest hash.
pub const MAX_KEYS_PER_TILE: usize = 256;
/// Signals whose tiles a member keeps after no bundle names them any more, so that rolling back loses nothing.
pub const MAX_RETIRED_SIGNALS: usize = 64;
/// Longest key of a `by` signal, in bytes; longer values are hashed.
pub const MAX_KEY_BYTES: usize = 128;
/// Largest absolute input of a sum: keeps 2^63 additions inside the i128 of micro-units.
pub const MAX_SUM_INPUT: f64 = 1e9;
/// Longest text that `first` and `last` keep, in bytes: an address or a title; longer ones do not count, since a part or
/// a hash of one means nothing to whoever shows it.
pub const MAX_PICKED_BYTES: usize = 256;
/// Different values that `distinct` counts exactly: their hashes take as much room as the sketch that follows.
pub const MAX_DISTINCT_EXACT: usize = 64;
/// Bucket of calendar windows, in milliseconds: every zone's clocks are whole quarters of an hour apart from UTC.
pub const CALENDAR_BUCKET_MS: i64 = 15 * 60_000;
/// Time by which a day may be longer than 24 h, in milliseconds: clocks are set by an hour, twice that is safe.
pub const DAY_SLACK_MS: i64 = 2 * 3_600_000;
/// Time a session's tiles are kept after its last event, in milliseconds: a session lasts 24 h at most.
pub const SESSION_KEEP_MS: i64 = 48 * 3_600_000;
/// Longest signal window, in milliseconds: 400 days, so that year-over-year fits.
pub const MAX_WINDOW_MS: i64 = 400 * 24 * 3_600_000;
/// Time a closed lane is remembered, in milliseconds: two days more than an event may be late.
pub const LANE_KEEP_MS: i64 = 9 * 24 * 3_600_000;
/// Separate ranges of numbers that one lane keeps; a real page load has gaps only where events were given up.
pub const MAX_LANE_RANGES: usize = 1_024;
/// Lanes that one member keeps; those touched longest ago are forgotten first.
pub const MAX_LANES: usize = 4_096;
/// Latest numbers of a lane whose event ids are remembered, to tell a duplicate from a conflict.
pub const LANE_FINGERPRINTS: usize = 16;
/// Longest name and largest value of a trait, in bytes of binary form.
pub const MAX_TRAIT_BYTES: usize = 1_024;
/// Event ids remembered per member for senders without lanes.
pub const MEMBER_EVENT_IDS: usize = 1_024;
/// Own events the page keeps beside its base before the oldest fold into it.
pub const OVERLAY_EVENTS: usize = 512;
/// An event dated further into the future than this, in milliseconds, is warned about: 24 h.
pub const FUTURE_MS: i64 = 24 * 3_600_000;
/// Idle time that ends a session, in milliseconds: 30 min, the field's convention.
pub const SESSION_IDLE_MS: i64 = 30 * 60_000;
/// Longest session, in milliseconds: 24 h.
pub const SESSION_MAX_MS: i64 = 24 * 3_600_000;
/// Latches one profile keeps; the latest stay.
pub const MAX_LATCHES: usize = 64;
/// Firings within 24 h that a cap per day can count at most.
pub const MAX_DAY_FIRINGS: usize = 1_000;
/// Instants at which something falls due between two records of one profile that are judged one by one.
pub const MAX_DUE_STEPS: usize = 1_000;

/// Largest rule source file, in bytes: a hundred trees as their library dumps them take one to two million.
pub const MAX_RULE_FILE_BYTES: usize = 4 * 1024 * 1024;
/// Most signals in one bundle.
pub const MAX_SIGNALS: usize = 1_000;
/// Most segments in one bundle.
pub const MAX_SEGMENTS: usize = 1_000;
/// Longest chain of segments made of segments: more would be nested deeper than a condition may be.
pub const MAX_SEGMENT_STEPS: usize = 64;
/// Most rules in one bundle: the largest count that `bench eval` holds to its goals of time and memory.
pub const MAX_RULES: usize = 10_000;
/// Most experiments in one bundle: each is assigned whenever a page decides.
pub const MAX_EXPERIMENTS: usize = 256;
/// Most variations of one experiment.
pub const MAX_VARIATIONS: usize = 64;
/// Deepest nesting of one condition.
pub const MAX_CONDITION_DEPTH: usize = 16;
/// Deepest chain of prerequisites that is followed: longer than any that people keep apart, short enough for any stack.
pub const MAX_PREREQUISITE_DEPTH: usize = 64;
/// Features looked at for one answer at most: stops prerequisites that branch at every step.
pub const MAX_PREREQUISITE_VISITS: usize = 10_000;
/// Most tests in one condition, segments counted where they are read: bounds what a bundle grows to.
pub const MAX_CONDITION_TESTS: usize = 4_096;
/// Longest text, in bytes, that `$startsWith`, `$endsWith` and `$contains` look for: bounds the comparisons.
pub const MAX_SOUGHT_BYTES: usize = 1_024;
/// Longest text, in bytes, that is matched with a regular expression: longer than addresses in use, and short enough
/// that quadratic time is some milliseconds.
pub const MAX_MATCHED_BYTES: usize = 2_048;
/// Most values that the groups named in one condition may bring into it.
pub const MAX_CONDITION_VALUES: usize = 100_000;
/// Most tests and values that segments and groups bring into all conditions of a set of rule files together: a name of a
/// few bytes stands for as much as one condition may have, and the compiler copies it.
pub const MAX_BROUGHT: usize = 2_000_000;
/// Most entries in the lists of event types: a rule for every type stands in the list of each named type.
pub const MAX_TYPE_ENTRIES: usize = 1_000_000;
/// Answers about regular expressions after which a page begins anew: more than most bundles ask for at once.
pub const MAX_PATTERN_ANSWERS: usize = 512;
/// Questions about regular expressions that a page keeps, answered ones included, each with up to [`MAX_MATCHED_BYTES`]
/// of text; what a test would ask beyond them stays unknown.
pub const MAX_PATTERN_QUESTIONS: usize = 4_096;
/// Longest pattern of a regular expression, in bytes.
pub const MAX_PATTERN_BYTES: usize = 256;
/// Highest repetition count that a pattern may name.
pub const MAX_PATTERN_REPEAT: u32 = 256;
/// Most buckets one sliding window is cut into: bounds what a signal costs in state and per reading.
pub const MAX_WINDOW_BUCKETS: i64 = 1_000;
/// Most models in one bundle: each may read every signal whenever it is asked.
pub const MAX_MODELS: usize = 100;
/// Inputs of one model: their numbers lie on the stack while it is evaluated, eight bytes each.
pub const MAX_MODEL_INPUTS: usize = 128;
/// Categories one input tells apart, and the highest number of a category plus one: a set of them is 128 bytes.
pub const MAX_CATEGORIES: usize = 1_024;
/// Buckets of a window that decay: each is read on its own, and a window has 30 by default.
pub const MAX_DECAY_BUCKETS: i64 = 128;
/// Items of one scoring plan.
pub const MAX_PLAN_ITEMS: usize = 1_000;
/// Trees of one model: a score walks each of them from its root to one leaf.
pub const MAX_TREES: usize = 2_000;
/// Splits between the root of a tree and its deepest leaf, plus one: bounds the stack while a bundle is checked.
pub const MAX_TREE_DEPTH: usize = 64;
/// Largest packed definition of one model, in bytes: some 50,000 nodes of trees.
pub const MAX_MODEL_BYTES: usize = 512 * 1024;
/// Highest count of a cap: far above what anybody shows, far below what a counter holds.
pub const MAX_CAP_COUNT: u32 = 1_000_000;

/// Largest filter policy, in bytes: the lists below at names of some thirty bytes.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;
/// Most names in one list of a policy: each is compared with each event type or parameter.
pub const MAX_POLICY_NAMES: usize = 256;
/// Most event types with rules of their own in one policy: each event goes through them until one covers it.
pub const MAX_POLICY_TYPES: usize = 256;
/// Most properties that a policy lists for one event type: each is looked for in each event of the type.
pub const MAX_POLICY_PROPERTIES: usize = 256;
/// Highest rate of a policy, in events a minute: far above what a page tracks, far below what a bucket holds.
pub const MAX_POLICY_RATE: u32 = 1_000_000;
/// Rounds in which a text is redacted: what people write takes two, a text made for it would take one for each number.
pub const MAX_REDACT_ROUNDS: usize = 16;
/// Steps into which visitors are divided for sampling: a share is so many of them.
pub const SAMPLE_STEPS: u32 = 10_000;

/// The most, in milliseconds, that a page takes its clock to be off: 200 years, more than any clock is, so that no answer
/// can move an instant out of what can be counted.
pub const MAX_CLOCK_SHIFT_MS: i64 = 200 * 366 * 86_400_000;

/// First year of which a bundle knows the changes of clocks: years before any bundle, for what looks back.
pub const ZONE_FIRST_YEAR: i64 = 2024;
/// Last such year; from then on the last offset holds. 34 changes of a zone with summer time, of 4 bytes each.
pub const ZONE_LAST_YEAR: i64 = 2040;
/// The most that local time is taken to be ahead of or behind UTC, in minutes: 26 h, which no zone has reached.
pub const MAX_UTC_OFFSET_MINUTES: i64 = 26 * 60;
/// Steps in which the next change of a span of local time is looked for: more than the changes of clocks in a table and
/// the edges of a week.
pub const MAX_SPAN_STEPS: usize = 128;
/// Keys of one key set at most: room for a rotation in every environment of a project.
pub const MAX_KEY_SET_KEYS: usize = 64;
/// Time after a bundle's end during which pages still follow it, in milliseconds: a day, for clocks that are ahead and
/// for whoever publishes late.
pub const BUNDLE_GRACE_MS: i64 = 24 * 3_600_000;
/// Largest envelope and largest body, in bytes, whether they come in full or by a delta: [`MAX_MODELS`] models of
/// [`MAX_MODEL_BYTES`], and as much as ten thousand rules take besides.
pub const MAX_BUNDLE_BYTES: usize = 64 * 1024 * 1024;
/// Bytes that the names in one section of a body may stand for: a text, a zone and a leaf of conditions are written once
/// and named anywhere, so without a bound a body would cost the square of its bytes. As much as a whole bundle has.
pub const MAX_NAMED_BYTES: u32 = 64 * 1024 * 1024;
/// Bytes that a thing which a leaf reads counts as, for each name of the leaf: a page notes it with its slot.
pub const READ_BYTES: usize = 8;
/// Bytes that a place to be filled in counts as, in a text of a rule: what a longer trait or signal seldom exceeds.
pub const PLACE_BYTES: usize = 256;
/// Bytes that a question to a model, or to all keys of a signal, counts as: it is answered anew each time.
pub const QUESTION_BYTES: usize = 4 * 1024;
