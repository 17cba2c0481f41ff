//! The id of a run: its time, and some letters that make it one of a kind.

use std::hash::{BuildHasher, RandomState};

/// `20261125-103411-k3f9`: sorts by time, and is easy to say and to type.
#[must_use]
pub fn new_id(now: jiff::Timestamp) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let zoned = now.to_zoned(jiff::tz::TimeZone::UTC);
    // The standard library seeds each hasher at random.
    let mut random = RandomState::new().hash_one(now.as_nanosecond());
    let mut letters = String::new();
    for _ in 0..4 {
        letters.push(char::from(LETTERS[usize::try_from(random % 32).unwrap_or(0)]));
        random /= 32;
    }
    format!("{}-{letters}", zoned.strftime("%Y%m%d-%H%M%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_sort_by_time() {
        let now = jiff::Timestamp::from_second(1_790_000_000).expect("a time");
        let (a, b) = (new_id(now), new_id(now));
        assert_ne!(a, b);
        assert_eq!(&a[..15], "20260921-141320");
    }
}
