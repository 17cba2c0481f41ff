//! `git.remote(name)`

use super::repository;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact git.remote, remote;
    "
    # The address of another repository, without credentials; null when there is none.
    (
      # The name of the remote.
      name: string = \"origin\",
    ) -> string?
    "
    examples: ["git.remote() ?? \"\""]
}

fn remote(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let name: String = arguments.get("name")?;
    let repository = repository::open(world)?;
    let found = repository.find_remote(&name).ok();
    let url = found.as_ref().and_then(|remote| remote.url().ok().map(str::to_owned));
    Ok(url.map(|url| super::push::without_credentials(&url, "")).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::repository::tests::repository;
    use crate::core::Value;

    #[test]
    fn credentials_are_left_out() {
        let machine = repository();
        assert_eq!(machine.fact("git.remote", &[]), Ok(Value::Null));
        let inner = git2::Repository::open(machine.folder.path()).unwrap();
        inner.remote("origin", "https://me:s3cret@example.com/a.git").unwrap();
        inner.remote("other", "git@example.com:a.git").unwrap();
        assert_eq!(machine.fact("git.remote", &[]), Ok("https://example.com/a.git".into()));
        let other = machine.fact("git.remote", &[("name", "other".into())]);
        assert_eq!(other, Ok("git@example.com:a.git".into()));
    }
}
