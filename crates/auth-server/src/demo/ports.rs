//! Ports to listen on: the wanted one, or a free one.

use anyhow::{Context as _, Result};
use std::net::{Ipv4Addr, TcpListener};

/// Listens on loopback: on the port that was asked for, else on the usual one, else on a free one.
pub(super) fn listen(asked: Option<u16>, usual: u16) -> Result<(TcpListener, u16)> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match asked {
        Some(port) => bind(port).with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?,
        None => bind(usual).or_else(|_| bind(0)).context("cannot listen on 127.0.0.1")?,
    };
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}
