//! Starting a cluster in a process of its own.

use std::{
    env,
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{folder, lock, status};
use crate::{Running, Settings, error::Error, task::in_own_session};

/// A cluster answers within this time, or something is wrong.
const LIMIT: Duration = Duration::from_secs(10);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(25);
/// What the cluster, and a `cmd` that it runs, see of the environment of whoever starts it: nothing
/// that may be secret.
const INHERITED: [&str; 10] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "RUST_BACKTRACE",
];
/// A log that is longer begins anew.
const LONGEST_LOG: u64 = 1 << 20;

/// The cluster of a folder; when none runs, one is started: `PROGRAM cluster serve --folder
/// FOLDER`, in a session of its own, so that it outlives this process and its terminal. Of several
/// callers at the same time one starts it, and all get it.
///
/// # Errors
///
/// When the program can't be run, or ends, or does not answer within ten seconds; with the last
/// lines that it logged.
pub fn start(settings: &Settings, program: &Path) -> Result<Running, Error> {
    // The new process runs elsewhere.
    let folder = std::path::absolute(&settings.folder)
        .map_err(|error| Error::at("find", &settings.folder, &error))?;
    let settings = &Settings { folder, ..settings.clone() };
    folder::make(&settings.folder)?;
    let _starting = lock::take(&settings.folder, lock::STARTS)?;
    // One that is just about to end is waited for.
    let deadline = Instant::now() + LIMIT;
    while lock::is_taken(&settings.folder, lock::RUNS)? && Instant::now() < deadline {
        if let Some(running) = status(settings)? {
            return Ok(running);
        }
        thread::sleep(PAUSE);
    }
    let mut child = spawn(settings, program)?;
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Some(running) = status(settings)? {
            // Whoever started it is its parent, and takes note of its end.
            thread::spawn(move || child.wait());
            return Ok(running);
        }
        if let Ok(Some(ended)) = child.try_wait() {
            let text = format!("the local cluster ended at once ({ended})");
            return Err(with_log(settings, &text));
        }
        thread::sleep(PAUSE);
    }
    let _ = child.kill();
    let _ = child.wait();
    let text = format!("the local cluster did not answer within {} s", LIMIT.as_secs());
    Err(with_log(settings, &text))
}

fn spawn(settings: &Settings, program: &Path) -> Result<Child, Error> {
    let log = settings.log();
    let long = fs::metadata(&log).is_ok_and(|found| found.len() > LONGEST_LOG);
    let mut open = OpenOptions::new();
    open.create(true).write(true).truncate(long).append(!long).mode(0o600);
    let failed = |error: std::io::Error| Error::at("write", &log, &error);
    let output = open.open(&log).map_err(failed)?;
    let errors = output.try_clone().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .args(["cluster", "serve", "--folder"])
        .arg(&settings.folder)
        .env_clear()
        .envs(INHERITED.iter().filter_map(|name| Some((name, env::var_os(name)?))))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    in_own_session(&mut command);
    command.spawn().map_err(|error| Error::at("run", program, &error))
}

/// The last lines of the log say why.
fn with_log(settings: &Settings, text: &str) -> Error {
    const LINES: usize = 5;
    let log = fs::read_to_string(settings.log()).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    let log = settings.log();
    Error::new(format!("{text}; the last lines of `{}`:\n{last}", log.display()))
}
