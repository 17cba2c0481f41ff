//! What can go wrong with the container of a stage, and what is said.

use std::time::Duration;

use pipe_grammar::Code;
use pipe_stdlib::core::{Ended, Failure, FailureKind, Spot, Value};

use crate::call::{BARE, BOX, Run, engine, images, left, script};

async fn refused(run: &Run, given: &[(&'static str, Value)]) -> Failure {
    run.container(given).await.err().unwrap()
}

#[tokio::test]
async fn without_an_engine_it_says_so() {
    let run = Run::at("unix:///nonexistent/docker.sock");
    let failure = refused(&run, &[("image", BOX.into())]).await;
    assert_eq!((failure.code, failure.kind), (Code::NO_ENGINE, FailureKind::Infrastructure));
    assert_eq!(
        failure.message,
        "no Docker Engine answers at `unix:///nonexistent/docker.sock`: there is no such socket"
    );
    assert_eq!(
        failure.help.last().unwrap(),
        "containers run in a Docker Engine only; a stage without `using` runs on this machine itself"
    );
}

#[tokio::test]
async fn what_the_image_lacks_is_named() {
    let Some(engine) = engine("what_the_image_lacks_is_named") else { return };
    let run = Run::new(&engine);
    let failure = refused(&run, &[("image", BARE.into())]).await;
    assert_eq!(failure.message, "the image `bare:1` has no shell (`sh`)");
    assert_eq!(failure.spot, Spot::Argument("image"));

    let failure = refused(&run, &[("image", "127.0.0.1:9/none:1".into())]).await;
    assert_eq!(failure.kind, FailureKind::Infrastructure);
    assert_eq!(failure.message, "the Docker Engine can't reach the registry `127.0.0.1:9`");
    run.said.has("pulling 127.0.0.1:9/none:1");

    let given = [("image", BOX.into()), ("network", "no-such".into())];
    let failure = refused(&run, &given).await;
    assert_eq!(failure.message, "there is no network `no-such`");
    assert_eq!(failure.spot, Spot::Argument("network"));

    let failure = refused(&run, &[("image", BOX.into()), ("mem", Value::Size(4096))]).await;
    assert_eq!(failure.message, "so little memory can't be given to a container");
    let failure = refused(&run, &[("image", BOX.into()), ("cpus", Value::Float(4096.0))]).await;
    assert_eq!(failure.message, "the Docker Engine has fewer processors");

    // What is written wrongly the plan tells already.
    let failure = refused(&run, &[("image", "Box Shop".into())]).await;
    assert_eq!(failure.code, Code::INVALID_IMAGE);
    let given = [("image", BOX.into()), ("volumes", Value::strings(["x"]))];
    let failure = refused(&run, &given).await;
    assert_eq!(failure.spot, Spot::Argument("volumes"));
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn an_image_is_pulled_with_the_login_of_its_connection() {
    let test = "an_image_is_pulled_with_the_login_of_its_connection";
    let Some(engine) = engine(test) else { return };
    if !crate::tools::has(test, &["docker-registry", "skopeo"]) {
        return;
    }
    let registry = crate::tools::Registry::with_login();
    let name = registry.image("team/box:1");
    assert!(engine.client(&["tag", BOX, &name]).status.success());
    let login =
        engine.client(&["login", "--username", "user", "--password", "secret", &registry.host]);
    assert!(login.status.success(), "{}", String::from_utf8_lossy(&login.stderr));
    assert!(engine.client(&["push", &name]).status.success());
    engine.client(&["logout", &registry.host]);
    engine.client(&["rmi", &name]);

    let mut run = Run::new(&engine);
    let failure = refused(&run, &[("image", name.as_str().into())]).await;
    assert_eq!(failure.code, Code::REGISTRY_REFUSED);
    let host = &registry.host;
    assert_eq!(failure.message, format!("`{host}` wants a login to pull `team/box`"));
    run.connections.docker = vec![pipe_stdlib::core::DockerConnection {
        registry: host.clone(),
        username: Some("user".to_owned()),
        password: Some(pipe_stdlib::core::Secret::new("secret")),
        insecure: false,
    }];
    let missing = registry.image("team/none:1");
    let failure = refused(&run, &[("image", missing.as_str().into())]).await;
    assert_eq!(failure.message, format!("there is no image `{missing}`"));
    let session = run.container(&[("image", name.as_str().into())]).await.unwrap();
    run.said.has(&format!("pulled {name} (sha256:"));
    session.end(run.call(None)).await.unwrap();
    engine.client(&["rmi", &name]);
}

#[tokio::test]
async fn memory_that_is_used_up_is_told() {
    let Some(engine) = engine("memory_that_is_used_up_is_told") else { return };
    let run = Run::new(&engine);
    let given = [("image", BOX.into()), ("mem", Value::Size(32 << 20))];
    let session = run.container(&given).await.unwrap();
    let done = run.sh(&*session, "tail /dev/zero").await;
    assert_eq!(done.ended, Ended::Status(137));
    assert_eq!(
        done.stderr.lines().last().unwrap(),
        "the memory of the container (32MiB) was used up, and the kernel killed a process: `mem:` \
         of `docker.container` gives it more"
    );
    // The next one may still run, and is not told the old story.
    let done = run.sh(&*session, "kill -KILL $$").await;
    assert_eq!((done.ended, done.stderr.contains("memory")), (Ended::Status(137), false));
    session.end(run.call(None)).await.unwrap();
}

#[tokio::test]
async fn a_container_that_somebody_removes_is_missed() {
    let Some(engine) = engine("a_container_that_somebody_removes_is_missed") else { return };
    let run = Run::new(&engine);
    let session = run.boxed().await;
    let ids =
        engine.client(&["ps", "--quiet", "--filter", &format!("label=pipe.run={}", run.name)]);
    let id = String::from_utf8_lossy(&ids.stdout).trim().to_owned();
    assert!(engine.client(&["rm", "--force", &id]).status.success());
    let mut output = |_, _: &[u8], _| {};
    let failure =
        session.run(script("true", run.path()), &mut output, &run.cancel).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Infrastructure);
    assert_eq!(failure.message, "the container of `box:1` is gone");
    session.end(run.call(None)).await.unwrap();
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn an_engine_that_dies_in_the_middle_is_told() {
    let test = "an_engine_that_dies_in_the_middle_is_told";
    if !crate::tools::has(test, &["root", "dockerd", "docker", "busybox"]) {
        return;
    }
    let mut engine = crate::tools::Engine::own();
    images(&engine);
    let run = Run::new(&engine);
    let session = run.boxed().await;
    let mut output = |_, _: &[u8], _| {};
    let work = session.run(script("echo up; sleep 600", run.path()), &mut output, &run.cancel);
    let kill = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        engine.kill();
    };
    let (done, ()) = tokio::join!(work, kill);
    let failure = done.unwrap_err();
    assert_eq!((failure.code, failure.kind), (Code::NO_ENGINE, FailureKind::Infrastructure));
    assert!(failure.message.contains(" is gone: "), "{}", failure.message);
    // Its end can't be asked for any more, and says so.
    assert!(session.end(run.call(None)).await.is_err());
    drop(session);
    engine.clean_up();
}
