//! A regular expression of a call.

use pipe_grammar::Code;
use regex::Regex;

use crate::core::{Arguments, Failure};

/// Reads the argument `regex`. Matching takes time in proportion to the text, whatever the
/// expression.
pub(super) fn of(arguments: &Arguments) -> Result<Regex, Failure> {
    let written: String = arguments.get("regex")?;
    Regex::new(&written).map_err(|error| {
        let text = error.to_string();
        // The crate draws the place over several lines; the last one says what is wrong.
        let why = text.lines().last().unwrap_or("");
        let why = why.strip_prefix("error: ").unwrap_or(why);
        let mut chars = why.trim_end_matches('.').chars();
        let why: String =
            chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect();
        Failure::new(Code::BAD_REGEX, format!("`{written}` is no regular expression: {why}"))
            .at_argument("regex")
            .help("in a raw string, between `'` marks, a `\\` stands for itself")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::testing::Machine;

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        let bad = |regex: &str| {
            let given = [("text", "x".into()), ("regex", regex.into())];
            Machine::new().fact("text.matches", &given).unwrap_err().message
        };
        assert_eq!(bad("(a"), "`(a` is no regular expression: unclosed group");
        assert!(
            bad("a{1000}{1000}").ends_with("compiled regex exceeds size limit of 10485760 bytes")
        );
        assert!(bad(r"(?<=a)b").contains("look-around"));
    }
}
