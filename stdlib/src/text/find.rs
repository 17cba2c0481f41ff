//! `text.find(text, regex)`

use regex::Captures;

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact text.find, find;
    "
    # The first match of a regular expression in a text; null without one.
    #
    # With a group, `(…)`, in the expression it is what the first group matched.
    (
      # The text.
      text: string,
      # The expression, in the syntax of Rust's `regex`.
      regex: string,
    ) -> string?
    "
    examples: [r#"text.find(file.read("Cargo.toml"), regex: 'version = "(.+)"') ?? "0.0.0""#]
}

fn find(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text: String = arguments.get("text")?;
    let regex = super::regex::of(arguments)?;
    Ok(regex.captures(&text).map(|found| matched(&found)).into())
}

/// The first group of a match, empty when it took no part; the whole match without groups.
pub(super) fn matched(found: &Captures<'_>) -> String {
    let group = usize::from(found.len() > 1);
    found.get(group).map_or(String::new(), |m| m.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn the_first_match_or_its_group() {
        let find = |text: &str, regex: &str| {
            let given = [("text", text.into()), ("regex", regex.into())];
            Machine::new().fact("text.find", &given)
        };
        assert_eq!(find("a1b22", r"\d+"), Ok("1".into()));
        assert_eq!(find("a1b22", r"b(\d+)"), Ok("22".into()));
        assert_eq!(find("ab", "a(x)?"), Ok("".into()));
        assert_eq!(find("ab", r"\d"), Ok(Value::Null));
    }
}
