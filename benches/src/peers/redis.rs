//! Redis that appends every entry to its file and syncs that before it answers.

use super::{Started, spawn};
use crate::collector::free_ports;
use crate::failure::Failure;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Stdio;

pub fn start(folder: &Path) -> Result<Started, Failure> {
    let (port, _) = free_ports()?;
    let port_text = port.to_string();
    let child = spawn(&["redis-server", "/usr/bin/redis-server"], |command| {
        command.args(["--port", &port_text, "--bind", "127.0.0.1", "--daemonize", "no", "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always"]).arg("--dir").arg(folder);
        // A rewrite of the file in the middle of a trial would count against it.
        command.args(["--auto-aof-rewrite-percentage", "0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
    })?;
    Ok(child.map(|child| (child, port)))
}

/// How many entries the stream has.
pub fn count(port: u16) -> Result<u64, Failure> {
    let told = |error: std::io::Error| Failure::of("redis", error);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(told)?;
    stream.write_all(b"XLEN events\r\n").map_err(told)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(told)?;
    let count = line.strip_prefix(':').and_then(|count| count.trim().parse().ok());
    count.ok_or_else(|| Failure::new(format!("redis: XLEN: {line}")))
}
