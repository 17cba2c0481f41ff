//! `pipe`'s side of one task: its orders, and what comes back.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};

use super::{Done, Hello, Line, Order, Task, Welcome, token::same};

/// What comes back for an order.
#[derive(Debug)]
pub enum Report {
    /// Lines of output, in their order.
    Lines(Vec<Line>),
    /// It is over.
    Done(Done),
}

/// `pipe`'s side of one task.
pub struct Desk {
    /// Stands in the task, for everybody to read.
    pub token: String,
    /// The folder that goes into the task.
    pub workspace: PathBuf,
    key: String,
    /// So long the worker stays without contact.
    pub(super) leash: Duration,
    state: Mutex<State>,
    /// There is a new order.
    ordered: Notify,
    /// The worker that has the key.
    hello: watch::Sender<Option<Hello>>,
    /// Somebody else has asked for the key, too: it may be in wrong hands.
    twice: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    last: u64,
    orders: VecDeque<Order>,
    open: BTreeMap<u64, Open>,
    contact: Option<Instant>,
}

/// An order that is not done.
struct Open {
    reports: mpsc::Sender<Report>,
    stdin: Option<bytes::Bytes>,
    /// Where the files go that it asks for.
    files: Option<PathBuf>,
    /// The next part of its output; what comes twice is dropped.
    part: u64,
    /// The bytes of all parts.
    received: u64,
    /// Parts are taken one after the other.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// So many reports wait for whoever reads them; then the worker waits.
const WAITING: usize = 8;

impl Desk {
    /// A desk for a task.
    ///
    /// # Errors
    ///
    /// When there are no random numbers.
    pub fn new(workspace: PathBuf, leash: Duration) -> Result<Self, crate::core::Failure> {
        Ok(Self {
            token: super::token()?,
            key: super::token()?,
            workspace,
            leash,
            state: Mutex::default(),
            ordered: Notify::new(),
            hello: watch::Sender::new(None),
            twice: watch::Sender::new(false),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a task that never began be started again with the same token.
    pub fn renew(&self) {
        if self.hello.borrow().is_none() {
            self.twice.send_replace(false);
        }
    }

    /// Waits for the worker.
    pub async fn arrived(&self) -> Hello {
        let mut hello = self.hello.subscribe();
        match hello.wait_for(Option::is_some).await.map(|hello| hello.clone()) {
            Ok(Some(hello)) => hello,
            _ => std::future::pending().await,
        }
    }

    /// Waits until somebody asks for the key who is not the first.
    pub async fn doubted(&self) {
        let mut twice = self.twice.subscribe();
        if twice.wait_for(|twice| *twice).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// How long the worker has been silent; nothing before its first word.
    #[must_use]
    pub fn silence(&self) -> Option<Duration> {
        self.state().contact.map(|contact| contact.elapsed())
    }

    /// Gives an order that is answered.
    pub fn order(
        &self,
        task: Task,
        stdin: Option<Vec<u8>>,
        files: Option<PathBuf>,
    ) -> (u64, mpsc::Receiver<Report>) {
        let (reports, receiver) = mpsc::channel(WAITING);
        let mut state = self.state();
        let number = state.push(task);
        let open = Open {
            reports,
            stdin: stdin.map(Into::into),
            files,
            part: 0,
            received: 0,
            turn: Arc::default(),
        };
        state.open.insert(number, open);
        drop(state);
        self.ordered.notify_waiters();
        (number, receiver)
    }

    /// Gives an order that is not answered.
    pub fn tell(&self, task: Task) {
        self.state().push(task);
        self.ordered.notify_waiters();
    }

    /// Nobody waits for an order any more.
    pub fn close(&self, number: u64) {
        self.state().open.remove(&number);
    }

    /// How many bytes of output have come, for whoever reads the rest elsewhere.
    #[must_use]
    pub fn received(&self, number: u64) -> u64 {
        self.state().open.get(&number).map_or(0, |open| open.received)
    }

    pub(super) fn hello(&self, hello: Hello) -> Option<Welcome> {
        self.touch();
        let first = self.hello.send_if_modified(|there| {
            let first = there.is_none();
            if first {
                *there = Some(hello);
            }
            first
        });
        if !first {
            self.twice.send_replace(true);
            return None;
        }
        Some(Welcome { key: self.key.clone(), leash: self.leash })
    }

    pub(super) fn is_key(&self, key: &str) -> bool {
        same(key, &self.key)
    }

    pub(super) fn touch(&self) {
        self.state().contact = Some(Instant::now());
    }

    /// The first order behind `after`, waited for.
    pub(super) async fn next(&self, after: u64, within: Duration) -> Option<Order> {
        let deadline = Instant::now() + within;
        loop {
            let ordered = self.ordered.notified();
            tokio::pin!(ordered);
            // From here on no order is missed.
            ordered.as_mut().enable();
            {
                let mut state = self.state();
                // What was asked behind has arrived.
                while state.orders.front().is_some_and(|order| order.number <= after) {
                    state.orders.pop_front();
                }
                if let Some(order) = state.orders.front() {
                    return Some(order.clone());
                }
            }
            tokio::time::timeout_at(deadline, ordered).await.ok()?;
        }
    }

    pub(super) fn stdin(&self, number: u64) -> Option<bytes::Bytes> {
        self.state().open.get(&number)?.stdin.clone()
    }

    pub(super) fn files(&self, number: u64) -> Option<PathBuf> {
        self.state().open.get(&number)?.files.clone()
    }

    /// Takes a part of the output. Answers when whoever reads it has room for more.
    pub(super) async fn output(&self, number: u64, part: u64, size: usize, lines: Vec<Line>) {
        let turn = self.state().open.get(&number).map(|open| open.turn.clone());
        let Some(turn) = turn else { return };
        let _turn = turn.lock().await;
        let reports = {
            let state = self.state();
            match state.open.get(&number) {
                Some(open) if open.part == part => open.reports.clone(),
                // It came before, and the answer was lost.
                _ => return,
            }
        };
        let sent = reports.send(Report::Lines(lines)).await;
        if let Some(open) = self.state().open.get_mut(&number)
            && sent.is_ok()
        {
            open.part += 1;
            open.received += size as u64;
        }
    }

    pub(super) async fn done(&self, number: u64, done: Done) {
        let reports = self.state().open.get(&number).map(|open| open.reports.clone());
        if let Some(reports) = reports {
            // Twice is no harm: only the first is read.
            let _ = reports.send(Report::Done(done)).await;
        }
    }
}

impl State {
    fn push(&mut self, task: Task) -> u64 {
        self.last += 1;
        self.orders.push_back(Order { number: self.last, task });
        self.last
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::core::Stream;

    fn desk() -> Desk {
        Desk::new("/w".into(), Duration::from_secs(5)).unwrap()
    }

    fn hello() -> Hello {
        Hello { version: "1".into(), hostname: "n1".into(), bash: true, shell: "bash".into() }
    }

    fn line(text: &str) -> Vec<Line> {
        vec![Line { stream: Stream::Stdout, bytes: text.into(), complete: true }]
    }

    #[tokio::test]
    async fn the_key_is_given_once() {
        let desk = desk();
        let welcome = desk.hello(hello()).unwrap();
        assert!(desk.is_key(&welcome.key) && !desk.is_key(&desk.token));
        assert_eq!(desk.arrived().await, hello());
        assert_eq!(desk.hello(hello()), None);
        tokio::time::timeout(Duration::from_secs(1), desk.doubted()).await.unwrap();
    }

    #[tokio::test]
    async fn orders_come_in_turn_and_again_until_they_have_arrived() {
        let desk = Arc::new(desk());
        let wait = Duration::from_secs(5);
        let waiter = tokio::spawn({
            let desk = desk.clone();
            async move { desk.next(0, wait).await.unwrap() }
        });
        tokio::task::yield_now().await;
        desk.tell(Task::Cancel { order: 7 });
        assert_eq!(waiter.await.unwrap().number, 1);
        desk.tell(Task::End);
        assert_eq!(desk.next(0, wait).await.unwrap().task, Task::Cancel { order: 7 });
        assert_eq!(desk.next(1, wait).await.unwrap().task, Task::End);
        assert_eq!(desk.next(2, Duration::from_millis(20)).await, None);
    }

    #[tokio::test]
    async fn a_part_that_comes_twice_is_taken_once() {
        let desk = desk();
        let (number, mut reports) = desk.order(Task::End, None, None);
        desk.output(number, 0, 6, line("a")).await;
        desk.output(number, 0, 6, line("a")).await;
        desk.output(number, 1, 6, line("b")).await;
        desk.output(99, 0, 6, line("nobody's")).await;
        desk.done(number, Done::Status { status: 3 }).await;
        let mut seen = Vec::new();
        while let Some(Report::Lines(lines)) = reports.recv().await {
            seen.extend(lines.into_iter().map(|line| line.bytes));
        }
        assert_eq!(seen, [b"a", b"b"]);
        assert_eq!(desk.received(number), 12);
    }

    #[tokio::test]
    async fn who_reads_slowly_makes_the_worker_wait() {
        let desk = desk();
        let (number, mut reports) = desk.order(Task::End, None, None);
        for part in 0..WAITING as u64 {
            desk.output(number, part, 6, line("x")).await;
        }
        let more = desk.output(number, WAITING as u64, 6, line("x"));
        tokio::pin!(more);
        let soon = Duration::from_millis(30);
        assert!(tokio::time::timeout(soon, &mut more).await.is_err());
        reports.recv().await;
        tokio::time::timeout(soon, more).await.unwrap();
    }
}
