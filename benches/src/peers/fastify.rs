//! Fastify as its documentation has it, in one process, which is how Node runs.

use super::{Absent, Started, spawn};
use crate::collector::{free_ports, repository_root};
use crate::failure::Failure;
use std::process::Stdio;

pub fn start() -> Result<Started, Failure> {
    let root = repository_root();
    let places = ["benches/node_modules/fastify", "node_modules/fastify"];
    if !places.iter().any(|place| root.join(place).exists()) {
        return Ok(Err(Absent("fastify is not installed; npm ci installs it".to_owned())));
    }
    let (port, _) = free_ports()?;
    let child = spawn(&["node"], |command| {
        command.arg(root.join("benches/peers/fastify.mjs")).arg(port.to_string());
        command.env("NODE_ENV", "production").stdin(Stdio::null()).stdout(Stdio::null());
    })?;
    Ok(child.map(|child| (child, port)))
}
