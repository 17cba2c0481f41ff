//! `time.now`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact time.now, now;
    "
    # The time, in UTC: `2026-11-25T13:48:41Z` (RFC 3339).
    #
    # Read each time it is evaluated: a `let` keeps what it was.
    -> string
    "
    examples: ["time.now"]
}

fn now(world: &World, _: &Arguments) -> Result<Value, Failure> {
    // A timestamp is written in nanoseconds otherwise.
    Ok(world.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::testing::Machine;

    #[test]
    fn in_whole_seconds() {
        let machine =
            Machine::new().with_clock(|| jiff::Timestamp::new(1_795_614_521, 999_999_999).unwrap());
        assert_eq!(machine.fact("time.now", &[]), Ok("2026-11-25T13:48:41Z".into()));
    }
}
