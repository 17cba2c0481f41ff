//! `git.push()`

use std::{process::Stdio, time::Duration};

use git2::Repository;
use pipe_grammar::Code;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{ChildStderr, Command},
};

use super::{branch, repository};
use crate::core::{Arguments, Call, Failure, Outcome, Stream, Value, World, builtin};

builtin! {
    step git.push, push;
    "
    # Sends commits and tags to another repository.
    #
    # By the `git` of this machine, with the credentials that it has: its helpers, `GIT_ASKPASS`,
    # keys of ssh. It never asks at the terminal. On a detached checkout, as CI servers make it,
    # `HEAD` goes to the branch that the CI server says it builds.
    (
      # What to send: a branch, a tag, `HEAD`, or `FROM:TO`.
      ref: string = \"HEAD\",
      # Where to: the name of a remote, or a URL.
      remote: string = \"origin\",
      # Whether all tags of this clone go with it.
      tags: bool = false,
      # Whether it may replace commits that are there.
      force: bool = false,
    )
    "
    examples: [r#"git.push("v1.2.0")"#, r#"git.push(tags: true)"#]
}

/// So often it is tried when the other side can't be reached.
const TRIES: u32 = 3;
/// The first pause between two tries; the next one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// How long git has to end when it is told to.
const GRACE: Duration = Duration::from_secs(5);
/// So many last lines are shown of what has failed.
const TAIL: usize = 10;

async fn push(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (written, remote): (String, String) = (arguments.get("ref")?, arguments.get("remote")?);
    for (name, text) in [("ref", &written), ("remote", &remote)] {
        if text.is_empty() || text.starts_with('-') {
            let what = format!("`{text}` is nothing that git could push");
            return Err(Failure::new(Code::GIT_FAILED, what).at_argument(name));
        }
    }
    let reference = reference(call.world, written)?;
    let mut words: Vec<&str> = vec!["push", "--no-progress"];
    words.extend(arguments.get("tags").is_ok_and(|tags| tags).then_some("--tags"));
    words.extend(arguments.get("force").is_ok_and(|force| force).then_some("--force"));
    words.extend(["--", &remote, &reference]);
    let mut pause = PAUSE;
    for attempt in 1.. {
        let lines = match git(&call, &words).await? {
            Ended::Well => return Ok(Value::Null),
            Ended::Badly(lines) => lines,
        };
        let unreachable = lines.iter().any(|line| is_unreachable(line));
        if !unreachable || attempt >= TRIES {
            return Err(failed(&remote, unreachable, lines));
        }
        call.report.say("the other side can't be reached; tried again in a moment");
        call.unless_cancelled(tokio::time::sleep(pause)).await?;
        pause *= 2;
    }
    Ok(Value::Null)
}

/// What to push. `HEAD` of a detached checkout is no branch: the CI server knows which it is.
fn reference(world: &World, written: String) -> Result<String, Failure> {
    let detached = |repository: &Repository| repository.head_detached().unwrap_or(false);
    if written != "HEAD" || !detached(&repository::open(world)?) {
        return Ok(written);
    }
    match branch::of(world)? {
        Some(branch) => Ok(format!("HEAD:refs/heads/{branch}")),
        None => Err(Failure::new(Code::GIT_FAILED, "`HEAD` is on no branch that could be pushed")
            .at_argument("ref")
            .help("say where it goes: `ref: \"HEAD:refs/heads/main\"`")),
    }
}

enum Ended {
    Well,
    /// With its last lines.
    Badly(Vec<String>),
}

/// Runs git to its end. It leads a group of its own, which is ended with the call.
async fn git(call: &Call<'_>, words: &[&str]) -> Result<Ended, Failure> {
    let mut command = Command::new("git");
    command
        .args(words)
        .current_dir(call.world.root())
        .env_clear()
        .envs(call.world.environment())
        // Nobody sits at a terminal.
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if call.world.variable("GIT_SSH_COMMAND").is_none() && call.world.variable("GIT_SSH").is_none()
    {
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    let mut child = command.spawn().map_err(|error| {
        let why = pipe_oci::plain(&error);
        Failure::new(Code::GIT_FAILED, format!("`git` can't be started: {why}"))
            .help("install git on this machine")
    })?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let _ends_with_the_call = Group(group);
    let stderr = child.stderr.take();
    let work = async {
        let lines = match stderr {
            Some(stderr) => tell(call, stderr).await,
            None => Vec::new(),
        };
        (child.wait().await, lines)
    };
    tokio::pin!(work);
    let (status, lines) = tokio::select! {
        done = &mut work => done,
        () = call.cancel.cancelled() => {
            Group(group).send(Signal::TERM);
            let _ = tokio::time::timeout(GRACE, work).await;
            return Err(Failure::cancelled());
        }
    };
    match status {
        Ok(status) if status.success() => Ok(Ended::Well),
        Ok(_) => Ok(Ended::Badly(lines)),
        Err(error) => Err(Failure::internal(pipe_oci::plain(&error))),
    }
}

/// Passes on what git says, and gives the last lines.
async fn tell(call: &Call<'_>, stderr: ChildStderr) -> Vec<String> {
    let mut reader = BufReader::new(stderr);
    let (mut all, mut line) = (Vec::new(), Vec::new());
    while matches!(reader.read_until(b'\n', &mut line).await, Ok(length) if length > 0) {
        let text = without_credentials(String::from_utf8_lossy(&line).trim_end(), "***");
        call.report.output(Stream::Stderr, &text);
        if all.len() >= TAIL {
            all.remove(0);
        }
        all.push(text);
        line.clear();
    }
    all
}

/// `https://name:password@host` with `instead` in place of what stands before the host.
pub(super) fn without_credentials(line: &str, instead: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(sign) => {
                out.push_str(instead);
                &after[sign + usize::from(instead.is_empty())..]
            }
            None => after,
        };
    }
    out + rest
}

/// Whether git says that the network failed, not the push.
fn is_unreachable(line: &str) -> bool {
    [
        "Could not resolve host",
        "Connection timed out",
        "Connection refused",
        "Connection reset",
        "Failed to connect",
        "early EOF",
        "remote end hung up",
        "The requested URL returned error: 5",
    ]
    .iter()
    .any(|text| line.contains(text))
}

fn failed(remote: &str, unreachable: bool, lines: Vec<String>) -> Failure {
    let says = |text: &str| lines.iter().any(|line| line.contains(text));
    let shown = without_credentials(remote, "***");
    let (message, help) = if unreachable {
        (format!("`{shown}` can't be reached"), None)
    } else if says("[rejected]") || says("non-fast-forward") || says("fetch first") {
        (
            format!("`{shown}` has commits that are not in this clone"),
            Some(
                "somebody has pushed meanwhile: fetch and merge, or replace them by `force: true`",
            ),
        )
    } else if says("terminal prompts disabled")
        || says("Authentication failed")
        || says("Permission denied")
    {
        (
            format!("`{shown}` wants other credentials"),
            Some("give git some: a credential helper, `GIT_ASKPASS`, or a key of ssh"),
        )
    } else {
        (format!("git could not push to `{shown}`"), None)
    };
    let failure = if unreachable {
        Failure::infrastructure(Code::GIT_FAILED, message)
    } else {
        Failure::new(Code::GIT_FAILED, message)
    };
    let failure = failure.evidence("git says", lines);
    help.into_iter().fold(failure, Failure::help)
}

/// A group of processes that ends with its owner.
struct Group(Option<Pid>);

impl Group {
    fn send(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may be gone.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.send(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use git2::Repository;

    use super::{
        super::repository::tests::{commit, repository},
        *,
    };
    use crate::testing::Machine;

    /// A repository with another one as its `origin`.
    fn pair() -> (Machine, tempfile::TempDir) {
        let other = tempfile::tempdir().unwrap();
        Repository::init_bare(other.path()).unwrap();
        let path = std::env::var("PATH").unwrap();
        let machine = repository().with("PATH", &path).with("HOME", "/nonexistent");
        let inner = Repository::open(machine.folder.path()).unwrap();
        inner.remote("origin", other.path().to_str().unwrap()).unwrap();
        (machine, other)
    }

    fn tip(other: &tempfile::TempDir, name: &str) -> Option<String> {
        let other = Repository::open_bare(other.path()).unwrap();
        Some(other.find_reference(name).ok()?.target()?.to_string())
    }

    #[tokio::test]
    async fn branches_and_tags_are_sent() {
        let (machine, other) = pair();
        let first = commit(&machine, "one");
        machine.step("git.push", &[]).await.unwrap();
        assert_eq!(tip(&other, "refs/heads/main"), Some(first.clone()));
        machine.step("git.create_tag", &[("name", "v1".into())]).await.unwrap();
        machine.step("git.push", &[("ref", "v1".into())]).await.unwrap();
        assert_eq!(tip(&other, "refs/tags/v1"), Some(first.clone()));
        machine.step("git.create_tag", &[("name", "v2".into())]).await.unwrap();
        machine.step("git.push", &[("tags", true.into())]).await.unwrap();
        assert_eq!(tip(&other, "refs/tags/v2"), Some(first));
    }

    #[tokio::test]
    async fn a_detached_checkout_goes_to_its_branch() {
        let (machine, other) = pair();
        let first = commit(&machine, "one");
        let inner = Repository::open(machine.folder.path()).unwrap();
        inner.set_head_detached(git2::Oid::from_str(&first).unwrap()).unwrap();
        let failure = machine.step("git.push", &[]).await.unwrap_err();
        assert_eq!(failure.message, "`HEAD` is on no branch that could be pushed");
        let machine = machine.with("BRANCH_NAME", "release/1");
        machine.step("git.push", &[]).await.unwrap();
        assert_eq!(tip(&other, "refs/heads/release/1"), Some(first));
    }

    #[tokio::test]
    async fn what_is_refused_is_told() {
        let (machine, other) = pair();
        let first = commit(&machine, "one");
        machine.write("a", "1");
        commit(&machine, "two");
        machine.step("git.push", &[]).await.unwrap();
        let inner = Repository::open(machine.folder.path()).unwrap();
        let old = inner.find_commit(git2::Oid::from_str(&first).unwrap()).unwrap();
        inner.reset(old.as_object(), git2::ResetType::Hard, None).unwrap();
        let failure = machine.step("git.push", &[]).await.unwrap_err();
        assert_eq!(failure.message, "`origin` has commits that are not in this clone");
        machine.step("git.push", &[("force", true.into())]).await.unwrap();
        assert_eq!(tip(&other, "refs/heads/main"), Some(first));
        let failure = machine.step("git.push", &[("remote", "nowhere".into())]).await.unwrap_err();
        assert_eq!(failure.message, "git could not push to `nowhere`");
        assert!(!failure.evidence.is_empty());
        assert!(machine.step("git.push", &[("remote", "--exec=x".into())]).await.is_err());
    }

    #[tokio::test]
    async fn a_cancelled_one_ends() {
        let (machine, _other) = pair();
        commit(&machine, "one");
        // A program that never ends, in place of ssh.
        let machine = machine.with("GIT_SSH_COMMAND", "sleep 600 #");
        let cancel = machine.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            cancel.cancel();
        });
        let started = std::time::Instant::now();
        let given = [("remote", "ssh://localhost/x".into())];
        let failure = machine.step("git.push", &given).await.unwrap_err();
        assert_eq!(failure, Failure::cancelled());
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(
            without_credentials(
                "fatal: unable to access 'https://me:s3cret@host/x': 'http://h/a@b'",
                "***"
            ),
            "fatal: unable to access 'https://***@host/x': 'http://h/a@b'"
        );
        assert_eq!(without_credentials("no url", "***"), "no url");
    }
}
