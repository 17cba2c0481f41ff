//! `json.merge(base, with)`

use serde_json::Value as Json;

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact json.merge, merge;
    "
    # A value with changes merged into it.
    #
    # Fields of objects are merged at any depth, all else is replaced. Lists and null replace what is there, as `with:` of `marathon.deploy` does it.
    (
      # What is changed.
      base: json,
      # The changes.
      with: any,
    ) -> json
    "
    examples: [r#"json.merge(json.read("config.json"), with: { log.level: "debug" })"#]
}

fn merge(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let mut base = arguments.value("base").to_json();
    change(&mut base, arguments.value("with").to_json());
    Ok(Value::from_json(&base))
}

fn change(base: &mut Json, with: Json) {
    match (base, with) {
        (Json::Object(base), Json::Object(with)) => {
            for (key, value) in with {
                change(base.entry(key).or_insert(Json::Null), value);
            }
        }
        (base, with) => *base = with,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{core::Value, testing::Machine};

    #[test]
    fn objects_merge_and_the_rest_is_replaced() {
        let base = json!({ "a": { "b": 1, "c": [1, 2] }, "d": 1, "e": 1 });
        let with = json!({ "a": { "c": [3], "x": { "y": 1 } }, "d": null });
        let given = [("base", Value::from_json(&base)), ("with", Value::from_json(&with))];
        let merged = json!({ "a": { "b": 1, "c": [3], "x": { "y": 1 } }, "d": null, "e": 1 });
        assert_eq!(Machine::new().fact("json.merge", &given), Ok(Value::from_json(&merged)));
    }
}
