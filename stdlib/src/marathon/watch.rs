//! Follows a deployment over events and by asking, until there is a verdict.

use std::time::Duration;

use pipe_grammar::Code;
use tokio::time::Instant;

use super::{follow::Follow, progress, site::Site, trouble::failure, verdict::Verdict};
use crate::{
    client::marathon::{App, Client, Deployment, Error, Events, Kind, Queued, Signal},
    core::Failure,
};

/// How the watching ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Watched {
    /// With a verdict, never [`Verdict::Open`].
    Verdict(Verdict),
    /// The call was cancelled.
    Cancelled,
}

/// What a cancellation does to the watching.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cancellation {
    /// It ends it.
    Ends,
    /// It leaves it only this long.
    Hurries(Duration),
}

/// The events, and what is known of their stream.
pub(super) struct Stream {
    events: Events,
    attached: bool,
    told: bool,
}

impl Stream {
    /// Opens the stream and waits until nothing can be missed, or says that there are no events.
    pub(super) async fn open(site: &Site<'_>) -> Result<Self, Failure> {
        let mut stream = Self { events: Events::open(&site.client), attached: false, told: false };
        let wait = tokio::time::timeout(site.timing.pace.attach, stream.events.next());
        match site.call.unless_cancelled(wait).await? {
            Ok(signal) => {
                stream.heed(&signal, site);
            }
            Err(_) => stream.tell(site, "they did not come in time"),
        }
        Ok(stream)
    }

    fn heed(&mut self, signal: &Signal, site: &Site<'_>) {
        match signal {
            Signal::Attached => self.attached = true,
            Signal::Lost => self.attached = false,
            Signal::Unavailable(why) => {
                self.attached = false;
                self.tell(site, why);
            }
            Signal::Event(_) => {}
        }
    }

    /// Hands a signal on. Returns whether it is worth to ask at once.
    fn take(
        &mut self,
        signal: &Signal,
        site: &Site<'_>,
        follow: &mut Follow,
        now: Duration,
    ) -> bool {
        self.heed(signal, site);
        follow.attached = self.attached;
        match signal {
            Signal::Event(event) => follow.event(event, now),
            // What was missed meanwhile, only an answer can tell.
            Signal::Attached | Signal::Lost | Signal::Unavailable(_) => true,
        }
    }

    fn tell(&mut self, site: &Site<'_>, why: &str) {
        if !std::mem::replace(&mut self.told, true) {
            site.say(format!("no events from this Marathon ({why}); asking it instead"));
        }
    }
}

/// So many signals are taken in a row, whatever a server sends.
const MOST_AT_ONCE: usize = 1000;

/// Watches until there is a verdict, or the call is cancelled.
///
/// # Errors
///
/// The server is silent for too long, or does not know us any more.
pub(super) async fn watch(
    site: &Site<'_>,
    stream: &mut Stream,
    follow: &mut Follow,
    cancellation: Cancellation,
) -> Result<Watched, Failure> {
    let start = Instant::now();
    let client = site.client.impatient();
    let mut next = start;
    let mut lines = Lines { last: String::new(), at: start };
    let mut silent_since: Option<Instant> = None;
    let mut hurried = false;
    follow.attached = stream.attached;
    loop {
        tokio::select! {
            biased;
            () = site.call.cancel.cancelled(), if !hurried => match cancellation {
                Cancellation::Ends => return Ok(Watched::Cancelled),
                Cancellation::Hurries(time) => {
                    hurried = true;
                    follow.goal.within = follow.goal.within.min(start.elapsed() + time);
                }
            },
            // Before the events, so that no flood of them keeps us from asking.
            () = tokio::time::sleep_until(next) => {
                let asked = tokio::select! {
                    biased;
                    () = site.call.cancel.cancelled(), if !hurried => continue,
                    asked = ask(&client, follow) => asked,
                };
                next = Instant::now() + site.timing.poll;
                // What was told before the answer came is older: a task is seen to end before
                // the one that is started in its place.
                for _ in 0..MOST_AT_ONCE {
                    let Some(signal) = stream.events.ready() else { break };
                    stream.take(&signal, site, follow, start.elapsed());
                }
                match asked {
                    Ok(seen) => {
                        seen.tell(follow, start.elapsed());
                        if silent_since.take().is_some() {
                            site.say("Marathon answers again");
                        }
                    }
                    Err(error) => {
                        let since = bear(site, follow, &error, silent_since)?;
                        silent_since = Some(since);
                    }
                }
            }
            signal = stream.events.next() => {
                let ask = stream.take(&signal, site, follow, start.elapsed());
                // Not more often than ten times as often as usual, whatever the events say.
                let soon = Instant::now() + if ask { site.timing.poll / 10 } else { site.timing.poll };
                next = next.min(soon);
            }
        }
        let now = start.elapsed();
        match follow.verdict(now) {
            Verdict::Open => {
                // Events alone do not say what else is there.
                if silent_since.is_none() && follow.answer.is_some() {
                    lines.show(site, &progress::line(follow));
                }
            }
            verdict => return Ok(Watched::Verdict(verdict)),
        }
    }
}

/// What a round of questions found.
struct Seen {
    deployments: Vec<Deployment>,
    app: Option<App>,
    queue: Vec<Queued>,
}

impl Seen {
    fn tell(self, follow: &mut Follow, now: Duration) {
        follow.queue(&self.queue);
        follow.app(self.app.as_ref(), now);
        follow.deployments(&self.deployments, now);
    }
}

async fn ask(client: &Client, follow: &Follow) -> Result<Seen, Error> {
    // The list first: what is not in it any more must show in the app.
    let deployments = client.deployments().await?;
    let app = client.app(&follow.goal.app).await?;
    let queue = if follow.lacks_tasks() { client.queue().await? } else { Vec::new() };
    Ok(Seen { deployments, app, queue })
}

/// Whether an error while following can be waited out; since when there are errors.
fn bear(
    site: &Site<'_>,
    follow: &Follow,
    error: &Error,
    since: Option<Instant>,
) -> Result<Instant, Failure> {
    let passes = error.passes() || matches!(error.kind(), Some(Kind::Server));
    let now = Instant::now();
    let first = since.unwrap_or(now);
    if since.is_none() && passes {
        site.say(format!("{}; the deployment goes on without us, asking again", error.sentence()));
    }
    if passes && now - first < site.timing.silence {
        return Ok(first);
    }
    let mut failure = failure(error);
    if failure.code == Code::UNREACHABLE_SERVER {
        failure.message = format!("lost sight of `{}`: {}", follow.goal.app, failure.message);
    }
    if let Some(id) = &follow.goal.deployment {
        failure = failure
            .help(format!("deployment {id} goes on in Marathon by itself; nothing was led back"));
    }
    Err(failure)
}

/// Progress for people: a line when something changed, but not for each of many events in a row,
/// and a reminder.
struct Lines {
    last: String,
    at: Instant,
}

impl Lines {
    fn show(&mut self, site: &Site<'_>, line: &str) {
        let now = Instant::now();
        let pause = match line == self.last {
            true => site.timing.reminder,
            false if self.last.is_empty() => Duration::ZERO,
            // The next answer comes after twice that, and shows it then.
            false => site.timing.poll / 2,
        };
        if now - self.at < pause {
            return;
        }
        if line == self.last {
            site.say(format!("still {line}"));
        } else {
            site.say(line);
        }
        self.last = line.to_owned();
        self.at = now;
    }
}
