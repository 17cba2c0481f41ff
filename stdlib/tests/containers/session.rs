//! The container of a stage.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    time::{Duration, Instant},
};

use pipe_grammar::shell::Dialect;
use pipe_stdlib::core::{Ended, Interpreter, ShellCommand};

use crate::call::{BOX, Run, engine, left, script, soon};

#[tokio::test]
async fn commands_run_in_it_as_on_this_machine() {
    let Some(engine) = engine("commands_run_in_it_as_on_this_machine") else { return };
    let run = Run::new(&engine);
    std::fs::create_dir(run.path().join("sub")).unwrap();
    let session = run.boxed().await;
    assert_eq!(session.dialect(), Dialect::Sh);
    assert_eq!(session.shown(), "sh of box:1");
    assert!(session.network().unwrap().starts_with("pipe-run"));

    // Streams apart, the last line without an end, bytes as they are.
    let done = run.sh(&*session, "echo out; echo err >&2; printf 'a\\377\\000b'; exit 3").await;
    assert_eq!(done.ended, Ended::Status(3));
    assert_eq!(done.stdout, b"out\na\xff\0b\n");
    assert_eq!(done.stderr, "err\n");

    // The folder, the files, the environment.
    let in_sub = ShellCommand {
        environment: vec![("GREETING".to_owned(), "it's \"me\"\n$X".to_owned())],
        ..script("pwd; echo \"$GREETING\"; echo made > made", &run.path().join("sub"))
    };
    let done = run.command(&*session, in_sub).await;
    assert_eq!(done.text(), format!("{}/sub\nit's \"me\"\n$X\n", run.path().display()));
    assert_eq!(std::fs::read_to_string(run.path().join("sub/made")).unwrap(), "made\n");

    // What it reads; nothing when there is nothing.
    let big = "x".repeat(3 << 20);
    let reads = ShellCommand { stdin: Some(big.into_bytes()), ..script("wc -c", run.path()) };
    assert_eq!(run.command(&*session, reads).await.text(), "3145728\n");
    assert_eq!(run.sh(&*session, "wc -c").await.text(), "0\n");

    // A value of 100 KB, and a script that is longer than a command line may be.
    let value = "v".repeat(100_000);
    let long = ShellCommand {
        environment: vec![("V".to_owned(), value)],
        ..script("printf %s \"$V\" | wc -c", run.path())
    };
    assert_eq!(run.command(&*session, long).await.text(), "100000\n");
    let text = format!("# {}\necho end", "x".repeat(140_000));
    assert_eq!(run.sh(&*session, &text).await.text(), "end\n");

    // -e, -u and pipefail hold.
    assert_eq!(run.sh(&*session, "false; echo on").await.ended, Ended::Status(1));
    assert_eq!(run.sh(&*session, "false | true").await.ended, Ended::Status(1));
    let unset = run.sh(&*session, "echo $NOT_SET").await;
    assert!(matches!(unset.ended, Ended::Status(status) if status != 0));

    // Another interpreter that the image lacks.
    let python = ShellCommand {
        interpreter: Interpreter::find("python3"),
        ..script("print(1)", run.path())
    };
    let done = run.command(&*session, python).await;
    assert_eq!(done.ended, Ended::Status(127));
    assert_eq!(done.stderr, "the image has none of: python3 python\n");

    session.end(run.call(None)).await.unwrap();
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn many_lines_come_whole_and_in_their_order() {
    let Some(engine) = engine("many_lines_come_whole_and_in_their_order") else { return };
    let run = Run::new(&engine);
    let session = run.boxed().await;
    let done = run.sh(&*session, "seq 1 200000").await;
    let text = done.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 200_000);
    assert!(lines.iter().enumerate().all(|(at, line)| *line == (at + 1).to_string()));
    session.end(run.call(None)).await.unwrap();
}

#[tokio::test]
async fn files_are_the_users_and_the_home_can_be_written() {
    let Some(engine) = engine("files_are_the_users_and_the_home_can_be_written") else { return };
    let run = Run::new(&engine);
    std::fs::set_permissions(run.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let arguments = [
        ("image", BOX.into()),
        ("user", "4321:1234".into()),
        ("volumes", pipe_stdlib::core::Value::strings(["test-cache:/cache"])),
    ];
    let session = run.container(&arguments).await.unwrap();
    let text = "id -u; id -g; echo $HOME; whoami; touch $HOME/.rc /cache/x file";
    let done = run.sh(&*session, text).await;
    assert_eq!(done.ended, Ended::Status(0), "{}", done.stderr);
    assert_eq!(done.text(), "4321\n1234\n/home/pipe\npipe\n");
    let file = std::fs::metadata(run.path().join("file")).unwrap();
    assert_eq!((file.uid(), file.gid()), (4321, 1234));
    session.end(run.call(None)).await.unwrap();
    // A named volume stays, the one of the home does not.
    let volumes = engine.client(&["volume", "ls", "--quiet"]);
    assert!(String::from_utf8_lossy(&volumes.stdout).contains("test-cache\n"));
    engine.client(&["volume", "rm", "test-cache"]);
}

#[tokio::test]
async fn values_do_not_show_in_what_the_engine_tells() {
    let Some(engine) = engine("values_do_not_show_in_what_the_engine_tells") else { return };
    let run = Run::new(&engine);
    let session = run.boxed().await;
    let command = ShellCommand {
        environment: vec![("PIPE_1".to_owned(), "a-hidden-value".to_owned())],
        ..script("echo \"$PIPE_1\"; touch started; sleep 60", run.path())
    };
    let work = run.command(&*session, command);
    let look = async {
        let started = run.path().join("started");
        soon("it starts", || started.exists()).await;
        let ids =
            engine.client(&["ps", "--quiet", "--filter", &format!("label=pipe.run={}", run.name)]);
        let id = String::from_utf8_lossy(&ids.stdout).trim().to_owned();
        let container = engine.client(&["inspect", &id]).stdout;
        let container: serde_json::Value = serde_json::from_slice(&container).unwrap();
        let labels = &container[0]["Config"]["Labels"];
        assert_eq!(labels["pipe.stage"], "test");
        assert_eq!(labels["pipe.workspace"], run.path().display().to_string());
        assert!(!container.to_string().contains("a-hidden-value"));
        let exec = container[0]["ExecIDs"][0].as_str().unwrap().to_owned();
        let exec = engine.ask(&format!("/exec/{exec}/json"));
        assert!(exec.contains("ProcessConfig"), "{exec}");
        assert!(!exec.contains("a-hidden-value"), "{exec}");
        run.cancel.cancel();
    };
    let (done, ()) = tokio::join!(work, look);
    assert_eq!(done.ended, Ended::Cancelled);
    session.end(run.call(None)).await.unwrap();
}

#[tokio::test]
async fn what_a_command_leaves_ends_with_it() {
    let Some(engine) = engine("what_a_command_leaves_ends_with_it") else { return };
    let run = Run::new(&engine);
    let session = run.boxed().await;
    let begun = Instant::now();
    let text =
        "sleep 961 & setsid sleep 962 & (trap '' TERM; sleep 963 & wait; sleep 963) & echo up";
    let done = run.sh(&*session, text).await;
    assert_eq!((done.ended, done.text().as_str()), (Ended::Status(0), "up\n"));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let done = run.sh(&*session, "ps | grep -c '[s]leep 96' || true").await;
    assert_eq!(done.text(), "0\n");
    session.end(run.call(None)).await.unwrap();
}

#[tokio::test]
async fn cancelled_it_ends_with_all_that_it_started() {
    let Some(engine) = engine("cancelled_it_ends_with_all_that_it_started") else { return };
    let mut run = Run::new(&engine);
    let session = run.boxed().await;
    // It hears, and may clean up.
    let text = "trap 'echo bye; exit 1' TERM; echo up; sleep 971 & wait";
    let soon_cancelled = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        run.cancel.cancel();
    };
    let begun = Instant::now();
    let (done, ()) = tokio::join!(run.sh(&*session, text), soon_cancelled);
    assert_eq!((done.ended, done.text().as_str()), (Ended::Cancelled, "up\nbye\n"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    // It does not hear: it is killed after five seconds, with what has left its group.
    run.cancel = tokio_util::sync::CancellationToken::new();
    let text = "trap '' TERM; setsid sleep 972 & sleep 973; sleep 974";
    let soon_cancelled = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        run.cancel.cancel();
    };
    let begun = Instant::now();
    let (done, ()) = tokio::join!(run.sh(&*session, text), soon_cancelled);
    assert_eq!(done.ended, Ended::Cancelled);
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(5) && took < Duration::from_secs(10), "{took:?}");

    // Its handlers still run in it, and see nothing of that.
    run.cancel = tokio_util::sync::CancellationToken::new();
    let done = run.sh(&*session, "ps | grep -c '[s]leep 97' || true").await;
    assert_eq!(done.text(), "0\n");
    session.end(run.call(None)).await.unwrap();
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn commands_run_beside_each_other() {
    let Some(engine) = engine("commands_run_beside_each_other") else { return };
    let run = Run::new(&engine);
    let session = run.boxed().await;
    let begun = Instant::now();
    let slow = |text: &str| format!("sleep 2; echo {text}");
    let (one, two) = (slow("one"), slow("two"));
    let (one, two) = tokio::join!(run.sh(&*session, &one), run.sh(&*session, &two));
    assert_eq!((one.text().as_str(), two.text().as_str()), ("one\n", "two\n"));
    assert!(begun.elapsed() < Duration::from_millis(3900), "{:?}", begun.elapsed());
    session.end(run.call(None)).await.unwrap();
}
