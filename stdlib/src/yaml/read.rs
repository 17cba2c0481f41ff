//! `yaml.read(path)`

use pipe_grammar::Code;

use crate::core::{Arguments, Failure, Value, World, builtin, read_text, yaml};

builtin! {
    fact yaml.read, read;
    "
    # The value of a YAML file.
    #
    # As of `yaml.parse`. A file that is named by a literal is read before anything runs; a mistake
    # in it is shown at its place.
    (
      # The file, UTF-8, at most 10 MiB.
      path: path,
    ) -> json
    "
    examples: [r#"yaml.read("chart/values.yaml").image"#]
}

fn read(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let written: String = arguments.get("path")?;
    let (path, text) = read_text(world, world.dir(), &written, "path")?;
    match yaml::parse(&text) {
        Ok(json) => Ok(Value::from_json(&json)),
        Err(problem) => Err(problem.in_file(Code::INVALID_YAML, path)),
    }
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
        machine.write("a.yaml", "a: 1\n").write("b.yaml", "a: 1\nb: *x\n");
        let read = |path: &str| machine.fact("yaml.read", &[("path", path.into())]);
        assert_eq!(read("a.yaml"), Ok(Value::record([("a", Value::Int(1))])));
        let failure = read("b.yaml").unwrap_err();
        assert_eq!(failure.spot, Spot::File { path: machine.path("b.yaml"), bytes: 8..9 });
    }
}
