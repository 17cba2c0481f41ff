//! A new version beside the old one on the local cluster, while clients ask without a pause.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pipe_tests::{Answer, Place, get};
use rustix::process::Signal;

/// The example, at a port of its own.
struct Shop {
    place: Place,
    url: String,
}

/// Clients that ask as fast as they are answered.
struct Clients {
    over: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    threads: Vec<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    answered: usize,
    failed: Vec<String>,
    versions: BTreeSet<String>,
}

impl Clients {
    fn start(url: &str) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let client = |_| {
            let (over, seen, url) = (over.clone(), seen.clone(), url.to_owned());
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let answer = get(&url);
                    let mut seen = seen.lock().expect("a lock");
                    match answer {
                        Ok(page) => {
                            seen.answered += 1;
                            seen.versions.insert(page.trim().to_owned());
                        }
                        Err(why) => seen.failed.push(why),
                    }
                }
            })
        };
        let threads = (0..4).map(client).collect();
        Self { over, seen, threads }
    }

    fn stop(self) -> Seen {
        self.over.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().expect("a client ends"));
        std::mem::take(&mut *self.seen.lock().expect("a lock"))
    }
}

impl Shop {
    fn new() -> Self {
        let place = Place::example("blue-green");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let app = place.read("marathon.json").replace("10080", &port.to_string());
        let app = app.replace("\"intervalSeconds\": 2", "\"intervalSeconds\": 1");
        place.write("marathon.json", &app);
        Self { place, url: format!("http://127.0.0.1:{port}/") }
    }

    /// A new commit, and so a new version.
    fn commit(&self, what: &str) -> String {
        self.place.write("NOTES", what);
        self.place.commit();
        let head = Command::new("git")
            .args(["rev-parse", "--short=12", "HEAD"])
            .current_dir(self.place.work())
            .output()
            .expect("git");
        format!("version {}", String::from_utf8_lossy(&head.stdout).trim())
    }

    fn run(&mut self) -> Answer {
        self.place.pipe(&["run", "--local"]).answer()
    }

    fn status(&mut self) -> String {
        self.place.pipe(&["cluster", "status"]).answer().stdout
    }

    /// Waits until the status of the cluster contains something.
    fn until(&mut self, what: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.status().contains(what) {
            assert!(Instant::now() < end, "no {what:?} in\n{}", self.status());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

fn assert_ended(answer: &Answer, status: i32) {
    assert_eq!(answer.status, status, "{}\n{}", answer.stdout, answer.stderr);
}

#[test]
fn no_request_is_lost_while_the_traffic_moves() {
    let mut shop = Shop::new();
    let first = shop.commit("one");
    assert_ended(&shop.run(), 0);
    assert_eq!(get(&shop.url).as_deref().map(str::trim), Ok(&*first));

    let second = shop.commit("two");
    let clients = Clients::start(&shop.url);
    let answer = shop.run();
    let seen = clients.stop();
    assert_ended(&answer, 0);
    assert_eq!(seen.failed, [""; 0], "of {}", seen.answered);
    assert!(seen.answered > 100, "{}", seen.answered);
    assert_eq!(seen.versions, BTreeSet::from([first, second.clone()]));
    assert_eq!(get(&shop.url).as_deref().map(str::trim), Ok(&*second));
    assert!(answer.stdout.contains("2 of 2 new tasks get traffic"), "{}", answer.stdout);
    let status = shop.status();
    assert!(status.contains("/shop-green") && !status.contains("/shop-blue"), "{status}");
}

#[test]
fn a_version_that_fails_its_trial_never_gets_a_request() {
    let mut shop = Shop::new();
    let first = shop.commit("one");
    assert_ended(&shop.run(), 0);

    let server =
        shop.place.read("server.rs").replace("format!(\"version {version}", "format!(\"oops");
    assert!(server.contains("oops"));
    shop.place
        .write("server.rs", &server.replace("answer(stream, &version)", "answer(stream, \"\")"));
    shop.commit("two");
    let clients = Clients::start(&shop.url);
    let answer = shop.run();
    let seen = clients.stop();
    assert_ended(&answer, 1);
    assert!(answer.stdout.contains("answers oops"), "{}", answer.stdout);
    assert!(answer.stdout.contains("`/shop-green` was not promoted"), "{}", answer.stdout);
    assert_eq!((seen.failed.as_slice(), seen.versions), ([].as_slice(), BTreeSet::from([first])));
    let status = shop.status();
    assert!(status.contains("/shop-blue") && !status.contains("/shop-green"), "{status}");
}

#[test]
fn interrupted_while_it_tries_the_old_version_stays_and_after_a_kill_force_clears_up() {
    let mut shop = Shop::new();
    let first = shop.commit("one");
    assert_ended(&shop.run(), 0);
    let quick = shop.place.read("Pipelinefile");
    shop.place.write("Pipelinefile", &quick.replace("hold 3s every", "hold 60s every"));

    shop.commit("two");
    let running = shop.place.pipe(&["run", "--local"]).start();
    shop.until("/shop-green");
    thread::sleep(Duration::from_secs(3));
    running.signal(Signal::INT);
    assert_ended(&running.answer(), 130);
    assert!(!shop.status().contains("/shop-green"), "{}", shop.status());

    let running = shop.place.pipe(&["run", "--local"]).start();
    shop.until("/shop-green");
    running.signal(Signal::KILL);
    assert_ended(&running.answer(), 137);
    assert_eq!(get(&shop.url).as_deref().map(str::trim), Ok(&*first));
    let refused = shop.run();
    assert_ended(&refused, 4);
    for text in ["`/shop-green` is there already", "`force: true` removes `/shop-green` first"] {
        assert!(refused.stdout.contains(text), "{}", refused.stdout);
    }
    let forced = quick.replace("load_balancer: \"", "force: true, load_balancer: \"");
    shop.place.write("Pipelinefile", &forced);
    let third = shop.commit("three");
    assert_ended(&shop.run(), 0);
    assert_eq!(get(&shop.url).as_deref().map(str::trim), Ok(&*third));
}

#[test]
fn a_canary_has_a_part_of_the_traffic_until_it_is_the_app_or_goes() {
    let mut shop = Shop::new();
    let text = shop.place.read("Pipelinefile");
    let (before, _) = text.split_once("stage deploy").expect("a stage that deploys");
    let before = before.replacen(
        "edition 2026\n",
        "edition 2026\n\nparam try_it: bool = true\nparam good: bool = true\n",
        1,
    );
    let deploy = r##"stage deploy {
  marathon.deploy("marathon.json",
    with: { container.docker.image: push.pushed.reference, env.VERSION: "one" })
}

stage canary
  needs deploy
  when try_it
{
  let few = marathon.canary("marathon.json",
    with: { container.docker.image: push.pushed.reference, env.VERSION: "two" })
  hold 2s every 500ms http.get("#{few.url}/healthz")
  if not good {
    fail "too many errors"
  }
  few.promote()
}
"##;
    shop.place.write("Pipelinefile", &format!("{before}{deploy}"));
    shop.place.commit();
    let both = BTreeSet::from(["version one".to_owned(), "version two".to_owned()]);

    let one = shop.place.pipe(&["run", "--local", "try_it=false"]).answer();
    assert_ended(&one, 0);
    let clients = Clients::start(&shop.url);
    let bad = shop.place.pipe(&["run", "--local", "good=false"]).answer();
    let seen = clients.stop();
    assert_ended(&bad, 1);
    assert_eq!((seen.failed.as_slice(), seen.versions), ([].as_slice(), both));
    assert!(bad.stdout.contains("`/shop-canary` was not promoted"), "{}", bad.stdout);
    assert_eq!(get(&shop.url).as_deref(), Ok("version one\n"));
    assert!(!shop.status().contains("/shop-canary"), "{}", shop.status());

    assert_ended(&shop.run(), 0);
    assert_eq!(get(&shop.url).as_deref(), Ok("version two\n"));
    assert!(!shop.status().contains("/shop-canary"), "{}", shop.status());
}
