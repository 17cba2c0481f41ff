//! `marathon.diff`.

use super::{Timing, changes::lines, definition::Definition, plan::Plan, site::Site};
use crate::core::{Arguments, Call, Outcome, Value, builtin};

builtin! {
    step marathon.diff, diff;
    "
    # What `marathon.deploy` would change.
    #
    # Old and new forms of a definition, and defaults that the server fills in, are no difference.
    # `restarts`: every task would be replaced. `text`: a line for each change.
    (
      # The app definition: a JSON file, a record, or JSON.
      definition: app,
      # Changes to it: records merge, lists and null replace.
      with: any = {},
    ) -> { changed: bool, restarts: bool, text: string }
    "
    examples: [r#"marathon.diff("marathon.json", with: { instances: 3 })"#]
}

async fn diff(call: Call<'_>, arguments: Arguments) -> Outcome {
    diff_with(call, arguments, &Timing::default()).await
}

/// `marathon.diff` at another pace than the usual one.
///
/// # Errors
///
/// The definition can't be read, or nobody answers.
pub async fn diff_with(call: Call<'_>, arguments: Arguments, timing: &Timing) -> Outcome {
    let definition = Definition::read(&call, &arguments).await?;
    let site = Site::connect(call, timing).await?;
    definition.check(Some(site.client.version))?.iter().for_each(|line| site.say(line));
    let id = &definition.id;
    let before = site.app(id).await?;
    let plan = Plan::new(&definition, before.as_ref(), false, site.client.version);
    let changed = before.is_none() || !plan.changes.is_empty();
    let text = match &before {
        None => format!("`{id}` is new"),
        Some(before) if !changed => format!("`{id}` runs this definition ({})", before.version),
        Some(_) => lines(&plan.changes).join("\n"),
    };
    text.lines().for_each(|line| site.say(line));
    Ok(Value::record([
        ("changed", Value::Bool(changed)),
        ("restarts", Value::Bool(plan.restarts)),
        ("text", Value::string(text)),
    ]))
}
