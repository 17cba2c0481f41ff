//! `ci.url`

use super::jenkins;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact ci.url, url;
    "
    # The page of the build; null without a CI server.
    #
    # Null also when nobody has told the server its own address.
    -> string?
    "
    examples: [r#"ci.url ?? "a laptop""#]
}

fn url(world: &World, _: &Arguments) -> Result<Value, Failure> {
    Ok(jenkins::of_build(world, "BUILD_URL").into())
}

#[cfg(test)]
mod tests {
    use super::super::jenkins::tests::build;
    use crate::{core::Value, testing::Machine};

    #[test]
    fn the_page_of_the_build() {
        let page = "https://ci.example.com/job/shop/job/main/153/";
        assert_eq!(build().fact("ci.url", &[]), Ok(page.into()));
        assert_eq!(Machine::new().fact("ci.url", &[]), Ok(Value::Null));
    }
}
