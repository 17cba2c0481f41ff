//! The main job on the local cluster: deploy, upgrade, nothing to do, failures and the way back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use pipe_tests::{Answer, Place, get};
use rustix::process::Signal;

/// The addresses that a run or a status says the app answers at.
fn addresses(text: &str) -> Vec<String> {
    text.split_whitespace()
        .filter(|word| word.starts_with("http://127.0.0.1:31"))
        .map(str::to_owned)
        .collect()
}

fn run(place: &mut Place) -> Answer {
    place.pipe(&["run", "--local"]).answer()
}

fn status(place: &mut Place) -> String {
    place.pipe(&["cluster", "status"]).answer().stdout
}

fn assert_ended(answer: &Answer, status: i32) {
    assert_eq!(answer.status, status, "{}\n{}", answer.stdout, answer.stderr);
}

/// Asks again until something holds.
fn soon(what: &str, mut test: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !test() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn deployed_upgraded_and_left_alone() {
    let mut place = Place::example("apachecon-demo");
    let first = run(&mut place);
    assert_ended(&first, 0);
    let answers = addresses(&first.stdout);
    assert_eq!(answers.len(), 3, "{}", first.stdout);
    for address in &answers {
        assert!(get(address).is_ok_and(|page| page.contains("It works")));
    }

    // Unchanged: nothing is pushed, nothing is deployed, and it is said.
    let tasks = addresses(&status(&mut place));
    let second = run(&mut place);
    assert_ended(&second, 0);
    assert!(second.stdout.contains("is there already"), "{}", second.stdout);
    assert!(second.stdout.contains("nothing to do"), "{}", second.stdout);
    assert!(!second.stdout.contains("leads to version"), "{}", second.stdout);
    assert_eq!(addresses(&status(&mut place)), tasks);

    // Another page: a rolling upgrade, and the old tasks serve until the new ones are healthy.
    let page = place.read("site/index.html").replace("It works", "Version two");
    place.write("site/index.html", &page);
    let failures = Arc::new(AtomicUsize::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let prober = {
        let (failures, over, old) = (failures.clone(), over.clone(), answers.clone());
        std::thread::spawn(move || {
            let mut asked = 0;
            while !over.load(Ordering::Relaxed) {
                // Whoever asks the load balancer reaches one of the tasks: one must answer.
                if !old.iter().any(|address| get(address).is_ok()) {
                    failures.fetch_add(1, Ordering::Relaxed);
                }
                asked += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
            asked
        })
    };
    let third = run(&mut place);
    let before_switch = failures.load(Ordering::Relaxed);
    over.store(true, Ordering::Relaxed);
    let asked = prober.join().expect("the prober ends");
    assert_ended(&third, 0);
    assert!(asked > 5, "the prober asked {asked} times");
    let fresh = addresses(&third.stdout);
    assert!(
        fresh.iter().all(|address| get(address).is_ok_and(|page| page.contains("Version two")))
    );
    // The old ones go only when the new ones are healthy; that is the last thing that happens.
    assert!(before_switch < asked / 2, "{before_switch} of {asked} found no old task");

    // The page comes out of the image: it goes on being served without the sources.
    std::fs::rename(place.work().join("site"), place.home().join("site")).expect("a rename");
    assert!(get(&fresh[0]).is_ok_and(|page| page.contains("Version two")));

    // Ended with the cluster.
    let stopped = place.pipe(&["cluster", "stop"]).answer();
    assert_ended(&stopped, 0);
    assert!(fresh.iter().all(|address| get(address).is_err()));
}

#[test]
fn a_version_that_crashes_is_led_back() {
    let mut place = Place::example("apachecon-demo");
    assert_ended(&run(&mut place), 0);
    let good = place.read("server.rs");
    let bad = good.replace(
        "fn main() -> ExitCode {",
        "fn main() -> ExitCode {\n    if env::args().count() > 0 {\n        eprintln!(\"CONFIG is not set\");\n        return ExitCode::from(3);\n    }",
    );
    assert_ne!(good, bad);
    place.write("server.rs", &bad);
    let failed = run(&mut place);
    assert_ended(&failed, 1);
    for text in [
        "crashed",
        "the previous version runs again, 3 of 3 healthy",
        "exited with status 3",
        "CONFIG is not set",
        "Pipelinefile:",
    ] {
        assert!(failed.stdout.contains(text), "no {text:?} in\n{}", failed.stdout);
    }
    let now = status(&mut place);
    assert!(now.contains("3 of 3 healthy"), "{now}");
    assert!(addresses(&now).iter().all(|a| get(a).is_ok_and(|page| page.contains("It works"))));
}

#[test]
fn a_version_that_never_gets_healthy_is_led_back() {
    let mut place = Place::example("apachecon-demo");
    assert_ended(&run(&mut place), 0);
    let bad = place.read("server.rs").replace(
        "return (\"200 OK\", \"text/plain\", b\"ok\\n\".to_vec());",
        "return (\"503 Service Unavailable\", \"text/plain\", b\"no database\\n\".to_vec());",
    );
    assert!(bad.contains("no database"));
    place.write("server.rs", &bad);
    let failed = run(&mut place);
    assert_ended(&failed, 1);
    for text in ["unhealthy", "503", "the previous version runs again, 3 of 3 healthy"] {
        assert!(failed.stdout.contains(text), "no {text:?} in\n{}", failed.stdout);
    }
    assert!(status(&mut place).contains("3 of 3 healthy"));
}

#[test]
fn the_first_version_that_fails_is_scaled_to_nothing() {
    let mut place = Place::example("apachecon-demo");
    place.write("server.rs", "fn main() { std::process::exit(9) }\n");
    let failed = run(&mut place);
    assert_ended(&failed, 1);
    assert!(failed.stdout.contains("status 9"), "{}", failed.stdout);
    let now = status(&mut place);
    assert!(addresses(&now).is_empty(), "{now}");
}

#[test]
fn interrupted_while_it_deploys_everything_is_as_before() {
    let mut place = Place::example("apachecon-demo");
    assert_ended(&run(&mut place), 0);
    // It starts, and is healthy only after a while: long enough to be interrupted.
    let slow = place.read("server.rs").replace(
        "fn main() -> ExitCode {",
        "fn main() -> ExitCode {\n    thread::sleep(Duration::from_secs(8));",
    );
    place.write("server.rs", &slow);
    let running = place.pipe(&["run", "--local"]).start();
    let mut deploying = String::new();
    soon("the deployment begins", || {
        deploying = status(&mut place);
        deploying.contains("deploying")
    });
    running.signal(Signal::INT);
    let answer = running.answer();
    assert_ended(&answer, 130);
    soon("the old version serves alone", || {
        let now = status(&mut place);
        now.contains("3 of 3 healthy") && !now.contains("deploying")
    });
    let now = status(&mut place);
    assert!(
        addresses(&now).iter().all(|a| get(a).is_ok_and(|page| page.contains("It works"))),
        "{now}"
    );
}
