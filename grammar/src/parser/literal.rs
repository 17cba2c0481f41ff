//! Numbers, durations and sizes: one token for pest, told apart here.

use crate::tree::ExprKind;

/// Units of time, longest first, with their milliseconds.
const TIMES: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Units of size with their bytes: SI and IEC.
const SIZES: [(&str, u64); 10] = [
    ("B", 1),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
];

/// Why a number can't be read: what is wrong, and what may have been meant.
pub(super) type Refusal = (String, Option<String>);

/// Reads `42`, `1_000`, `0.1`, `1h30m`, `128MiB`.
pub(super) fn number(text: &str) -> Result<ExprKind, Refusal> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let digits = plain.len() - plain.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == plain.len() {
        let too_big = || (format!("`{text}` is too big for an int, which has 64 bits"), None);
        return plain.parse().map(ExprKind::Int).map_err(|_| too_big());
    }
    let whole =
        plain.len() - plain.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (amount, unit) = plain.split_at(whole);
    if unit.is_empty() {
        return float(text, amount);
    }
    if let Some((_, bytes)) = SIZES.iter().find(|(name, _)| *name == unit) {
        return size(text, amount, *bytes);
    }
    let wrong = || {
        let message = format!("`{text}` is no number, duration or size");
        (message, Some(unit_help(amount, unit)))
    };
    if amount.contains('.') {
        let hint = TIMES.iter().find(|(name, _)| *name == unit).map(|(_, millis)| {
            let total = amount.parse::<f64>().unwrap_or(0.0) * *millis as f64;
            format!("write it without a fraction: `{}`", duration_text(total as u64))
        });
        return Err((format!("`{text}` is no duration"), hint.or_else(|| wrong().1)));
    }
    time(text, &plain).ok_or_else(wrong).flatten()
}

fn float(text: &str, amount: &str) -> Result<ExprKind, Refusal> {
    let wrong =
        || (format!("`{text}` is no number"), Some(format!("a version is a text: `\"{text}\"`")));
    amount.parse().map(ExprKind::Float).map_err(|_| wrong())
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn size(text: &str, amount: &str, bytes: u64) -> Result<ExprKind, Refusal> {
    let too_big = || (format!("`{text}` is too big"), None);
    if let Ok(whole) = amount.parse::<u64>() {
        return whole.checked_mul(bytes).map(ExprKind::Size).ok_or_else(too_big);
    }
    let amount: f64 = amount.parse().map_err(|_| (format!("`{text}` is no size"), None))?;
    Ok(ExprKind::Size((amount * bytes as f64) as u64))
}

/// `1h30m`: units from long to short, each at most once. None: no duration at all.
fn time(text: &str, plain: &str) -> Option<Result<ExprKind, Refusal>> {
    let mut rest = plain;
    let mut total: u64 = 0;
    let mut last = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let amount: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let place = TIMES.iter().position(|(name, _)| *name == &rest[..letters])? + 1;
        rest = &rest[letters..];
        if place <= last {
            let message = format!("the units of `{text}` are not in order");
            let help = "longest first, each once: `1d2h30m5s`".to_owned();
            return Some(Err((message, Some(help))));
        }
        last = place;
        let millis = amount.checked_mul(TIMES[place - 1].1);
        match millis.and_then(|millis| total.checked_add(millis)) {
            Some(sum) => total = sum,
            None => return Some(Err((format!("`{text}` is too long"), None))),
        }
    }
    Some(Ok(ExprKind::Duration(total)))
}

/// How a duration of so many milliseconds is written.
#[must_use]
pub fn duration_text(millis: u64) -> String {
    let mut rest = millis;
    let mut text = String::new();
    for (name, length) in TIMES {
        if rest >= length {
            text.push_str(&format!("{}{name}", rest / length));
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// How a size of so many bytes is written: in the biggest unit that leaves no rest.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    let (name, unit) = SIZES
        .iter()
        .filter(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit))
        .max_by_key(|(_, unit)| *unit)
        .unwrap_or(&("B", 1));
    format!("{}{name}", bytes / unit)
}

fn unit_help(amount: &str, unit: &str) -> String {
    let meant = match unit.to_ascii_lowercase().as_str() {
        "min" | "mins" | "minute" | "minutes" => Some("m"),
        "sec" | "secs" | "second" | "seconds" => Some("s"),
        "hour" | "hours" | "hr" | "hrs" => Some("h"),
        "day" | "days" => Some("d"),
        "msec" | "millis" => Some("ms"),
        "k" | "kb" => Some("kB"),
        "mb" => Some("MB"),
        "g" | "gb" => Some("GB"),
        "tb" => Some("TB"),
        "ki" | "kib" => Some("KiB"),
        "mi" | "mib" => Some("MiB"),
        "gi" | "gib" => Some("GiB"),
        _ => None,
    };
    match meant {
        Some(unit) => format!("write `{amount}{unit}`"),
        None => "durations are written like `90s`, `1h30m`; sizes like `128MiB`, `10kB`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match number(text) {
            Ok(kind) => format!("{kind:?}"),
            Err((message, help)) => format!("{message}; {}", help.unwrap_or_default()),
        }
    }

    #[test]
    fn numbers_are_told_apart() {
        assert_eq!(read("1_000"), "Int(1000)");
        assert_eq!(read("0.1"), "Float(0.1)");
        assert_eq!(read("1h30m"), "Duration(5400000)");
        assert_eq!(read("500ms"), "Duration(500)");
        assert_eq!(read("128MiB"), "Size(134217728)");
        assert_eq!(read("10kB"), "Size(10000)");
        assert_eq!(read("1.5GiB"), "Size(1610612736)");
    }

    #[test]
    fn what_is_none_is_explained() {
        assert_eq!(read("10min"), "`10min` is no number, duration or size; write `10m`");
        assert_eq!(
            read("1m2h"),
            "the units of `1m2h` are not in order; longest first, each once: `1d2h30m5s`"
        );
        assert_eq!(read("1.5h"), "`1.5h` is no duration; write it without a fraction: `1h30m`");
        assert!(read("99999999999999999999").contains("too big"));
        assert!(read("5x").contains("no number"));
    }

    #[test]
    fn units_are_written_back() {
        assert_eq!(duration_text(5_400_000), "1h30m");
        assert_eq!(duration_text(0), "0s");
        assert_eq!(size_text(134_217_728), "128MiB");
        assert_eq!(size_text(10_000), "10kB");
        assert_eq!(size_text(1), "1B");
    }
}
