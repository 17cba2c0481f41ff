//! The cluster's two ports: the same ones every time, as long as nobody else has them, so that
//! names of images and addresses stay what they were.

use std::{io, net::Ipv4Addr, path::Path};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{error::Error, files};

/// Where to look first in a new cluster: ports that nobody is assigned and Linux gives nobody.
const FIRST: Ports = Ports { marathon: 25080, registry: 25000 };
/// So many ports after the first are tried; then any will do.
const TRIED: u16 = 50;

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Ports {
    marathon: u16,
    registry: u16,
}

/// Listens on both, and remembers them in `file`.
pub(super) async fn bind(file: &Path) -> Result<(TcpListener, TcpListener), Error> {
    let last = std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Ports { marathon, registry } = last.unwrap_or(FIRST);
    let failed = |error: io::Error| {
        Error::new(format!("can't listen on a port of 127.0.0.1: {}", pipe_oci::plain(&error)))
    };
    let marathon = bind_near(marathon).await.map_err(failed)?;
    let registry = bind_near(registry).await.map_err(failed)?;
    let port = |listener: &TcpListener| Ok(listener.local_addr()?.port());
    let ports = Ports {
        marathon: port(&marathon).map_err(failed)?,
        registry: port(&registry).map_err(failed)?,
    };
    let text = serde_json::to_vec(&ports).map_err(|error| Error::new(error.to_string()))?;
    files::write(file, &text).map_err(|error| Error::at("write", file, &error))?;
    Ok((marathon, registry))
}

async fn bind_near(first: u16) -> io::Result<TcpListener> {
    for port in first..=first.saturating_add(TRIED) {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return Ok(listener);
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}
