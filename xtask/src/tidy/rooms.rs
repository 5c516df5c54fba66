//! The allowed arrows of docs/architecture.md as tables.

/// Which rooms a room may name.
pub struct Room {
    /// The module's name.
    pub name: &'static str,
    /// The modules it may name, besides itself.
    pub may_name: &'static [&'static str],
}

const fn room(name: &'static str, may_name: &'static [&'static str]) -> Room {
    Room { name, may_name }
}

/// The crates whose inner arrows are checked.
pub const CRATES: [(&str, &[Room]); 2] = [("sdk-core/src", &CORE), ("collector/src", &COLLECTOR)];

const CORE: [Room; 19] = [
    room("limits", &[]),
    room("hash", &[]),
    room("order", &[]),
    room("time", &["codec", "limits"]),
    room("id", &["hash", "limits", "time"]),
    room("codec", &["limits"]),
    room("value", &["codec", "limits", "time"]),
    room("wire", &["codec", "hash", "id", "limits", "time", "value"]),
    room("condition", &["codec", "hash", "id", "limits", "order", "time", "value"]),
    room("experiment", &["codec", "condition", "hash", "id", "limits", "order", "time", "value"]),
    room("growthbook", &["codec", "condition", "experiment", "hash", "id", "limits", "time", "value"]),
    room("filter", &["codec", "condition", "hash", "id", "limits", "order", "time", "value", "wire"]),
    room("queue", &["codec", "filter", "hash", "id", "limits", "order", "time", "value", "wire"]),
    room("profile", &["codec", "condition", "hash", "id", "limits", "order", "time", "value", "wire"]),
    room("model", &["codec", "condition", "hash", "id", "limits", "time", "value"]),
    room(
        "rules",
        &[
            "codec",
            "condition",
            "experiment",
            "hash",
            "id",
            "limits",
            "model",
            "order",
            "profile",
            "time",
            "value",
            "wire",
        ],
    ),
    room(
        "bundle",
        &[
            "codec",
            "condition",
            "experiment",
            "filter",
            "hash",
            "id",
            "limits",
            "model",
            "order",
            "profile",
            "rules",
            "time",
            "value",
            "wire",
        ],
    ),
    room(
        "processor",
        &[
            "bundle",
            "codec",
            "condition",
            "experiment",
            "hash",
            "id",
            "limits",
            "model",
            "order",
            "profile",
            "rules",
            "time",
            "value",
            "wire",
        ],
    ),
    room(
        "client",
        &[
            "bundle",
            "codec",
            "condition",
            "experiment",
            "filter",
            "hash",
            "id",
            "limits",
            "model",
            "order",
            "profile",
            "queue",
            "rules",
            "time",
            "value",
            "wire",
        ],
    ),
];

/// Base rooms first; then the ports and what stands behind them; `http` and `worker` do not know each other.
const COLLECTOR: [Room; 29] = [
    room("limits", &[]),
    room("bell", &[]),
    room("hex", &[]),
    room("descriptors", &["limits"]),
    room("clock", &["limits"]),
    room("metrics", &["limits"]),
    room("whole_file", &[]),
    room("secret", &["hex", "whole_file"]),
    room("selftest", &["limits"]),
    room("content", &["hex"]),
    room("access", &["clock", "hex", "limits", "secret"]),
    room("assets", &["content", "limits"]),
    room("enrich", &["limits", "metrics"]),
    room("settings", &["access", "enrich", "limits", "trigger"]),
    room("log", &["bell", "clock", "limits", "metrics"]),
    room("ingest", &["access", "clock", "enrich", "limits", "log", "metrics"]),
    room("compat", &["ingest", "limits"]),
    room("profile", &["clock", "limits", "log", "metrics"]),
    room("trigger", &["access", "clock", "limits", "metrics", "profile", "secret"]),
    room("push", &["access", "bell", "clock", "limits", "metrics"]),
    room("bundle", &["bell", "clock", "content", "hex", "limits", "log", "metrics", "secret", "whole_file"]),
    room("query", &["author", "bell", "bundle", "clock", "limits", "log", "metrics", "profile"]),
    room(
        "http",
        &[
            "access", "assets", "bundle", "clock", "compat", "content", "enrich", "hex", "ingest", "limits",
            "metrics", "push", "query", "secret", "trigger",
        ],
    ),
    room("worker", &["access", "bell", "bundle", "clock", "limits", "log", "metrics", "profile", "push"]),
    room("reload", &["access", "enrich", "http", "limits", "settings", "trigger"]),
    room("author", &["bundle", "clock", "hex", "limits", "log", "secret", "settings", "whole_file"]),
    room("rooms", WIRING),
    room("server", WIRING),
    // Tests that play the whole of it.
    room("simulation", WIRING),
];

/// What puts the collector's rooms together names them all.
const WIRING: &[&str] = &[
    "access",
    "assets",
    "bell",
    "bundle",
    "clock",
    "content",
    "descriptors",
    "enrich",
    "hex",
    "http",
    "ingest",
    "limits",
    "log",
    "metrics",
    "profile",
    "push",
    "query",
    "reload",
    "rooms",
    "secret",
    "selftest",
    "server",
    "settings",
    "trigger",
    "whole_file",
    "worker",
];

/// Packages of ours and the packages of ours that each may depend on, tests included.
pub const PACKAGES: [(&str, &[&str]); 11] = [
    ("sdk-core", &[]),
    ("core-abi", &["attune-core"]),
    ("sdk-wasm", &["attune-core"]),
    ("trust-wasm", &["attune-core"]),
    ("filter-wasm", &["attune-core"]),
    // The tests of the collector have their pages from `tests`.
    ("collector", &["attune-core", "attune-tests"]),
    ("tests", &["attune-core", "attune-core-abi", "attune-wasm"]),
    ("benches", &["attune-core", "attune-collector", "attune-core-abi", "attune-wasm"]),
    ("xtask", &[]),
    ("xtask/wasm-tools", &[]),
    ("xtask/wasm-split", &["attune-core", "attune-wasm"]),
];

/// Folders of a shell, and the façades of the core that are for the other shell.
pub const OTHER_FACADES: [(&str, &[&str]); 4] = [
    ("sdk-wasm/src", &["attune_core::processor", "attune_core::bundle::author"]),
    ("trust-wasm/src", &["attune_core::processor", "attune_core::client", "attune_core::queue"]),
    ("filter-wasm/src", &["attune_core::processor", "attune_core::client", "attune_core::queue"]),
    ("collector/src", &["attune_core::client", "attune_core::queue"]),
];

/// Folders of scripts, and the beginnings of what a script there may import; `./` and `../` stay inside the folder.
pub const SCRIPTS: [(&str, &[&str]); 4] = [
    ("sdk-wasm/js", &["./", "../", "node:", "@openfeature/web-sdk", "react", "web-vitals"]),
    // An adapter knows one web API and nothing of ours.
    ("sdk-wasm/js/browser", &["./"]),
    ("sdk-wasm/js/dom", &["./"]),
    ("demo-site/src", &["./", "../", "attune", "@fontsource"]),
];
