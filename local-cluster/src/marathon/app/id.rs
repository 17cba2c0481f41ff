//! The names of apps and groups.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The path of an app or a group, absolute, without `.` and `..`: `/product/web`. The root group
/// is `/`. Facts from Marathon's `state/PathId.scala`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppId(String);

/// Why a text is no id, in Marathon's words.
pub(crate) const NOT_WELL_FORMED: &str = "must fully match regular expression '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$'";
/// An id may not end with what follows an id in a URL.
pub(crate) const RESERVED: &str =
    "must not end with any of the following reserved keywords: restart, tasks, versions, ., ..";

impl AppId {
    /// The root group.
    pub(crate) fn root() -> Self {
        Self("/".to_owned())
    }

    /// The id that `text` means inside the group `base`. Repeated slashes count as one, as in
    /// Marathon's URLs. Without regard to whether it is well formed.
    pub(crate) fn resolve(text: &str, base: &Self) -> Self {
        let mut segments: Vec<&str> =
            if text.starts_with('/') { Vec::new() } else { base.segments().collect() };
        for segment in text.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    segments.pop();
                }
                segment => segments.push(segment),
            }
        }
        Self(format!("/{}", segments.join("/")))
    }

    /// The id that `text` means at the root.
    pub(crate) fn absolute(text: &str) -> Self {
        Self::resolve(text, &Self::root())
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The names between the slashes.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|s| !s.is_empty())
    }

    /// Whether it is the root group.
    pub(crate) fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The group that it lies in.
    pub(crate) fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some(("", _)) | None => Self::root(),
            Some((parent, _)) => Self(parent.to_owned()),
        }
    }

    /// Whether it lies below `group`, at any depth.
    pub(crate) fn is_below(&self, group: &Self) -> bool {
        group.is_root() && !self.is_root()
            || self.0.strip_prefix(group.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The beginning of the names of its tasks: `product_web`.
    pub(crate) fn task_name(&self) -> String {
        self.segments().collect::<Vec<_>>().join("_")
    }
}

/// Whether every segment of an id, absolute or relative, is well formed.
pub(crate) fn is_well_formed(text: &str) -> bool {
    text.split('/').filter(|s| !s.is_empty()).all(|s| s == "." || s == ".." || is_name(s))
}

/// Whether an app may not be called so, because its URL would mean something else.
pub(crate) fn is_reserved(text: &str) -> bool {
    matches!(text.rsplit('/').next(), Some("restart" | "tasks" | "versions" | "." | ".."))
}

/// Labels of letters, digits and inner hyphens, joined by dots.
fn is_name(segment: &str) -> bool {
    segment.split('.').all(|label| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AppId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AppId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::absolute(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vectors {
        well_formed: Vec<String>,
        not_well_formed: Vec<String>,
        #[serde(rename = "reservedLastSegment(1.8+)")]
        reserved: Vec<String>,
        resolve: Vec<(String, String, String)>,
    }

    #[test]
    fn ids_are_judged_and_resolved_as_marathon_does() {
        let vectors: Vectors =
            serde_json::from_str(include_str!("../../../tests/data/app-ids.json")).unwrap();
        for text in vectors.well_formed {
            assert!(is_well_formed(&text), "{text}");
        }
        for text in vectors.not_well_formed {
            assert!(!is_well_formed(&text), "{text}");
        }
        for text in vectors.reserved {
            assert!(is_reserved(&text), "{text}");
        }
        assert!(!is_reserved("/tasks/web"));
        for (base, text, expected) in vectors.resolve {
            assert_eq!(AppId::resolve(&text, &AppId::absolute(&base)).as_str(), expected);
        }
    }

    #[test]
    fn an_id_knows_its_place() {
        let id = AppId::absolute("//product//web/");
        assert_eq!(id.as_str(), "/product/web");
        assert_eq!(id.parent().as_str(), "/product");
        assert_eq!(id.parent().parent(), AppId::root());
        assert!(id.is_below(&id.parent()) && id.is_below(&AppId::root()) && !id.is_below(&id));
        assert!(!AppId::absolute("/productive").is_below(&id.parent()));
        assert_eq!(id.task_name(), "product_web");
    }
}
