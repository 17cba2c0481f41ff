//! What is wrong in a definition, and which Marathon says so.

use pipe_grammar::Severity;

use crate::client::marathon::ServerVersion;

/// What is wrong in a definition, or does nothing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppProblem {
    /// The value in question, RFC 6901; the empty pointer is the whole definition.
    pub pointer: String,
    /// Whether the name of the value is in question, or the value itself.
    pub on: On,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// An error where Marathon refuses the definition, or would drop what was misspelt; a warning
    /// where it does without.
    pub severity: Severity,
}

/// What of a value stands in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Its key.
    Key,
    /// The value.
    Value,
}

/// The first version with the API of 2017: `networks`, `container.portMappings`.
pub(super) const V1_5: ServerVersion = ServerVersion(1, 5, 0);

/// Something that a rule has found.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) pointer: String,
    on: On,
    pub(super) message: String,
    help: Option<String>,
    effect: Effect,
}

/// What comes of it.
#[derive(Clone, Copy, Debug)]
enum Effect {
    /// Every Marathon refuses it.
    Refused,
    /// This version and later ones refuse it.
    RefusedSince(ServerVersion),
    /// Versions before this one refuse it.
    RefusedBefore(ServerVersion),
    /// Marathon takes it, and it does nothing.
    Ignored,
    /// The same, since this version.
    IgnoredSince(ServerVersion),
    /// The same, before this version.
    IgnoredBefore(ServerVersion),
}

impl Finding {
    /// A mistake that every Marathon refuses.
    pub(super) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            on: On::Value,
            message: message.into(),
            help: None,
            effect: Effect::Refused,
        }
    }

    /// It is the name, not the value, that is in question.
    pub(super) fn on_key(self) -> Self {
        Self { on: On::Key, ..self }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub(super) fn help_if(self, help: Option<String>) -> Self {
        Self { help: help.or(self.help), ..self }
    }

    pub(super) fn since(self, version: ServerVersion) -> Self {
        Self { effect: Effect::RefusedSince(version), ..self }
    }

    pub(super) fn before(self, version: ServerVersion) -> Self {
        Self { effect: Effect::RefusedBefore(version), ..self }
    }

    pub(super) fn ignored(self) -> Self {
        Self { effect: Effect::Ignored, ..self }
    }

    pub(super) fn ignored_since(self, version: ServerVersion) -> Self {
        Self { effect: Effect::IgnoredSince(version), ..self }
    }

    pub(super) fn ignored_before(self, version: ServerVersion) -> Self {
        Self { effect: Effect::IgnoredBefore(version), ..self }
    }

    /// What it means to a server. Of one that is not known, versions before 1.5 are not thought of
    /// unless they differ to the better.
    pub(super) fn judged(self, server: Option<ServerVersion>) -> Option<AppProblem> {
        let mut help = self.help;
        let severity = match (self.effect, server) {
            (Effect::Refused, _) => Severity::Error,
            (Effect::RefusedSince(since), Some(server)) if server >= since => Severity::Error,
            (Effect::RefusedSince(ServerVersion(major, minor, _)), None) => {
                let who = format!("Marathon {major}.{minor} and later refuse it");
                help = Some(help.map_or_else(|| who.clone(), |help| format!("{who}: {help}")));
                Severity::Warning
            }
            (Effect::RefusedBefore(before), Some(server)) if server < before => Severity::Error,
            (Effect::IgnoredSince(since), server) if server.is_none_or(|s| s >= since) => {
                Severity::Warning
            }
            (Effect::IgnoredBefore(before), Some(server)) if server < before => Severity::Warning,
            (Effect::Ignored, _) => Severity::Warning,
            _ => return None,
        };
        let (pointer, on, message) = (self.pointer, self.on, self.message);
        Some(AppProblem { pointer, on, message, help, severity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_decides() {
        let severity = |finding: Finding, server: Option<ServerVersion>| {
            finding.judged(server).map(|problem| problem.severity)
        };
        let finding = || Finding::new("/a", "wrong");
        let (old, new) = (Some(ServerVersion(1, 4, 3)), Some(ServerVersion(1, 5, 2)));
        let (error, warning) = (Some(Severity::Error), Some(Severity::Warning));
        for (finding, unknown, with_old, with_new) in [
            (finding(), error, error, error),
            (finding().since(V1_5), warning, None, error),
            (finding().before(V1_5), None, error, None),
            (finding().ignored(), warning, warning, warning),
            (finding().ignored_since(V1_5), warning, None, warning),
            (finding().ignored_before(V1_5), None, warning, None),
        ] {
            assert_eq!(severity(finding.clone(), None), unknown, "{finding:?}");
            assert_eq!(severity(finding.clone(), old), with_old, "{finding:?}");
            assert_eq!(severity(finding.clone(), new), with_new, "{finding:?}");
        }
        let warned = finding().since(V1_5).help("leave it out").judged(None);
        let help = warned.and_then(|problem| problem.help);
        assert_eq!(help.as_deref(), Some("Marathon 1.5 and later refuse it: leave it out"));
    }
}
