//! `file.size(path)`

use std::fs;

use pipe_grammar::Code;

use crate::core::{Arguments, Failure, Value, World, builtin, missing};

builtin! {
    fact file.size, size;
    "
    # How long a file is.
    (
      # The file.
      path: path,
    ) -> size
    "
    examples: [r#"file.size("dist/app.js") < 200kB"#]
}

fn size(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let written: String = arguments.get("path")?;
    let path = world.path(world.dir(), &written).map_err(|f| f.at_argument("path"))?;
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            let what = format!("`{written}` is a folder");
            Err(Failure::new(Code::BAD_FILE, what).at_argument("path"))
        }
        Ok(found) => Ok(Value::Size(found.len())),
        Err(_) => Err(missing(&written).at_argument("path")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{core::Value, testing::Machine};

    #[test]
    fn its_bytes_are_counted() {
        let machine = Machine::new();
        machine.write("d/a", "12345");
        let size = |path: &str| machine.fact("file.size", &[("path", path.into())]);
        assert_eq!(size("d/a"), Ok(Value::Size(5)));
        assert_eq!(size("d").unwrap_err().message, "`d` is a folder");
        assert_eq!(size("no").unwrap_err().message, "`no` does not exist");
    }
}
