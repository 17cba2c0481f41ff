//! Held values of a block: undone when it ends and its handlers have run, the last one first.

use std::sync::{Arc, Mutex, PoisonError};

use pipe_grammar::Span;
use pipe_stdlib::core::HeldValue;
use tokio_util::sync::CancellationToken;

use super::{Eval, Frame, Stop, block::FAILURE_GRACE, modifier};

/// What a block holds, in the order in which it was made.
#[derive(Clone, Default)]
pub struct Holds(Arc<Mutex<Vec<(HeldValue, Span)>>>);

impl Holds {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(HeldValue, Span)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes something that was made by the call at `span`.
    pub fn add(&self, held: HeldValue, span: Span) {
        self.lock().push((held, span));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// What those behind the first `known` give to the environment of commands.
    pub(super) fn environment(&self, known: usize) -> Vec<(String, pipe_stdlib::core::Value)> {
        let all = self.lock();
        let new = all.iter().skip(known).flat_map(|(held, _)| held.0.environment());
        new.map(|(name, value)| (name, value.into())).collect()
    }

    fn take(&self) -> Vec<(HeldValue, Span)> {
        std::mem::take(&mut *self.lock())
    }
}

impl Eval<'_> {
    /// Undoes what the block holds. Each has a time of its own, which no cancellation touches; what
    /// can't be undone fails the block, unless that has failed already.
    pub(super) async fn undo(self, result: Result<(), Stop>) -> Result<(), Stop> {
        let mut result = result;
        for (held, span) in self.frame.holds.take().into_iter().rev() {
            let grace = if self.frame.cancel.is_cancelled() {
                self.host.cancel_grace()
            } else {
                FAILURE_GRACE
            };
            let cancel = CancellationToken::new();
            let frame = Frame { cancel: cancel.clone(), limit: None, ..self.frame.clone() };
            let work = self.host.undo(&frame, &held, span);
            let undone = modifier::limited(&cancel, grace, work).await;
            let undone = undone.unwrap_or_else(|| {
                Err(Stop::evaluation(span, "this could not be undone in the time there is"))
            });
            if let (Ok(()) | Err(Stop::Return(_) | Stop::Skip(_)), Err(stop)) = (&result, undone) {
                result = Err(stop);
            }
        }
        result
    }
}
