//! `path.name(path)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact path.name, name;
    "
    # The last part of a path: `report.tar.gz` of `out/report.tar.gz`.
    (
      # The path.
      path: path,
    ) -> string
    "
    examples: [r#"path.name("out/report.tar.gz")"#]
}

fn name(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let path: String = arguments.get("path")?;
    Ok(of(&path).into())
}

/// The last part of a path; slashes at its end do not count.
pub(super) fn of(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn the_last_part_is_the_name() {
        for (path, name) in
            [("a/b.c", "b.c"), ("b", "b"), ("a/b/", "b"), ("/", ""), ("./a", "a"), ("/a", "a")]
        {
            assert_eq!(Machine::new().fact("path.name", &[("path", path.into())]), Ok(name.into()));
        }
    }
}
