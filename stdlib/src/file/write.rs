//! `file.write(path, text)`

use std::io::Write;

use crate::core::{Arguments, Call, Outcome, Value, builtin, save, written};

builtin! {
    step file.write, write;
    "
    # Writes a text to a file, in place of what was in it.
    #
    # Whole or not at all, by renaming; folders on the way are made. A secret is refused: hand it to
    # a command by `env` or `stdin:`, or declare it as `secret … = file(…)`.
    (
      # The file.
      path: path,
      # The text. Lines of a text over several lines end without a last line end.
      text: string,
      # Whether it may be executed.
      executable: bool = false,
    )
    "
    examples: [r#"file.write("out/version.txt", text: "1.2.3\n")"#]
}

async fn write(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (shown, text): (String, String) = (arguments.get("path")?, arguments.get("text")?);
    let executable: bool = arguments.get("executable")?;
    let path = call.world.path(call.dir, &shown).map_err(|f| f.at_argument("path"))?;
    call.blocking(move |_| {
        written(save(&path, executable, |file| file.write_all(text.as_bytes())), &shown, "path")
    })
    .await?;
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, os::unix::fs::PermissionsExt};

    use crate::{core::Outcome, testing::Machine};

    async fn write(machine: &Machine, path: &str, text: &str) -> Outcome {
        let given = [("path", path.into()), ("text", text.into()), ("executable", true.into())];
        machine.step("file.write", &given).await
    }

    #[tokio::test]
    async fn folders_are_made_and_content_replaced() {
        let machine = Machine::new();
        write(&machine, "a/b/c", "one").await.unwrap();
        write(&machine, "a/b/c", "two\n").await.unwrap();
        assert_eq!(machine.read("a/b/c"), "two\n");
        let mode = fs::metadata(machine.path("a/b/c")).unwrap().permissions().mode();
        assert_eq!(mode & 0o100, 0o100);
    }

    #[tokio::test]
    async fn what_can_t_be_written_is_told() {
        let machine = Machine::new();
        machine.write("f", "");
        let message = |outcome: Outcome| outcome.unwrap_err().message;
        assert_eq!(
            message(write(&machine, "f/x", "").await),
            "`f/x` can't be written: not a directory"
        );
        assert_eq!(message(write(&machine, ".", "").await), "`.` can't be written: is a directory");
        assert_eq!(message(write(&machine, "../x", "").await), "`../x` leaves the repository");
    }
}
