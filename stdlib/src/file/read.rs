//! `file.read(path)`

use crate::core::{Arguments, Failure, Value, World, builtin, read_text};

builtin! {
    fact file.read, read;
    "
    # The text of a file, as it is.
    #
    # With the last line end, if it has one: `file.read(\"VERSION\").trim()`.
    (
      # The file, UTF-8, at most 10 MiB.
      path: path,
    ) -> string
    "
    examples: [r#"file.read("VERSION").trim()"#]
}

fn read(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let written: String = arguments.get("path")?;
    Ok(read_text(world, world.dir(), &written, "path")?.1.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::File;

    use crate::testing::Machine;

    #[test]
    fn a_text_comes_as_it_is() {
        let machine = Machine::new();
        machine.write("a", "x\r\ny\n").write("b", b"ok\n\xff").write("d/x", "");
        let read = |path: &str| machine.fact("file.read", &[("path", path.into())]);
        assert_eq!(read("a"), Ok("x\r\ny\n".into()));
        assert_eq!(read("b").unwrap_err().message, "`b` is no UTF-8 text: see line 2");
        assert_eq!(read("d").unwrap_err().message, "`d` is a folder");
        assert_eq!(read("no").unwrap_err().message, "`no` does not exist");
        assert_eq!(read("../x").unwrap_err().message, "`../x` leaves the repository");
        File::create(machine.path("big")).unwrap().set_len(11 << 20).unwrap();
        assert_eq!(read("big").unwrap_err().message, "`big` is longer than 10MiB");
    }
}
