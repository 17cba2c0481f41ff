//! Ports that load balancers know an app by.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;

use super::{App, AppId};
use crate::marathon::error::Refusal;

/// `--local_port_min` and `--local_port_max`.
pub(crate) const RANGE: std::ops::Range<u16> = 10000..20000;

/// Gives every port of `app` that has service port 0 one that nobody has, first those that the app
/// had before (`core/group/impl/AssignDynamicServiceLogic.scala`).
pub(crate) fn assign_service_ports(
    app: &mut App,
    apps: &BTreeMap<AppId, App>,
) -> Result<(), Refusal> {
    let mut ports = app.service_ports();
    let wanted: BTreeSet<u16> = ports.iter().copied().collect();
    let before = apps.get(&app.id).map(App::service_ports).unwrap_or_default();
    let mut old = before.into_iter().filter(|port| *port != 0 && !wanted.contains(port));
    let others = apps.values().filter(|other| other.id != app.id).flat_map(App::service_ports);
    let mut taken: BTreeSet<u16> = others.chain(ports.iter().copied()).collect();
    for port in ports.iter_mut().filter(|port| **port == 0) {
        let free = old.next().or_else(|| RANGE.clone().find(|port| !taken.contains(port)));
        *port = free.ok_or_else(|| {
            Refusal::message(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!(
                    "All ports in the range [{}-{}) are already in use",
                    RANGE.start, RANGE.end
                ),
            )
        })?;
        taken.insert(*port);
    }
    app.set_service_ports(&ports);
    Ok(())
}
