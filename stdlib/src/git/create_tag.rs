//! `git.create_tag(name)`

use git2::{ErrorCode, Reference, Repository, Signature};
use pipe_grammar::Code;

use super::repository;
use crate::core::{Arguments, Call, Failure, Outcome, Value, World, builtin};

builtin! {
    step git.create_tag, create_tag;
    "
    # Tags the commit that is checked out.
    #
    # In this clone only; `git.push` sends it. A tag that is on this commit already is fine.
    (
      # The tag.
      name: string,
      # Makes it an annotated one, by `user.name` and `user.email` of git.
      message: string?,
      # Whether it may be moved from another commit.
      force: bool = false,
    )
    "
    examples: [r#"git.create_tag("v1.2.0", message: "Release 1.2.0")"#]
}

async fn create_tag(call: Call<'_>, arguments: Arguments) -> Outcome {
    let name: String = arguments.get("name")?;
    let message: Option<String> = arguments.get("message")?;
    let force: bool = arguments.get("force")?;
    let world = call.world.clone();
    let said = call.blocking(move |_| tag(&world, &name, message.as_deref(), force)).await?;
    call.report.say(&said);
    Ok(Value::Null)
}

fn tag(world: &World, name: &str, message: Option<&str>, force: bool) -> Result<String, Failure> {
    if name.starts_with('-') || !Reference::is_valid_name(&format!("refs/tags/{name}")) {
        return Err(Failure::new(Code::GIT_FAILED, format!("no tag can be called `{name}`"))
            .at_argument("name")
            .help("git allows no blank, `..`, `~`, `^`, `:`, `?`, `*`, `[` or `\\` in it"));
    }
    let repository = repository::open(world)?;
    let head = repository::head(&repository)?;
    let short = head.id().to_string()[..12].to_owned();
    let old = repository.find_reference(&format!("refs/tags/{name}")).ok();
    let old = old.and_then(|old| old.peel_to_commit().ok());
    if old.as_ref().is_some_and(|old| old.id() == head.id()) {
        return Ok(format!("`{name}` is on {short} already"));
    }
    let made = match message {
        Some(message) => {
            let author = author(world, &repository)?;
            repository.tag(name, head.as_object(), &author, message, force)
        }
        None => repository.tag_lightweight(name, head.as_object(), force),
    };
    made.map_err(|error| match (error.code(), old) {
        (ErrorCode::Exists, Some(old)) => {
            let other = old.id().to_string()[..12].to_owned();
            Failure::new(Code::GIT_FAILED, format!("the tag `{name}` is on {other} already"))
                .at_argument("name")
                .label(format!("here is {short}"))
                .help("to move it: `force: true`")
        }
        _ => {
            let what = format!("the tag `{name}` can't be made: {}", error.message());
            Failure::new(Code::GIT_FAILED, what)
        }
    })?;
    Ok(format!("`{name}` is on {short}"))
}

/// Who makes an annotated tag: as git itself finds out.
fn author(world: &World, repository: &Repository) -> Result<Signature<'static>, Failure> {
    let set = |name: &str| world.variable(name).filter(|text| !text.is_empty());
    let named = match (set("GIT_COMMITTER_NAME"), set("GIT_COMMITTER_EMAIL")) {
        (Some(name), Some(email)) => Signature::now(name, email),
        _ => repository.signature(),
    };
    named.map_err(|_| {
        Failure::new(Code::GIT_FAILED, "git does not know who makes the tag")
            .at_argument("message")
            .help("set `GIT_COMMITTER_NAME` and `GIT_COMMITTER_EMAIL`")
            .help("or `git config user.name …` and `git config user.email …`")
            .help("without `message:` the tag needs nobody")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::repository::tests::{commit, repository};
    use crate::{
        core::{Outcome, Value},
        testing::Machine,
    };

    async fn tag(machine: &Machine, name: &str, given: &[(&str, Value)]) -> Outcome {
        let mut all = vec![("name", name.into())];
        all.extend(given.iter().cloned());
        machine.step("git.create_tag", &all).await
    }

    #[tokio::test]
    async fn a_tag_is_on_the_commit() {
        let machine = repository();
        machine.write("a", "1");
        let first = commit(&machine, "one");
        tag(&machine, "v1", &[]).await.unwrap();
        tag(&machine, "v2", &[("message", "Two".into())]).await.unwrap();
        let inner = git2::Repository::open(machine.folder.path()).unwrap();
        let light = inner.find_reference("refs/tags/v1").unwrap();
        assert_eq!(light.target().unwrap().to_string(), first);
        let annotated = inner.find_reference("refs/tags/v2").unwrap().peel_to_tag().unwrap();
        assert_eq!(annotated.message().unwrap(), Some("Two"));
        assert_eq!(annotated.tagger().unwrap().email(), Ok("dev@example.com"));
        // Once more, as after a retry.
        tag(&machine, "v1", &[]).await.unwrap();
        assert_eq!(machine.said.lines()[2], format!("`v1` is on {} already", &first[..12]));
    }

    #[tokio::test]
    async fn one_on_another_commit_is_moved_by_force() {
        let machine = repository();
        commit(&machine, "one");
        tag(&machine, "v1", &[]).await.unwrap();
        machine.write("a", "1");
        let second = commit(&machine, "two");
        let failure = tag(&machine, "v1", &[]).await.unwrap_err();
        assert!(failure.message.starts_with("the tag `v1` is on "));
        assert_eq!(failure.label, format!("here is {}", &second[..12]));
        tag(&machine, "v1", &[("force", true.into())]).await.unwrap();
        let inner = git2::Repository::open(machine.folder.path()).unwrap();
        let moved = inner.find_reference("refs/tags/v1").unwrap();
        assert_eq!(moved.target().unwrap().to_string(), second);
    }

    #[tokio::test]
    async fn what_is_no_tag_is_told() {
        let machine = repository();
        commit(&machine, "one");
        for name in ["", "a b", "-x", "a..b", "x.lock"] {
            let failure = tag(&machine, name, &[]).await.unwrap_err();
            assert_eq!(failure.message, format!("no tag can be called `{name}`"));
        }
    }
}
