//! The lists: tags of a repository, and all repositories.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
};
use serde_json::json;

use super::{
    Store,
    error::{Answer, Refusal},
};

/// Which piece of a list is wanted.
pub(super) struct Page {
    /// As many at most.
    pub(super) most: Option<usize>,
    /// Those after this one.
    pub(super) after: Option<String>,
}

impl Page {
    /// The piece, and the header that leads to the next one.
    fn cut(&self, mut all: Vec<String>, path: &str) -> (Vec<String>, Option<HeaderValue>) {
        if let Some(after) = &self.after {
            all.retain(|name| name > after);
        }
        let Some(most) = self.most.filter(|most| *most < all.len()) else {
            return (all, None);
        };
        all.truncate(most);
        let link = all.last().map(|last| format!("<{path}?n={most}&last={last}>; rel=\"next\""));
        (all, link.and_then(|link| HeaderValue::from_str(&link).ok()))
    }
}

fn linked(link: Option<HeaderValue>) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    link.into_iter().map(|link| (header::LINK, link))
}

/// `GET /v2/NAME/tags/list`.
pub(super) fn tags(store: &Store, repository: &str, page: &Page) -> Answer {
    if !store.knows(repository) {
        return Err(Refusal::no_repository(repository));
    }
    let (tags, link) = page.cut(store.tags(repository), &format!("/v2/{repository}/tags/list"));
    let mut answer = Json(json!({ "name": repository, "tags": tags })).into_response();
    answer.headers_mut().extend(linked(link));
    Ok(answer)
}

/// `GET /v2/_catalog`.
pub(super) fn catalog(store: &Store, page: &Page) -> Answer {
    let (repositories, link) = page.cut(store.all_repositories(), "/v2/_catalog");
    let mut answer = Json(json!({ "repositories": repositories })).into_response();
    answer.headers_mut().extend(linked(link));
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_come_in_pieces() {
        let all: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let page = |most, after: Option<&str>| Page { most, after: after.map(str::to_owned) };
        let (names, link) = page(Some(2), None).cut(all.clone(), "/v2/_catalog");
        assert_eq!(names, ["a", "b"]);
        let link = link.and_then(|link| link.to_str().map(str::to_owned).ok());
        assert_eq!(link.as_deref(), Some("</v2/_catalog?n=2&last=b>; rel=\"next\""));
        let (names, link) = page(Some(2), Some("b")).cut(all.clone(), "/v2/_catalog");
        assert_eq!((names, link), (vec!["c".to_owned()], None));
        assert_eq!(page(None, None).cut(all.clone(), "").0, all);
    }
}
