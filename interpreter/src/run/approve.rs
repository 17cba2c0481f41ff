//! `approve`: asks before a stage begins.

use std::io::{BufRead, IsTerminal, Write};

use jiff::Timestamp;
use pipe_grammar::{
    Code, Diagnostic,
    tree::{ClauseKind, ExprId, Stage},
};
use pipe_stdlib::core::FailureKind;

use super::RunHost;
use crate::{
    eval::{Eval, Failed, Stop},
    event::EventKind,
    plan::Plan,
    record::Answer,
};

/// What came of a question.
pub(super) enum Approval {
    /// The stage may run; also when nobody had to be asked.
    Given,
    /// It may not: by whom, and why.
    Refused(String),
    /// Nobody is there to answer: the run ends here, and goes on with the answer.
    Waits,
}

/// Asks, where the stage says so and its condition holds.
pub(super) async fn ask(
    plan: &Plan,
    host: &RunHost,
    eval: Eval<'_>,
    stage: &Stage,
) -> Result<Approval, Stop> {
    let clause = stage.clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Approve { question, condition, within } => {
            Some((*question, *condition, *within))
        }
        _ => None,
    });
    let Some((question, condition, within)) = clause else { return Ok(Approval::Given) };
    if let Some(condition) = condition
        && !eval.holds(condition).await?
    {
        return Ok(Approval::Given);
    }
    let name = &*stage.name.text;
    if let Some(answer) = host.answers.get(name) {
        return Ok(approval(answer));
    }
    let text = eval.value(question).await?;
    let text = host.events.mask.text(text.as_str().unwrap_or("Go on?")).into_owned();
    let until = match host.questions.iter().find(|(asked, ..)| asked == name) {
        // It was asked before: the time runs since then.
        Some((.., until)) => until.clone(),
        None => until(plan, eval, within).await?,
    };
    if let Some(until) = &until
        && until.parse::<Timestamp>().is_ok_and(|until| plan.world.now() > until)
    {
        return Err(too_late(eval, question, name, until));
    }
    if host.options.approved.iter().any(|approved| approved == name) {
        let answer = Answer { yes: true, by: format!("{} by --approve", whoever()), why: None };
        return Ok(answered(host, name, &answer));
    }
    host.events.emit(EventKind::Asked { stage: name.to_owned(), question: text.clone(), until });
    if !host.options.interactive {
        return Ok(Approval::Waits);
    }
    let asked = tokio::task::spawn_blocking(move || terminal(&text));
    let yes = tokio::select! {
        () = eval.frame.cancel.cancelled() => return Err(Stop::Cancelled),
        yes = asked => yes.unwrap_or(None),
    };
    match yes {
        Some(yes) => Ok(answered(host, name, &Answer { yes, by: whoever(), why: None })),
        None => Ok(Approval::Waits),
    }
}

fn approval(answer: &Answer) -> Approval {
    if answer.yes {
        return Approval::Given;
    }
    let why = answer.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
    Approval::Refused(format!("refused by {}{why}", answer.by))
}

fn answered(host: &RunHost, stage: &str, answer: &Answer) -> Approval {
    host.events.emit(EventKind::Answered {
        stage: stage.to_owned(),
        yes: answer.yes,
        by: answer.by.clone(),
        why: answer.why.clone(),
    });
    approval(answer)
}

async fn until(
    plan: &Plan,
    eval: Eval<'_>,
    within: Option<ExprId>,
) -> Result<Option<String>, Stop> {
    let Some(within) = within else { return Ok(None) };
    let within = eval.duration(within).await?;
    let until = jiff::SignedDuration::try_from(within)
        .ok()
        .and_then(|within| plan.world.now().checked_add(within).ok());
    Ok(until.map(|until| until.to_string()))
}

fn too_late(eval: Eval<'_>, question: ExprId, stage: &str, until: &str) -> Stop {
    let span = eval.program.file.span(question);
    let what = format!("nobody answered in time whether `{stage}` may run");
    let problem = Diagnostic::error(Code::TIMED_OUT, span, what)
        .label(format!("the time was over at {until}"))
        .help("run the pipeline again");
    let mut failed = Failed::new(problem);
    failed.kind = FailureKind::Timeout;
    Stop::Failed(Box::new(failed))
}

/// Who sits here.
#[must_use]
pub fn whoever() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    // Jenkins' build-user plugin, then the login.
    let names = ["BUILD_USER", "USER", "LOGNAME"];
    names
        .into_iter()
        .find_map(variable)
        .unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
}

/// Asks on the terminal, until the answer is one. None: there is nobody.
fn terminal(question: &str) -> Option<bool> {
    let mut lines = std::io::stdin().lock().lines();
    loop {
        let mut out = std::io::stderr();
        let _ = write!(out, "{question} [y/n] ");
        let _ = out.flush();
        match lines.next()?.ok()?.trim().to_lowercase().as_str() {
            "y" | "yes" => return Some(true),
            "n" | "no" => return Some(false),
            _ => {}
        }
    }
}

/// Whether somebody can be asked here.
#[must_use]
pub fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
