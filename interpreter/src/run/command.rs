//! A command: where it runs, what is kept of its output, and what is told when it fails.

use std::{sync::Mutex, time::Duration};

use pipe_grammar::{Code, Diagnostic};
use pipe_stdlib::core::{Ended, Failure, FailureKind, ShellCommand, Stream, Type, Value};
use serde_json::{Value as Json, json};

use super::{
    Piece, RunHost,
    explain::explain,
    host::Begins,
    journal::log_name,
    local,
    script::{self, revealed},
};
use crate::{
    eval::{CommandDone, CommandRun, Failed, Frame, Stop},
    event::StepKind,
    plan::shown_command,
};

/// At most so much is kept of each stream.
const MOST_KEPT: usize = 10 << 20;
/// At most so much of it goes into the journal.
const MOST_RECORDED: usize = 64 << 10;

/// Runs a command to its end.
pub(super) async fn run(
    host: &RunHost,
    frame: &Frame,
    run: CommandRun<'_>,
) -> Result<CommandDone, Stop> {
    if frame.cancel.is_cancelled() {
        return Err(Stop::Cancelled);
    }
    let values: Vec<_> = run.values.iter().cloned().map(Some).collect();
    let text = shown_command(run.command, &values, |_| String::new());
    let shown = match &run.script {
        Some(_) => format!("sh: {}", one_line(text.trim())),
        None => format!("$ {text}"),
    };
    let path = frame.call();
    let kind =
        if run.capture && run.script.is_none() { StepKind::Capture } else { StepKind::Command };
    if let Some(value) = host.done_before(frame, &path, &shown, &Type::Json) {
        return Ok(from_kept(&value));
    }
    let begins = Begins { kind, path: &path, text: &shown, span: run.command.span };
    let step = host.start_step(frame, begins);
    let result = match host.events.is_whole() {
        Ok(()) => execute(host, frame, &run, text.trim(), step).await,
        Err(failure) => Err(not_run(host, frame, &run, &failure)),
    };
    let keep = |done| if run.capture { to_keep(done) } else { Some(json!({})) };
    host.finish_step(frame, step, result.as_ref().map(keep));
    result
}

/// What is kept of a command, for a resumed run.
fn to_keep(done: &CommandDone) -> Option<Json> {
    let text = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).ok()?;
        (text.len() <= MOST_RECORDED).then(|| text.to_owned())
    };
    Some(json!({
        "status": done.status,
        "stdout": text(&done.stdout)?,
        "stderr": text(&done.stderr)?,
        "seconds": done.duration.as_secs_f64(),
    }))
}

fn from_kept(value: &Value) -> CommandDone {
    let json = value.to_json();
    let text = |name: &str| json[name].as_str().unwrap_or("").as_bytes().to_vec();
    CommandDone {
        status: json["status"].as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(0),
        stdout: text("stdout"),
        stderr: text("stderr"),
        duration: Duration::try_from_secs_f64(json["seconds"].as_f64().unwrap_or(0.0))
            .unwrap_or_default(),
    }
}

async fn execute(
    host: &RunHost,
    frame: &Frame,
    run: &CommandRun<'_>,
    text: &str,
    step: usize,
) -> Result<CommandDone, Stop> {
    let stage = host.stage_name(frame);
    let command = shell_command(host, frame, run, step)?;
    let started = tokio::time::Instant::now();
    let kept = Mutex::new(Kept::default());
    let mut output = |stream: Stream, bytes: &[u8], complete: bool| {
        if run.capture {
            kept.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .add(stream, bytes, complete);
        }
        // What `$(…)` gives is a value, and shown where it is used.
        if !run.capture || run.script.is_some() || stream == Stream::Stderr {
            host.events.output(Piece { stage: &stage, step, stream, bytes, complete });
        }
    };
    let ended = match &frame.session {
        Some(session) => session.run(command, &mut output, &frame.cancel).await,
        None => {
            let (plan, scratch) = (&host.plan, host.events.folder());
            let machine =
                local::Machine { shell: &plan.shell, world: &plan.world, scratch: &scratch };
            local::run(machine, command, &mut output, &frame.cancel).await
        }
    };
    let tail = host.events.take_tail(step);
    let kept = kept.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let ended = ended.map_err(|failure| not_run(host, frame, run, &failure))?;
    let status = match ended {
        Ended::Cancelled => return Err(Stop::Cancelled),
        Ended::Status(status) => status,
        Ended::Signal(signal) => 128 + signal,
    };
    // The leaf of a process tree hears of a cancellation first (Jenkins signals it before us):
    // what ends just before our own signal is cancelled, not failed.
    if status != 0 && is_cancelled_soon(frame, status).await {
        return Err(Stop::Cancelled);
    }
    if status == 0 || run.script.as_ref().is_some_and(|script| !script.check) {
        if kept.stdout.len() > MOST_KEPT && run.script.is_none() {
            let what = "the output of this command is longer than 10 MiB";
            return Err(Stop::evaluation(run.command.span, what));
        }
        let Kept { mut stdout, mut stderr } = kept;
        stdout.truncate(MOST_KEPT);
        stderr.truncate(MOST_KEPT);
        return Ok(CommandDone { status, stdout, stderr, duration: started.elapsed() });
    }
    let (how, why) = explain(ended);
    let seconds = started.elapsed().as_secs_f64();
    let shown = one_line(&host.events.mask.text(text));
    let what = if stage.is_empty() {
        format!("`{shown}` {how}")
    } else {
        format!("stage `{stage}` failed: `{shown}` {how}")
    };
    let mut problem = Diagnostic::error(Code::COMMAND_FAILED, run.command.span, what)
        .label(format!("failed after {seconds:.1} s"))
        .help_if(why);
    if !tail.is_empty() {
        problem = problem.help("its last output:");
        for line in tail {
            problem = problem.help(format!("    {line}"));
        }
    }
    let log = host.events.folder().join(log_name(&stage));
    let log = host.plan.world.display(&log);
    Err(stop(frame, problem.help(format!("all output: {log}")), FailureKind::Step))
}

/// A command that could not be run at all.
fn not_run(host: &RunHost, frame: &Frame, run: &CommandRun<'_>, failure: &Failure) -> Stop {
    let program = &host.plan.program;
    match crate::eval::placed(program, &frame.dir, run.command.span, failure, &[]) {
        Stop::Failed(failed) => stop(frame, failed.diagnostic, failed.kind),
        other => other,
    }
}

fn stop(frame: &Frame, problem: Diagnostic, kind: FailureKind) -> Stop {
    let mut failed = Failed::new(problem);
    failed.kind = kind;
    failed.command = true;
    failed.step = frame.steps.last().cloned();
    Stop::Failed(Box::new(failed))
}

/// After an end by a signal, waits a moment for our own cancellation.
async fn is_cancelled_soon(frame: &Frame, status: i32) -> bool {
    if !matches!(status, 129 | 130 | 137 | 143) {
        return frame.cancel.is_cancelled();
    }
    tokio::time::timeout(Duration::from_millis(300), frame.cancel.cancelled()).await.is_ok()
}

/// The command as the place gets it where it runs.
fn shell_command(
    host: &RunHost,
    frame: &Frame,
    run: &CommandRun<'_>,
    step: usize,
) -> Result<ShellCommand, Stop> {
    let interpreter = run.script.as_ref().and_then(|script| script.interpreter);
    let dialect = match (interpreter, &frame.session) {
        (Some(interpreter), _) => interpreter.dialect,
        (None, Some(session)) => Some(session.dialect()),
        (None, None) => Some(host.plan.shell.dialect()),
    };
    let prepared = script::prepare(host, frame, run, dialect)?;
    let mut environment = match &frame.session {
        // Elsewhere nothing is there but what the file gives.
        Some(_) => vec![("CI".to_owned(), "true".to_owned())],
        None => host.environment.clone(),
    };
    if let Some(trace) = &host.trace {
        environment.push(("TRACEPARENT".to_owned(), trace.for_step(step)));
    }
    environment.extend(frame.env.iter().map(|(name, value)| (name.clone(), revealed(value))));
    environment.extend(prepared.values);
    Ok(ShellCommand {
        script: prepared.source,
        environment,
        dir: frame.dir.clone(),
        stdin: run.script.as_ref().and_then(|script| script.stdin.clone()),
        interpreter,
        mark: format!("{}/{}/{step}", host.plan.facts.run(), std::process::id()),
    })
}

/// The first line of a command, for a headline.
fn one_line(text: &str) -> String {
    let first = text.lines().next().unwrap_or("").trim_end_matches('\\').trim_end();
    let short: String = first.chars().take(100).collect();
    if short.len() < text.len() { format!("{short} …") } else { short }
}

/// What is kept of the output.
#[derive(Default)]
struct Kept {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Kept {
    fn add(&mut self, stream: Stream, bytes: &[u8], complete: bool) {
        let kept = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        // A little more than may be kept tells that it is too much.
        if kept.len() <= MOST_KEPT {
            kept.extend_from_slice(bytes);
            if complete {
                kept.push(b'\n');
            }
        }
    }
}
