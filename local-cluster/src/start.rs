//! Starting a cluster as a process of its own.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    error::Error,
    files,
    running::{Running, status},
    settings::{Settings, absolute},
    task::in_own_session,
};

/// How long a cluster may take until it answers.
const LIMIT: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// What a cluster keeps of the environment of who starts it: nothing that may be secret.
const INHERITED: [&str; 11] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_STATE_HOME",
    "RUST_BACKTRACE",
];

/// Starts the cluster of a folder, unless it runs, and waits until it answers. `program` is the
/// file of the program that runs [`serve`](crate::serve) when it is called
/// `program cluster serve --folder FOLDER`. Two callers at once get the same cluster.
///
/// # Errors
///
/// When the folder can't be written, or no cluster answers within ten seconds; with the last lines
/// of its log.
pub fn start(settings: &Settings, program: &Path) -> Result<Running, Error> {
    let folder = absolute(&settings.folder);
    let settings = &Settings { folder: folder.clone(), ..settings.clone() };
    files::make_folder(&folder).map_err(|error| Error::at("make", &folder, &error))?;
    let deadline = Instant::now() + LIMIT;
    let _starting = lock(&folder.join("start.lock"), deadline)?;
    let log = settings.log_file();
    let mut child: Option<Child> = None;
    loop {
        let waiting = match status(settings) {
            Ok(Some(running)) => {
                // Whoever started it does not wait for its end; its parent takes that over.
                return Ok(running);
            }
            Ok(None) if child.is_none() => {
                child = Some(spawn(settings, program, &log)?);
                None
            }
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if let Some(child) = &mut child
            && let Ok(Some(status)) = child.try_wait()
        {
            let why = format!("the local cluster ended at its start ({status})");
            return Err(with_log(&why, &log));
        }
        if Instant::now() > deadline {
            if let Some(mut child) = child {
                let _ = child.kill();
                let _ = child.wait();
                return Err(with_log("the local cluster does not answer after ten seconds", &log));
            }
            return Err(waiting.unwrap_or_else(|| Error::new("the local cluster does not start")));
        }
        thread::sleep(PAUSE);
    }
}

fn lock(file: &Path, deadline: Instant) -> Result<File, Error> {
    let failed = |error: &std::io::Error| Error::at("lock", file, error);
    let lock = File::create(file).map_err(|error| failed(&error))?;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new("another process has been starting the local cluster for ten seconds"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
    }
}

fn spawn(settings: &Settings, program: &Path, log: &Path) -> Result<Child, Error> {
    // The log of the one before is worth little more than the space it takes.
    let _ = fs::rename(log, log.with_extension("log.1"));
    let output = || {
        let open = File::options().append(true).create(true).open(log);
        open.map(Stdio::from).map_err(|error| Error::at("write", log, &error))
    };
    let mut command = Command::new(program);
    command
        .args(&settings.serve_arguments)
        .arg(&settings.folder)
        .env_clear()
        .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output()?)
        .stderr(output()?);
    in_own_session(&mut command);
    command.spawn().map_err(|error| Error::at("run", program, &error))
}

fn with_log(why: &str, log: &Path) -> Error {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(10)..].join("\n");
    if last.is_empty() {
        return Error::new(why);
    }
    Error::new(format!("{why}; the end of its log:\n{last}"))
}
