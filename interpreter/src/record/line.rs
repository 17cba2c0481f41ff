//! A line of a journal: an event as JSON, whose last field is the sum of what stands before it.

/// Where the sum begins.
const MARK: &str = ",\"sum\":\"";

/// Puts the sum of an object of JSON into it, and ends the line.
#[must_use]
pub fn seal(json: &[u8]) -> Vec<u8> {
    let body = json.strip_suffix(b"}").unwrap_or(json);
    let mut line = body.to_vec();
    line.extend_from_slice(format!("{MARK}{:08x}\"}}\n", crc32fast::hash(body)).as_bytes());
    line
}

/// The object of a line, without its end, whose sum is right.
#[must_use]
pub fn open(line: &str) -> Option<serde_json::Value> {
    let (body, sum) = line.strip_suffix("\"}")?.rsplit_once(MARK)?;
    let right = u32::from_str_radix(sum, 16).ok()? == crc32fast::hash(body.as_bytes());
    if !right || sum.len() != 8 {
        return None;
    }
    serde_json::from_str(&format!("{body}}}")).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_flipped_bit_anywhere_is_found() {
        let line = seal(br#"{"n":1,"event":"said","text":"a \"b\""}"#);
        let line = &line[..line.len() - 1];
        assert_eq!(open(std::str::from_utf8(line).unwrap()).unwrap()["n"], 1);
        for place in 0..line.len() {
            for bit in 0..7 {
                let mut broken = line.to_vec();
                broken[place] ^= 1 << bit;
                let Ok(text) = String::from_utf8(broken) else { continue };
                // A digit of the sum may change its case.
                let same = text.eq_ignore_ascii_case(std::str::from_utf8(line).unwrap())
                    && place > line.len() - 11;
                assert!(same || open(&text).is_none(), "{text}");
            }
        }
    }

    #[test]
    fn a_torn_line_is_none() {
        let line = seal(br#"{"n":1}"#);
        for end in 0..line.len() - 1 {
            assert!(open(std::str::from_utf8(&line[..end]).unwrap()).is_none());
        }
    }
}
