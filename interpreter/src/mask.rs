//! Hides secrets in text: the second net. The first is that a secret is a type.

use std::{borrow::Cow, fmt::Write, sync::RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use pipe_stdlib::core::Secret;

/// What stands instead of a secret.
pub const STARS: &str = "***";

/// Lines of a secret shorter than this are not masked by themselves: they would mask half of
/// everything (a key's `-----` or `}`).
const SHORTEST_LINE: usize = 6;

/// Hides secrets, in all forms that they are likely to take.
#[derive(Default)]
pub struct Mask {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    forms: Vec<String>,
    finder: Option<AhoCorasick>,
}

impl Mask {
    /// Hides one more secret from here on.
    pub fn add(&self, secret: &Secret) {
        let mut inner = self.inner.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = inner.forms.len();
        for form in forms(secret.reveal()) {
            if !inner.forms.contains(&form) {
                inner.forms.push(form);
            }
        }
        if inner.forms.len() == before {
            return;
        }
        // Longest first, so that of two that overlap the whole one goes.
        inner.finder =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&inner.forms).ok();
    }

    /// The text without secrets.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let inner = self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &inner.finder {
            Some(finder) if finder.is_match(text) => {
                Cow::Owned(finder.replace_all(text, &vec![STARS; inner.forms.len()]))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The JSON without secrets, and whether there was one in it.
    #[must_use]
    pub fn json(&self, json: &serde_json::Value) -> (serde_json::Value, bool) {
        use serde_json::Value as Json;
        match json {
            Json::String(text) => match self.text(text) {
                Cow::Owned(masked) => (masked.into(), true),
                Cow::Borrowed(_) => (json.clone(), false),
            },
            Json::Array(items) => {
                let (items, hidden): (Vec<_>, Vec<_>) =
                    items.iter().map(|item| self.json(item)).unzip();
                (items.into(), hidden.contains(&true))
            }
            Json::Object(fields) => {
                let mut hidden = false;
                let fields = fields.iter().map(|(name, value)| {
                    let (value, inside) = self.json(value);
                    let name = self.text(name);
                    hidden |= inside || matches!(name, Cow::Owned(_));
                    (name.into_owned(), value)
                });
                (Json::Object(fields.collect()), hidden)
            }
            other => (other.clone(), false),
        }
    }

    /// How much of the beginning of a line may be shown while its rest is not known: no secret
    /// begins in it and ends behind it.
    #[must_use]
    pub fn safe(&self, bytes: &[u8]) -> usize {
        let inner = self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let longest = inner.forms.iter().map(String::len).max().unwrap_or(1);
        let cut = bytes.len().saturating_sub(longest - 1);
        let Some(finder) = &inner.finder else { return cut };
        let crosses =
            finder.find_iter(bytes).find(|found| found.start() < cut && cut < found.end());
        crosses.map_or(cut, |found| found.start())
    }

    /// The bytes without secrets.
    #[must_use]
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let inner = self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &inner.finder {
            Some(finder) if finder.is_match(bytes) => {
                Cow::Owned(finder.replace_all_bytes(bytes, &vec![STARS; inner.forms.len()]))
            }
            _ => Cow::Borrowed(bytes),
        }
    }
}

/// The forms of a secret: itself, each of its lines, and their usual encodings.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    for text in std::iter::once(secret).chain(lines) {
        if text.len() < SHORTEST_LINE {
            continue;
        }
        forms.push(text.to_owned());
        for offset in 0..3 {
            let encoded = base64(text.as_bytes(), offset);
            forms.push(encoded.replace('+', "-").replace('/', "_"));
            forms.push(encoded);
        }
        let mut hex = String::new();
        let mut url = String::new();
        for byte in text.bytes() {
            let _ = write!(hex, "{byte:02x}");
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                url.push(char::from(byte));
            } else {
                let _ = write!(url, "%{byte:02X}");
            }
        }
        forms.push(hex.to_uppercase());
        forms.push(hex);
        forms.push(url.replace("%20", "+"));
        forms.push(url);
        let json = serde_json::Value::from(text).to_string();
        forms.push(json[1..json.len() - 1].to_owned());
        forms.push(text.replace('\'', r"'\''"));
        // As `bash -x` and `printf %q` quote it.
        let quoted: String = text
            .chars()
            .flat_map(|c| {
                let plain = c.is_ascii_alphanumeric() || "_-.,/:@%+=".contains(c) || !c.is_ascii();
                if plain { vec![c] } else { vec!['\\', c] }
            })
            .collect();
        forms.push(quoted);
    }
    forms.retain(|form| form.len() >= SHORTEST_LINE);
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The base64 text of the bytes as it looks inside a longer one, `offset` bytes behind a multiple
/// of three: only the characters that no neighbour can change.
fn base64(bytes: &[u8], offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
    // Characters whose six bits all lie in our bytes.
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    (first..last)
        .map(|place| {
            let bit = place * 6;
            let high = u16::from(padded[bit / 8]) << 8;
            let low = padded.get(bit / 8 + 1).copied().map_or(0, u16::from);
            let six = ((high | low) >> (10 - bit % 8)) & 0x3f;
            char::from(ALPHABET[usize::from(six)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secret: &str, text: &str) -> String {
        let mask = Mask::default();
        mask.add(&Secret::new(secret));
        mask.text(text).into_owned()
    }

    #[test]
    fn the_plain_form_goes() {
        assert_eq!(masked("hunter22", "a hunter22 b hunter22"), "a *** b ***");
        assert_eq!(masked("hunter22", "nothing"), "nothing");
    }

    #[test]
    fn base64_goes_at_every_offset() {
        // echo -n Xhunter22Y | base64, with X of 0, 1, 2 characters
        assert_eq!(masked("hunter22", "aHVudGVyMjI="), "***I=");
        assert!(!masked("hunter22", "eGh1bnRlcjIyeQ==").contains("h1bnRlcjIy"));
        assert!(!masked("hunter22", "eHhodW50ZXIyMnk=").contains("odW50ZXIyMn"));
    }

    #[test]
    fn other_encodings_go() {
        assert_eq!(masked("p ss&w/rd", "p%20ss%26w%2Frd"), "***");
        assert_eq!(masked("hunter22", "68756e7465723232"), "***");
        assert_eq!(masked("a\"b\\c\"d", r#"{"x": "a\"b\\c\"d"}"#), "{\"x\": \"***\"}");
    }

    #[test]
    fn each_line_of_a_key_goes_and_short_ones_stay() {
        let key = "-----BEGIN KEY-----\nabcdefghij\n}\n-----END KEY-----";
        assert_eq!(masked(key, "x abcdefghij y }"), "x *** y }");
    }
}
