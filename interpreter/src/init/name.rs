//! Names that fit where they are written.

/// A text as a part of an image's name: lower case, digits and inner hyphens.
pub(super) fn slug(text: &str) -> String {
    let slug = words(text, '-');
    if slug.is_empty() { "app".to_owned() } else { slug }
}

/// A text as the name of a stage or a value.
pub(super) fn identifier(text: &str) -> String {
    let name = words(text, '_');
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && !RESERVED.contains(&&*name) { name } else { format!("stage_{name}") }
}

/// Words that no stage can be called.
const RESERVED: [&str; 26] = [
    "let", "output", "if", "then", "else", "for", "in", "and", "or", "not", "true", "false",
    "null", "return", "parallel", "stage", "edition", "import", "type", "param", "secret", "fn",
    "connect", "on", "always", "matches",
];

fn words(text: &str, between: char) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(between) {
            out.push(between);
        }
    }
    out.trim_end_matches(between).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit() {
        assert_eq!(slug("My Shop (2)"), "my-shop-2");
        assert_eq!(slug("…"), "app");
        assert_eq!(identifier("Unit tests"), "unit_tests");
        assert_eq!(identifier("for"), "stage_for");
        assert_eq!(identifier("1st"), "stage_1st");
    }
}
