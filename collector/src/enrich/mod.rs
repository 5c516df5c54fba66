//! What a request says of where its events come from: browser, place, campaign, wishes. Looked up once, when it arrives, and
//! kept beside each event in the log.

mod agent;
mod campaign;
mod context;
mod geo;
mod hints;
mod mode;
mod referrer;
mod text;

use crate::limits::MAX_KNOWN_AGENTS;
use crate::metrics::Metrics;
use agent::Agent;
use attune_core::filter::is_bot;
use attune_core::wire::Facts;
use context::Context;
use quick_cache::sync::Cache;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

pub use context::Told;
pub use geo::GeoDatabase;
pub use hints::Hints;
pub use mode::{AddressMode, BotMode, GpcMode};

/// What is done with what requests say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// With events of programs.
    pub bots: BotMode,
    /// With Global Privacy Control.
    pub gpc: GpcMode,
    /// With addresses.
    pub address: AddressMode,
}

/// Finds out where events come from.
pub struct Enricher {
    modes: Modes,
    /// What user agents have been read as. Most requests come with one of few.
    agents: Cache<Box<str>, Arc<Agent>>,
    geo: geo::Geo,
    metrics: Arc<Metrics>,
}

/// Where a request, or one event of it, comes from; everything as it arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// The visitor's user agent.
    pub user_agent: Option<&'a str>,
    /// The browser's client hints.
    pub hints: Hints<'a>,
    /// The visitor's address.
    pub address: Option<IpAddr>,
    /// Whether the browser asks not to sell or share what it sends.
    pub gpc: bool,
}

/// What has been found out for one event or many.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What the log keeps; nothing where nothing is known.
    pub facts: Option<Facts>,
    /// Whether a program has sent it.
    pub is_bot: bool,
}

impl Enricher {
    /// One that looks addresses up in a database, where there is one.
    pub fn new(modes: Modes, database: Option<GeoDatabase>, metrics: Arc<Metrics>) -> Self {
        Self { modes, agents: Cache::new(MAX_KNOWN_AGENTS), geo: geo::Geo::new(database), metrics }
    }

    /// Puts another database in the old one's place; what has been looked up stays as it was.
    pub fn replace_database(&self, database: Option<GeoDatabase>) {
        self.geo.replace(database);
    }

    /// Whether events of programs are refused.
    pub fn refuses_bots(&self) -> bool {
        self.modes.bots == BotMode::Drop
    }

    /// Finds out what there is to know of events that come from somewhere, whose sender tells this of page and campaign.
    /// `strip` leaves of that what may be kept.
    pub fn look_up<'t>(
        &self,
        source: &Source<'_>,
        told: &Told<'t>,
        strip: impl FnOnce(String) -> Option<String>,
    ) -> Found {
        let agent = source.user_agent.filter(|text| !text.is_empty()).map(|text| self.agent(text));
        let is_bot = agent.as_ref().is_some_and(|agent| agent.is_bot) || source.hints.is_bot();
        let mut context = Context::default();
        context.put_agent(agent.as_deref(), &source.hints);
        if is_bot {
            context.put_bot();
        }
        let gpc = (source.gpc || told.gpc) && self.modes.gpc == GpcMode::Honour;
        if gpc {
            context.put_gpc();
        }
        if let Some(address) = source.address {
            self.put_place(address, &mut context);
        }
        if let Some(page) = told.page().and_then(strip) {
            context.put_all(&page);
        }
        let aside = is_bot && self.modes.bots == BotMode::Log;
        let facts = context.finish().map(|context| Facts { context: context.into(), gpc, aside });
        Found { facts, is_bot }
    }

    fn put_place(&self, address: IpAddr, context: &mut Context) {
        // A database is asked of the whole address, and nothing else ever sees that.
        match self.geo.find(address) {
            Ok(Some(place)) => {
                self.metrics.geo_lookups.add("found", 1);
                context.put_place(&place);
            }
            Ok(None) if self.geo.is_there() => self.metrics.geo_lookups.add("missing", 1),
            Ok(None) => {}
            Err(error) => {
                self.metrics.geo_lookups.add("failed", 1);
                tracing::debug!(%error, "the database of places could not be read");
            }
        }
        if let Some(shown) = self.modes.address.shown(address) {
            context.put_address(&shown);
        }
    }

    fn agent(&self, text: &str) -> Arc<Agent> {
        let text = text::cut(text, crate::limits::MAX_AGENT_BYTES);
        if let Some(known) = self.agents.get(text) {
            return known;
        }
        let read = Arc::new(Agent::read(text));
        self.agents.insert(text.into(), read.clone());
        read
    }
}

impl fmt::Debug for Enricher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enricher").field("modes", &self.modes).finish_non_exhaustive()
    }
}

/// The address that a text names, without or with a port.
pub fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().map(|socket: std::net::SocketAddr| socket.ip());
    text.parse().or_else(|_| with_port()).ok()
}

/// Whether a user agent, or what client hints call the browser, is a program's.
fn names_bot(text: &str) -> bool {
    is_bot(text)
}
