//! The four shells, and how a test runs a script in them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pipe_grammar::shell::{Dialect, Script};

/// A shell as the runner starts it.
#[derive(Clone, Copy, Debug)]
pub struct Shell {
    pub name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// The stricter dialect that fits it.
    pub dialect: Dialect,
}

/// How long a shell may take.
const DEADLINE: Duration = Duration::from_secs(20);

const SHELLS: [Shell; 4] = [
    Shell {
        name: "bash",
        program: "bash",
        arguments: &["-eu", "-o", "pipefail"],
        dialect: Dialect::Bash,
    },
    Shell {
        name: "bash --posix",
        program: "bash",
        arguments: &["--posix", "-eu"],
        dialect: Dialect::Sh,
    },
    Shell { name: "dash", program: "dash", arguments: &["-eu"], dialect: Dialect::Sh },
    Shell {
        name: "busybox sh",
        program: "busybox",
        arguments: &["sh", "-eu"],
        dialect: Dialect::Sh,
    },
];

/// The shells that are there. A missing one is told, or is a failure where everything must run.
pub fn shells(test: &str) -> Vec<Shell> {
    SHELLS
        .into_iter()
        .filter(|shell| {
            let there = Command::new(shell.program)
                .args(shell.arguments)
                .args(["-c", ":"])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
            if !there {
                eprintln!("left out: {test}: needs {}", shell.program);
                let all = std::env::var_os("PIPE_TEST_ALL").is_some_and(|all| all == "1");
                assert!(!all, "{test}: needs {}", shell.program);
            }
            there
        })
        .collect()
}

/// How many cases a test runs; `PIPE_TEST_CASES` multiplies them, in per cent.
pub fn cases(default: usize) -> usize {
    let percent = std::env::var("PIPE_TEST_CASES").ok().and_then(|text| text.parse().ok());
    (default * percent.unwrap_or(100) / 100).max(1)
}

/// What a script told by calling `W` (its arguments) and `C` (its standard input).
#[derive(PartialEq, Eq, Debug)]
pub struct Told {
    /// One record for each call.
    pub records: Vec<Vec<u8>>,
    /// None if a signal ended the shell.
    pub status: Option<i32>,
    pub stderr: String,
}

/// Names and values.
pub type Environment = Vec<(String, Vec<u8>)>;

/// A folder that is removed in the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pipe-shell-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `W` tells its arguments, each behind a `\1`, and prints `r`. `C` tells its input. `P` prints
/// its argument and a dot. Nobody needs to listen to what they print.
const TELL: &str = "exec 3>>records; trap '' PIPE; R() { printf r 2>&- || :; }; \
    W() { for __a; do printf '\\001%s' \"$__a\" >&3; done; printf '\\000' >&3; R; }; \
    C() { cat >&3; printf '\\000' >&3; R; }; \
    P() { printf '%s.' \"$1\"; }; \
    unset U; E=\n";

/// Runs scripts, one behind the other in one process. `values` are the environment; its names
/// are prefixed with the number of the script.
pub fn run(shell: Shell, folder: &Folder, scripts: &[(String, Environment)]) -> Told {
    let mut source = TELL.to_owned();
    let mut command = Command::new(shell.program);
    command.args(shell.arguments);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").env("HOME", "/");
    for (number, (script, values)) in scripts.iter().enumerate() {
        for (name, value) in values {
            let carrier = format!("CASE_{number}_{name}");
            source += &format!("{name}=${{{carrier}}}; ");
            command.env(carrier, OsStr::from_bytes(value));
        }
        source += script;
        source += "\n";
    }
    let records = folder.0.join("records");
    let _ = fs::remove_file(&records);
    command.args(["-c", &source]).current_dir(&folder.0);
    let output = wait(command);
    let told = fs::read(&records).unwrap_or_default();
    let mut records: Vec<Vec<u8>> = told.split(|b| *b == 0).map(<[u8]>::to_vec).collect();
    records.pop();
    Told {
        records,
        status: output.status.code(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The values of a script's variables, as the runner would set them.
pub fn environment(script: &Script, values: &[Vec<Vec<u8>>]) -> Environment {
    script
        .variables
        .iter()
        .map(|variable| {
            let value = &values[variable.hole][variable.element.unwrap_or(0)];
            (variable.environment(), value.clone())
        })
        .collect()
}

/// Waits, but not for ever: a shell that hangs is ended with all that it started, and has no
/// status then.
fn wait(mut command: Command) -> Output {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stderr, &mut text);
        text
    });
    let deadline = Instant::now() + DEADLINE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            let group = format!("-{}", child.id());
            Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
            break child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_micros(300));
    };
    Output { status, stdout: Vec::new(), stderr: reader.join().unwrap() }
}
