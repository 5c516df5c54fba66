//! nginx that reads each body to its end.
//!
//! A location that only returns something answers without having read the body. A proxy that buffers requests reads it first,
//! wholly and into memory; here what it passes on is a request without body, over a Unix socket that stays open, to a server of
//! the same nginx that returns how many bytes have been read. So every body is read once and copied nowhere.

use super::{Started, spawn};
use crate::collector::free_ports;
use crate::failure::Failure;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

pub fn start(folder: &Path) -> Result<Started, Failure> {
    let (port, _) = free_ports()?;
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration(folder, port)).map_err(|error| Failure::of("nginx.conf", error))?;
    let child = spawn(&["nginx", "/usr/sbin/nginx"], |command| {
        command.arg("-p").arg(folder).arg("-c").arg(&file).args(["-e", "stderr"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
    })?;
    Ok(child.map(|child| (child, port)))
}

fn configuration(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    // Its workers would give the rights up by which they reach the folder.
    let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
    format!(
        r#"{user} daemon off; worker_processes auto; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_max_body_size 2m; client_body_buffer_size 2m; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream answer {{ server unix:{folder}/answer; keepalive 128; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://answer; proxy_method GET; proxy_http_version 1.1; proxy_request_buffering on;
      proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header Content-Type "";
      proxy_set_header Connection ""; proxy_set_header X-Read $request_length;
    }}
  }}
  server {{ listen unix:{folder}/answer; location / {{ return 200 $http_x_read; }} }}
}}
"#
    )
}

/// Makes sure that a body has been read when it is answered.
pub fn check(port: u16) -> Result<(), Failure> {
    let told = |error: std::io::Error| Failure::of("nginx", error);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(told)?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(told)?;
    let body = "x".repeat(100_000);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(told)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(told)?;
    let read = answer.rsplit("\r\n\r\n").next().and_then(|text| text.trim().parse::<usize>().ok());
    if read == Some(request.len()) {
        return Ok(());
    }
    Err(Failure::new(format!("nginx was sent {} bytes and has read {read:?}: {answer}", request.len())))
}
