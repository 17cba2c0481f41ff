//! The call of a built-in at run time.

use std::{future::Future, path::Path, pin::Pin};

use tokio_util::sync::CancellationToken;

use super::{Connections, Failure, Report, Session, Value, World};

/// What a built-in answers.
pub type Outcome = Result<Value, Failure>;

/// A built-in at work. Dropping it must leave nothing running.
pub type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// Everything a running built-in sees beside its arguments.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The machine.
    pub world: &'a World,
    /// Where it goes and as whom.
    pub connections: &'a Connections,
    /// The name of the connection it was called through (`production.deploy`); none: the default.
    pub connection: Option<&'a str>,
    /// The folder that relative paths start in, absolute: the Pipelinefile's or the enclosing `cd`.
    pub dir: &'a Path,
    /// Where it says what happens.
    pub report: &'a dyn Report,
    /// Set when the run, the stage or the step is cancelled or out of time. Every wait selects on
    /// it; on cancellation a built-in undoes what must not stay, and answers
    /// [`Failure::cancelled`].
    pub cancel: &'a CancellationToken,
    /// The id of the run, for labels.
    pub run: &'a str,
    /// The folder of the run, absolute: what is kept with it lies there.
    pub run_folder: &'a Path,
    /// The stage, an instance with its number; empty in the handlers behind the last.
    pub stage: &'a str,
    /// Where the stage's commands run; none: on this machine.
    pub session: Option<&'a dyn Session>,
}

impl<'a> Call<'a> {
    /// Waits for `work`, unless the call is cancelled first.
    ///
    /// # Errors
    ///
    /// [`Failure::cancelled`] when it is.
    pub async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Failure::cancelled()),
            done = work => Ok(done),
        }
    }

    /// Does work that blocks on files. It looks at the token between its parts, which is set when
    /// the call is cancelled or dropped; then it undoes what must not stay and ends.
    ///
    /// # Errors
    ///
    /// What the work answers; [`Failure::cancelled`] when it is cancelled.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&CancellationToken) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let stop = self.cancel.child_token();
        let _ends_with_the_call = stop.clone().drop_guard();
        let done = tokio::task::spawn_blocking(move || work(&stop)).await;
        let done = done.map_err(Failure::internal)?;
        if self.cancel.is_cancelled() && done.is_err() { Err(Failure::cancelled()) } else { done }
    }
}
