//! A framework at work: holds the subscription, asks the [`Scheduler`] and does what it says.

use std::{
    collections::BTreeMap,
    pin::Pin,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::{mpsc, oneshot};

use super::{Effect, Note, Now, Order, Scheduler, Ticket, Timing, trouble::gave_up};
use crate::client::mesos::{Call, Client, Error, Event, FrameworkInfo, Id, Kind, Subscription};

/// A framework that the master knows. Dropping it tears it down as well as it can.
pub struct Framework {
    /// Our id.
    pub id: Id,
    /// The master's version, as far as it says.
    pub version: Option<String>,
    commands: mpsc::UnboundedSender<Command>,
}

enum Command {
    Submit(Box<Order>, mpsc::UnboundedSender<Note>, oneshot::Sender<Ticket>),
    Kill(Ticket, Duration),
    Why(Ticket, oneshot::Sender<Option<(String, Vec<String>)>>),
    End(oneshot::Sender<()>),
}

/// A task that was ordered.
pub struct Handle {
    ticket: Ticket,
    commands: mpsc::UnboundedSender<Command>,
    /// What happens to it.
    pub notes: mpsc::UnboundedReceiver<Note>,
}

impl Drop for Handle {
    /// Nobody hears of it any more, so it must not run on.
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Kill(self.ticket, Duration::ZERO));
    }
}

impl Framework {
    /// Subscribes, and asks until it is granted or `timing.subscribe` is over. `tell` hears once
    /// why it takes longer.
    ///
    /// # Errors
    ///
    /// The last answer.
    pub async fn start(
        client: Client,
        mut info: FrameworkInfo,
        role: &str,
        timing: Timing,
        tell: impl FnOnce(&str),
    ) -> Result<Self, Error> {
        let start = Instant::now();
        let mut pause = timing.pace.pause;
        let mut tell = Some(tell);
        let subscription = loop {
            match client.subscribe(&info, true).await {
                Ok(subscription) => break subscription,
                Err(error) if error.passes() && start.elapsed() + pause < timing.subscribe => {
                    if let Some(tell) = tell.take() {
                        tell(&error.sentence());
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(timing.pace.longest_pause);
                }
                Err(error) => return Err(error),
            }
        };
        info.id = Some(subscription.framework.clone());
        let id = subscription.framework.clone();
        let version = subscription.version.clone();
        let (commands, receiver) = mpsc::unbounded_channel();
        let actor = Actor {
            client,
            info,
            id: id.clone(),
            scheduler: Scheduler::new(role, timing),
            timing,
            start,
            notes: BTreeMap::new(),
            link: None,
            connecting: None,
            out: None,
            over: false,
        };
        tokio::spawn(actor.run(subscription, receiver));
        Ok(Self { id, version, commands })
    }

    /// Orders a task.
    pub async fn submit(&self, order: Order) -> Handle {
        let (sender, notes) = mpsc::unbounded_channel();
        let (answer, ticket) = oneshot::channel();
        let _ = self.commands.send(Command::Submit(Box::new(order), sender, answer));
        // Without an actor the notes end at once.
        let ticket = ticket.await.unwrap_or(Ticket::MAX);
        Handle { ticket, commands: self.commands.clone(), notes }
    }

    /// Whether there is still something that works for it.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.commands.is_closed()
    }

    /// Ends all tasks and the framework.
    pub async fn end(&self) {
        let (answer, ended) = oneshot::channel();
        if self.commands.send(Command::End(answer)).is_ok() {
            let _ = ended.await;
        }
    }
}

impl Handle {
    /// The notes, for somebody else to read.
    pub(super) fn take_notes(&mut self) -> mpsc::UnboundedReceiver<Note> {
        std::mem::replace(&mut self.notes, mpsc::unbounded_channel().1)
    }

    /// Tells the task to end, in at most `grace`.
    pub fn kill(&self, grace: Duration) {
        let _ = self.commands.send(Command::Kill(self.ticket, grace));
    }

    /// Why it waits: one line, and each agent's offer.
    pub async fn why(&self) -> Option<(String, Vec<String>)> {
        let (answer, why) = oneshot::channel();
        let _ = self.commands.send(Command::Why(self.ticket, answer));
        why.await.ok().flatten()
    }
}

/// A subscription with its way back.
struct Link {
    subscription: Subscription,
    calls: mpsc::UnboundedSender<Call>,
    /// Why the calls can't go on.
    trouble: mpsc::Receiver<Error>,
    caller: tokio::task::JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.caller.abort();
    }
}

type Connecting = Pin<Box<dyn Future<Output = Result<Subscription, Error>> + Send>>;

/// Contact with the masters is lost.
struct Out {
    since: Instant,
    why: String,
    pause: Duration,
    told: bool,
}

struct Actor {
    client: Client,
    info: FrameworkInfo,
    id: Id,
    scheduler: Scheduler,
    timing: Timing,
    start: Instant,
    notes: BTreeMap<Ticket, mpsc::UnboundedSender<Note>>,
    link: Option<Link>,
    connecting: Option<Connecting>,
    out: Option<Out>,
    /// The master has no such framework any more.
    over: bool,
}

impl Actor {
    async fn run(
        mut self,
        subscription: Subscription,
        mut commands: mpsc::UnboundedReceiver<Command>,
    ) {
        self.connected(subscription);
        let mut clock = tokio::time::interval(self.timing.ask / 2);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // Offers before everything else: they are held until they are answered.
                biased;
                word = word(&mut self.link) => match word {
                    Ok(Event::Error(message)) => self.refused(&Error::Ended(message)),
                    Ok(event) => {
                        let now = self.now();
                        let effects = self.scheduler.event(event, now);
                        self.carry_out(effects);
                    }
                    Err(error) if error.passes() => self.lost(error.sentence()),
                    Err(error) => self.refused(&error),
                },
                command = commands.recv() => match command {
                    Some(Command::End(answer)) => {
                        self.tear_down().await;
                        let _ = answer.send(());
                        return;
                    }
                    None => return self.tear_down().await,
                    Some(command) => {
                        self.obey(command);
                        // What is ordered at once is asked for at once.
                        while let Ok(command) = commands.try_recv() {
                            if let Command::End(answer) = command {
                                self.tear_down().await;
                                let _ = answer.send(());
                                return;
                            }
                            self.obey(command);
                        }
                        let effects = self.scheduler.settle();
                        self.carry_out(effects);
                    }
                },
                result = connect(&mut self.connecting) => match result {
                    Ok(subscription) => self.connected(subscription),
                    Err(error) if error.passes() => self.lost(error.sentence()),
                    Err(error) => self.refused(&error),
                },
                _ = clock.tick() => {
                    let now = self.now();
                    let effects = self.scheduler.tick(now);
                    self.carry_out(effects);
                    self.complain();
                }
            }
        }
    }

    fn now(&self) -> Now {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { elapsed: self.start.elapsed(), clock }
    }

    fn obey(&mut self, command: Command) {
        let now = self.now();
        let effects = match command {
            Command::Submit(order, notes, answer) => {
                let ticket = self.scheduler.submit(*order, now);
                self.notes.insert(ticket, notes);
                let _ = answer.send(ticket);
                if self.over { self.scheduler.over("its framework is over") } else { Vec::new() }
            }
            Command::Kill(ticket, grace) => self.scheduler.kill(ticket, grace, now),
            Command::Why(ticket, answer) => {
                let _ = answer.send(self.scheduler.why(ticket, now));
                Vec::new()
            }
            Command::End(_) => Vec::new(),
        };
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(call) => {
                    if let Some(link) = &self.link {
                        let _ = link.calls.send(call);
                    }
                }
                Effect::Tell(ticket, note) => {
                    let last = matches!(note, Note::Ended(_));
                    if let Some(notes) = self.notes.get(&ticket) {
                        let _ = notes.send(note);
                    }
                    if last {
                        self.notes.remove(&ticket);
                    }
                }
            }
        }
    }

    fn connected(&mut self, subscription: Subscription) {
        self.connecting = None;
        if self.out.take().is_some_and(|out| out.told) {
            self.tell_all(|| Note::Contact("the Mesos master answers again".to_owned()));
        }
        let (calls, receiver) = mpsc::unbounded_channel();
        let (sender, trouble) = mpsc::channel(1);
        let caller = Caller {
            client: self.client.clone(),
            base: subscription.base.clone(),
            stream: subscription.stream.clone(),
            framework: self.id.clone(),
            timing: self.timing,
        };
        let caller = tokio::spawn(caller.run(receiver, sender));
        self.link = Some(Link { subscription, calls, trouble, caller });
        let event =
            Event::Subscribed { framework: self.id.clone(), heartbeat: None, version: None };
        let now = self.now();
        let mut effects = self.scheduler.event(event, now);
        effects.extend(self.scheduler.settle());
        self.carry_out(effects);
    }

    /// The stream is over, or could not be opened: it is opened again.
    fn lost(&mut self, why: String) {
        self.link = None;
        self.connecting = None;
        self.scheduler.lost();
        let pause = self.timing.pace.pause;
        let out = self.out.get_or_insert_with(|| Out {
            since: Instant::now(),
            why: String::new(),
            pause,
            told: false,
        });
        out.why = why;
        if out.since.elapsed() > self.timing.unreachable {
            let since = out.since.elapsed().as_secs();
            let why = format!("the Mesos master has been out of reach for {since} s: {}", out.why);
            return self.refused(&Error::Ended(why));
        }
        let wait = jittered(out.pause);
        out.pause = (out.pause * 2).min(self.timing.pace.longest_pause);
        let (client, info) = (self.client.clone(), self.info.clone());
        let suppressed = self.scheduler.is_idle();
        self.connecting = Some(Box::pin(async move {
            tokio::time::sleep(wait).await;
            client.subscribe(&info, suppressed).await
        }));
    }

    /// The master ends it: nothing is tried again.
    fn refused(&mut self, error: &Error) {
        self.link = None;
        self.connecting = None;
        self.over = true;
        self.scheduler.lost();
        let effects = self.scheduler.over(&gave_up(error));
        self.carry_out(effects);
    }

    /// After a while it is said that there is no contact.
    fn complain(&mut self) {
        let Some(out) = &mut self.out else { return };
        if !out.told && out.since.elapsed() > self.timing.launch {
            out.told = true;
            let why = format!(
                "no contact with the Mesos master: {}; tasks run on, asking again",
                out.why
            );
            self.tell_all(|| Note::Contact(why.clone()));
        }
    }

    fn tell_all(&self, note: impl Fn() -> Note) {
        for notes in self.notes.values() {
            let _ = notes.send(note());
        }
    }

    /// Ends the framework: the master ends whatever it has. What can't be reached now ends by
    /// itself, after the fail-over time.
    async fn tear_down(&mut self) {
        let ended = async {
            let mut pause = self.timing.pace.pause;
            while !self.over {
                let (base, stream) = match &self.link {
                    Some(link) => {
                        (link.subscription.base.clone(), link.subscription.stream.clone())
                    }
                    None => match self.client.subscribe(&self.info, true).await {
                        Ok(subscription) => {
                            let at = (subscription.base.clone(), subscription.stream.clone());
                            let sent =
                                self.client.call(&at.0, &at.1, &self.id, &Call::Teardown).await;
                            if sent.is_ok() {
                                return;
                            }
                            at
                        }
                        // It is gone already, or will never be ours again.
                        Err(error) if !error.passes() => return,
                        Err(_) => {
                            tokio::time::sleep(pause).await;
                            pause *= 2;
                            continue;
                        }
                    },
                };
                match self.client.call(&base, &stream, &self.id, &Call::Teardown).await {
                    Ok(()) => return,
                    Err(_) => self.link = None,
                }
            }
        };
        let _ = tokio::time::timeout(self.timing.end, ended).await;
    }
}

/// The next event, or why there will be no more of this link.
async fn word(link: &mut Option<Link>) -> Result<Event, Error> {
    let Some(link) = link else { return std::future::pending().await };
    tokio::select! {
        biased;
        event = link.subscription.next() => event.map_err(Error::Lost),
        Some(error) = link.trouble.recv() => Err(error),
    }
}

async fn connect(connecting: &mut Option<Connecting>) -> Result<Subscription, Error> {
    match connecting {
        Some(connecting) => connecting.await,
        None => std::future::pending().await,
    }
}

/// Between half and all of it, so that many don't come at once.
fn jittered(pause: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0_u8) % 512;
    pause / 2 + pause * u32::try_from(random).unwrap_or(0) / 1024
}

/// Sends calls one after the other: Mesos keeps their order only then.
struct Caller {
    client: Client,
    base: String,
    stream: String,
    framework: Id,
    timing: Timing,
}

impl Caller {
    async fn run(self, mut calls: mpsc::UnboundedReceiver<Call>, trouble: mpsc::Sender<Error>) {
        while let Some(call) = calls.recv().await {
            if let Err(error) = self.send(&call).await {
                let _ = trouble.send(error).await;
                return;
            }
        }
    }

    async fn send(&self, call: &Call) -> Result<(), Error> {
        let mut pause = self.timing.pace.pause;
        for _ in 0..3 {
            let error =
                match self.client.call(&self.base, &self.stream, &self.framework, call).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                };
            match &error {
                // Sent twice it might start the task twice; whether it came, reconciliation tells.
                Error::Lost(_) if matches!(call, Call::Accept { .. }) => return Ok(()),
                Error::Refused { kind: Kind::NotSubscribed, .. } => return Err(error),
                // A task that the master can't read would never be heard of again.
                Error::Refused { kind: Kind::Wrong, .. }
                    if !matches!(call, Call::Accept { .. }) =>
                {
                    return Ok(());
                }
                error if error.passes() => {}
                _ => return Err(error),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(Error::Lost(format!("`{}` takes no calls", self.base)))
    }
}
