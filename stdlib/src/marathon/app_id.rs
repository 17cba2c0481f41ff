//! `marathon.app_id`.

use pipe_grammar::Code;

use super::{definition::wrong_id, normalise::absolute};
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact marathon.app_id, app_id;
    "
    # Any text, such as the name of a branch, as a valid app id.
    #
    # Lower case; whatever is no letter, digit, dot or hyphen becomes a hyphen. A text that begins
    # with `/` keeps its slashes, in any other one they become hyphens too. Two texts may become
    # the same id.
    (
      # The text.
      text: string,
    ) -> string
    "
    examples: [r#"marathon.app_id("feature/Login_Page")"#]
}

fn app_id(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text: String = arguments.get("text")?;
    made_of(&text).map(Value::string).ok_or_else(|| {
        Failure::new(Code::EVALUATION, format!("no app id can be made of `{text}`"))
            .at_argument("text")
            .help("it needs a letter or a digit from a to z, 0 to 9")
    })
}

/// Why a text is no id of an app, and an id that is made of it.
#[must_use]
pub fn problem(text: &str) -> Option<(String, Option<String>)> {
    let why = wrong_id(&absolute(text, "/"))?;
    let repaired = made_of(text).filter(|repaired| repaired != text);
    Some((why, repaired))
}

fn made_of(text: &str) -> Option<String> {
    let absolute = text.starts_with('/');
    let mut parts: Vec<String> = if absolute {
        text.split('/').map(part).filter(|part| !part.is_empty()).collect()
    } else {
        vec![part(text)]
    };
    // The last part may not be one of Marathon's own words.
    if let Some(last) = parts.last_mut()
        && matches!(last.as_str(), "restart" | "tasks" | "versions")
    {
        last.insert_str(0, "app-");
    }
    let id = parts.join("/");
    wrong_id(&format!("/{id}")).is_none().then(|| if absolute { format!("/{id}") } else { id })
}

/// One part of an id: labels of letters, digits and inner hyphens, with dots between them.
fn part(text: &str) -> String {
    let legal = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.') => c,
        _ => '-',
    };
    let plain: String = text.chars().map(legal).collect();
    let labels = plain.split('.').map(|label| {
        let words: Vec<&str> = label.split('-').filter(|word| !word.is_empty()).collect();
        words.join("-")
    });
    labels.filter(|label| !label.is_empty()).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_ids() {
        for (text, id) in [
            ("web", Some("web")),
            ("feature/Login_Page", Some("feature-login-page")),
            ("-Äpfel & Birnen-", Some("pfel-birnen")),
            ("release/1.4.x", Some("release-1.4.x")),
            ("..a..b.", Some("a.b")),
            ("/Shop//My Web/", Some("/shop/my-web")),
            ("tasks", Some("app-tasks")),
            ("/tasks/restart", Some("/tasks/app-restart")),
            ("restarts", Some("restarts")),
            ("", None),
            ("/", None),
            ("жук", None),
        ] {
            assert_eq!(made_of(text).as_deref(), id, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_made_is_an_id_and_stays(text in "\\PC{0,40}") {
            if let Some(id) = made_of(&text) {
                let absolute = if id.starts_with('/') { id.clone() } else { format!("/{id}") };
                proptest::prop_assert_eq!(wrong_id(&absolute), None);
                proptest::prop_assert_eq!(made_of(&id), Some(id));
            }
        }
    }
}
