//! `text.find_all(text, regex)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact text.find_all, find_all;
    "
    # All matches of a regular expression in a text, in their order.
    #
    # With a group, `(…)`, in the expression: what the first group matched each time.
    (
      # The text.
      text: string,
      # The expression, in the syntax of Rust's `regex`.
      regex: string,
    ) -> list<string>
    "
    examples: [r#"text.find_all(file.read("Dockerfile"), regex: '(?m)^FROM (\S+)')"#]
}

fn find_all(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text: String = arguments.get("text")?;
    let regex = super::regex::of(arguments)?;
    Ok(Value::strings(regex.captures_iter(&text).map(|found| super::find::matched(&found))))
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn all_in_order() {
        let find_all = |text: &str, regex: &str| {
            let given = [("text", text.into()), ("regex", regex.into())];
            Machine::new().fact("text.find_all", &given)
        };
        assert_eq!(find_all("a1b22", r"\d+"), Ok(Value::strings(["1", "22"])));
        assert_eq!(find_all("a=1\nb=2", r"(?m)^(\w)="), Ok(Value::strings(["a", "b"])));
        assert_eq!(find_all("x", r"\d"), Ok(Value::list([])));
    }
}
