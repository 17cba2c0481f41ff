//! Small helpers that keep the English of messages right.

/// `1 argument`, `2 arguments`.
#[must_use]
pub fn count(noun: &str, number: usize) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `` `name` ``.
#[must_use]
pub fn ticked(name: impl std::fmt::Display) -> String {
    format!("`{name}`")
}

/// `a`, `a or b`, `a, b or c`.
#[must_use]
pub fn list_or<T: AsRef<str>>(items: &[T]) -> String {
    joined(items, "or")
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list_and<T: AsRef<str>>(items: &[T]) -> String {
    joined(items, "and")
}

fn joined<T: AsRef<str>>(items: &[T], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {word} {}", first.join(", "), last.as_ref())
        }
    }
}

/// `a string`, `an int`.
#[must_use]
pub fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_lists_read_as_english() {
        assert_eq!(count("argument", 1), "1 argument");
        assert_eq!(count("argument", 0), "0 arguments");
        assert_eq!(list_or(&["a"]), "a");
        assert_eq!(list_or(&["a", "b", "c"]), "a, b or c");
        assert_eq!(list_and::<&str>(&[]), "");
        assert_eq!(article("int"), "an int");
        assert_eq!(article("string"), "a string");
    }
}
