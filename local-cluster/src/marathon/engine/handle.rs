//! Giving the engine jobs, and its loop.

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::balancer::Served;

type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// Hands jobs to the engine.
#[derive(Clone)]
pub(crate) struct Handle(mpsc::UnboundedSender<Job>);

/// The jobs that were handed to the engine.
pub(crate) struct Jobs(mpsc::UnboundedReceiver<Job>);

impl Handle {
    /// A handle, and where its jobs arrive.
    pub(crate) fn new() -> (Self, Jobs) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), Jobs(receiver))
    }

    /// Hands over a job. When the engine has ended, nothing happens.
    pub(crate) fn tell(&self, job: impl FnOnce(&mut Engine) + Send + 'static) {
        let _ = self.0.send(Box::new(job));
    }

    /// Hands over a job and waits for what it answers; nothing when the engine has ended.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.tell(move |engine| {
            let _ = sender.send(job(engine));
        });
        answer.await.ok()
    }
}

/// Runs the engine until `stop`, then ends all tasks.
pub(crate) async fn run(
    mut engine: Engine,
    mut jobs: Jobs,
    balancer: watch::Sender<Vec<Served>>,
    stop: CancellationToken,
) {
    loop {
        let next = engine.advance();
        engine.tell_balancer(&balancer);
        engine.save_changes();
        let due = async {
            match next {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            job = jobs.0.recv() => if let Some(job) = job { job(&mut engine) },
            () = due => {}
            () = stop.cancelled() => break,
        }
    }
    engine.close();
    while engine.has_tasks() {
        let Some(job) = jobs.0.recv().await else { break };
        job(&mut engine);
    }
    engine.save_changes();
    engine.events.close();
}
