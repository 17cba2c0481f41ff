//! A command: the shell's script is constant, the values go by the environment.

use pipe_grammar::{
    Code, Diagnostic, Span,
    shell::{self, HoleKind, guard::Text},
};
use pipe_stdlib::core::{Stream, Value, text_of};

use super::{
    Events, RunHost,
    events::plain,
    journal::log_name,
    process::{self, Ended, Sink},
};
use crate::{
    check::parts,
    eval::{CommandRun, Eval, Failed, Frame, Stop},
    plan::shown_command,
};

/// `$(…)` keeps at most so much.
const MOST_CAPTURED: usize = 10 << 20;

/// Runs a command to its end; gives its output without its last line ends when it is asked for.
pub(super) async fn run(
    host: &RunHost,
    frame: &Frame,
    run: CommandRun<'_>,
) -> Result<String, Stop> {
    if frame.cancel.is_cancelled() {
        return Err(Stop::Cancelled);
    }
    let values: Vec<Option<Value>> = run.values.iter().cloned().map(Some).collect();
    let text = shown_command(run.command, &values, |_| String::new());
    let step = host.start_step(frame, &format!("$ {text}"), run.command.span);
    let result = execute(host, frame, &run, &text, step).await;
    host.finish_step(frame, step, result.as_ref());
    result
}

async fn execute(
    host: &RunHost,
    frame: &Frame,
    run: &CommandRun<'_>,
    text: &str,
    step: usize,
) -> Result<String, Stop> {
    let stage = host.stage_name(frame);
    let command = prepare(host, frame, run)?;
    let started = tokio::time::Instant::now();
    let mut output =
        Output { events: &host.events, stage: &stage, step, captured: run.capture.then(Vec::new) };
    let mark = format!("{}/{step}", host.plan.facts.run());
    let ended = process::run(command, &mark, &frame.cancel, &mut output).await;
    let captured = output.captured.take();
    let tail = host.events.take_tail(step);
    match ended {
        Ok(Ended::Cancelled) => Err(Stop::Cancelled),
        // The leaf of a process tree hears of a cancellation first (Jenkins signals it before us):
        // what ends just before our own signal is cancelled, not failed.
        Ok(Ended::Status(status))
            if !status.success() && is_cancelled_soon(frame, status).await =>
        {
            Err(Stop::Cancelled)
        }
        Ok(Ended::Status(status)) if status.success() => {
            let captured = captured.unwrap_or_default();
            if captured.len() > MOST_CAPTURED {
                let what = "the output of this command is longer than 10 MiB";
                return Err(Stop::evaluation(run.command.span, what));
            }
            let text = String::from_utf8(captured).map_err(|_| {
                Stop::evaluation(run.command.span, "the output of this command is no UTF-8 text")
            })?;
            Ok(text.trim_end_matches(['\n', '\r']).to_owned())
        }
        Ok(Ended::Status(status)) => {
            let (how, why) = process::explain(status);
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
            let mut failed = Failed::new(problem.help(format!("all output: {log}")));
            failed.command = true;
            failed.step = frame.steps.last().cloned();
            Err(Stop::Failed(Box::new(failed)))
        }
        Err(error) => {
            let shell = host.plan.shell.program.display();
            let what = format!("the command could not be started by `{shell}`: {}", plain(&error));
            let problem = Diagnostic::error(Code::COMMAND_FAILED, run.command.span, what);
            let mut failed = Failed::new(problem);
            failed.command = true;
            if error.kind() != std::io::ErrorKind::ArgumentListTooLong {
                failed.kind = pipe_stdlib::core::FailureKind::Infrastructure;
            } else {
                failed.diagnostic = failed
                    .diagnostic
                    .help("the values are too long together: write them to a file");
            }
            Err(Stop::Failed(Box::new(failed)))
        }
    }
}

/// After an end by a signal, waits a moment for our own cancellation.
async fn is_cancelled_soon(frame: &Frame, status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    let by_signal = status.signal().is_some() || matches!(status.code(), Some(129 | 130 | 143));
    if !by_signal {
        return frame.cancel.is_cancelled();
    }
    tokio::time::timeout(std::time::Duration::from_millis(300), frame.cancel.cancelled())
        .await
        .is_ok()
}

fn prepare(
    host: &RunHost,
    frame: &Frame,
    run: &CommandRun<'_>,
) -> Result<tokio::process::Command, Stop> {
    let parts = parts(run.command);
    let kinds: Vec<HoleKind> = run
        .values
        .iter()
        .map(|value| match value {
            Value::Int(_) => HoleKind::Int,
            Value::List(_) => HoleKind::List,
            _ => HoleKind::Word,
        })
        .collect();
    // The checker has read it for every shell; what may be read differently it has refused.
    let scan = shell::scan(&parts, &kinds, host.plan.shell.dialect());
    if let Some(refusal) = scan.refusals.iter().find(|r| r.kind.code() == Code::COMMAND_QUOTING) {
        let span = hole_span(run, refusal.hole).unwrap_or(run.command.span);
        let problem = Diagnostic::error(refusal.kind.code(), span, refusal.kind.to_string());
        return Err(Stop::failed(problem.help(refusal.kind.help())));
    }
    let texts: Vec<Vec<String>> = run.values.iter().map(texts).collect();
    guard(host, frame, run, &scan, &texts)?;

    let counts: Vec<Option<usize>> = run
        .values
        .iter()
        .zip(&texts)
        .map(|(value, texts)| matches!(value, Value::List(_)).then_some(texts.len()))
        .collect();
    let script = shell::lower(&parts, &scan, &counts);
    let mut command = tokio::process::Command::new(&host.plan.shell.program);
    command.args(host.plan.shell.flags()).arg("-c").arg(script.source());
    command.current_dir(&frame.dir).env_clear().envs(host.environment.iter().cloned());
    for (name, value) in frame.env.iter() {
        command.env(name, revealed(value));
    }
    for variable in &script.variables {
        let text = &texts[variable.hole][variable.element.unwrap_or(0)];
        command.env(variable.environment(), text);
    }
    Ok(command)
}

fn guard(
    host: &RunHost,
    frame: &Frame,
    run: &CommandRun<'_>,
    scan: &shell::Scan,
    texts: &[Vec<String>],
) -> Result<(), Stop> {
    let eval = Eval { program: &host.plan.program, host, frame };
    let literals: Vec<bool> = run.command.holes().map(|id| eval.is_literal(id)).collect();
    let values: Vec<shell::Value<'_>> = run
        .values
        .iter()
        .zip(texts)
        .zip(literals)
        .map(|((value, texts), literal)| {
            if matches!(value, Value::List(_)) {
                let all = texts.iter().map(|text| Text { bytes: text.as_bytes(), literal });
                shell::Value::List(all.collect())
            } else {
                let text = texts.first().map_or(&[][..], |text| text.as_bytes());
                shell::Value::One(Text { bytes: text, literal })
            }
        })
        .collect();
    let Some(violation) = shell::guard::check(scan, &values).into_iter().next() else {
        return Ok(());
    };
    let hole = scan.holes[violation.place].hole;
    let span = hole_span(run, Some(hole)).unwrap_or(run.command.span);
    let written = host.plan.program.slice(span);
    let help = violation.guard.help().replace("#{v}", &written);
    let shown = match &run.values[hole] {
        Value::Secret(_) => String::new(),
        _ => {
            let text = &texts[hole][violation.element.unwrap_or(0)];
            let short: String = text.chars().take(60).collect();
            format!("this is `{}`", host.events.mask.text(&short))
        }
    };
    let problem = Diagnostic::error(Code::COMMAND_VALUE, span, violation.guard.to_string())
        .label(shown)
        .help(help);
    Err(Stop::failed(problem))
}

fn hole_span(run: &CommandRun<'_>, hole: Option<usize>) -> Option<Span> {
    run.command.hole_span(hole?)
}

/// The texts that the shell gets for a value: one, or one for each item of a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().map(revealed).collect(),
        other => vec![revealed(other)],
    }
}

fn revealed(value: &Value) -> String {
    match value {
        Value::Secret(secret) => secret.reveal().to_owned(),
        other => text_of(other).unwrap_or_default(),
    }
}

/// The first line of a command, for a headline.
fn one_line(text: &str) -> String {
    let first = text.lines().next().unwrap_or("").trim_end_matches('\\').trim_end();
    let short: String = first.chars().take(100).collect();
    if short.len() < text.len() { format!("{short} …") } else { short }
}

/// Where the output of a command goes.
struct Output<'a> {
    events: &'a Events,
    stage: &'a str,
    step: usize,
    /// Standard output, when it is the value of `$(…)`.
    captured: Option<Vec<u8>>,
}

impl Sink for Output<'_> {
    fn line(&mut self, stream: Stream, bytes: &[u8], complete: bool) {
        if let (Some(captured), Stream::Stdout) = (&mut self.captured, stream) {
            // A little more than may be kept tells that it is too much.
            if captured.len() <= MOST_CAPTURED {
                captured.extend_from_slice(bytes);
                if complete {
                    captured.push(b'\n');
                }
            }
            return;
        }
        self.events.output(self.stage, self.step, stream, bytes, complete);
    }
}
