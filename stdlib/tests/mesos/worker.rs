//! The worker and its way to `pipe`: everything arrives, nothing arrives twice, and nobody stays
//! behind alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use pipe_stdlib::{
    core::{Ended, FailureKind, ShellCommand, Stream},
    mesos::{
        link::{Depot, Desk, Run, Task},
        worker::work,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    call::{Place, Sh, nothing, plain, quick, soon, workers},
    cluster::{Cluster, Fate, one_agent},
};

async fn good() -> Cluster {
    Cluster::start(one_agent(), plain(), Box::new(|_| Fate::Runs)).await
}

#[tokio::test]
async fn binary_output_and_much_of_it_arrive_whole() {
    let cluster = good().await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let script = "head -c 100000000 /dev/zero; printf 'end\\0\\377'";
    let (mut count, mut last) = (0, Vec::new());
    let mut take = |stream: Stream, bytes: &[u8], _: bool| {
        assert_eq!(stream, Stream::Stdout);
        count += bytes.len();
        last.extend_from_slice(&bytes[bytes.len().saturating_sub(5)..]);
        last.drain(..last.len().saturating_sub(5));
    };
    let command = ShellCommand {
        script: script.to_owned(),
        environment: Vec::new(),
        dir: place.folder.path().to_path_buf(),
        stdin: None,
        interpreter: None,
        mark: "test/1".to_owned(),
    };
    let started = Instant::now();
    let ended = session.run(command, &mut take, &place.cancel).await;
    println!("100 MB of output: {:?}", started.elapsed());
    assert_eq!(ended, Ok(Ended::Status(0)));
    assert_eq!((count, last.as_slice()), (100_000_005, &b"end\0\xff"[..]));
    session.end(place.call()).await.unwrap();
}

#[tokio::test]
async fn the_workspace_goes_and_files_come_back() {
    let cluster = good().await;
    let place = Place::new(&cluster);
    std::fs::create_dir(place.folder.path().join("src")).unwrap();
    std::fs::write(place.folder.path().join("src/a"), "one").unwrap();
    let session = place.start(&[], quick()).await.unwrap();
    let script = "mkdir -p out/deep; cat src/a > out/deep/b; echo two > out/c; ln -s c out/link";
    assert_eq!(place.sh(&*session, script).await.0, Ok(Ended::Status(0)));
    let to = tempfile::tempdir().unwrap();
    let patterns = ["out/**".to_owned(), "none*".to_owned()];
    let dir = place.folder.path();
    session.bring(dir, &patterns, to.path(), &place.cancel).await.unwrap();
    assert_eq!(std::fs::read_to_string(to.path().join("out/deep/b")).unwrap(), "one");
    assert_eq!(std::fs::read_link(to.path().join("out/link")).unwrap().to_str(), Some("c"));
    assert!(!to.path().join("src").exists());
    // A folder that is not there is a mistake of the file.
    let missing = ShellCommand {
        script: "true".to_owned(),
        environment: Vec::new(),
        dir: "/elsewhere".into(),
        stdin: None,
        interpreter: None,
        mark: String::new(),
    };
    let failure = session.run(missing, &mut |_, _, _| {}, &place.cancel).await.unwrap_err();
    assert_eq!(failure.message, "the folder `/elsewhere` is not in the task");
    session.end(place.call()).await.unwrap();
}

/// A way for workers that can be closed.
struct Gate {
    port: u16,
    open: Arc<AtomicBool>,
}

impl Gate {
    /// A proxy; where it leads is set by the first worker.
    async fn new() -> (Self, Arc<std::sync::Mutex<String>>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::new(AtomicBool::new(true));
        let target = Arc::new(std::sync::Mutex::new(String::new()));
        let (is_open, to) = (open.clone(), target.clone());
        tokio::spawn(async move {
            loop {
                let (mut from, _) = listener.accept().await.unwrap();
                let (is_open, to) = (is_open.clone(), to.lock().unwrap().clone());
                if !is_open.load(Ordering::SeqCst) {
                    continue;
                }
                tokio::spawn(async move {
                    let mut to = tokio::net::TcpStream::connect(to).await.unwrap();
                    let closed = async {
                        while is_open.load(Ordering::SeqCst) {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                    };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
                        () = closed => {}
                    }
                });
            }
        });
        (Self { port, open }, target)
    }
}

async fn gated() -> (Gate, Cluster) {
    let (gate, target) = Gate::new().await;
    let port = gate.port;
    let executor = workers(move |url| {
        let rest = url.strip_prefix("http://").unwrap();
        let (host, token) = rest.split_once('/').unwrap();
        target.lock().unwrap().replace_range(.., host);
        format!("http://127.0.0.1:{port}/{token}")
    });
    (gate, Cluster::start(one_agent(), executor, Box::new(|_| Fate::Runs)).await)
}

#[tokio::test]
async fn a_short_loss_of_contact_is_not_noticed() {
    let (gate, cluster) = gated().await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let script = "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.1; done; exit 4";
    let ((ended, text), ()) = tokio::join!(place.sh(&*session, script), async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            gate.open.store(false, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            gate.open.store(true, Ordering::SeqCst);
        }
    });
    assert_eq!(ended, Ok(Ended::Status(4)));
    assert_eq!(text, "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    session.end(place.call()).await.unwrap();
}

#[tokio::test]
async fn what_could_not_be_sent_is_read_in_the_folder_of_the_task() {
    let (gate, cluster) = gated().await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let script = "echo before; sleep 0.4; printf 'behind\\n'; exit 9";
    let ((ended, text), ()) = tokio::join!(place.sh(&*session, script), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        gate.open.store(false, Ordering::SeqCst);
    });
    assert_eq!((ended, text.as_str()), (Ok(Ended::Status(9)), "before\nbehind\n"));
    session.end(place.call()).await.unwrap();
    soon("something is left", || cluster.living().is_empty()).await;
}

#[tokio::test]
async fn a_lost_worker_ends_its_command_and_the_stage_fails() {
    let (gate, cluster) = gated().await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let ((ended, _), ()) = tokio::join!(place.sh(&*session, "sleep 30"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        gate.open.store(false, Ordering::SeqCst);
    });
    let failure = ended.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Infrastructure, "{failure:?}");
    let shown = format!("{failure:?}");
    assert!(shown.contains("contact with `pipe` is lost"), "{shown}");
    session.end(place.call()).await.unwrap();
    soon("something is left", || cluster.living().is_empty()).await;
}

#[tokio::test]
async fn without_pipe_a_worker_ends_with_what_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let depot = Depot::open("/bin/true".into(), None).await.unwrap();
    let desk = Arc::new(Desk::new(folder.path().into(), Duration::from_millis(600)).unwrap());
    depot.add(&desk);
    let url = format!("http://127.0.0.1:{}/{}", depot.port, desk.token);
    let sandbox = tempfile::tempdir().unwrap();
    std::fs::create_dir(sandbox.path().join("workspace")).unwrap();
    let path = sandbox.path().to_path_buf();
    let mut worker = tokio::spawn(async move {
        work(&url, &path, nothing(), Arc::new(Sh), &CancellationToken::new()).await
    });
    desk.arrived().await;
    let run = Run {
        script: "echo $$ > pid; exec sleep 300".to_owned(),
        environment: Vec::new(),
        dir: String::new(),
        stdin: false,
        interpreter: None,
        mark: "test/1".to_owned(),
    };
    let _reports = desk.order(Task::Run(run), None, None);
    let pid = sandbox.path().join("workspace/pid");
    let read = || std::fs::read_to_string(&pid).unwrap_or_default().trim().to_owned();
    soon("it does not begin", || !read().is_empty()).await;
    let process = format!("/proc/{}", read());
    assert!(std::fs::exists(&process).unwrap());
    // As by `kill -9`.
    drop((depot, desk));
    let done = tokio::time::timeout(Duration::from_secs(5), &mut worker).await.unwrap().unwrap();
    assert_eq!(done, Err("contact with `pipe` is lost".to_owned()));
    soon("it runs on", || !std::fs::exists(&process).unwrap()).await;
}

#[tokio::test]
async fn who_has_read_the_token_gets_nothing_by_it() {
    let cluster = good().await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let accept = &cluster.calls("ACCEPT")[0];
    let info = &accept["accept"]["operations"][0]["launch"]["task_infos"][0];
    let command = info["command"]["value"].as_str().unwrap();
    let (_, url) = command.split_once(" worker ").unwrap();
    let (ended, ()) = tokio::join!(place.sh(&*session, "sleep 30"), async {
        // A second worker gets no key, and the task counts as betrayed.
        let sandbox = tempfile::tempdir().unwrap();
        let cancel = CancellationToken::new();
        let done = work(url, sandbox.path(), nothing(), Arc::new(Sh), &cancel).await;
        assert_eq!(done, Err("another worker has this task's key already".to_owned()));
    });
    let failure = ended.0.unwrap_err();
    assert!(failure.message.contains("only one can be its worker"), "{failure:?}");
    session.end(place.call()).await.unwrap();
}
