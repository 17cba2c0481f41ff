//! `ci.change`

use super::jenkins;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact ci.change, change;
    "
    # The pull request, merge request or change that is built; null when none is.
    #
    # Its texts are written by strangers. What the server does not say is empty.
    -> Change?
    "
    examples: ["ci.change != null and ci.change.fork"]
}

fn change(world: &World, _: &Arguments) -> Result<Value, Failure> {
    let text = |name: &str| jenkins::of_build(world, name).unwrap_or("");
    if text("CHANGE_ID").is_empty() {
        return Ok(Value::Null);
    }
    Ok(Value::record([
        ("id", text("CHANGE_ID").into()),
        ("title", text("CHANGE_TITLE").into()),
        ("author", text("CHANGE_AUTHOR").into()),
        ("source", text("CHANGE_BRANCH").into()),
        ("target", text("CHANGE_TARGET").into()),
        ("url", text("CHANGE_URL").into()),
        // Set only when the change comes from another repository: its name or owner.
        ("fork", Value::Bool(!text("CHANGE_FORK").is_empty())),
    ]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::jenkins::tests::build;
    use crate::core::Value;

    #[test]
    fn a_change_or_null() {
        assert_eq!(build().fact("ci.change", &[]), Ok(Value::Null));
        let machine = build()
            .with("CHANGE_ID", "17")
            .with("CHANGE_TITLE", "$(rm -rf /)")
            .with("CHANGE_TARGET", "main")
            .with("CHANGE_FORK", "stranger");
        let change = machine.fact("ci.change", &[]).unwrap();
        let fields = change.as_record().unwrap();
        assert_eq!(fields["title"], "$(rm -rf /)".into());
        assert_eq!(fields["fork"], Value::Bool(true));
        assert_eq!(fields["author"], "".into());
    }
}
