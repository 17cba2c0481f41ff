//! `file.append(path, text)`

use std::{fs::OpenOptions, io::Write, path::Path};

use crate::core::{Arguments, Call, Outcome, Value, builtin, make_folder, written};

builtin! {
    step file.append, append;
    "
    # Writes a text behind the end of a file; makes the file if there is none.
    (
      # The file.
      path: path,
      # The text; a line needs its line end.
      text: string,
    )
    "
    examples: [r##"file.append("deployed.txt", text: "#{git.commit}\n")"##]
}

async fn append(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (shown, text): (String, String) = (arguments.get("path")?, arguments.get("text")?);
    let path = call.world.path(call.dir, &shown).map_err(|f| f.at_argument("path"))?;
    call.blocking(move |_| {
        let append = || {
            make_folder(path.parent().unwrap_or(Path::new("/")))?;
            OpenOptions::new().append(true).create(true).open(&path)?.write_all(text.as_bytes())
        };
        written(append(), &shown, "path")
    })
    .await?;
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::testing::Machine;

    #[tokio::test]
    async fn texts_follow_each_other() {
        let machine = Machine::new();
        for text in ["one\n", "two\n"] {
            let given = [("path", "a/log".into()), ("text", text.into())];
            machine.step("file.append", &given).await.unwrap();
        }
        assert_eq!(machine.read("a/log"), "one\ntwo\n");
        let given = [("path", "a".into()), ("text", "x".into())];
        let failure = machine.step("file.append", &given).await.unwrap_err();
        assert_eq!(failure.message, "`a` can't be written: is a directory");
    }
}
