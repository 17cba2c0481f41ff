//! What an agent has to be like: `where: { arch: "arm64", rack: "in r1, r2" }`.

use pipe_grammar::Code;

use crate::{
    client::mesos::{Amount, AttributeValue, Offer},
    core::Failure,
};

/// One entry of `where`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// An attribute, or `hostname`, `@region`, `@zone`.
    pub name: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Test {
    Is(Vec<String>),
    IsNot(Vec<String>),
    Compares(Order, Amount),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

const ORDERS: [(&str, Order); 4] =
    [("<=", Order::AtMost), (">=", Order::AtLeast), ("<", Order::Less), (">", Order::More)];

/// What an agent says of something that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Text(String),
    Attribute(AttributeValue),
}

impl Condition {
    /// Reads an entry: a text that must be equal, or one with an operator before it.
    ///
    /// # Errors
    ///
    /// When the operator lacks what it compares with, or compares with no number.
    pub fn read(name: &str, written: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::new(Code::WRONG_OPERANDS, format!("`{name}: {written:?}` {why}"))
                .at_argument("where")
                .help("write a value, `!= value`, `in a, b`, `not in a, b`, or `>= 8`")
        };
        let text = written.trim();
        let listed = |rest: &str| -> Result<Vec<String>, Failure> {
            let items: Vec<String> = rest.split(',').map(|item| item.trim().to_owned()).collect();
            if items.iter().any(String::is_empty) { Err(wrong("lists nothing")) } else { Ok(items) }
        };
        let word = |word: &str| {
            let rest = text.strip_prefix(word)?;
            (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
        };
        let test = if let Some(rest) = word("in") {
            Test::Is(listed(rest)?)
        } else if let Some(rest) = word("not in") {
            Test::IsNot(listed(rest)?)
        } else if let Some(rest) = text.strip_prefix("!=") {
            Test::IsNot(vec![rest.trim().to_owned()])
        } else if let Some(rest) = text.strip_prefix("==") {
            Test::Is(vec![rest.trim().to_owned()])
        } else if let Some((sign, order)) = ORDERS.iter().find(|(sign, _)| text.starts_with(sign)) {
            let number = text[sign.len()..].trim().parse::<f64>().ok();
            let number = number.filter(|n| n.is_finite() && *n >= 0.0);
            Test::Compares(
                *order,
                Amount::of(number.ok_or_else(|| wrong("compares with no number"))?),
            )
        } else {
            Test::Is(vec![text.to_owned()])
        };
        Ok(Self { name: name.to_owned(), test })
    }

    /// Whether the agent of an offer is like that. One without the attribute is not.
    #[must_use]
    pub fn holds(&self, offer: &Offer) -> bool {
        self.found(offer).any(|found| self.test.holds(&found))
    }

    /// What the agent has instead, for people.
    #[must_use]
    pub fn instead(&self, offer: &Offer) -> Option<String> {
        let found: Vec<String> = self
            .found(offer)
            .map(|found| match found {
                Found::Text(text) => text,
                Found::Attribute(value) => value.to_string(),
            })
            .collect();
        (!found.is_empty()).then(|| found.join(", "))
    }

    fn found<'a>(&'a self, offer: &'a Offer) -> Box<dyn Iterator<Item = Found> + 'a> {
        let text = |text: Option<&str>| -> Box<dyn Iterator<Item = Found>> {
            Box::new(text.map(|text| Found::Text(text.to_owned())).into_iter())
        };
        match self.name.as_str() {
            "hostname" => text(Some(&offer.hostname)),
            "@region" => text(offer.region()),
            "@zone" => text(offer.zone()),
            name => Box::new(
                offer
                    .attributes
                    .iter()
                    .filter(move |attribute| attribute.name == name)
                    .map(|attribute| Found::Attribute(attribute.value())),
            ),
        }
    }
}

impl Test {
    fn holds(&self, found: &Found) -> bool {
        match self {
            Self::Is(wanted) => wanted.iter().any(|text| is(found, text)),
            Self::IsNot(others) => !others.iter().any(|text| is(found, text)),
            Self::Compares(order, number) => {
                let value = match found {
                    Found::Attribute(AttributeValue::Number(value)) => Some(*value),
                    Found::Text(text) | Found::Attribute(AttributeValue::Text(text)) => {
                        text.parse().ok().map(Amount::of)
                    }
                    Found::Attribute(_) => None,
                };
                value.is_some_and(|value| match order {
                    Order::Less => value < *number,
                    Order::AtMost => value <= *number,
                    Order::More => value > *number,
                    Order::AtLeast => value >= *number,
                })
            }
        }
    }
}

/// Texts are equal, numbers are the same, ranges and sets contain it.
fn is(found: &Found, text: &str) -> bool {
    match found {
        Found::Text(value) | Found::Attribute(AttributeValue::Text(value)) => value == text,
        Found::Attribute(AttributeValue::Number(value)) => {
            text.parse().is_ok_and(|number| Amount::of(number) == *value)
        }
        Found::Attribute(AttributeValue::Ranges(ranges)) => text
            .parse()
            .is_ok_and(|n: u64| ranges.iter().any(|(from, to)| (*from..=*to).contains(&n))),
        Found::Attribute(AttributeValue::Set(items)) => items.iter().any(|item| item == text),
    }
}

/// As people write it: `rack in r1, r2`.
impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.name;
        match &self.test {
            Test::Is(one) if one.len() == 1 => write!(f, "{name} == {}", one[0]),
            Test::IsNot(one) if one.len() == 1 => write!(f, "{name} != {}", one[0]),
            Test::Is(list) => write!(f, "{name} in {}", list.join(", ")),
            Test::IsNot(list) => write!(f, "{name} not in {}", list.join(", ")),
            Test::Compares(order, number) => {
                let sign = ORDERS.iter().find(|(_, o)| o == order).map_or("", |(sign, _)| sign);
                write!(f, "{name} {sign} {number}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn offer() -> Offer {
        serde_json::from_value(json!({
            "id": { "value": "o" }, "agent_id": { "value": "a" }, "hostname": "node-7",
            "domain": { "fault_domain": { "region": { "name": "eu" }, "zone": { "name": "eu-1" } } },
            "attributes": [
                { "name": "rack", "type": "TEXT", "text": { "value": "r1" } },
                { "name": "cores", "type": "SCALAR", "scalar": { "value": 16.0 } },
                { "name": "vlan", "type": "RANGES", "ranges": { "range": [{ "begin": 10, "end": 20 }] } },
                { "name": "features", "type": "SET", "set": { "item": ["ssd", "avx"] } },
                { "name": "year", "type": "TEXT", "text": { "value": "2024" } },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn attributes_are_compared_by_their_kind() {
        let holds = |name, written| Condition::read(name, written).unwrap().holds(&offer());
        for (name, written) in [
            ("rack", "r1"),
            ("rack", "== r1"),
            ("rack", "!= r2"),
            ("rack", "in r0, r1"),
            ("rack", "not in r2, r3"),
            ("cores", "16"),
            ("cores", ">= 16"),
            ("cores", "> 15.5"),
            ("cores", "<= 16"),
            ("year", ">= 2020"),
            ("vlan", "15"),
            ("vlan", "!= 21"),
            ("features", "ssd"),
            ("hostname", "node-7"),
            ("@region", "eu"),
            ("@zone", "in eu-1, eu-2"),
        ] {
            assert!(holds(name, written), "{name}: {written}");
        }
        for (name, written) in [
            ("rack", "r"),
            ("rack", "in r0"),
            ("cores", "< 16"),
            ("vlan", "21"),
            ("features", "gpu"),
            ("rack", "> 1"),
            // Who lacks the attribute is not meant, whatever is asked for.
            ("arch", "!= arm64"),
            ("arch", "not in arm64"),
        ] {
            assert!(!holds(name, written), "{name}: {written}");
        }
    }

    #[test]
    fn conditions_are_shown_as_they_are_meant() {
        let shown = |written| Condition::read("rack", written).unwrap().to_string();
        assert_eq!(shown("r1"), "rack == r1");
        assert_eq!(shown("!=r1"), "rack != r1");
        assert_eq!(shown("in r1,r2"), "rack in r1, r2");
        assert_eq!(shown(">=8"), "rack >= 8");
        // A value may begin like an operator.
        assert_eq!(shown("intel"), "rack == intel");
        assert!(Condition::read("rack", "in ").is_err());
        assert!(Condition::read("rack", "> many").is_err());
    }

    #[test]
    fn what_an_agent_has_instead_is_told() {
        let instead = |name| Condition::read(name, "x").unwrap().instead(&offer());
        assert_eq!(instead("features").as_deref(), Some("ssd,avx"));
        assert_eq!(instead("vlan").as_deref(), Some("10-20"));
        assert_eq!(instead("arch"), None);
    }
}
