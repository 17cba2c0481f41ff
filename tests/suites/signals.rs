//! Signals: what was started is ended, handlers run, and the status says which signal it was.

use std::time::{Duration, Instant};

use pipe_tests::{Answer, Place};
use rustix::process::Signal;

/// How many processes have a text in their command line.
pub(super) fn alive(needle: &str) -> usize {
    std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).replace('\0', " ").contains(needle))
        .count()
}

/// Runs a file until a sleep of its own shows, signals it, and gives the answer.
fn interrupted(text: &str, mark: &str, signals: &[Signal]) -> (Answer, Place) {
    let mut place = Place::new();
    place.write("Pipelinefile", text);
    let running = place.pipe(&["run"]).start();
    let end = Instant::now() + Duration::from_secs(20);
    while alive(mark) == 0 {
        assert!(Instant::now() < end, "nothing was started");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    for signal in signals {
        running.signal(*signal);
        std::thread::sleep(Duration::from_millis(300));
    }
    (running.answer(), place)
}

const FAMILY: &str = "stage a {\n  $ sleep SECONDS & setsid sleep SECONDS & sleep SECONDS\n  on cancelled { log(\"handled\") }\n  always $ echo always\n}\n";

#[test]
fn an_interrupt_ends_the_whole_family() {
    for (signal, seconds, status) in
        [(Signal::INT, "31313", 130), (Signal::TERM, "32323", 143), (Signal::HUP, "33333", 129)]
    {
        let mark = format!("sleep {seconds}");
        let (answer, _place) = interrupted(&FAMILY.replace("SECONDS", seconds), &mark, &[signal]);
        assert_eq!(answer.status, status, "{}", answer.stdout);
        assert!(answer.stdout.contains("handled"), "{}", answer.stdout);
        assert!(answer.stdout.contains("always"), "{}", answer.stdout);
        assert_eq!(alive(&mark), 0);
    }
}

#[test]
fn who_ignores_it_is_killed() {
    let text = "stage a {\n  $ trap '' TERM INT; sleep 34343; sleep 34343; sleep 34343\n}\n";
    let (answer, _place) = interrupted(text, "sleep 34343", &[Signal::INT]);
    assert_eq!(answer.status, 130);
    assert!(answer.took < Duration::from_secs(15), "{:?}", answer.took);
    assert_eq!(alive("sleep 34343"), 0);
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let text =
        "stage a {\n  $ trap '' TERM INT; sleep 35353; sleep 35353\n  always $ sleep 36363\n}\n";
    let (answer, _place) = interrupted(text, "sleep 35353", &[Signal::INT, Signal::INT]);
    assert_eq!(answer.status, 130);
    assert!(answer.took < Duration::from_secs(5), "{:?}", answer.took);
    assert_eq!(alive("sleep 35353") + alive("sleep 36363"), 0);
}

#[test]
fn a_second_run_in_the_same_folder_is_refused() {
    let mut place = Place::new();
    place.write("Pipelinefile", "stage a {\n  $ sleep 37373\n}\n");
    let running = place.pipe(&["run"]).start();
    let end = Instant::now() + Duration::from_secs(20);
    while alive("sleep 37373") == 0 {
        assert!(Instant::now() < end, "nothing was started");
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = place.pipe(&["run"]).answer();
    assert_eq!(second.status, 2);
    assert!(second.stderr.contains("another run works in this folder: run "), "{}", second.stderr);
    running.signal(Signal::TERM);
    assert_eq!(running.answer().status, 143);
}

#[test]
fn killed_it_leaves_nothing_behind() {
    let text = "stage a {\n  $ sleep 39393 & setsid sleep 39393 & (trap '' TERM; sleep 39393; sleep 39393) & wait\n}\n";
    let (answer, mut place) = interrupted(text, "sleep 39393", &[Signal::KILL]);
    assert_eq!(answer.status, 137);
    let end = Instant::now() + Duration::from_secs(5);
    while alive("sleep 39393") > 0 {
        assert!(Instant::now() < end, "something is left");
        std::thread::sleep(Duration::from_millis(50));
    }
    // What was under way is asked about, not guessed.
    let asked = place.pipe(&["resume"]).answer();
    assert_eq!(asked.status, 2, "{}", asked.stderr);
    assert!(asked.stderr.contains("a, line 2: $ sleep 39393"), "{}", asked.stderr);
    let done = place.pipe(&["resume", "--assume-done"]).answer();
    assert_eq!(done.status, 0, "{}{}", done.stdout, done.stderr);
}
