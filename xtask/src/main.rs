//! Build, test, demo, tidy, size, bench and replay: `cargo xtask` lists them.

mod arguments;
mod bench;
mod build;
mod command;
mod demo;
mod engines;
mod failure;
mod fingerprint;
mod fuzz;
mod python;
mod replay;
mod size;
mod test;
mod tidy;
mod toolchain;
mod workspace;

use failure::Failure;
use std::process::ExitCode;

/// One sub-command: its name, what it is for, and what it runs with the arguments after its name.
struct Entry {
    name: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const COMMANDS: &[Entry] = &[
    Entry { name: "build", summary: "builds core.wasm, the SDK, and the demo shop", run: build::run },
    Entry {
        name: "demo",
        summary: "builds everything and serves the demo shop [--port 7070] [--data-dir data]",
        run: demo::run,
    },
    Entry { name: "test", summary: "runs every check and test of the repository", run: test::run },
    Entry {
        name: "tidy",
        summary: "checks file sizes, names, arrows, purity of the core, wording",
        run: tidy::run,
    },
    Entry {
        name: "size",
        summary: "prints raw, gzip and brotli bytes of what pages load, of Attune and of others",
        run: size::run,
    },
    Entry {
        name: "bench",
        summary: "prints figures: bench <size | delivery | page | track | crash | power | ingest | ack | dedup | recovery | hostile | push | eval | signals | worker | delta | fuzz [seconds]>",
        run: bench::run,
    },
    Entry {
        name: "replay",
        summary: "sends recorded input: replay eshop2008 <file.csv.gz> [--duplicates 0.05] [--shuffle] [--engine native|wasm]",
        run: replay::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        list();
        return ExitCode::SUCCESS;
    };
    let Some(entry) = COMMANDS.iter().find(|entry| entry.name == name) else {
        eprintln!("xtask: there is no command `{name}`");
        list();
        return ExitCode::from(2);
    };
    if rest.iter().any(|argument| matches!(&**argument, "--help" | "-h")) {
        println!("cargo xtask {name}: {}", entry.summary);
        return ExitCode::SUCCESS;
    }
    match (entry.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    println!("cargo xtask <command>");
    for entry in COMMANDS {
        println!("  {:<8} {}", entry.name, entry.summary);
    }
}
