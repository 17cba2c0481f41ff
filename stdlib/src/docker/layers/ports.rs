//! The ports of `EXPOSE`.

/// `8080`, `53/udp`, `8000-8002/tcp` as the keys of an image's configuration.
///
/// # Errors
///
/// What is wrong with the text.
pub(super) fn parse(text: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{text}` is no port: write `8080`, `53/udp` or `8000-8010`");
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("`{text}`: a port is of `tcp`, `udp` or `sctp`"));
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits).ok_or_else(wrong)
    };
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(wrong());
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read() {
        assert_eq!(parse("8080"), Ok(vec!["8080/tcp".into()]));
        assert_eq!(parse("53/UDP"), Ok(vec!["53/udp".into()]));
        assert_eq!(parse("1-3"), Ok(vec!["1/tcp".into(), "2/tcp".into(), "3/tcp".into()]));
        for text in ["", "a", "70000", "3-1", "80/http", "+1", "80:80", "1-"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
