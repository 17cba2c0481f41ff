//! `json.read(path)`

use pipe_grammar::Code;

use crate::core::{Arguments, Failure, Value, World, builtin, of_json, read_text};

builtin! {
    fact json.read, read;
    "
    # The value of a JSON file.
    #
    # A file that is named by a literal is read before anything runs; a mistake in it is shown at
    # its place.
    (
      # The file, UTF-8, at most 10 MiB.
      path: path,
    ) -> json
    "
    examples: [r#"json.read("package.json").version"#]
}

fn read(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let written: String = arguments.get("path")?;
    let (path, text) = read_text(world, world.dir(), &written, "path")?;
    super::parse::of(&text)
        .map_err(|error| of_json(&text, &error).in_file(Code::INVALID_JSON, path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{
        core::{Spot, Value},
        testing::Machine,
    };

    #[test]
    fn a_file_is_read() {
        let machine = Machine::new();
        machine.write("a.json", "\u{feff}{\"a\": 1}\n");
        let read = |path: &str| machine.fact("json.read", &[("path", path.into())]);
        assert_eq!(read("a.json"), Ok(Value::record([("a", Value::Int(1))])));
        assert_eq!(read("b.json").unwrap_err().message, "`b.json` does not exist");
        machine.write("c.json", "{\"a\": }");
        let failure = read("c.json").unwrap_err();
        assert_eq!(failure.spot, Spot::File { path: machine.path("c.json"), bytes: 6..7 });
    }
}
