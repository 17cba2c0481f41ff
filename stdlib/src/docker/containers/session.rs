//! The container of a stage: its commands run in it one after another, or beside each other.

use std::{
    sync::Mutex,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use pipe_grammar::{
    Code,
    shell::{Dialect, LONGEST_SCRIPT},
};
use tokio::{io::AsyncWriteExt, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Guard, HOME, Lines, Started,
    refused::{missing_program, no_shell},
};
use crate::{
    client::engine::{Attached, Chunks, Engine, Input, Mount, NewExec, Source},
    core::{Call, Ended, Failure, Holding, Output, Session, ShellCommand, Stream},
};

/// Runs in the container as its main process.
const MAIN: &str = include_str!("main.sh");
/// Runs around each command.
const COMMAND: &str = include_str!("command.sh");
/// Runs when a command must end.
const END: &str = include_str!("end.sh");

/// How long the main process may take to say what there is.
const START: Duration = Duration::from_secs(60);
/// How long a command has between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);
/// How long a killed command may take to be gone.
const LAST: Duration = Duration::from_secs(3);

/// A container that waits for commands.
pub(in crate::docker) struct ContainerSession {
    engine: Engine,
    id: String,
    guard: Guard,
    /// The main process ends when this is dropped.
    _input: Mutex<Input>,
    image: String,
    memory: Option<u64>,
    network: Option<String>,
    /// As whom commands run, and where their home is unless the image knows.
    user: String,
    home: Option<&'static str>,
    shell: Shell,
    scripts: std::path::PathBuf,
    killed: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Shell {
    bash: bool,
    pipefail: bool,
}

/// What a container is made of, beside what it runs.
pub(in crate::docker) struct Made {
    pub(in crate::docker) engine: Engine,
    pub(in crate::docker) image: String,
    /// As whom commands run, and whether the call says so.
    pub(in crate::docker) user: String,
    pub(in crate::docker) is_given: bool,
    pub(in crate::docker) memory: Option<u64>,
    pub(in crate::docker) network: Option<String>,
}

impl ContainerSession {
    /// The command of a container that is to be a session; its standard input stays open.
    pub(in crate::docker) fn command(user: &str, volumes: &[Mount]) -> Vec<String> {
        let (number, group) = numbers(user).unwrap_or_default();
        let words = ["sh", "-c", &plain(MAIN), "pipe", &number, &group, HOME];
        let volumes = volumes
            .iter()
            .filter(|mount| matches!(mount.source, Source::Volume(_)) && !mount.read_only);
        let targets = volumes.map(|mount| mount.target.as_str());
        words.into_iter().chain(targets).map(str::to_owned).collect()
    }

    /// A session in a container that has just been started.
    pub(in crate::docker) async fn begin(
        call: &Call<'_>,
        started: Started,
        made: Made,
    ) -> Result<Self, Failure> {
        let Attached { mut output, input } = started.attached;
        let said = tokio::time::timeout(START, call.unless_cancelled(hear(&mut output))).await;
        let words = match said.unwrap_or_else(|_| Ok(Err(String::new()))) {
            Ok(Ok(words)) => words,
            not_begun => {
                let failure = match not_begun {
                    Ok(Err(said)) => why_not_begun(&made, &started.id, &said).await,
                    Ok(Ok(_)) | Err(_) => Failure::cancelled(),
                };
                started.guard.end().await?;
                return Err(failure);
            }
        };
        let has = |word: &str| words.iter().any(|said| said == word);
        let Made { engine, image, user, is_given, memory, network } = made;
        let session = Self {
            home: (!is_given || has("home")).then_some(HOME),
            shell: Shell { bash: has("bash"), pipefail: has("pipefail") },
            scripts: call.run_folder.to_owned(),
            _input: Mutex::new(input),
            killed: AtomicU64::new(0),
            id: started.id,
            guard: started.guard,
            engine,
            image,
            memory,
            network,
            user,
        };
        Ok(session)
    }

    async fn execute(
        &self,
        command: ShellCommand,
        output: Output<'_>,
        cancel: &CancellationToken,
    ) -> Result<Ended, Failure> {
        // A step may be told from all whose number it begins.
        let mark = format!("{};", command.mark);
        let script = self.script(&command)?;
        let new = NewExec {
            command: self.words(&command, script.as_ref()),
            user: Some(self.user.clone()),
            environment: self.environment(&command, &mark),
            dir: None,
            stdin: command.stdin.is_some(),
        };
        let (id, attached) = match self.engine.exec(&self.id, new).await? {
            Ok(started) => started,
            Err(refusal) if refusal.says(&["argument list too long"]) => return Err(too_long()),
            Err(refusal) => return Err(self.gone(&refusal.text).await),
        };
        let Attached { output: mut chunks, mut input } = attached;
        let written = async {
            if let Some(text) = &command.stdin {
                // Whether it is read is the command's affair.
                let _ = input.write_all(text).await;
                let _ = input.shutdown().await;
            }
            std::future::pending::<()>().await;
        };
        tokio::pin!(written);
        let mut lines = Lines::default();
        let mut ending: Option<(Ending, Instant)> = None;
        let mut said = Vec::new();
        loop {
            tokio::select! {
                chunk = chunks.next() => match chunk {
                    Some(Ok((stream, chunk))) => {
                        if said.len() < 400 {
                            said.extend_from_slice(&chunk);
                        }
                        lines.add(stream, &chunk, &mut *output);
                    }
                    Some(Err(failure)) => return Err(failure),
                    None => break,
                },
                () = &mut written => {}
                () = cancel.cancelled(), if ending.is_none() => {
                    self.signal("TERM", &mark).await?;
                    ending = Some((Ending::Asked, Instant::now() + GRACE));
                }
                () = until(ending), if ending.is_some() => {
                    if let Some((Ending::Asked, _)) = ending {
                        self.signal("KILL", &mark).await?;
                        ending = Some((Ending::Killed, Instant::now() + LAST));
                    } else {
                        // What hides from its mark ends with the container.
                        self.guard.end().await?;
                        break;
                    }
                }
            }
        }
        lines.end(&mut *output);
        drop(script);
        if ending.is_some() || cancel.is_cancelled() {
            return Ok(Ended::Cancelled);
        }
        let status = self.status(&id).await?;
        if status == 126 && String::from_utf8_lossy(&said).contains("argument list too long") {
            return Err(too_long());
        }
        if status == 137 && self.was_out_of_memory().await {
            let limit = self.memory.map(|bytes| format!(" ({})", pipe_grammar::size_text(bytes)));
            let text = format!(
                "the memory of the container{} was used up, and the kernel killed a process: `mem:` \
                 of `docker.container` gives it more",
                limit.unwrap_or_default()
            );
            output(Stream::Stderr, text.as_bytes(), true);
        }
        Ok(Ended::Status(status))
    }

    /// What runs, and around it the script that ends what it leaves.
    fn words(
        &self,
        command: &ShellCommand,
        script: Option<&tempfile::NamedTempFile>,
    ) -> Vec<String> {
        let (programs, mut flags): (&[&str], Vec<&str>) = match command.interpreter {
            Some(interpreter) => (interpreter.programs, interpreter.flags.to_vec()),
            None => (&[self.shell.name()], [self.shell.flags(), &["-c"]].concat()),
        };
        let dir = command.dir.display().to_string();
        let programs = programs.join(" ");
        let around = plain(COMMAND);
        let mut words: Vec<&str> = vec!["sh", "-c", &around, "pipe", &dir, &programs];
        let file = script.map(|file| file.path().display().to_string());
        if file.is_some() {
            // What reads a script from its command line reads one from a file without that flag.
            flags.pop();
        }
        words.append(&mut flags);
        words.push(file.as_deref().unwrap_or(&command.script));
        words.into_iter().map(str::to_owned).collect()
    }

    fn environment(&self, command: &ShellCommand, mark: &str) -> Vec<String> {
        let home = self.home.map(|home| format!("HOME={home}"));
        let given = command.environment.iter().map(|(name, value)| format!("{name}={value}"));
        home.into_iter().chain(given).chain([format!("PIPE_STEP={mark}")]).collect()
    }

    /// A file for a script that is too long for a command line. It holds no value, and lies in the
    /// workspace, which the container sees.
    fn script(&self, command: &ShellCommand) -> Result<Option<tempfile::NamedTempFile>, Failure> {
        if command.script.len() <= LONGEST_SCRIPT {
            return Ok(None);
        }
        use std::os::unix::fs::PermissionsExt;
        let written = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o644))
            .tempfile_in(&self.scripts)
            .and_then(|mut file| {
                std::io::Write::write_all(&mut file, command.script.as_bytes())?;
                Ok(file)
            });
        written.map(Some).map_err(|error| {
            let why = pipe_oci::plain(&error);
            let what = format!("the script can't be written to a file: {why}");
            Failure::infrastructure(Code::COMMAND_FAILED, what)
        })
    }

    /// The status of a command whose output is at its end: the engine knows it a moment later.
    async fn status(&self, exec: &str) -> Result<i32, Failure> {
        let end = Instant::now() + LAST;
        loop {
            match self.engine.exec_status(exec).await? {
                Ok(Some(status)) => return Ok(i32::try_from(status).unwrap_or(-1)),
                Ok(None) if Instant::now() < end => {}
                // It has closed its output and goes on: nothing of it may.
                Ok(None) => return self.outlive(exec).await,
                Err(refusal) => return Err(self.gone(&refusal.text).await),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for a command that runs on without any output.
    async fn outlive(&self, exec: &str) -> Result<i32, Failure> {
        loop {
            match self.engine.exec_status(exec).await? {
                Ok(Some(status)) => return Ok(i32::try_from(status).unwrap_or(-1)),
                Ok(None) => tokio::time::sleep(Duration::from_millis(200)).await,
                Err(refusal) => return Err(self.gone(&refusal.text).await),
            }
        }
    }

    /// Sends a signal to the processes of a command.
    async fn signal(&self, signal: &str, mark: &str) -> Result<(), Failure> {
        self.ask(&["sh", "-c", &plain(END), "pipe", signal, mark]).await.map(drop)
    }

    /// Runs a command of our own as root and answers its output; nothing when it can't run.
    async fn ask(&self, words: &[&str]) -> Result<String, Failure> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let new = NewExec { command: words, user: Some("0:0".to_owned()), ..NewExec::default() };
        let Ok((_, attached)) = self.engine.exec(&self.id, new).await? else {
            return Ok(String::new());
        };
        let mut output = attached.output;
        let mut said = Vec::new();
        let read = async {
            while let Some(Ok((_, chunk))) = output.next().await {
                said.extend_from_slice(&chunk);
            }
        };
        let _ = tokio::time::timeout(LAST, read).await;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// Whether the kernel has killed a process for want of memory since this was last asked.
    async fn was_out_of_memory(&self) -> bool {
        let files =
            ["cat", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];
        let text = self.ask(&files).await.unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        let count = count.and_then(|count| count.trim().parse().ok()).unwrap_or(0);
        self.killed.swap(count, Ordering::Relaxed) < count
    }

    /// A container that does not take commands any more.
    async fn gone(&self, text: &str) -> Failure {
        let what = match self.engine.look(&self.id).await {
            Err(failure) => return failure,
            Ok(Some(seen)) if seen.is_running => {
                return self.engine.failed_inside(text);
            }
            Ok(Some(seen)) if seen.out_of_memory => {
                format!("the container of `{}` has ended: its memory was used up", self.image)
            }
            Ok(_) => format!("the container of `{}` is gone", self.image),
        };
        Failure::infrastructure(Code::CONTAINER_FAILED, what)
            .help("somebody has ended it, or the Docker Engine was started anew")
            .evidence("what the Docker Engine says", vec![text.to_owned()])
    }
}

impl Session for ContainerSession {
    fn dialect(&self) -> Dialect {
        if self.shell.bash { Dialect::Bash } else { Dialect::Sh }
    }

    fn shown(&self) -> String {
        format!("{} of {}", self.shell.name(), self.image)
    }

    fn network(&self) -> Option<&str> {
        self.network.as_deref()
    }

    fn run<'a>(
        &'a self,
        command: ShellCommand,
        output: Output<'a>,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, Ended> {
        Box::pin(self.execute(command, output, cancel))
    }

    fn end<'a>(&'a self, _: Call<'a>) -> Holding<'a, ()> {
        Box::pin(self.guard.end())
    }
}

impl Shell {
    fn name(self) -> &'static str {
        if self.bash { "bash" } else { "sh" }
    }

    fn flags(self) -> &'static [&'static str] {
        if self.bash || self.pipefail { &["-eu", "-o", "pipefail"] } else { &["-eu"] }
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Asked,
    Killed,
}

async fn until(ending: Option<(Ending, Instant)>) {
    match ending {
        Some((_, at)) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// A script without its comments: whoever runs `ps` sees it.
fn plain(script: &str) -> String {
    let lines = script.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

/// `UID:GID` as two numbers; none: a name, whose home the image knows.
fn numbers(user: &str) -> Option<(String, String)> {
    let (number, group) = user.split_once(':').unwrap_or((user, user));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(number) && is_number(group)).then(|| (number.to_owned(), group.to_owned()))
}

/// What the main process says, up to `ready`; else all that it has said before it ended.
async fn hear(output: &mut Chunks) -> Result<Vec<String>, String> {
    let mut said = Vec::new();
    while let Some(Ok((_, chunk))) = output.next().await {
        said.extend_from_slice(&chunk);
        let text = String::from_utf8_lossy(&said);
        if let Some(words) = text.strip_suffix("ready\n") {
            return Ok(words.lines().map(str::to_owned).collect());
        }
    }
    Err(String::from_utf8_lossy(&said).trim().to_owned())
}

async fn why_not_begun(made: &Made, id: &str, said: &str) -> Failure {
    let image = &made.image;
    let lines: Vec<String> = said.lines().map(str::to_owned).collect();
    if missing_program(&lines).is_some() {
        return no_shell(image);
    }
    let seen = made.engine.look(id).await;
    let what = match seen {
        Err(failure) => return failure,
        Ok(Some(seen)) if seen.out_of_memory => {
            format!("the memory of a container of `{image}` is too little for its shell")
        }
        _ => format!("the shell of the image `{image}` does not work"),
    };
    Failure::new(Code::CONTAINER_FAILED, what)
        .at_argument("image")
        .evidence("what it has written", lines)
}

fn too_long() -> Failure {
    Failure::new(Code::COMMAND_FAILED, "the values of this command are too long together")
        .help("write them to a file, or hand them over by `stdin:` of `sh(…)`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_numbers_or_a_name() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(numbers("1000:50"), pair("1000", "50"));
        assert_eq!(numbers("1000"), pair("1000", "1000"));
        assert_eq!(numbers("postgres"), None);
        assert_eq!(numbers("1000:staff"), None);
        assert_eq!(numbers(""), None);
    }
}
