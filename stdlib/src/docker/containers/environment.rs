//! The environment that a call gives to a container.

use crate::core::{Arguments, Value, text_of};

/// `NAME=value` for each; a secret is revealed to the container.
pub(in crate::docker) fn environment(arguments: &Arguments) -> Vec<String> {
    given(arguments)
        .map(|(name, value)| match value {
            Value::Secret(secret) => format!("{name}={}", secret.reveal()),
            value => format!("{name}={}", text_of(value).unwrap_or_default()),
        })
        .collect()
}

/// The secrets in it, each line apart: what the container may write into its log.
pub(in crate::docker) fn secrets(arguments: &Arguments) -> Vec<String> {
    let revealed = given(arguments).filter_map(|(_, value)| match value {
        Value::Secret(secret) => Some(secret.reveal().to_owned()),
        _ => None,
    });
    let lines = revealed.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|line| !line.is_empty()).collect()
}

fn given(arguments: &Arguments) -> impl Iterator<Item = (&str, &Value)> {
    let given = arguments.value("env").as_record().into_iter().flatten();
    given.map(|(name, value)| (&**name, value))
}
