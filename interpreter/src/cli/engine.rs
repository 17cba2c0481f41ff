//! Carries a plan out: journal, reporter, runtime, signals.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    Colour, guard,
    how::{How, Output, is_in_jenkins},
    load::complain,
    look::look,
    report, runtime,
    signals::{Came, Signals},
};
use crate::{
    exit,
    plan::Plan,
    report::{JsonLines, Plain},
    run::{
        self, Events, FOLDER, Journal, Lock, Locked, Options, Reporter, Start, plain,
        watchdog::Watchdog,
    },
};

/// Runs a plan, and gives the exit status.
pub(super) fn carry_out(
    plan: Plan,
    start: Start,
    journal: Journal,
    how: &How,
    options: Options,
    colour: Colour,
) -> u8 {
    let look = look(&std::io::stdout(), colour);
    let reporter: Box<dyn Reporter> = match how.output {
        Output::Plain => Box::new(Plain::new(std::io::stdout(), look)),
        Output::Json => Box::new(JsonLines::new(std::io::stdout())),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("pipe: can't start: {}", plain(&error)));
            return exit::INFRASTRUCTURE;
        }
    };
    run::adopt_orphans();
    guard::register();
    let watchdog = Watchdog::start(plan.facts.run());
    if let Err(error) = &watchdog {
        let why = plain(error);
        complain(&format!("pipe: nobody will clean up if `pipe` itself is killed: {why}"));
    }
    let id = plan.facts.run().to_owned();
    let events = Events::new(plan.world.clone(), journal, reporter);
    if let Some(past) = &start.past {
        events.after(past);
    }
    let events = Arc::new(events);
    let world = plan.world.clone();
    let status = runtime.block_on(supervise(Arc::new(plan), events.clone(), options, start));
    if let Some(why) = events.broken() {
        complain(&format!("pipe: the journal of this run is not whole: {why}"));
    }
    // Nothing that is still under way may hold the end up.
    runtime.shutdown_timeout(Duration::from_millis(200));
    // Stopped at once, a process may have been started in the last moment.
    if matches!(status, exit::HUNG_UP | exit::INTERRUPTED | exit::TERMINATED) {
        run::marked::end(&id);
    }
    drop(watchdog);
    if let Some(file) = &how.junit {
        report::write_junit(file, &events.folder());
    }
    report::send_traces(&world, &id, &events.folder());
    status
}

/// A new journal. An error has been told; it is the exit status.
pub(super) fn new_journal(plan: &Plan) -> Result<Journal, u8> {
    let root = plan.world.root();
    Journal::create(root, plan.facts.run()).map_err(|error| unwritable(plan, &error))
}

/// Says that the records can't be written.
pub(super) fn unwritable(plan: &Plan, error: &std::io::Error) -> u8 {
    let folder = plan.world.root().join(FOLDER);
    let why = plain(error);
    complain(&format!("pipe: the journal in `{}` can't be written: {why}", folder.display()));
    exit::INFRASTRUCTURE
}

/// Runs, and listens for signals: the first cancels; a second INT stops at once, and so does a
/// second TERM, inside Jenkins, which sends it twice by itself, the third.
async fn supervise(plan: Arc<Plan>, events: Arc<Events>, options: Options, start: Start) -> u8 {
    let cancel = CancellationToken::new();
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            complain(&format!("pipe: can't listen for signals: {}", plain(&error)));
            return exit::INFRASTRUCTURE;
        }
    };
    let patience = if is_in_jenkins(&plan) { 3 } else { 2 };
    if std::process::id() == 1 {
        tokio::spawn(run::reap_strangers());
    }
    let listener = events.clone();
    let run = run::run(plan, events, options, start, cancel.clone());
    tokio::pin!(run);
    let mut first: Option<Came> = None;
    let (mut interrupts, mut terms) = (0, 0);
    let mut clock = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            status = &mut run => return match first {
                Some(came) if status == exit::INTERRUPTED => came.status(),
                _ => status,
            },
            _ = clock.tick() => listener.listen(),
            came = signals.next() => {
                match came {
                    Came::Interrupt => interrupts += 1,
                    Came::Terminate | Came::HangUp => terms += 1,
                }
                let Some(first) = first else {
                    first = Some(came);
                    cancel.cancel();
                    if std::io::stderr().is_terminal() {
                        complain("\npipe: cancelling; once more to stop at once");
                    }
                    continue;
                };
                // A person who has lost patience after Jenkins has not.
                let at_once = interrupts > 0 && came == Came::Interrupt || terms >= patience;
                if at_once {
                    // Dropping the run kills what it started.
                    return first.status();
                }
            }
        }
    }
}

/// One run at a time in a folder. An error has been told; it is the exit status.
pub(super) fn lock(root: &std::path::Path, run: &str, wait: bool) -> Result<Lock, u8> {
    let folder = root.join(FOLDER);
    let file = folder.join("lock");
    let note = format!("run {run}, process {}", std::process::id());
    let mut told = false;
    loop {
        match Lock::take(&file, &note) {
            Ok(Locked::Yes(lock)) => return Ok(lock),
            Ok(Locked::By(other)) if !wait => {
                complain(&format!("pipe: another run works in this folder: {other}"));
                complain("  wait for it with `--wait`");
                return Err(exit::WRONG_INPUT);
            }
            Ok(Locked::By(other)) => {
                if !told {
                    told = true;
                    complain(&format!("pipe: waits for another run in this folder: {other}"));
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            Err(error) => {
                let why = plain(&error);
                complain(&format!("pipe: `{}` can't be written: {why}", folder.display()));
                return Err(exit::INFRASTRUCTURE);
            }
        }
    }
}
