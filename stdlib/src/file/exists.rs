//! `file.exists(path)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact file.exists, exists;
    "
    # Whether a file or a folder is there.
    (
      # Its path. A symbolic link is there when what it points to is.
      path: path,
    ) -> bool
    "
    examples: [r#"file.exists("Dockerfile")"#]
}

fn exists(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let written: String = arguments.get("path")?;
    let path = world.path(world.dir(), &written).map_err(|f| f.at_argument("path"))?;
    Ok(path.exists().into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn files_and_folders_are_there() {
        let machine = Machine::new();
        machine.write("d/a", "");
        let exists = |path: &str| machine.fact("file.exists", &[("path", path.into())]);
        assert_eq!(exists("d/a"), Ok(true.into()));
        assert_eq!(exists("d"), Ok(true.into()));
        assert_eq!(exists("d/b"), Ok(false.into()));
        assert_eq!(exists("d/a/x"), Ok(false.into()));
        assert!(exists("../x").is_err());
    }
}
