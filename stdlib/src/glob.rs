//! `glob(pattern)`: the files that a pattern means.

use crate::core::{Arguments, Failure, Value, World, builtin, find};

builtin! {
    fact glob, glob;
    "
    # The files and folders that a pattern means, in the order of their paths.
    #
    # `*` stands for any run of characters without `/`, `**` also with it, `?` for one, `[a-z]` for
    # one of a set, `{a,b}` for either; with `/` at its end only folders are found. Hidden files and
    # what git ignores are found too, `.git` only when the pattern spells it out, `.pipe` never.
    # Symbolic links are found, and not followed.
    (
      # The pattern, or a list of them; without a wildcard it is the path itself, if it exists.
      pattern: globs,
    ) -> list<path>
    "
    examples: [r#"glob("services/*/")"#, r#"glob(["**/*.rs", "**/Cargo.toml"])"#]
}

fn glob(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let patterns: Vec<String> = arguments.get("pattern")?;
    let found = find(world, world.dir(), &patterns).map_err(|f| f.at_argument("pattern"))?;
    Ok(Value::list(found.into_iter().map(|found| Value::Path(found.written.into()))))
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn paths_are_as_the_pattern_writes_them() {
        let machine = Machine::new();
        machine.write("s/b/x", "").write("s/a/x", "").write("s/y", "");
        let glob =
            |pattern: &str| machine.fact("glob", &[("pattern", Value::Path(pattern.into()))]);
        let paths =
            |paths: &[&str]| Ok(Value::list(paths.iter().map(|path| Value::Path((*path).into()))));
        assert_eq!(glob("s/*/"), paths(&["s/a", "s/b"]));
        assert_eq!(glob("./s/**"), paths(&["./s/a", "./s/a/x", "./s/b", "./s/b/x", "./s/y"]));
        assert_eq!(glob("no*"), paths(&[]));
        assert!(glob("../*").is_err());
    }
}
