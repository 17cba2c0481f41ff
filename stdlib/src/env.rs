//! `env(name)`: a variable of the environment.

use crate::core::{Arguments, Failure, Value, World, builtin};
use pipe_grammar::Code;

builtin! {
    fact env, env;
    "
    # The value of an environment variable of `pipe`.
    #
    # Without a default, a variable that is not set is an error where it is first needed.
    (
      # The variable's name.
      name: string,
      # Its value when it is not set.
      default: string?,
    ) -> string
    "
    examples: [r#"env("HOME")"#, r#"env("LOG_LEVEL", default: "info")"#]
}

fn env(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let name: String = arguments.get("name")?;
    if let Some(value) = world.variable(&name) {
        return Ok(value.into());
    }
    match arguments.value("default") {
        Value::Null => Err(Failure::new(
            Code::MISSING_VARIABLE,
            format!("the environment variable `{name}` is not set"),
        )
        .at_argument("name")
        .help(format!("set it: `{name}=… pipe run`"))
        .help(format!("or give a default: `env(\"{name}\", default: \"…\")`"))),
        default => Ok(default.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let variables = [("A".to_owned(), "1".to_owned())].into();
        World::new("/x".into(), "/x".into(), variables)
    }

    #[test]
    fn a_set_variable_wins_over_its_default() {
        let mut arguments = Arguments::default();
        arguments.bind("name", "A".into(), true);
        arguments.bind("default", "2".into(), true);
        assert_eq!(env(&world(), &arguments), Ok("1".into()));
    }

    #[test]
    fn a_missing_one_is_named() {
        let mut arguments = Arguments::default();
        arguments.bind("name", "B".into(), true);
        let failure = env(&world(), &arguments).expect_err("it is not set");
        assert_eq!(failure.message, "the environment variable `B` is not set");
        arguments.bind("default", "2".into(), true);
        assert_eq!(env(&world(), &arguments), Ok("2".into()));
    }
}
