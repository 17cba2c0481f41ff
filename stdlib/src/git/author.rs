//! `git.author`

use super::repository;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact git.author, author;
    "
    # Who wrote the commit.
    -> Author
    "
    examples: ["git.author.email"]
}

fn author(world: &World, _: &Arguments) -> Result<Value, Failure> {
    let repository = repository::open(world)?;
    let head = repository::head(&repository)?;
    let author = head.author();
    let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
    Ok(Value::record([
        ("name", text(author.name_bytes())),
        ("email", text(author.email_bytes())),
    ]))
}
