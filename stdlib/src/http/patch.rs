//! `http.patch(url)`

use reqwest::Method;

use crate::core::{Arguments, Call, Outcome, builtin};

builtin! {
    once http.patch, patch;
    "
    # Sends a PATCH request.
    #
    # At most one of `body`, `json`, `form` and `file` is sent, with its `Content-Type` unless `headers`
    # has one.
    # It is tried again only when the server can not have acted on it: when no connection came about,
    # or it answered 429 or 503.
    (
      # The URL, `https://` or `http://`. A secret one, such as a webhook's, is never shown.
      url: hidden,
      # Added to the query of the URL, encoded.
      query: map<string> = {},
      # Headers. Those with a secret go to no other host.
      headers: environment = {},
      # For basic authentication.
      username: string?,
      # For basic authentication.
      password: hidden?,
      # Sent as `Authorization: Bearer …`.
      token: hidden?,
      # A text to send.
      body: hidden?,
      # A value to send as JSON.
      json: any?,
      # Fields of a form to send.
      form: environment?,
      # A file to send.
      file: path?,
      # How long it may take, with all tries.
      within: duration = 30s,
      # Whether a status of 400 and more fails, showing the beginning of the answer.
      check: bool = true,
    ) -> Response
    "
    examples: [
        r#"http.patch("https://api.example.com/v1/jobs/7", json: { state: "done" }, token: token)"#,
    ]
}

async fn patch(call: Call<'_>, arguments: Arguments) -> Outcome {
    super::call::send(call, Method::PATCH, &arguments).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::testing::{Machine, Server};

    #[tokio::test]
    async fn the_method_is_its_own() {
        let server = Server::new(|_, _| (204, vec![], String::new())).await;
        let given = [("url", server.url.clone().into())];
        Machine::new().step("http.patch", &given).await.unwrap();
        assert_eq!(server.seen()[0].method, "PATCH");
    }
}
