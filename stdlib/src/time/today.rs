//! `time.today`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact time.today, today;
    "
    # The date, in UTC: `2026-11-25`.
    -> string
    "
    examples: ["time.today"]
}

fn today(world: &World, _: &Arguments) -> Result<Value, Failure> {
    Ok(world.now().strftime("%Y-%m-%d").to_string().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::testing::Machine;

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let last = Machine::new().with_clock(|| "2026-12-31T23:59:59Z".parse().unwrap());
        assert_eq!(last.fact("time.today", &[]), Ok("2026-12-31".into()));
        let first = Machine::new().with_clock(|| "2027-01-01T00:30:00+01:00".parse().unwrap());
        assert_eq!(first.fact("time.today", &[]), Ok("2026-12-31".into()));
    }
}
