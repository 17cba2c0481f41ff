//! Branches side by side: `parallel { … }` and `parallel for`.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use pipe_grammar::tree::{Block, ExprId, Name, StatementKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Eval, Frame, Holds, Stop};

/// One of the places that `--jobs` gives. Its holder lends it to those it waits for.
#[derive(Clone, Default)]
pub struct Slot(Option<Arc<Mutex<Option<OwnedSemaphorePermit>>>>);

impl Slot {
    /// Waits for a place, where there is a limit.
    ///
    /// # Errors
    ///
    /// [`Stop::Cancelled`] when `frame` is cancelled before.
    pub async fn take(slots: &Arc<Semaphore>, frame: &Frame) -> Result<Self, Stop> {
        let permit = tokio::select! {
            biased;
            () = frame.cancel.cancelled() => return Err(Stop::Cancelled),
            permit = slots.clone().acquire_owned() => permit,
        };
        Ok(Self(Some(Arc::new(Mutex::new(permit.ok())))))
    }

    fn lend(&self) -> Option<OwnedSemaphorePermit> {
        self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn back(&self, permit: Option<OwnedSemaphorePermit>) {
        if let Some(place) = &self.0 {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = permit;
        }
    }
}

/// What comes of branches that have all run to their end: a failure before a cancellation.
fn together(results: Vec<Result<(), Stop>>) -> Result<(), Stop> {
    let mut stops: Vec<Stop> = results.into_iter().filter_map(Result::err).collect();
    match stops.iter().position(Stop::is_failure).or_else(|| (!stops.is_empty()).then_some(0)) {
        Some(place) => Err(stops.swap_remove(place)),
        None => Ok(()),
    }
}

impl<'a> Eval<'a> {
    /// `parallel { … }`: each statement is a branch. They all run at once, whatever `--jobs` says:
    /// one may wait for another.
    pub(super) async fn parallel(self, block: &'a Block) -> Result<(), Stop> {
        let branches = block.statements.iter().enumerate().filter(|(_, statement)| {
            !matches!(statement.kind, StatementKind::Handler(_) | StatementKind::Env(_))
        });
        let (frame, group) = self.group();
        let work = branches.map(|(number, statement)| {
            let group = &group;
            let inner = frame.inner().at(format_args!(".{number}"));
            async move {
                let result = self.at(&inner).statement(statement).await;
                self.branch_ended(group, result)
            }
        });
        let result = together(join_all(work).await);
        self.at(&frame).undo(result).await
    }

    /// `parallel for`: as many at once as `--jobs` lets.
    pub(super) async fn parallel_for(
        self,
        name: &'a Name,
        list: ExprId,
        body: &'a Block,
    ) -> Result<(), Stop> {
        let items = self.items(list).await?;
        let (frame, group) = self.group();
        // Whoever waits for its branches works on nothing: they may have its place.
        let lent = self.frame.slot.lend();
        let had_slot = lent.is_some();
        drop(lent);
        let work = items.into_iter().enumerate().map(|(number, item)| {
            let group = &group;
            let mut inner = frame.inner().at(format_args!("[{number}]"));
            inner.scope.bind(&name.text, item);
            async move {
                let result = match Slot::take(self.host.slots(), &inner).await {
                    Ok(slot) => {
                        inner.slot = slot;
                        self.at(&inner).block(body).await
                    }
                    Err(stop) => Err(stop),
                };
                self.branch_ended(group, result)
            }
        });
        let result = together(join_all(work).await);
        if had_slot {
            let again = self.host.slots().clone().acquire_owned().await.ok();
            self.frame.slot.back(again);
        }
        self.at(&frame).undo(result).await
    }

    /// The frame of a group of branches, and what cancels them together.
    fn group(self) -> (Frame, tokio_util::sync::CancellationToken) {
        let cancel = self.frame.cancel.child_token();
        let frame = Frame { cancel: cancel.clone(), holds: Holds::default(), ..self.frame.inner() };
        (frame, cancel)
    }

    fn branch_ended(
        self,
        group: &tokio_util::sync::CancellationToken,
        result: Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.host.fail_fast() && result.as_ref().is_err_and(Stop::is_failure) {
            group.cancel();
        }
        result
    }
}
