//! `path.join(parts)`

use pipe_grammar::Code;

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact path.join, join;
    "
    # One path of several parts.
    #
    # `.` and `..` in them are resolved. A part that begins with `/`, and `..` that leads out of the
    # repository, are errors: what comes from outside can't reach another place.
    (
      # The parts, each one name or several with `/`.
      parts: list<string>,
    ) -> path
    "
    examples: [r#"path.join(["services", "shop", "marathon.json"])"#]
}

fn join(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let parts: Vec<String> = arguments.get("parts")?;
    if let Some(part) = parts.iter().find(|part| part.starts_with('/')) {
        let what = format!("`{part}` is an absolute path, and can't be a part of another one");
        return Err(Failure::new(Code::BAD_PATH, what).at_argument("parts"));
    }
    let written = parts.join("/");
    world.path(world.dir(), &written).map_err(|failure| failure.at_argument("parts"))?;
    let mut names: Vec<&str> = Vec::new();
    for name in written.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    let joined = if names.is_empty() { ".".to_owned() } else { names.join("/") };
    Ok(Value::Path(joined.into()))
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn parts_are_joined_and_resolved() {
        for (parts, joined) in [
            (vec!["a", "b"], "a/b"),
            (vec!["a/", "./b", ""], "a/b"),
            (vec!["a", "../b"], "b"),
            (vec!["a", ".."], "."),
            (vec![], "."),
        ] {
            let found = Machine::new().fact("path.join", &[("parts", Value::strings(parts))]);
            assert_eq!(found, Ok(Value::Path(joined.into())));
        }
    }

    #[test]
    fn nothing_leads_out() {
        for parts in [vec!["a", "/etc"], vec!["..", "x"], vec!["a", "../../x"]] {
            let found = Machine::new().fact("path.join", &[("parts", Value::strings(parts))]);
            assert!(found.is_err());
        }
    }
}
