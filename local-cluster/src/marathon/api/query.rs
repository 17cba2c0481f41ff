//! What stands after the `?` of a request.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};

/// The names and values, in order. Names may stand several times, also as `name[]`.
pub(super) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let read = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        Ok(Self(read.map(|Query(pairs)| pairs).unwrap_or_default()))
    }
}

impl Parameters {
    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let same = |(known, _): &&(String, String)| known.trim_end_matches("[]") == name;
        self.0.iter().filter(same).map(|(_, value)| value.clone()).collect()
    }

    /// The first value of a name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether something is said to be so. Jersey reads everything but `true` as false.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.first(name).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}
