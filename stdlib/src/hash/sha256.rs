//! `hash.sha256(file)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact hash.sha256, sha256;
    "
    # The SHA-256 of a file, as `sha256sum` prints it.
    #
    # Of a folder or several files it is one sum over their paths and contents: it changes when any
    # of them does. That sum is `sha256sum` of what `sha256sum` prints for them in the order of
    # their paths; a symbolic link counts by where it points.
    (
      # The file; or a folder, a pattern, a list of them.
      file: globs,
    ) -> string
    "
    examples: [r#"hash.sha256("Cargo.lock")"#, r#"hash.sha256(["src/**/*.rs", "Cargo.toml"])"#]
}

fn sha256(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    super::sum::of::<sha2::Sha256>(world, arguments)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{core::Value, testing::Machine};

    fn sum(machine: &Machine, files: &[&str]) -> String {
        let given = [("file", Value::list(files.iter().map(|f| Value::Path((*f).into()))))];
        machine.fact("hash.sha256", &given).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn one_file_has_the_sum_of_its_content() {
        let machine = Machine::new();
        machine.write("a", "abc");
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sum(&machine, &["a"]), expected);
        assert_eq!(sum(&machine, &["*"]), expected);
    }

    #[test]
    fn many_have_that_of_names_and_contents() {
        let machine = Machine::new();
        machine.write("d/a", "1").write("d/b", "2");
        let first = sum(&machine, &["d"]);
        assert_eq!(sum(&machine, &["d/*"]), first);
        assert_eq!(sum(&machine, &["./d/b", "d/a"]), first);
        machine.write("d/a", "12").write("d/b", "");
        let second = sum(&machine, &["d"]);
        assert_ne!(first, second);
        std::fs::rename(machine.path("d/b"), machine.path("d/c")).unwrap();
        assert_ne!(sum(&machine, &["d"]), second);
    }

    #[test]
    fn the_sum_of_many_is_one_of_sha256sum() {
        let machine = Machine::new();
        machine.write("a", "1").write("b", "2");
        machine.write(
            "list",
            "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b  a\n\
             d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35  b\n",
        );
        assert_eq!(sum(&machine, &["[ab]"]), sum(&machine, &["list"]));
    }

    #[test]
    fn what_is_missing_is_told() {
        let given = [("file", Value::Path("no".into()))];
        let failure = Machine::new().fact("hash.sha256", &given).unwrap_err();
        assert_eq!(failure.message, "`no` does not exist");
    }
}
