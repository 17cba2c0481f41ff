//! `text.url_encode(text)`

use std::fmt::Write;

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact text.url_encode, url_encode;
    "
    # A text as a part of a URL: a path segment, or a value of its query.
    #
    # All but letters, digits and `-._~` become `%…` (RFC 3986, section 2.3), `/` and blanks too.
    (
      # The text.
      text: string,
    ) -> string
    "
    examples: [r#"text.url_encode("feature/login")"#]
}

fn url_encode(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text: String = arguments.get("text")?;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn what_is_reserved_is_encoded() {
        let encode = |text: &str| Machine::new().fact("text.url_encode", &[("text", text.into())]);
        assert_eq!(encode("a-b._~1"), Ok("a-b._~1".into()));
        assert_eq!(encode("a/b c&d=ä%"), Ok("a%2Fb%20c%26d%3D%C3%A4%25".into()));
    }
}
