//! What a registry asks for before it answers.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// The `WWW-Authenticate` of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Nothing.
    None,
    /// A name and a password with each request.
    Basic,
    /// A token, fetched elsewhere for each scope.
    Bearer {
        /// Where.
        realm: String,
        /// For whom.
        service: Option<String>,
    },
}

impl Challenge {
    /// Reads it from the headers of an answer with status 401.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let all: Vec<&str> =
            headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|v| v.to_str().ok()).collect();
        let scheme = |name: &str| {
            all.iter().find_map(|text| {
                let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
                scheme.eq_ignore_ascii_case(name).then_some(rest)
            })
        };
        if let Some(parameters) = scheme("bearer") {
            let find = |name: &str| {
                let mut found = parse(parameters).into_iter().filter(|(key, _)| key == name);
                found.next().map(|(_, value)| value)
            };
            if let Some(realm) = find("realm") {
                return Self::Bearer { realm, service: find("service") };
            }
        }
        if scheme("basic").is_some() { Self::Basic } else { Self::None }
    }
}

/// `name="value", name=value`, RFC 9110 section 11.2.
fn parse(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_ascii_lowercase();
        let after = after.trim_start();
        if let Some(quoted) = after.strip_prefix('"') {
            let (mut value, mut end, mut escaped) = (String::new(), quoted.len(), false);
            for (at, c) in quoted.char_indices() {
                match c {
                    _ if escaped => {
                        value.push(c);
                        escaped = false;
                    }
                    '\\' => escaped = true,
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    c => value.push(c),
                }
            }
            found.push((name, value));
            rest = &quoted[end..];
        } else {
            let (value, after) = after.split_once(',').unwrap_or((after, ""));
            found.push((name, value.trim().to_owned()));
            rest = after;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(values: &[&str]) -> Challenge {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::of(&headers)
    }

    #[test]
    fn challenges_are_read() {
        assert_eq!(of(&[]), Challenge::None);
        assert_eq!(of(&["Basic realm=\"x\""]), Challenge::Basic);
        let bearer = |realm: &str, service: Option<&str>| Challenge::Bearer {
            realm: realm.into(),
            service: service.map(Into::into),
        };
        assert_eq!(
            of(&[
                "Basic realm=\"x\"",
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\""
            ]),
            bearer("https://auth.docker.io/token", Some("registry.docker.io"))
        );
        assert_eq!(
            of(&["bearer realm=\"https://a/t?x=1,2\", scope=\"a:b,c\", service=s"]),
            bearer("https://a/t?x=1,2", Some("s"))
        );
        assert_eq!(of(&["Bearer scope=\"a\""]), Challenge::None);
        assert_eq!(of(&["Bearer realm=\"a\\\"b"]), bearer("a\"b", None));
    }
}
