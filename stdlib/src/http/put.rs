//! `http.put(url)`

use reqwest::Method;

use crate::core::{Arguments, Call, Outcome, builtin};

builtin! {
    step http.put, put;
    "
    # Sends a PUT request.
    #
    # At most one of `body`, `json`, `form` and `file` is sent, with its `Content-Type` unless `headers`
    # has one.
    # A connection that fails or breaks off, and an answer of 429, 502, 503 or 504, is tried again, at
    # most three times within the time. Redirects are followed.
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
        r#"http.put("https://files.example.com/app.tgz", file: "app.tgz", token: token)"#,
    ]
}

async fn put(call: Call<'_>, arguments: Arguments) -> Outcome {
    super::call::send(call, Method::PUT, &arguments).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::testing::{Machine, Server};

    #[tokio::test]
    async fn the_method_is_its_own() {
        let server = Server::new(|_, _| (204, vec![], String::new())).await;
        let given = [("url", server.url.clone().into())];
        Machine::new().step("http.put", &given).await.unwrap();
        assert_eq!(server.seen()[0].method, "PUT");
    }
}
