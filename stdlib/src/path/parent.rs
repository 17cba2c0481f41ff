//! `path.parent(path)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact path.parent, parent;
    "
    # The folder that a path lies in: `out` of `out/report.csv`.
    #
    # Of a path with one part it is `.`.
    (
      # The path.
      path: path,
    ) -> path
    "
    examples: [r#"path.parent("services/shop/marathon.json")"#]
}

fn parent(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let path: String = arguments.get("path")?;
    let parent = match path.trim_end_matches('/').rsplit_once('/') {
        None if path.starts_with('/') => "/",
        None => ".",
        Some((folder, _)) => match folder.trim_end_matches('/') {
            "" => "/",
            folder => folder,
        },
    };
    Ok(Value::Path(parent.into()))
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn the_last_part_goes() {
        for (path, parent) in
            [("a/b.c", "a"), ("b", "."), ("/b", "/"), ("/", "/"), ("a//b/", "a"), ("a/b/c", "a/b")]
        {
            let found = Machine::new().fact("path.parent", &[("path", path.into())]);
            assert_eq!(found, Ok(Value::Path(parent.into())), "{path}");
        }
    }
}
