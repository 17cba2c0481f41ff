//! `path.stem(path)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact path.stem, stem;
    "
    # The last part of a path without its extension: `report` of `out/report.csv`.
    #
    # Only the last extension goes: `report.tar` of `report.tar.gz`.
    # A name that only begins with a dot, like `.gitignore`, has no extension.
    (
      # The path.
      path: path,
    ) -> string
    "
    examples: [r#"path.stem("services/shop.json")"#]
}

fn stem(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let path: String = arguments.get("path")?;
    Ok(split(super::name::of(&path)).0.into())
}

/// A name in two: before and behind its last dot.
pub(super) fn split(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && stem != "." => (stem, extension),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn the_last_extension_goes() {
        for (path, stem) in [
            ("a/b.c", "b"),
            ("b.tar.gz", "b.tar"),
            ("b", "b"),
            (".env", ".env"),
            ("a/..", ".."),
            ("a.b/c", "c"),
        ] {
            assert_eq!(Machine::new().fact("path.stem", &[("path", path.into())]), Ok(stem.into()));
        }
    }
}
