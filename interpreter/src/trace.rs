//! Where a run stands in a trace: W3C Trace Context, https://www.w3.org/TR/trace-context/.

use pipe_stdlib::core::World;
use sha2::{Digest, Sha256};

/// The trace of a run. Its ids are sums of what they are for, so that commands can be told theirs
/// before anything is sent, and a resumed run goes on in the same trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The id of the trace, 32 hexadecimal digits.
    pub id: String,
    /// The id of the span that started `pipe`, 16 hexadecimal digits.
    pub parent: Option<String>,
    run: String,
}

impl Trace {
    /// The trace of a run. None: the environment does not ask for any, by the variables of
    /// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>, or what started `pipe` is
    /// not recorded itself.
    #[must_use]
    pub fn of(world: &World, run: &str) -> Option<Self> {
        let variable = |name: &str| world.variable(name).unwrap_or("").trim();
        let off = variable("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true")
            || variable("OTEL_TRACES_EXPORTER") == "none";
        let asked = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
            .iter()
            .any(|name| !variable(name).is_empty());
        if off || !asked {
            return None;
        }
        let run = run.to_owned();
        match parent(variable("TRACEPARENT")) {
            Some((_, _, false)) => None,
            Some((id, parent, true)) => Some(Self { id, parent: Some(parent), run }),
            None => Some(Self { id: sum(&run, 16), parent: None, run }),
        }
    }

    /// The id of a span of the run, 16 hexadecimal digits.
    #[must_use]
    pub fn span(&self, what: &str) -> String {
        sum(&format!("{}/{what}", self.run), 8)
    }

    /// The id of the span of a step.
    #[must_use]
    pub fn step(&self, step: usize) -> String {
        self.span(&format!("step/{step}"))
    }

    /// What a command of a step finds as `TRACEPARENT`.
    #[must_use]
    pub fn for_step(&self, step: usize) -> String {
        format!("00-{}-{}-01", self.id, self.step(step))
    }
}

/// The first bytes of the sum of a text, in hexadecimal digits.
fn sum(text: &str, bytes: usize) -> String {
    let sum = Sha256::digest(text.as_bytes());
    sum.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

/// The trace, the span and whether it is recorded, of a `traceparent`. None: it is none, which is
/// to be taken as if it were not there.
fn parent(text: &str) -> Option<(String, String, bool)> {
    let mut parts = text.split('-');
    let mut next = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length)?;
        let digits = part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| part.to_owned())
    };
    let version = next(2).filter(|version| version != "ff")?;
    let id = next(32).filter(|id| id.bytes().any(|b| b != b'0'))?;
    let span = next(16).filter(|span| span.bytes().any(|b| b != b'0'))?;
    let flags = u8::from_str_radix(&next(2)?, 16).ok()?;
    // Later versions may have more parts, this one has not.
    if version == "00" && parts.next().is_some() {
        return None;
    }
    Some((id, span, flags & 1 == 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn of(variables: &[(&str, &str)]) -> Option<Trace> {
        let given = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Trace::of(&World::new("/".into(), "/".into(), given), "r1")
    }

    #[test]
    fn nothing_is_traced_unless_asked() {
        let asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), None);
        assert_eq!(of(&[asked, ("OTEL_SDK_DISABLED", "TRUE")]), None);
        assert_eq!(of(&[asked, ("OTEL_TRACES_EXPORTER", "none")]), None);
        assert_eq!(of(&[asked, ("TRACEPARENT", &GIVEN.replace("-01", "-00"))]), None);
        let own = of(&[asked]).unwrap();
        assert_eq!((own.id.len(), own.parent.as_deref()), (32, None));
        assert_eq!(of(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/x")]), Some(own));
    }

    #[test]
    fn it_goes_on_in_the_trace_that_is_given() {
        let asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        let trace = of(&[asked, ("TRACEPARENT", GIVEN)]).unwrap();
        assert_eq!(trace.id, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.parent.as_deref(), Some("b7ad6b7169203331"));
        let told = trace.for_step(3);
        assert_eq!(told.len(), GIVEN.len());
        assert!(told.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && told.ends_with("-01"));
        assert_ne!(trace.step(3), trace.step(4));
    }

    #[test]
    fn what_is_no_traceparent_is_left_out() {
        for wrong in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ü",
        ] {
            assert_eq!(parent(wrong), None, "{wrong}");
        }
        assert!(parent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x").is_some());
    }
}
