//! Services beside a stage.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use pipe_grammar::Code;
use pipe_stdlib::core::{Failure, FailureKind, Held, Secret, Spot, Value};

use crate::call::{BARE, BOX, Run, engine, images, left};

fn fields(service: &dyn Held) -> serde_json::Value {
    service.fields().to_json()
}

/// What a service answers on this machine.
fn get(service: &dyn Held, path: &str) -> String {
    let found = fields(service);
    let port = u16::try_from(found["port"].as_u64().unwrap()).unwrap();
    let mut stream = TcpStream::connect((found["host"].as_str().unwrap(), port)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn shell(script: &str) -> (&'static str, Value) {
    ("command", Value::strings(["/bin/sh", "-c", script]))
}

/// In the image with a shell, whose entrypoint is `/bin/false`: there a service needs its own.
const SHELL: &str = "shell:1";

fn with_shell(engine: &crate::tools::Engine) {
    let dockerfile = format!("FROM {BOX}\nENTRYPOINT []\nEXPOSE 8080 9090\n");
    let context = crate::tools::folder(&[("Dockerfile", 0o644, &dockerfile)]);
    let path = context.path().display().to_string();
    let built = engine.client(&["build", "--quiet", "--tag", SHELL, &path]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

async fn refused(run: &Run, given: &[(&'static str, Value)]) -> Failure {
    run.service(None, given).await.err().unwrap()
}

#[tokio::test]
async fn a_stage_on_this_machine_reaches_it() {
    let Some(engine) = engine("a_stage_on_this_machine_reaches_it") else { return };
    let run = Run::new(&engine);
    let service = run.service(None, &[("image", BARE.into())]).await.unwrap();
    let found = fields(&*service);
    assert_eq!((&found["host"], &found["name"]), (&"127.0.0.1".into(), &"bare".into()));
    assert_eq!(found["id"].as_str().unwrap().len(), 64);
    assert!(get(&*service, "/ok").ends_with("\r\n\r\nyes"));
    run.said.has(&format!("`bare` is ready at 127.0.0.1:{}", found["port"]));
    assert_eq!(left(&engine, &run.name).len(), 2);
    service.undo(run.call(None)).await.unwrap();
    assert_eq!(left(&engine, &run.name), [""; 0]);
    // A second time it is nothing.
    service.undo(run.call(None)).await.unwrap();
}

#[tokio::test]
async fn containers_of_the_stage_know_it_by_its_name() {
    let Some(engine) = engine("containers_of_the_stage_know_it_by_its_name") else { return };
    with_shell(&engine);
    let run = Run::new(&engine);
    let session = run.boxed().await;
    let given = [("image", BARE.into()), ("name", "web".into())];
    let web = run.service(Some(&*session), &given).await.unwrap();
    let found = fields(&*web);
    assert_eq!((&found["host"], &found["port"]), (&"web".into(), &8080.into()));
    let done = run.sh(&*session, "wget -qO- http://web:8080/ok").await;
    assert_eq!(done.text(), "yes\n", "{}", done.stderr);
    // One service knows the other.
    let check = "wget -qO- http://web:8080/ok; sleep 600";
    let given = [
        ("image", SHELL.into()),
        ("name", "other".into()),
        ("port", Value::Int(1)),
        shell(check),
        ("ready", "wget -qO /dev/null http://web:8080/ok".into()),
    ];
    let other = run.service(Some(&*session), &given).await.unwrap();
    // One network, however many ask for it.
    assert_eq!(left(&engine, &run.name).len(), 4);
    // The same name again is a mistake.
    let again = [("image", BARE.into()), ("name", "web".into())];
    let failure = run.service(Some(&*session), &again).await.err().unwrap();
    assert_eq!(failure.message, "a service `web` is up in this stage already");
    assert_eq!(failure.spot, Spot::Argument("name"));
    other.undo(run.call(None)).await.unwrap();
    let log = run.path().join(".pipe/runs/1/services/test-other.log");
    assert_eq!(std::fs::read_to_string(log).unwrap(), "yes\n");
    run.said.has("what `other` has written: .pipe/runs/1/services/test-other.log");
    web.undo(run.call(None)).await.unwrap();
    session.end(run.call(None)).await.unwrap();
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn it_is_waited_for_by_port_command_request_or_health() {
    let Some(engine) = engine("it_is_waited_for_by_port_command_request_or_health") else { return };
    with_shell(&engine);
    let run = Run::new(&engine);
    // It takes a second and a half to listen, and another one to answer well.
    let server =
        "mkdir /www; sleep 1.5; (sleep 1; echo yes > /www/ok) & exec httpd -f -p 8080 -h /www";
    let common = |name: &str| {
        vec![
            ("image", Value::from(SHELL)),
            ("name", name.into()),
            ("port", Value::Int(8080)),
            shell(server),
        ]
    };
    for (name, ready, least) in [
        ("by-port", None, 1400),
        ("by-command", Some("test -e /www/ok"), 2400),
        ("by-request", Some("http://:8080/ok"), 2400),
    ] {
        let mut given = common(name);
        given.extend(ready.map(|ready| ("ready", ready.into())));
        let begun = Instant::now();
        let service = run.service(None, &given).await.unwrap();
        let took = begun.elapsed();
        assert!(took > Duration::from_millis(least) && took < Duration::from_secs(15), "{took:?}");
        if ready.is_some() {
            assert!(get(&*service, "/ok").ends_with("yes\n"));
        }
        service.undo(run.call(None)).await.unwrap();
    }
    // The health check of the image.
    let dockerfile = format!(
        "FROM {SHELL}\nHEALTHCHECK --interval=1s --retries=60 CMD test -e /www/ok\n\
         CMD [\"/bin/sh\", \"-c\", \"{server}\"]\n"
    );
    let context = crate::tools::folder(&[("Dockerfile", 0o644, &dockerfile)]);
    let path = context.path().display().to_string();
    assert!(engine.client(&["build", "--quiet", "--tag", "checked:1", &path]).status.success());
    let given = [("image", "checked:1".into()), ("port", Value::Int(8080))];
    let service = run.service(None, &given).await.unwrap();
    assert!(get(&*service, "/ok").ends_with("yes\n"));
    service.undo(run.call(None)).await.unwrap();
}

#[tokio::test]
async fn one_that_dies_or_is_late_shows_its_last_lines() {
    let Some(engine) = engine("one_that_dies_or_is_late_shows_its_last_lines") else { return };
    with_shell(&engine);
    let run = Run::new(&engine);
    let secret = Value::Secret(Secret::new("hidden-from-logs"));
    let dies = [
        ("image", SHELL.into()),
        ("name", "db".into()),
        ("port", Value::Int(8080)),
        ("env", Value::record([("PASSWORD", secret)])),
        shell("echo one; echo the password is $PASSWORD; echo broken >&2; exit 7"),
    ];
    let failure = refused(&run, &dies).await;
    assert_eq!((failure.code, failure.kind), (Code::CONTAINER_FAILED, FailureKind::Step));
    assert_eq!(failure.message, "the service `db` ended before it was ready: status 7");
    let (title, mut lines) = failure.evidence[0].clone();
    lines.sort();
    assert_eq!(title, "the last lines of `db`");
    assert_eq!(lines, ["broken", "one", "the password is ***"]);

    let late = [
        ("image", SHELL.into()),
        ("name", "db".into()),
        ("port", Value::Int(8080)),
        ("ready", "echo not yet; exit 4".into()),
        ("within", Value::Duration(Duration::from_secs(1))),
        shell("echo working; sleep 600"),
    ];
    let failure = refused(&run, &late).await;
    assert_eq!((failure.code, failure.kind), (Code::TIMED_OUT, FailureKind::Timeout));
    assert_eq!(failure.message, "the service `db` was not ready within 1s");
    assert_eq!(failure.label, "ready is when `echo not yet; exit 4` ends with 0");
    assert_eq!(failure.evidence[0].1, ["not yet", "it ended with status 4"]);
    assert_eq!(failure.evidence[1].1, ["working"]);

    let hungry = [
        ("image", SHELL.into()),
        ("name", "db".into()),
        ("port", Value::Int(8080)),
        ("mem", Value::Size(16 << 20)),
        shell("tail /dev/zero"),
    ];
    let failure = refused(&run, &hungry).await;
    let said = "its memory was used up (`mem:` gives it more)";
    assert_eq!(failure.message, format!("the service `db` ended before it was ready: {said}"));
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn what_can_not_be_is_told_at_its_argument() {
    let Some(engine) = engine("what_can_not_be_is_told_at_its_argument") else { return };
    with_shell(&engine);
    let run = Run::new(&engine);
    let nothing = refused(&run, &[("image", BOX.into())]).await;
    assert_eq!(nothing.message, "the image `box:1` exposes no port");
    assert_eq!(nothing.help, ["say where the service listens: `port: 8080`"]);
    let several = refused(&run, &[("image", SHELL.into())]).await;
    assert_eq!(several.message, "the image `shell:1` exposes several ports: 8080, 9090");
    assert_eq!(several.spot, Spot::Argument("port"));
    let bad = refused(&run, &[("image", BARE.into()), ("port", Value::Int(70_000))]).await;
    assert_eq!(bad.message, "70000 is no port: they are 1 to 65535");
    let name = refused(&run, &[("image", BARE.into()), ("name", "My DB".into())]).await;
    assert_eq!(name.help, ["write `name: \"my-db\"`"]);
    let ready = refused(&run, &[("image", BARE.into()), ("ready", "true".into())]).await;
    assert_eq!(ready.message, "the image has no shell (`sh`) to run the command of `ready:`");
    let program = ("command", Value::strings(["/no-such"]));
    let program = refused(&run, &[("image", BARE.into()), program]).await;
    assert_eq!(program.message, "the image `bare:1` has no program `/no-such`");
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn cancelled_while_it_is_waited_for_nothing_stays() {
    let Some(engine) = engine("cancelled_while_it_is_waited_for_nothing_stays") else { return };
    images(&engine);
    let run = Run::new(&engine);
    let given = [("image", BARE.into()), ("ready", "http://:8080/never".into())];
    let soon = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        run.cancel.cancel();
    };
    let begun = Instant::now();
    let (service, ()) = tokio::join!(run.service(None, &given), soon);
    assert_eq!(service.err().unwrap().kind, FailureKind::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(left(&engine, &run.name), [""; 0]);
}
