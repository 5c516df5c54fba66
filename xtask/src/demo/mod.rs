//! `cargo xtask demo`: builds everything, serves the demo shop and keeps it running.

mod control;
mod supervisor;

use crate::arguments::Arguments;
use crate::build;
use crate::failure::Failure;
use crate::workspace;
use std::net::TcpListener;
use std::path::PathBuf;
use supervisor::{Parent, Service};

/// Serves the demo until SIGINT or SIGTERM.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let parent = Parent::if_npm();
    let mut arguments = Arguments::new(arguments);
    let root = workspace::root()?;
    let port: u16 = arguments.value("--port", 7070)?;
    let data: PathBuf = arguments.value("--data-dir", root.join("data"))?;
    if let Some(stray) = arguments.finish()?.first() {
        let hint = "flags go after two dashes: npm start -- --port 8080";
        return Err(Failure::new(format!("what is `{stray}`? {hint}")));
    }
    // The three listeners stand side by side, so that one flag moves them all.
    let (Some(admin_port), Some(control_port)) = (port.checked_add(1), port.checked_add(2)) else {
        return Err(Failure::new(format!("--port: {port} leaves no room for the admin and control ports")));
    };
    for port in [port, admin_port, control_port] {
        ensure_free(port)?;
    }
    build::assets(&root)?;
    build::collector(&root)?;
    let service = Service {
        binary: workspace::collector_binary()?,
        root,
        port,
        admin_port,
        control_port,
        data,
        parent,
    };
    supervisor::supervise(&service)
}

fn ensure_free(port: u16) -> Result<(), Failure> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|error| {
        let hint = "stop what listens there, or choose another port: npm start -- --port 8080";
        Failure::new(format!("127.0.0.1:{port} cannot be used ({error}); {hint}"))
    })
}
