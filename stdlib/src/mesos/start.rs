//! From the order to a worker that has the workspace.

use std::{path::Path, sync::Arc};

use pipe_grammar::{Code, duration_text};
use tokio::time::Instant;

use super::{
    End, Handle, Note, Place, cluster_lines,
    life::Life,
    link::{Desk, Done, Hello, Report, Task as Job},
    sandbox::{last_lines, sandbox},
    session::{Elsewhere, done_failure},
    site::{self, Shared, Site},
    task::Task,
};
use crate::{
    client::mesos::State,
    core::{Call, Failure, Intent, MesosConnection, Session},
};

/// Starts a task and brings the workspace into it.
pub(super) async fn start(
    task: &Task,
    call: Call<'_>,
    workspace: &Path,
) -> Result<Arc<dyn Session>, Failure> {
    let connection = connection(&call)?;
    let role = task.role.as_deref().unwrap_or(&connection.role);
    let gpus = task.want.gpus.0 > 0;
    let opening = site::open(&call, connection, role, gpus, &task.timing);
    let shared = call.unless_cancelled(opening).await??;
    let begun = begin(task, &call, workspace, &shared).await;
    match begun {
        Ok(session) => Ok(Arc::new(session.with(shared))),
        Err(failure) => {
            // The handle is gone, and with it the task.
            site::release(shared).await;
            Err(failure)
        }
    }
}

pub(super) fn connection<'a>(call: &Call<'a>) -> Result<&'a MesosConnection, Failure> {
    call.connections.mesos(call.connection).ok_or_else(|| {
        let failure =
            Failure::new(Code::NO_CONNECTION, "nothing says which Mesos cluster this runs on");
        if call.connections.local.is_some() {
            return failure.help("the local cluster of this machine has no Mesos");
        }
        failure.help("name it: `connect mesos(\"http://mesos.example.com:5050\")`")
    })
}

async fn begin(
    task: &Task,
    call: &Call<'_>,
    workspace: &Path,
    shared: &Shared,
) -> Result<Elsewhere, Failure> {
    let site = shared.get().ok_or_else(|| Failure::internal("a site that is not open"))?;
    // Earlier than it is given up here, so that it can leave what it could not send.
    let leash = task.timing.silence / 2;
    let desk = Arc::new(Desk::new(workspace.to_path_buf(), leash)?);
    site.depot.add(&desk);
    call.report.intend(Intent::Task {
        mesos: site.client.shown(),
        framework: site.framework.id.to_string(),
    })?;
    let order = task.order(call, &site.url, &desk.token);
    let handle = site.framework.submit(order).await;
    let mut beginning = Beginning { task, call, site, desk: &desk, handle, place: None };
    let hello = call.unless_cancelled(beginning.arrival()).await??;
    let Beginning { handle, place, .. } = beginning;
    let place = place.ok_or_else(|| Failure::internal("a worker without a task"))?;
    let session =
        Elsewhere::new(desk.clone(), Life::watch(handle), hello, place, task.timing, workspace);
    call.unless_cancelled(bring(&session, &desk, site)).await??;
    Ok(session)
}

/// Brings the workspace into the task.
async fn bring(session: &Elsewhere, desk: &Desk, site: &Site) -> Result<(), Failure> {
    let (number, mut reports) = desk.order(Job::Workspace, None, None);
    let result = tokio::select! {
        biased;
        report = reports.recv() => match report {
            Some(Report::Done(Done::Moved)) => Ok(()),
            Some(Report::Done(done)) => Err(done_failure(done)),
            _ => Err(Failure::internal("an order without an answer")),
        },
        why = session.gone() => Err(session.failure(why, site).await),
    };
    desk.close(number);
    result
}

struct Beginning<'a> {
    task: &'a Task,
    call: &'a Call<'a>,
    site: &'a Site,
    desk: &'a Desk,
    handle: Handle,
    place: Option<Place>,
}

impl Beginning<'_> {
    /// Waits for the worker.
    async fn arrival(&mut self) -> Result<Hello, Failure> {
        let offers = Instant::now() + self.task.offer_within;
        let mut calls: Option<Instant> = None;
        loop {
            let waits_for_call = calls.unwrap_or(offers);
            tokio::select! {
                biased;
                hello = self.desk.arrived() => return Ok(hello),
                () = self.desk.doubted() => return Err(super::session::doubted()),
                note = self.handle.notes.recv() => match note {
                    None => return Err(self.ended(&End::without_word()).await),
                    Some(Note::Ended(end)) => return Err(self.ended(&end).await),
                    Some(Note::State(State::TaskRunning)) => {
                        calls = Some(Instant::now() + self.task.timing.hello);
                    }
                    Some(note) => {
                        if let Note::Again(_) = &note {
                            calls = None;
                        }
                        self.take(note);
                    }
                },
                () = tokio::time::sleep_until(offers), if self.place.is_none() => {
                    return Err(self.no_offer().await);
                }
                () = tokio::time::sleep_until(waits_for_call), if calls.is_some() => {
                    return Err(self.unheard().await);
                }
            }
        }
    }

    fn take(&mut self, note: Note) {
        let say = |text: &str| self.call.report.say(text);
        match note {
            Note::Waiting { line, offers } => {
                say(&format!("waits for an agent: {line}"));
                for offer in offers {
                    say(&format!("  {offer}"));
                }
            }
            Note::Placed(place) => {
                say(&format!("task `{}` goes to agent `{}`", place.task, place.host));
                self.place = Some(place);
            }
            Note::OutOfSight(why) => say(&format!("the task {why}")),
            Note::BackInSight => say("the task is in sight again"),
            Note::Contact(text) => say(&text),
            Note::Again(why) => {
                say(&format!("the task {why}; it waits for an agent again"));
                self.place = None;
                self.desk.renew();
            }
            Note::State(_) | Note::Ended(_) => {}
        }
    }

    async fn no_offer(&self) -> Failure {
        let want = &self.task.want;
        let within = u64::try_from(self.task.offer_within.as_millis()).unwrap_or(u64::MAX);
        let within = duration_text(within);
        let what = format!("no agent offered {want} within {within}");
        let (line, offers) = self.handle.why().await.unwrap_or_default();
        let mut failure = Failure::infrastructure(Code::NO_OFFER, what).label(line);
        failure = failure.evidence("what was offered:", offers);
        if let Ok(cluster) = self.site.client.cluster().await {
            let lines = cluster_lines(&cluster, want, &self.site.framework.id);
            failure = failure.evidence("the cluster:", lines);
        }
        failure.help("ask for less, loosen `where:`, or wait longer: `offer_within:`")
    }

    /// It ended before its worker said a word.
    async fn ended(&self, end: &End) -> Failure {
        let failure = of_end(end);
        let failure = match end.message.contains("fetch") {
            true => failure.help(self.way()),
            false => failure,
        };
        self.with_evidence(failure).await
    }

    /// It runs, and its worker says nothing.
    async fn unheard(&self) -> Failure {
        let host = self.place.as_ref().map_or("its agent", |place| place.host.as_str());
        let what = format!("the task runs on `{host}`, but does not reach this machine");
        let failure = Failure::infrastructure(Code::TASK_FAILED, what).help(self.way());
        self.with_evidence(failure).await
    }

    fn way(&self) -> String {
        format!(
            "tasks call `{}`; if that can't be reached from the agents: `connect mesos(…, \
             advertise: \"HOST:PORT\")`",
            self.site.url
        )
    }

    async fn with_evidence(&self, failure: Failure) -> Failure {
        let client = &self.site.client;
        let place = self.place.as_ref();
        let found = place.and_then(|place| sandbox(client, &self.site.framework.id, place));
        match found {
            Some(found) => {
                let lines = last_lines(client, &found, "stderr").await;
                failure.evidence("the last lines of the task's stderr:", lines)
            }
            None => failure,
        }
    }
}

/// The end of a task as a failure.
pub(super) fn of_end(end: &End) -> Failure {
    let what = format!("the task {}", end.fate.sentence);
    let mut failure = Failure::new(Code::TASK_FAILED, what).kind(end.fate.kind).label(end.shown());
    failure.help.clone_from(&end.fate.help);
    failure
}
