//! Ending a cluster.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::lock;
use crate::{Running, Settings, error::Error};

/// Tasks that take longer to end well end otherwise.
const LIMIT: Duration = Duration::from_secs(30);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(25);

/// Ends the cluster of a folder and all its tasks: each gets TERM and after its grace KILL. Its
/// apps are kept for the next start. Whether one ran.
///
/// # Errors
///
/// When the folder can't be read, or the process can't be ended.
pub async fn stop(settings: &Settings) -> Result<bool, Error> {
    let folder = &settings.folder;
    if !lock::is_taken(folder, lock::RUNS)? {
        return Ok(false);
    }
    let deadline = Instant::now() + LIMIT;
    let mut told = false;
    while lock::is_taken(folder, lock::RUNS)? {
        // One that is just being started has not said yet which process it is.
        let running = Running::read(folder).filter(Running::is_alive);
        if let Some(running) = running
            && (!told || Instant::now() >= deadline)
        {
            let signal = if told { Signal::KILL } else { Signal::TERM };
            send(running.pid, signal)?;
            told = true;
        }
        if Instant::now() >= deadline + Duration::from_secs(5) {
            let text = "the local cluster does not end; end its process yourself";
            return Err(Error::new(text));
        }
        sleep(PAUSE).await;
    }
    Ok(true)
}

fn send(pid: u32, signal: Signal) -> Result<(), Error> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let sent = pid.map_or(Ok(()), |pid| kill_process(pid, signal));
    match sent {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => {
            let text = pipe_oci::plain(&error.into());
            Err(Error::new(format!("can't end the local cluster: {text}")))
        }
    }
}
