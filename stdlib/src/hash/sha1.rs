//! `hash.sha1(file)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact hash.sha1, sha1;
    "
    # The SHA-1 of a file, as `sha1sum` prints it.
    #
    # For those who still ask for it: whoever can choose a file can make two with one SHA-1. Several
    # files are taken together as `hash.sha256` does.
    (
      # The file; or a folder, a pattern, a list of them.
      file: globs,
    ) -> string
    "
    examples: [r#"hash.sha1("dist/app.jar")"#]
}

fn sha1(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    super::sum::of::<sha1::Sha1>(world, arguments)
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn the_sum_of_the_standard() {
        let machine = Machine::new();
        machine.write("a", "abc");
        // FIPS 180-2, appendix A.1.
        let found = machine.fact("hash.sha1", &[("file", Value::Path("a".into()))]);
        assert_eq!(found, Ok("a9993e364706816aba3e25717850c26c9cd0d89d".into()));
    }
}
