//! Marathon's own version, which says what the server can do.

/// `1.4.3`; a DC/OS suffix is dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ServerVersion(pub u32, pub u32, pub u32);

impl ServerVersion {
    /// Reads the leading numbers of `version` in `/v2/info`. What has none is taken for a new one.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut numbers = text
            .trim_start_matches(['v', 'V'])
            .split(['.', '-', '_', '+'])
            .map_while(|part| part.parse::<u32>().ok());
        match numbers.next() {
            Some(major) => Self(major, numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)),
            None => Self::NEWEST,
        }
    }

    /// The last generation, 1.10.
    pub const NEWEST: Self = Self(1, 10, 0);

    /// `PUT …?partialUpdate=false` replaces the whole definition (#5157).
    #[must_use]
    pub fn replaces(self) -> bool {
        self >= Self(1, 4, 0)
    }

    /// `/v2/events?event_type=…` filters.
    #[must_use]
    pub fn filters_events(self) -> bool {
        self >= Self(1, 3, 7)
    }

    /// `/v2/events?plan-format=light` leaves the root group out of each plan.
    #[must_use]
    pub fn light_plans(self) -> bool {
        self >= Self(1, 5, 9) && !(self >= Self(1, 6, 0) && self < Self(1, 6, 392))
    }

    /// Answers and takes `networks`; before, only `ipAddress` and `container.docker.network`.
    #[must_use]
    pub fn has_networks(self) -> bool {
        self >= Self(1, 5, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(ServerVersion::read("1.4.3"), ServerVersion(1, 4, 3));
        assert_eq!(ServerVersion::read("v1.9.109-dcos"), ServerVersion(1, 9, 109));
        assert_eq!(ServerVersion::read("1.5"), ServerVersion(1, 5, 0));
        assert_eq!(ServerVersion::read("unknown"), ServerVersion::NEWEST);
        assert!(ServerVersion::read("1.10.0").replaces());
        assert!(!ServerVersion::read("1.3.13").replaces());
        assert!(ServerVersion::read("1.5.9").light_plans());
        assert!(!ServerVersion::read("1.6.352").light_plans());
    }
}
