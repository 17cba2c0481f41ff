//! `hash.text(text)`

use sha2::{Digest, Sha256};

use crate::core::{Arguments, Failure, Value, World, builtin, hexadecimal};

builtin! {
    fact hash.text, text;
    "
    # The SHA-256 of a text, of its UTF-8.
    (
      # The text.
      text: string,
    ) -> string
    "
    examples: [r#"hash.text(git.branch ?? "")"#]
}

fn text(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text: String = arguments.get("text")?;
    Ok(hexadecimal(&Sha256::digest(text)).into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn the_sum_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Machine::new().fact("hash.text", &[("text", "abc".into())]), Ok(sum.into()));
    }
}
