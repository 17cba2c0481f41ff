//! `text.replace(text, regex, with)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact text.replace, replace;
    "
    # A text with each match of a regular expression replaced.
    #
    # In `with`, `$1` is what the first group matched, `$name` what `(?<name>…)` did, `$0` the whole
    # match, and `$$` a `$`. For a text as it stands there is the method `.replace(…)`.
    (
      # The text.
      text: string,
      # The expression, in the syntax of Rust's `regex`.
      regex: string,
      # What stands there then.
      with: string,
    ) -> string
    "
    examples: [r#"text.replace("v1.2", regex: '^v(\d+)', with: "release-$1")"#]
}

fn replace(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let (text, with): (String, String) = (arguments.get("text")?, arguments.get("with")?);
    let regex = super::regex::of(arguments)?;
    Ok(regex.replace_all(&text, with.as_str()).into_owned().into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn groups_are_put_in() {
        let replace = |text: &str, regex: &str, with: &str| {
            let given = [("text", text.into()), ("regex", regex.into()), ("with", with.into())];
            Machine::new().fact("text.replace", &given)
        };
        assert_eq!(replace("a1b2", r"(\d)", "<$1>"), Ok("a<1>b<2>".into()));
        assert_eq!(replace("a", "a", "$$"), Ok("$".into()));
        assert_eq!(replace("1-2", "(?<a>.)-(?<b>.)", "$b-$a"), Ok("2-1".into()));
    }
}
