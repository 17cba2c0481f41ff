//! The options of `HEALTHCHECK`.

use parse_dockerfile::Flag;
use pipe_oci::Healthcheck;

use super::wrong::Wrong;

/// A health check with its options.
pub(super) fn check(test: Vec<String>, options: &[Flag<'_>]) -> Result<Healthcheck, Wrong> {
    let mut check = Healthcheck { test, ..Healthcheck::default() };
    for option in options {
        let name = &*option.name.value;
        let value = option.value.as_ref().map_or("", |value| &*value.value);
        let wrong = || {
            Wrong::new(option.span(), format!("`--{name}={value}` can't be read"))
                .help("times are written as in `1m30s` and `500ms`, retries as a number")
        };
        let time = || nanoseconds(value).ok_or_else(wrong);
        match name {
            "interval" => check.interval = time()?,
            "timeout" => check.timeout = time()?,
            "start-period" => check.start_period = time()?,
            "retries" => {
                check.retries = value.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
            }
            _ => {
                return Err(Wrong::new(option.span(), format!("`HEALTHCHECK` has no `--{name}`"))
                    .help("it has `--interval`, `--timeout`, `--start-period` and `--retries`"));
            }
        }
    }
    Ok(check)
}

/// A time in Go's notation, at least one millisecond as Docker demands.
fn nanoseconds(text: &str) -> Option<u64> {
    let units: [(&str, f64); 7] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 6e10),
        ("h", 3.6e12),
    ];
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, factor) = units.iter().find(|(unit, _)| *unit == &rest[..end])?;
        total += number * factor;
        rest = &rest[end..];
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no sign is read, and a longer time than 584 years is capped"
    )]
    Some(total.round() as u64).filter(|time| *time >= 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_gos_notation() {
        assert_eq!(nanoseconds("30s"), Some(30_000_000_000));
        assert_eq!(nanoseconds("1m30s"), Some(90_000_000_000));
        assert_eq!(nanoseconds("1.5h"), Some(5_400_000_000_000));
        assert_eq!(nanoseconds("5ms"), Some(5_000_000));
        for text in ["", "5", "s", "1x", "1s2", "-1s", "1us"] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }
}
