//! The decisions of a scheduler, without any input or output: what comes in is an event, an order
//! or the time; what goes out is calls to the master and notes to those who have given an order.
//!
//! No offer is ever held: each is taken or declined at once, so that other frameworks get what we
//! can't use.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    Fate, Timing, Waiting, Want, fate,
    fit::{Lack, Pool},
};
use crate::client::mesos::{
    Accept, Acknowledge, Call, Decline, Event, Filters, Id, Kill, KillPolicy, Launch, Offer,
    Operation, Reconcile, Roles, State, Status, TaskInfo, TaskOfAgent, TimeSpan, Url,
};

/// A task that is wanted.
#[derive(Clone, Debug)]
pub struct Order {
    /// What is launched; agent and resources are filled in.
    pub task: TaskInfo,
    /// What it needs.
    pub want: Arc<Want>,
}

/// The number of an order.
pub type Ticket = u64;

/// What the scheduler wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a call to the master, in this order.
    Send(Call),
    /// Tell whoever has given an order.
    Tell(Ticket, Note),
}

/// What happens to a task.
#[derive(Clone, Debug)]
pub enum Note {
    /// It waits, and why.
    Waiting {
        /// One line.
        line: String,
        /// Each agent's offer.
        offers: Vec<String>,
    },
    /// It was given to an agent.
    Placed(Place),
    /// Its state has changed.
    State(State),
    /// It can't be seen any more; why.
    OutOfSight(String),
    /// Of the way to the master.
    Contact(String),
    /// It can be seen again.
    BackInSight,
    /// It never began, and waits again; why.
    Again(String),
    /// It has ended. Nothing more will come.
    Ended(End),
}

/// Where a task is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The id of the task.
    pub task: Id,
    /// The id of the agent.
    pub agent: Id,
    /// The agent's name.
    pub host: String,
    /// Where the agent answers.
    pub url: Option<Url>,
}

/// The end of a task.
#[derive(Clone, Debug)]
pub struct End {
    /// What it means.
    pub fate: Fate,
    /// Mesos's state, for those who know Mesos.
    pub state: State,
    /// Mesos's reason, or nothing.
    pub reason: String,
    /// Mesos's words, or nothing.
    pub message: String,
}

/// The time.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Since the scheduler is there.
    pub elapsed: Duration,
    /// Since 1970.
    pub clock: Duration,
}

/// So often a task that never began is tried again.
const MOST_ATTEMPTS: u32 = 5;
/// So many agents are shown one by one.
const SHOWN_OFFERS: usize = 8;
/// A filter for offers that nobody waits for; `REVIVE` lifts it.
const IDLE: f64 = 3600.0;

/// What is decided from.
pub struct Scheduler {
    role: String,
    timing: Timing,
    tasks: BTreeMap<Ticket, Task>,
    /// Every id that was ever given to a task.
    ids: BTreeMap<Id, Ticket>,
    /// What agents have offered last while something waits, less what was taken.
    agents: BTreeMap<Id, Pool>,
    next: Ticket,
    subscribed: bool,
    suppressed: bool,
    /// Something new waits: filters that stand in its way are lifted.
    revive: bool,
}

struct Task {
    order: Order,
    /// Its name as it was ordered; further attempts add a number to it.
    name: String,
    attempt: u32,
    /// Since when it waits, or was launched.
    since: Duration,
    phase: Phase,
    /// The end was asked for.
    kill: Option<Killing>,
    /// An executor or the master has said that it lives.
    alive: bool,
    last: Option<State>,
    out_of_sight: Option<Duration>,
    gone: Option<Duration>,
    /// An end that was told without a `uuid`: the real one should follow.
    rumour: Option<(Status, Duration)>,
    /// The updates that were seen, to tell one that comes twice.
    seen: BTreeSet<String>,
    ask_at: Duration,
    pause: Duration,
    explain_at: Duration,
}

enum Phase {
    Waiting,
    Launched { agent: Id },
    Ended,
}

struct Killing {
    grace: Duration,
    last: Option<Duration>,
    since: Duration,
}

impl Scheduler {
    /// One that waits for its subscription.
    #[must_use]
    pub fn new(role: &str, timing: Timing) -> Self {
        Self {
            role: role.to_owned(),
            timing,
            tasks: BTreeMap::new(),
            ids: BTreeMap::new(),
            agents: BTreeMap::new(),
            next: 0,
            subscribed: false,
            suppressed: true,
            revive: false,
        }
    }

    /// Whether no task waits for an offer: then a subscription begins suppressed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.tasks.values().any(|task| matches!(task.phase, Phase::Waiting))
    }

    /// Takes an order. [`Scheduler::settle`] asks for offers then.
    pub fn submit(&mut self, order: Order, now: Now) -> Ticket {
        let ticket = self.next;
        self.next += 1;
        self.ids.insert(order.task.task_id.clone(), ticket);
        let task = Task {
            name: order.task.task_id.value.clone(),
            order,
            attempt: 1,
            since: now.elapsed,
            phase: Phase::Waiting,
            kill: None,
            alive: false,
            last: None,
            out_of_sight: None,
            gone: None,
            rumour: None,
            seen: BTreeSet::new(),
            ask_at: now.elapsed,
            pause: self.timing.ask,
            explain_at: now.elapsed + self.timing.explain,
        };
        self.tasks.insert(ticket, task);
        self.revive = true;
        ticket
    }

    /// Ends a task, whatever it does; it is told when it has ended.
    pub fn kill(&mut self, ticket: Ticket, grace: Duration, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Some(task) = self.tasks.get_mut(&ticket) else { return effects };
        match task.phase {
            Phase::Ended => {}
            Phase::Waiting => {
                let fate = Fate::asked("was not wanted any more");
                effects.push(task.end(ticket, &task.silence(State::TaskKilled), fate));
            }
            Phase::Launched { .. } => {
                // A later kill may only shorten the time.
                let grace = task.kill.as_ref().map_or(grace, |kill| kill.grace.min(grace));
                let since = task.kill.as_ref().map_or(now.elapsed, |kill| kill.since);
                task.kill = Some(Killing { grace, last: None, since });
                if self.subscribed {
                    effects.extend(task.kill_now(now));
                }
            }
        }
        effects
    }

    /// Takes an event of the stream.
    pub fn event(&mut self, event: Event, now: Now) -> Vec<Effect> {
        match event {
            Event::Subscribed { .. } => self.subscribed(now),
            Event::Offers(offers) => self.offers(offers, now),
            Event::Update(status) => self.update(&status, now),
            Event::Failure { agent, .. } => {
                self.doubt(agent.as_ref(), now);
                Vec::new()
            }
            // No offer is held, so none is missed. A launch that crosses it is dropped and told.
            Event::Rescind(_) | Event::Heartbeat | Event::Error(_) | Event::Other(_) => Vec::new(),
        }
    }

    /// The stream is gone, and with it every offer.
    pub fn lost(&mut self) {
        self.subscribed = false;
    }

    fn subscribed(&mut self, now: Now) -> Vec<Effect> {
        self.subscribed = true;
        self.suppressed = self.is_idle();
        self.revive = false;
        for task in self.tasks.values_mut() {
            task.ask_at = now.elapsed;
            task.pause = self.timing.ask;
            if let Some(kill) = &mut task.kill {
                kill.last = None;
            }
        }
        self.tick(now)
    }

    /// Asks soon for the tasks of an agent.
    fn doubt(&mut self, agent: Option<&Id>, now: Now) {
        for task in self.tasks.values_mut() {
            if matches!(&task.phase, Phase::Launched { agent: at } if Some(at) == agent) {
                task.ask_at = now.elapsed + self.timing.ask;
                task.pause = self.timing.ask;
            }
        }
    }

    /// Takes what fits and declines the rest, at once.
    fn offers(&mut self, offers: Vec<Offer>, now: Now) -> Vec<Effect> {
        let mut pools = Pool::gather(offers);
        let mut launches: Vec<Vec<TaskInfo>> = pools.iter().map(|_| Vec::new()).collect();
        let mut effects = Vec::new();
        // What does not fit a want once does not fit an equal one in the same round.
        let mut from: BTreeMap<Arc<Want>, usize> = BTreeMap::new();
        for (ticket, task) in &mut self.tasks {
            if !matches!(task.phase, Phase::Waiting) {
                continue;
            }
            let want = task.order.want.clone();
            let leaving_is_fine = now.elapsed >= task.since + self.timing.maintenance;
            let until = now.clock + self.timing.life;
            let start = from.get(&want).copied().unwrap_or(0);
            let found = pools.iter().enumerate().skip(start).position(|(_, pool)| {
                pool.fits(&want) && (leaving_is_fine || !pool.is_leaving(now.clock, until))
            });
            let Some(number) = found.map(|skipped| start + skipped) else {
                from.insert(want, pools.len());
                continue;
            };
            from.insert(want.clone(), number);
            let pool = &mut pools[number];
            let pieces = pool.take(&want);
            let agent = pool.offer.agent_id.clone();
            let mut info = task.order.task.clone();
            info.agent_id = agent.clone();
            info.resources = pieces;
            task.phase = Phase::Launched { agent: agent.clone() };
            task.since = now.elapsed;
            task.ask_at = now.elapsed + self.timing.launch;
            effects.push(Effect::Tell(
                *ticket,
                Note::Placed(Place {
                    task: info.task_id.clone(),
                    agent,
                    host: pool.offer.hostname.clone(),
                    url: pool.offer.url.clone(),
                }),
            ));
            launches[number].push(info);
        }
        let idle = self.is_idle();
        let refuse_seconds = if idle { IDLE } else { self.timing.refuse.as_secs_f64() };
        let filters = Filters { refuse_seconds };
        let mut declined = Vec::new();
        let mut calls = Vec::new();
        for (pool, task_infos) in pools.iter_mut().zip(launches) {
            let offer_ids = std::mem::take(&mut pool.offers);
            if task_infos.is_empty() {
                declined.extend(offer_ids);
            } else {
                let operations = vec![Operation::Launch { launch: Launch { task_infos } }];
                let accept = Accept { offer_ids, operations, filters };
                calls.push(Effect::Send(Call::Accept { accept }));
            }
        }
        if !declined.is_empty() {
            let decline = Decline { offer_ids: declined, filters };
            calls.push(Effect::Send(Call::Decline { decline }));
        }
        if idle {
            self.agents.clear();
        } else {
            let pools = pools.into_iter().map(|pool| (pool.offer.agent_id.clone(), pool));
            self.agents.extend(pools);
        }
        calls.extend(effects);
        calls.extend(self.settle());
        calls
    }

    /// Why a want has to wait.
    fn waiting(&self, want: &Want, now: Now) -> Waiting {
        let mut waiting = Waiting::default();
        for pool in self.agents.values() {
            let mut lacks = pool.lacks(want);
            if lacks.is_empty() && pool.is_leaving(now.clock, now.clock + self.timing.life) {
                lacks.push(Lack::Maintenance);
            }
            // One that has enough will offer it again.
            if !lacks.is_empty() {
                waiting.add(pool, lacks);
            }
        }
        waiting
    }

    /// Explains those that wait, each once in a while.
    fn explain(&mut self, now: Now) -> Vec<Effect> {
        let mut notes: BTreeMap<Arc<Want>, Note> = BTreeMap::new();
        let mut effects = Vec::new();
        let due = self.tasks.iter().filter(|(_, task)| {
            matches!(task.phase, Phase::Waiting) && now.elapsed >= task.explain_at
        });
        for (ticket, want) in due.map(|(ticket, task)| (*ticket, task.order.want.clone())) {
            let note = notes.entry(want.clone()).or_insert_with(|| {
                let waiting = self.waiting(&want, now);
                Note::Waiting {
                    line: waiting.line(&want),
                    offers: waiting.lines(&want, SHOWN_OFFERS),
                }
            });
            effects.push(Effect::Tell(ticket, note.clone()));
        }
        let again = now.elapsed + self.timing.explain_again;
        for effect in &effects {
            if let Effect::Tell(ticket, _) = effect
                && let Some(task) = self.tasks.get_mut(ticket)
            {
                task.explain_at = again;
            }
        }
        effects
    }

    /// Wants offers when something waits, and none when nothing does.
    pub fn settle(&mut self) -> Vec<Effect> {
        if !self.subscribed {
            return Vec::new();
        }
        let roles = vec![self.role.clone()];
        let idle = self.is_idle();
        let revive = std::mem::take(&mut self.revive) && !idle;
        if revive || (self.suppressed && !idle) {
            self.suppressed = false;
            return vec![Effect::Send(Call::Revive { revive: Roles { roles } })];
        }
        if idle && !self.suppressed {
            self.suppressed = true;
            return vec![Effect::Send(Call::Suppress { suppress: Roles { roles } })];
        }
        Vec::new()
    }

    fn update(&mut self, status: &Status, now: Now) -> Vec<Effect> {
        let mut effects = self.judge(status, now);
        // After the note: what is acknowledged is forgotten by the agent. One that comes again
        // was not acknowledged, whatever we have sent.
        if let (Some(uuid), Some(agent)) = (&status.uuid, &status.agent_id) {
            let acknowledge = Acknowledge {
                agent_id: agent.clone(),
                task_id: status.task_id.clone(),
                uuid: uuid.clone(),
            };
            effects.push(Effect::Send(Call::Acknowledge { acknowledge }));
        }
        effects.extend(self.settle());
        effects
    }

    fn judge(&mut self, status: &Status, now: Now) -> Vec<Effect> {
        let ticket = self.ids.get(&status.task_id).copied();
        let task = ticket.and_then(|ticket| Some((ticket, self.tasks.get_mut(&ticket)?)));
        let current = task.filter(|(_, task)| {
            task.order.task.task_id == status.task_id && !matches!(task.phase, Phase::Ended)
        });
        let Some((ticket, task)) = current else {
            // It lives though nobody wants it any more: it was given up, or another one runs in
            // its place.
            let orphan = status.state.is_live() && status.state != State::TaskKilling;
            return if orphan { vec![kill_orphan(status)] } else { Vec::new() };
        };
        if let Some(uuid) = &status.uuid
            && !task.seen.insert(uuid.clone())
        {
            return Vec::new();
        }
        let timing = &self.timing;
        task.pause = timing.ask;
        task.ask_at = now.elapsed + timing.ask_all;
        let state = status.state;
        if state.is_live() {
            return task.lives(ticket, status);
        }
        if status.uuid.is_some() && state.is_terminal() {
            return if never_began(status) && !task.alive {
                again(task, ticket, status, now, timing, &mut self.ids, &mut self.revive)
            } else {
                vec![task.end(ticket, status, fate(status, task.kill.is_some()))]
            };
        }
        // From here on the master says it, not the task.
        match state {
            // `Task has duplicate ID` about a task that lives says nothing of that one.
            State::TaskError if !task.alive => {
                vec![task.end(ticket, status, fate(status, false))]
            }
            State::TaskGoneByOperator => vec![task.end(ticket, status, fate(status, false))],
            State::TaskDropped | State::TaskLost if !task.alive && never_began(status) => {
                again(task, ticket, status, now, timing, &mut self.ids, &mut self.revive)
            }
            State::TaskGone if task.kill.is_some() => {
                vec![task.end(ticket, status, Fate::asked("was ended by us"))]
            }
            State::TaskGone => {
                let since = *task.gone.get_or_insert(now.elapsed);
                if now.elapsed < since + timing.gone {
                    task.ask_at = since + timing.gone;
                    return Vec::new();
                }
                if task.alive {
                    vec![task.end(ticket, status, fate(status, false))]
                } else {
                    again(task, ticket, status, now, timing, &mut self.ids, &mut self.revive)
                }
            }
            State::TaskFinished | State::TaskFailed | State::TaskKilled => {
                task.ask_at = now.elapsed + timing.ask;
                task.rumour.get_or_insert_with(|| (status.clone(), now.elapsed));
                Vec::new()
            }
            State::TaskUnknown if !task.alive && now.elapsed >= task.since + timing.launch => {
                again(task, ticket, status, now, timing, &mut self.ids, &mut self.revive)
            }
            State::TaskUnreachable | State::TaskLost | State::TaskUnknown => {
                task.ask_at = now.elapsed + timing.longest_ask.min(timing.unreachable / 4);
                if task.out_of_sight.is_some() {
                    return Vec::new();
                }
                task.out_of_sight = Some(now.elapsed);
                vec![Effect::Tell(ticket, Note::OutOfSight(fate(status, false).sentence))]
            }
            _ => Vec::new(),
        }
    }

    /// What is due at a time.
    pub fn tick(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = self.explain(now);
        let mut asked = Vec::new();
        for (ticket, task) in &mut self.tasks {
            let agent = match &task.phase {
                Phase::Ended | Phase::Waiting => continue,
                Phase::Launched { agent } => agent.clone(),
            };
            if let Some(effect) = task.overdue(*ticket, now, &self.timing) {
                effects.push(effect);
                continue;
            }
            if !self.subscribed {
                continue;
            }
            let kill_due = task.kill.as_ref().is_some_and(|kill| {
                kill.last.is_none_or(|last| now.elapsed >= last + self.timing.kill)
            });
            if kill_due {
                effects.extend(task.kill_now(now));
            }
            if now.elapsed >= task.ask_at {
                task.ask_at = now.elapsed + task.pause;
                task.pause = (task.pause * 2).min(self.timing.longest_ask);
                let task_id = task.order.task.task_id.clone();
                asked.push(TaskOfAgent { task_id, agent_id: Some(agent) });
            }
        }
        if !asked.is_empty() {
            effects.push(Effect::Send(Call::Reconcile { reconcile: Reconcile { tasks: asked } }));
        }
        effects
    }

    /// The framework is over: so are all its tasks.
    pub fn over(&mut self, why: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (ticket, task) in &mut self.tasks {
            if !matches!(task.phase, Phase::Ended) {
                let status = task.silence(State::TaskUnknown);
                effects.push(task.end(*ticket, &status, Fate::over(why)));
            }
        }
        effects
    }

    /// Why a task waits, if it does.
    #[must_use]
    pub fn why(&self, ticket: Ticket, now: Now) -> Option<(String, Vec<String>)> {
        let want = &self.tasks.get(&ticket)?.order.want;
        let waiting = self.waiting(want, now);
        Some((waiting.line(want), waiting.lines(want, SHOWN_OFFERS)))
    }
}

impl Task {
    fn lives(&mut self, ticket: Ticket, status: &Status) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.alive = true;
        self.gone = None;
        self.rumour = None;
        if self.out_of_sight.take().is_some() {
            effects.push(Effect::Tell(ticket, Note::BackInSight));
        }
        // A health check says the same state once more.
        if self.last.replace(status.state) != Some(status.state) {
            effects.push(Effect::Tell(ticket, Note::State(status.state)));
        }
        effects
    }

    fn end(&mut self, ticket: Ticket, status: &Status, fate: Fate) -> Effect {
        self.phase = Phase::Ended;
        let end = End {
            fate,
            state: status.state,
            reason: status.reason.clone(),
            message: status.message.clone(),
        };
        Effect::Tell(ticket, Note::Ended(end))
    }

    /// A status that nobody has sent.
    fn silence(&self, state: State) -> Status {
        Status {
            task_id: self.order.task.task_id.clone(),
            state,
            message: String::new(),
            reason: String::new(),
            agent_id: None,
            executor_id: None,
            uuid: None,
            healthy: None,
            limitation: None,
        }
    }

    fn kill_now(&mut self, now: Now) -> Option<Effect> {
        let Phase::Launched { agent } = &self.phase else { return None };
        let kill = self.kill.as_mut()?;
        kill.last = Some(now.elapsed);
        // What is left of the time, so that a kill that is sent again does not begin it anew.
        let left = kill.grace.saturating_sub(now.elapsed.saturating_sub(kill.since));
        Some(Effect::Send(Call::Kill {
            kill: Kill {
                task_id: self.order.task.task_id.clone(),
                agent_id: Some(agent.clone()),
                kill_policy: Some(KillPolicy { grace_period: TimeSpan(left) }),
            },
        }))
    }

    /// Gives up what has been waited for too long.
    fn overdue(&mut self, ticket: Ticket, now: Now, timing: &Timing) -> Option<Effect> {
        let over = |since: Duration, time: Duration| now.elapsed >= since + time;
        if let Some((status, since)) = &self.rumour
            && over(*since, timing.rumour)
        {
            let status = status.clone();
            let fate = fate(&status, self.kill.is_some());
            return Some(self.end(ticket, &status, fate));
        }
        if let Some(since) = self.out_of_sight
            && over(since, timing.unreachable)
        {
            let status = self.silence(State::TaskUnreachable);
            let fate = fate(&status, false);
            return Some(self.end(ticket, &status, fate));
        }
        None
    }
}

/// Whether a task that is told so was never started, for a reason that is gone the next time.
fn never_began(status: &Status) -> bool {
    let reason = status.reason.strip_prefix("REASON_").unwrap_or_default();
    matches!(status.state, State::TaskDropped | State::TaskLost)
        && matches!(
            reason,
            "INVALID_OFFERS"
                | "AGENT_DISCONNECTED"
                | "AGENT_REMOVED"
                | "AGENT_RESTARTED"
                | "AGENT_DRAINING"
                | "GC_ERROR"
                | "RESOURCES_UNKNOWN"
                | "MASTER_DISCONNECTED"
        )
}

/// Lets a task wait once more, under an id that was never used.
fn again(
    task: &mut Task,
    ticket: Ticket,
    status: &Status,
    now: Now,
    timing: &Timing,
    ids: &mut BTreeMap<Id, Ticket>,
    revive: &mut bool,
) -> Vec<Effect> {
    let fate = fate(status, false);
    if task.kill.is_some() {
        return vec![task.end(ticket, status, Fate::asked("was not wanted any more"))];
    }
    if task.attempt >= MOST_ATTEMPTS {
        return vec![task.end(ticket, status, fate)];
    }
    task.attempt += 1;
    task.order.task.task_id = Id::new(format!("{}.{}", task.name, task.attempt));
    ids.insert(task.order.task.task_id.clone(), ticket);
    task.phase = Phase::Waiting;
    task.since = now.elapsed;
    task.last = None;
    task.gone = None;
    task.out_of_sight = None;
    task.rumour = None;
    task.explain_at = now.elapsed + timing.explain;
    *revive = true;
    vec![Effect::Tell(ticket, Note::Again(fate.sentence))]
}

fn kill_orphan(status: &Status) -> Effect {
    let kill = Kill {
        task_id: status.task_id.clone(),
        agent_id: status.agent_id.clone(),
        kill_policy: None,
    };
    Effect::Send(Call::Kill { kill })
}
