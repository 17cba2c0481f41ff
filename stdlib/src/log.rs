//! `log(text)`: a line of the stage's log.

use crate::core::{Arguments, Call, Outcome, Value, builtin};

builtin! {
    step log, log;
    "
    # Writes a line into the log of the stage.
    (
      # What to write; several lines are written as such.
      text: string,
      # How much it matters.
      level: \"info\" | \"warning\" = \"info\",
    )
    "
    examples: [r#"log("nothing to do")"#, r#"log("the cache is cold", level: "warning")"#]
}

async fn log(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (text, level): (String, String) = (arguments.get("text")?, arguments.get("level")?);
    for line in text.lines() {
        if level == "warning" {
            call.report.say(&format!("warning: {line}"));
        } else {
            call.report.say(line);
        }
    }
    Ok(Value::Null)
}
