//! From a request body to durable records and a receipt: decode, read each event alone, dedup at the door, log.

mod batch;
mod body;
mod clocks;
mod door;
mod drops;
mod facts;
mod guard;
mod letters;
mod live;
mod memory;
mod origin;
mod path;
mod receipt;
mod replay;
mod traits;
mod watch;

use crate::access::{Limited, Site, Throttle, Tokens, Tombstones, Uses, WriteKey};
use crate::log::{Appended, Batch, Log, LogError};
use crate::metrics::Metrics;
use attune_core::id::MemberId;
use attune_core::limits::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES};
use attune_core::time::Timestamp;
use attune_core::wire::{Envelope, EnvelopeError, Event, Receipt, Record, ResultKind, encode_record};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

pub use batch::{oversized, too_large};
pub use body::{BodyError, BodyType, body_type, is_compressed, key_inside};
pub use door::{Door, DoorParts, Window};
pub use drops::Drops;
pub use facts::Enriching;
pub use guard::Guard;
pub use live::{Follower, Live, News};
pub use memory::{Held, Memory, MemoryBusy, Text};
pub use origin::Origin;
pub use replay::Outcome;
pub use traits::{TraitError, TraitWrite};
pub use watch::{Watch, Watches};

/// Takes batches in.
#[derive(Debug)]
pub struct Ingest {
    /// Where accepted records go.
    pub log: Arc<Log>,
    /// Makes the tokens of receipts.
    pub tokens: Arc<Tokens>,
    /// What senders have given up.
    pub drops: Drops,
    /// How much keys and addresses may send.
    pub throttle: Throttle,
    /// What bodies may take of it.
    pub memory: Arc<Memory>,
    /// Who watches what goes into the log.
    pub watches: Watches,
    /// Who follows what is taken in.
    pub live: Live,
    /// What has come under each write key.
    pub uses: Uses,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// A body as it arrived.
#[derive(Debug)]
pub struct Body<'a> {
    /// What its type says.
    pub body_type: BodyType,
    /// `Content-Encoding`.
    pub encoding: Option<&'a str>,
    /// Its bytes, and the memory that they take.
    pub held: Held,
}

/// What holds at the moment a batch arrives.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The wall clock.
    pub now: Timestamp,
    /// Revision of the bundle in effect.
    pub bundle_revision: u64,
    /// Where the batch comes from, where it comes from somebody else.
    pub site: Option<Site>,
    /// Whose events are refused.
    pub erased: &'a Tombstones,
    /// Judges what may be kept, where the bundle in effect says so.
    pub guard: Option<Guard<'a>>,
    /// Finds out where events come from.
    pub enriching: Option<Enriching<'a>>,
    /// Where each event comes from, by its index, where the request does not speak for all of them.
    pub origins: &'a [Origin<'a>],
}

impl<'a> Moment<'a> {
    /// What judges the event of an index: by the visitor's user agent, where the event says what that is.
    pub fn guard_of(&self, index: usize) -> Option<Guard<'a>> {
        let own = self.origins.get(index).and_then(|origin| origin.user_agent.as_deref());
        self.guard.map(|guard| Guard { user_agent: own.unwrap_or(guard.user_agent), ..guard })
    }

    /// Whether events of programs are refused, whatever the bundle's policy says.
    pub fn refuses_bots(&self) -> bool {
        self.enriching.is_some_and(|enriching| enriching.enricher.refuses_bots())
    }
}

/// Why nothing of a batch was taken.
#[derive(Debug, PartialEq, Eq)]
pub enum IngestError {
    /// The body cannot be taken as text.
    Body(BodyError),
    /// The envelope cannot be read.
    Envelope(EnvelopeError),
    /// Over a limit; holds the indexes of events that are too large alone.
    TooLarge(Vec<usize>),
    /// More than its key or its address may send.
    Limited(Limited),
    /// There is no memory to decompress it in.
    Memory(MemoryBusy),
    /// The log could not take it.
    Log(LogError),
}

impl Ingest {
    /// Takes a batch in and answers with the receipt as JSON, once every accepted event is durable.
    ///
    /// # Errors
    /// Nothing of the batch has been taken.
    pub async fn accept(
        &self,
        key: &WriteKey,
        body: Body<'_>,
        moment: Moment<'_>,
    ) -> Result<String, IngestError> {
        let Body { body_type, encoding, held } = body;
        let text = self.text(&held, encoding).await?;
        let (envelope, events) = match body_type {
            BodyType::Batch => Envelope::parse_whole(&text).map_err(IngestError::Envelope)?,
            BodyType::Lines => (Envelope::from_lines(&text), Vec::new()),
        };
        let receipt = self.take_read(key, (&envelope, events), moment).await?;
        Ok(attune_core::wire::write_receipt(&receipt))
    }

    /// The text of a body, of whatever form: counted, and decompressed within limits by its encoding or its first bytes.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub async fn text<'h>(&self, held: &'h Held, encoding: Option<&str>) -> Result<Text<'h>, IngestError> {
        self.metrics.batches.add(1);
        self.metrics.received_bytes.add(held.bytes.len() as u64);
        let mut room = None;
        if body::is_compressed(&held.bytes, encoding) {
            // How much it will be is not known before, and nobody waits while it is decompressed.
            room = Some(self.memory.take(MAX_BATCH_BYTES).await.map_err(IngestError::Memory)?);
        }
        let text = body::decode(&held.bytes, encoding).map_err(|error| match error {
            BodyError::TooLarge(text) => {
                IngestError::TooLarge(text.as_deref().map(oversized).unwrap_or_default())
            }
            other => IngestError::Body(other),
        })?;
        room.iter_mut().for_each(|room| room.shrink(text.len()));
        Ok(Text::new(text, room))
    }

    /// Takes what has been read of a batch in, whatever form it came in, and returns its receipt once every accepted event
    /// is durable.
    ///
    /// # Errors
    /// Nothing of the batch has been taken.
    pub async fn take(
        &self,
        key: &WriteKey,
        envelope: &Envelope<'_>,
        moment: Moment<'_>,
    ) -> Result<Receipt, IngestError> {
        self.take_read(key, (envelope, Vec::new()), moment).await
    }

    /// The same with those of its events that have been read with it.
    async fn take_read(
        &self,
        key: &WriteKey,
        (envelope, events): (&Envelope<'_>, Vec<Option<Event>>),
        moment: Moment<'_>,
    ) -> Result<Receipt, IngestError> {
        let (now, started) = (moment.now, Instant::now());
        if envelope.events.len() > MAX_BATCH_EVENTS {
            return Err(IngestError::TooLarge(batch::too_large(&envelope.events)));
        }
        if self.log.is_full() {
            return Err(IngestError::Log(LogError::Full));
        }
        let allowed = self.throttle.take_events(key, moment.site, envelope.events.len(), now);
        let allowed = allowed.map_err(|limited| {
            self.metrics.limited.add(limited.limit.name(), 1);
            IngestError::Limited(limited)
        })?;
        let read = batch::read(envelope, events, key, &moment);
        if read.clock_shift_ms != 0 {
            self.metrics.clock_shifts.add(1);
            tracing::info!(key = %key.key, clock_shift_ms = read.clock_shift_ms, "shifted a batch to this clock");
        }
        self.metrics.letters_left_out.add(read.letters_left_out);
        self.metrics.bots.add(read.bots);
        let appended = if read.records.is_empty() {
            None
        } else {
            match self.log_batch(read.records, Some(key)).await {
                Ok(appended) => Some(appended),
                Err(error) => {
                    allowed.accept(0);
                    return Err(error);
                }
            }
        };
        let outcome = receipt::Outcome {
            places: read.places,
            rows: read.rows,
            not_new: appended.map(|appended| appended.not_new).unwrap_or_default(),
            entries_before: read.entries_before,
        };
        let mut receipt = outcome.settle(&envelope.events, &self.metrics);
        allowed.accept(receipt.accepted);
        let refused = receipt.results.iter().filter(|row| row.result == ResultKind::Rejected).count() as u64;
        self.uses.note(&key.key, (receipt.accepted, receipt.duplicates, refused), now);
        self.drops.note(envelope, &self.metrics);
        receipt.clock_shift_ms = read.clock_shift_ms;
        receipt.bundle_revision = moment.bundle_revision;
        receipt.server_time = Some(now.to_string().into());
        // A member of a server's user is no browser's, and whoever can name one is not to read it.
        let is_of_browser = |member: &MemberId| !batch::is_of_server(member) && !moment.erased.has(member);
        if let Some(member) = read.member.filter(is_of_browser) {
            receipt.member_token = Some(self.tokens.member(key, &member).into());
            match self.tokens.stream(key, &member, now) {
                Ok((token, expires)) => {
                    receipt.stream_token = Some(token.into());
                    receipt.stream_expires = Some(expires.to_string().into());
                }
                Err(error) => tracing::error!(%error, "no stream token could be made"),
            }
        }
        self.metrics.acknowledgement.observe_time(started.elapsed());
        Ok(receipt)
    }
}

impl Ingest {
    /// Has a member erased: once this returns it will be, whatever happens. One that is erased already stays so.
    ///
    /// # Errors
    /// The log could not take it; nothing has changed.
    pub async fn erase(
        &self,
        member: MemberId,
        erased: &Tombstones,
        at: Timestamp,
    ) -> Result<(), IngestError> {
        self.erase_all(vec![member], erased, at, None).await.map(|_| ())
    }

    /// The same of several members, of all or of none; with a watch only where nothing about its names has been handed over
    /// since that began. Says whether it is done.
    ///
    /// # Errors
    /// The log could not take it; nothing has changed.
    pub async fn erase_all(
        &self,
        members: Vec<MemberId>,
        erased: &Tombstones,
        at: Timestamp,
        watch: Option<&Watch<'_>>,
    ) -> Result<bool, IngestError> {
        let (mut batch, mut noted) = (Batch::default(), Vec::new());
        // With somebody who has come since, who carries a user's traits is erased again: whether all is done is asked of it.
        let is_any_new = members.iter().any(|member| !erased.has(member));
        let is_asked = |member: &MemberId| !erased.has(member) || is_any_new && batch::is_of_server(member);
        for member in members.into_iter().filter(is_asked) {
            let tombstone = erased.of(&member);
            noted.push(tombstone);
            let record = Record::Erase { tombstone, at, member: Some(member) };
            batch.push(None, |out| encode_record(&record, out));
        }
        if batch.is_empty() {
            return Ok(true);
        }
        let is_logged = self.log_behind(batch, watch).await?.is_some();
        noted.iter().filter(|_| is_logged).for_each(|tombstone| erased.note(*tombstone));
        Ok(is_logged)
    }

    /// Appends a batch; with a watch only where nothing about its names has been handed over since that began.
    async fn log_behind(
        &self,
        batch: Batch,
        watch: Option<&Watch<'_>>,
    ) -> Result<Option<Appended>, IngestError> {
        let Some(watch) = watch else { return self.log_batch(batch, None).await.map(Some) };
        let seen = self.live.look(&batch);
        let submitted = watch.hand_over(batch, |batch| self.log.submit(batch)).map_err(IngestError::Log)?;
        let Some(submitted) = submitted else { return Ok(None) };
        let appended = submitted.durable().await.map_err(IngestError::Log)?;
        self.live.tell(seen, None, &appended);
        Ok(Some(appended))
    }

    /// Appends a batch that has come under a key, or from nobody who has one, and tells who watches for what it is about.
    async fn log_batch(&self, batch: Batch, key: Option<&WriteKey>) -> Result<Appended, IngestError> {
        let seen = self.live.look(&batch);
        let submitted = self.watches.hand_over(batch, |batch| self.log.submit(batch));
        let appended = submitted.map_err(IngestError::Log)?.durable().await.map_err(IngestError::Log)?;
        self.live.tell(seen, key, &appended);
        Ok(appended)
    }
}

impl IngestError {
    /// Stable name for answers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Body(BodyError::TypeUnsupported) => "type_not_supported",
            Self::Body(BodyError::EncodingUnsupported) => "encoding_not_supported",
            Self::Body(BodyError::NotCompressed) => "body_not_decodable",
            Self::Body(BodyError::NotText) => "body_not_text",
            Self::Body(BodyError::TooLarge(_)) | Self::TooLarge(_) => "batch_too_large",
            Self::Envelope(error) => error.code(),
            Self::Limited(limited) => limited.code(),
            Self::Memory(busy) => busy.code(),
            Self::Log(error) => error.code(),
        }
    }
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(BodyError::TypeUnsupported) => {
                f.write_str("Content-Type must be text/plain, application/json or application/x-ndjson")
            }
            Self::Body(BodyError::EncodingUnsupported) => {
                f.write_str("Content-Encoding must be identity, gzip, deflate, br or zstd")
            }
            Self::Body(BodyError::NotCompressed) => {
                f.write_str("the body does not decompress as its encoding says")
            }
            Self::Body(BodyError::NotText) => f.write_str("the body is not UTF-8 text"),
            Self::Body(BodyError::TooLarge(_)) | Self::TooLarge(_) => write!(
                f,
                "a batch holds at most {} events, {} bytes, and {} bytes per event, after decompression",
                MAX_BATCH_EVENTS, MAX_BATCH_BYTES, MAX_EVENT_BYTES
            ),
            Self::Envelope(error) => error.fmt(f),
            Self::Limited(limited) => limited.fmt(f),
            Self::Memory(busy) => busy.fmt(f),
            Self::Log(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for IngestError {}
