//! Stopping a cluster.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    error::Error,
    running::{Address, is_held},
    settings::{Settings, absolute},
};

/// Tasks are asked to end and have their grace periods; what lasts longer than this is ended.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Ends all tasks of the cluster of a folder, then the cluster; whether one ran. Its apps come
/// back with the next start.
///
/// # Errors
///
/// When the cluster can't be signalled.
pub async fn stop(settings: &Settings) -> Result<bool, Error> {
    let settings = &Settings { folder: absolute(&settings.folder), ..settings.clone() };
    let begun = Instant::now();
    if !is_held(settings)? {
        return Ok(false);
    }
    let mut asked = false;
    let mut killed = false;
    while is_held(settings)? {
        let address = Address::read(settings);
        let pid = address.filter(|address| {
            crate::agent::started(address.pid) == Some(address.started)
        });
        let pid = pid.and_then(|address| Pid::from_raw(i32::try_from(address.pid).ok()?));
        if let Some(pid) = pid {
            let signal = match begun.elapsed() > LIMIT {
                false if !asked => Some(Signal::TERM),
                true if !killed => Some(Signal::KILL),
                _ => None,
            };
            if let Some(signal) = signal {
                (asked, killed) = (true, signal == Signal::KILL);
                kill_process(pid, signal).map_err(|error| {
                    Error::new(format!("can't stop the local cluster (process {}): {error}", pid.as_raw_nonzero()))
                })?;
            }
        }
        if begun.elapsed() > LIMIT * 2 {
            return Err(Error::new("the local cluster does not end"));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(true)
}
