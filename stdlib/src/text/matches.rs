//! `text.matches(text, regex)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact text.matches, matches;
    "
    # Whether a regular expression matches somewhere in a text.
    #
    # The syntax is that of Rust's `regex`: https://docs.rs/regex/latest/regex/#syntax. `^` and `$`
    # bind it to the ends. For whole texts with wildcards there is the operator `matches`.
    (
      # The text.
      text: string,
      # The expression.
      regex: string,
    ) -> bool
    "
    examples: [r#"text.matches(git.describe, regex: '^v\d+\.\d+$')"#]
}

fn matches(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text: String = arguments.get("text")?;
    Ok(super::regex::of(arguments)?.is_match(&text).into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn anywhere_unless_bound() {
        let matches = |text: &str, regex: &str| {
            let given = [("text", text.into()), ("regex", regex.into())];
            Machine::new().fact("text.matches", &given)
        };
        assert_eq!(matches("v1.2", r"\d"), Ok(true.into()));
        assert_eq!(matches("v1.2", r"^\d"), Ok(false.into()));
        assert_eq!(matches("ä", r"^\w$"), Ok(true.into()));
    }
}
