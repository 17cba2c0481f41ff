//! `retry`, `timeout`, `env`, `cd`, `may_fail`, `hold`.

use std::{future::Future, sync::Arc, time::Duration};

use pipe_grammar::{
    Code, Diagnostic, Span,
    tree::{ExprId, Modifier, ModifierKind, Retry, Statement},
};
use pipe_stdlib::core::{FailureKind, Value};
use tokio_util::sync::CancellationToken;

use super::{Eval, Failed, Frame, Later, Limit, Stop};

/// How long a first pause is where `every` does not say.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// No pause grows longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl<'a> Eval<'a> {
    /// Runs a statement under modifiers, outermost first.
    pub(super) async fn modified(
        self,
        modifiers: &'a [Modifier],
        body: &'a Statement,
    ) -> Result<(), Stop> {
        let [modifier, rest @ ..] = modifiers else { return self.statement(body).await };
        self.under(modifier, rest, body).await
    }

    fn under(
        self,
        modifier: &'a Modifier,
        rest: &'a [Modifier],
        body: &'a Statement,
    ) -> Later<'a, Result<(), Stop>> {
        Box::pin(async move {
            match modifier.kind {
                ModifierKind::Env(record) => {
                    let frame = self.frame.with_env(self.environment(record).await?);
                    self.at(&frame).modified(rest, body).await
                }
                ModifierKind::Cd(dir) => {
                    let frame = Frame { dir: self.folder(dir).await?, ..self.frame.clone() };
                    self.at(&frame).modified(rest, body).await
                }
                ModifierKind::Timeout(time) => {
                    let limit = self.duration(time).await?;
                    let (frame, reached) = self.limited(limit, modifier.span);
                    let work = self.at(&frame).modified(rest, body);
                    self.timeout(limit, &frame, &reached, work).await
                }
                ModifierKind::MayFail(condition) => {
                    let may = match condition {
                        Some(condition) => self.holds(condition).await?,
                        None => true,
                    };
                    let frame = self.frame.at("?");
                    if may && self.host.forgiven(&frame) {
                        return Ok(());
                    }
                    match self.at(&frame).modified(rest, body).await {
                        Err(Stop::Failed(failed)) if may => {
                            self.host.unstable(&frame, &failed);
                            Ok(())
                        }
                        other => other,
                    }
                }
                ModifierKind::Retry(retry) => {
                    self.retry(retry, |number| {
                        Box::pin(async move {
                            let frame = self.frame.at(format_args!("~{number}"));
                            self.at(&frame).modified(rest, body).await
                        })
                    })
                    .await
                }
                ModifierKind::Hold { during, every } => {
                    let (during, every) =
                        (self.duration(during).await?, self.duration(every).await?);
                    let end = tokio::time::Instant::now() + during;
                    for round in 0_u64.. {
                        let frame = self.frame.at(format_args!("~{round}"));
                        self.at(&frame).modified(rest, body).await?;
                        let next = (tokio::time::Instant::now() + every).min(end);
                        if next >= end && tokio::time::Instant::now() >= end {
                            return Ok(());
                        }
                        self.pause(next - tokio::time::Instant::now()).await?;
                    }
                    Ok(())
                }
            }
        })
    }

    /// A frame under a time-out that stands at `span`.
    pub fn limited(self, limit: Duration, span: Span) -> (Frame, Arc<Limit>) {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let shown = pipe_grammar::duration_text(millis);
        let what = format!("this took longer than {shown}");
        let problem =
            Diagnostic::error(Code::TIMED_OUT, span, what).label("the time that it may take");
        let mut failed = Failed::new(problem);
        failed.kind = FailureKind::Timeout;
        failed.step = self.frame.steps.last().cloned();
        self.frame.limited(failed)
    }

    /// Waits for `work`, which runs under a [limited](Self::limited) frame; when the time is over
    /// it is cancelled, cleaned up, and has failed.
    pub async fn timeout(
        self,
        limit: Duration,
        frame: &Frame,
        reached: &Limit,
        work: impl Future<Output = Result<(), Stop>>,
    ) -> Result<(), Stop> {
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(limit) => {}
        }
        reached.reach();
        frame.cancel.cancel();
        // What it was cancelled for, its handlers have heard already.
        let _ = work.await;
        if self.frame.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Err(Stop::Failed(Box::new(reached.failed.clone())))
    }

    /// Runs something again while it fails, with growing pauses; `work` is told the number of the
    /// try, from 0.
    pub async fn retry(
        self,
        retry: Retry,
        work: impl Fn(u64) -> Later<'a, Result<(), Stop>>,
    ) -> Result<(), Stop> {
        let count = match retry.count {
            Some(count) => match self.value(count).await? {
                Value::Int(count) => u64::try_from(count).unwrap_or(0),
                _ => 0,
            },
            None => u64::MAX,
        };
        let first = match retry.every {
            Some(every) => self.duration(every).await?,
            None => FIRST_PAUSE,
        };
        let deadline = match retry.within {
            Some(within) => Some(tokio::time::Instant::now() + self.duration(within).await?),
            None => None,
        };
        let mut pause = first;
        let mut tries: u64 = 0;
        loop {
            let failed = match work(tries).await {
                Err(Stop::Failed(failed)) => failed,
                other => return other,
            };
            tries += 1;
            let wait = jitter(pause);
            let late = deadline.is_some_and(|end| tokio::time::Instant::now() + wait > end);
            // Another deployment took over: trying again would fight it.
            if tries > count || late || failed.kind == FailureKind::Superseded {
                return Err(Stop::Failed(failed));
            }
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let rounded = if millis > 1000 { millis / 100 * 100 } else { millis };
            let shown = pipe_grammar::duration_text(rounded);
            self.host.say(
                self.frame,
                &format!("failed: {}; again in {shown}", failed.diagnostic.message),
            );
            self.pause(wait).await?;
            pause = (pause * 2).min(LONGEST_PAUSE.max(first));
        }
    }

    async fn pause(self, time: Duration) -> Result<(), Stop> {
        tokio::select! {
            () = self.frame.cancel.cancelled() => Err(Stop::Cancelled),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }

    /// The value of an expression of type duration.
    pub async fn duration(self, id: ExprId) -> Result<Duration, Stop> {
        match self.value(id).await? {
            Value::Duration(time) => Ok(time),
            _ => Err(Stop::evaluation(self.program.file.span(id), "a duration was expected")),
        }
    }

    /// The folder that a `cd` means.
    pub async fn folder(self, id: ExprId) -> Result<std::path::PathBuf, Stop> {
        let value = self.value(id).await?;
        let written = value.as_str().unwrap_or("").to_owned();
        self.host.path(self.frame, &written).map_err(|failure| self.failure(id, &failure, &[]))
    }
}

/// Waits for `work`, at most so long; then sets `cancel` and waits for it to end. None: it was
/// out of time.
pub(crate) async fn limited<T>(
    cancel: &CancellationToken,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => Some(done),
        () = tokio::time::sleep(limit) => {
            cancel.cancel();
            work.await;
            None
        }
    }
}

/// A pause of 80 to 120 per cent, so that those who failed together do not come back together.
fn jitter(pause: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    // The standard library seeds each hasher at random.
    let random = RandomState::new().hash_one(0_u8) % 401;
    pause * u32::try_from(random + 800).unwrap_or(1000) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_stays_near() {
        for _ in 0..100 {
            let pause = jitter(Duration::from_secs(10));
            assert!((Duration::from_secs(8)..=Duration::from_secs(12)).contains(&pause));
        }
    }
}
