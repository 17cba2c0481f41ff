//! Where the values of a YAML text stand.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Options, Spanned};

use super::pointer::{Inside, Node};

/// The tree of places, of a text that was read as YAML before. An alias stands where it is
/// written, not where it leads to.
pub(super) fn read(text: &str) -> Option<Node> {
    let mut options = Options::default();
    options.strict_booleans = true;
    options.with_snippet = false;
    let tree: Spanned<Value> = serde_saphyr::from_str_with_options(text, options).ok()?;
    Some(node(tree, text))
}

enum Value {
    Map(Vec<(Spanned<String>, Spanned<Value>)>),
    List(Vec<Spanned<Value>>),
    Scalar,
}

fn node(tree: Spanned<Value>, text: &str) -> Node {
    let mut span = bytes(tree.referenced, text);
    let inside = match tree.value {
        Value::Scalar => Inside::Scalar,
        Value::List(items) => {
            Inside::Array(items.into_iter().map(|item| node(item, text)).collect())
        }
        Value::Map(members) => Inside::Object(
            members
                .into_iter()
                .map(|(key, value)| {
                    let at = bytes(key.referenced, text);
                    (key.value, at, node(value, text))
                })
                .collect(),
        ),
    };
    // A block has no sign at which it begins: its first line stands for it.
    if !matches!(inside, Inside::Scalar) {
        let line = text[span.start..].lines().next().unwrap_or_default().trim_end();
        span.end = span.start + line.len();
    }
    Node { span, inside }
}

fn bytes(place: Location, text: &str) -> Range<usize> {
    let number = |value: Option<u64>| value.and_then(|value| usize::try_from(value).ok());
    let start = number(place.span().byte_offset()).unwrap_or(0);
    let end = start + number(place.span().byte_len()).unwrap_or(0);
    // A place that is none would cut the text in the middle of a character.
    if text.get(start..end).is_some() { start..end } else { 0..0 }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Scalar)
            }

            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
                inner.deserialize_any(self)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Value::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Value::Map(members))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{super::pointer::find, *};

    const TEXT: &str = "\
# the shöp
id: /web
container: &c
  docker:
    image: \"shop:1\"   # which one
    portMappings:
    - containerPort: 80
      name: http
    - {containerPort: 81}
constraints: [[hostname, UNIQUE]]
env:
  NOTHING: ~
  LONG: |
    one
    two
again: *c
";

    #[test]
    fn values_and_keys_are_found() {
        let tree = read(TEXT).unwrap();
        let shown = |pointer: &str| &TEXT[find(&tree, pointer).unwrap().1.span.clone()];
        let key = |pointer: &str| &TEXT[find(&tree, pointer).unwrap().0.unwrap().clone()];
        assert_eq!(shown("/id"), "/web");
        assert_eq!(shown("/container/docker/image"), "\"shop:1\"");
        assert_eq!(shown("/container/docker/portMappings/0/containerPort"), "80");
        assert_eq!(shown("/container/docker/portMappings/0"), "containerPort: 80");
        assert_eq!(shown("/container/docker/portMappings/1/containerPort"), "81");
        assert_eq!(shown("/constraints/0/1"), "UNIQUE");
        assert_eq!(shown("/env/NOTHING"), "~");
        assert_eq!(key("/container/docker/portMappings"), "portMappings");
        assert_eq!(key("/container/docker/portMappings/0/name"), "name");
        assert_eq!(key("/env/LONG"), "LONG");
        assert!(find(&tree, "/again/docker/image").is_some());
        assert!(find(&tree, "/container/docker/network").is_none());
    }

    #[test]
    fn what_is_no_yaml_gives_nothing() {
        for text in ["a: [1", "a: *x", &"[".repeat(10_000)] {
            assert!(read(text).is_none(), "{text:.20}");
        }
    }
}
