//! `path.extension(path)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact path.extension, extension;
    "
    # The last extension of a path, without its dot: `csv` of `out/report.csv`.
    #
    # Empty when there is none.
    (
      # The path.
      path: path,
    ) -> string
    "
    examples: [r#"path.extension("out/report.csv") == "csv""#]
}

fn extension(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let path: String = arguments.get("path")?;
    Ok(super::stem::split(super::name::of(&path)).1.into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn it_stands_behind_the_last_dot() {
        let of = |path: &str| Machine::new().fact("path.extension", &[("path", path.into())]);
        for (path, extension) in [("a/b.c", "c"), ("b.tar.gz", "gz"), ("b", ""), (".env", "")] {
            assert_eq!(of(path), Ok(extension.into()));
        }
    }
}
