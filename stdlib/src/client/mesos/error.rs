//! What a master, an agent or the network says when a call does not work.
//!
//! Bodies as recorded from a master of 1.12 (`tests/data/mesos`).

/// What kind of refusal an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// 503 without a leader or while it recovers, 404 while it starts, 429, 502, 504.
    NotReady,
    /// 401.
    Unauthorized,
    /// 403 for a reason of its own.
    Forbidden,
    /// The subscription that the call belongs to is over: 403 "not subscribed", 400 with a stream
    /// id that is not the current one, or a framework that the master does not know.
    NotSubscribed,
    /// 404 of a file.
    NotFound,
    /// 400 and whatever else: the call is wrong.
    Wrong,
}

/// Why a call gave no answer that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// Nobody answers there.
    Unreachable(String),
    /// The call was sent and no answer came.
    Lost(String),
    /// The server answered, with a refusal.
    Refused {
        /// Of which kind.
        kind: Kind,
        /// HTTP status.
        status: u16,
        /// Its words, or nothing.
        message: String,
    },
    /// The server answered with something that is not Mesos's.
    Foreign(String),
    /// The master refuses or ends the subscription: the text of an `ERROR` event.
    Ended(String),
}

impl Error {
    /// Reads a refusal.
    #[must_use]
    pub fn read(status: u16, body: &str) -> Self {
        let text = body.trim();
        let page = text.starts_with('<') || text.len() > 500;
        let message = if page { "" } else { text.lines().next().unwrap_or_default() };
        let kind = match status {
            401 => Kind::Unauthorized,
            403 if message.contains("not subscribed") => Kind::NotSubscribed,
            403 => Kind::Forbidden,
            400 if message.contains("Framework cannot be found")
                || message.starts_with("The stream ID") =>
            {
                Kind::NotSubscribed
            }
            404 => Kind::NotFound,
            429 | 502 | 503 | 504 => Kind::NotReady,
            _ => Kind::Wrong,
        };
        Self::Refused { kind, status, message: message.to_owned() }
    }

    /// The kind of refusal, if it is one.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Refused { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Whether it may pass by itself. A 404 does: a master that starts knows no paths yet.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Lost(_) => true,
            Self::Refused { kind, status, .. } => {
                matches!(kind, Kind::NotReady | Kind::NotFound | Kind::NotSubscribed)
                    || *status >= 500
            }
            Self::Foreign(_) | Self::Ended(_) => false,
        }
    }

    /// One line for people, lower case, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Unreachable(why) | Self::Lost(why) | Self::Foreign(why) => why.clone(),
            Self::Ended(message) => lower(message),
            Self::Refused { status, message, .. } => match message.trim_end_matches('.') {
                "" => format!("HTTP {status} without a reason"),
                message if message.starts_with(&status.to_string()) => format!("HTTP {status}"),
                message => format!("{} (HTTP {status})", lower(message)),
            },
        }
    }
}

/// The first letter small, unless the word is a name.
pub(crate) fn lower(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_refusals_have_their_kind() {
        let cases: &[(u16, &str, Kind, &str)] = &[
            (404, "404 Not Found.", Kind::NotFound, "HTTP 404"),
            (
                503,
                "Master has not finished recovery",
                Kind::NotReady,
                "master has not finished recovery (HTTP 503)",
            ),
            (503, "No leader elected", Kind::NotReady, "no leader elected (HTTP 503)"),
            (401, "401 Unauthorized.", Kind::Unauthorized, "HTTP 401"),
            (
                403,
                "Framework is not subscribed",
                Kind::NotSubscribed,
                "framework is not subscribed (HTTP 403)",
            ),
            (
                400,
                "Framework cannot be found",
                Kind::NotSubscribed,
                "framework cannot be found (HTTP 400)",
            ),
            (
                400,
                "Failed to validate scheduler::Call: Not a valid UUID",
                Kind::Wrong,
                "failed to validate scheduler::Call: Not a valid UUID (HTTP 400)",
            ),
            (500, "<html><body>secret</body></html>", Kind::Wrong, "HTTP 500 without a reason"),
        ];
        for (status, body, kind, sentence) in cases {
            let error = Error::read(*status, body);
            assert_eq!(error.kind(), Some(*kind), "{body}");
            assert_eq!(error.sentence(), *sentence);
        }
        let stream = "The stream ID 'x' included in this request didn't match the stream ID";
        assert_eq!(Error::read(400, stream).kind(), Some(Kind::NotSubscribed));
    }
}
