//! Names that no other thing has.

use std::{fs::File, io::Read};

/// Random bytes of the kernel.
pub(crate) fn bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A random UUID ([RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-4), version 4).
pub(crate) fn uuid() -> String {
    // A machine without /dev/urandom can't run the cluster; the clock is only to keep going.
    let mut bytes: [u8; 16] = bytes().unwrap_or_else(|_| {
        let clock = jiff::Timestamp::now().as_nanosecond();
        clock.to_le_bytes()
    });
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        use std::fmt::Write as _;
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_form_and_is_new() {
        let text = uuid();
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(text.as_bytes()[14], b'4');
        assert_ne!(text, uuid());
    }
}
