//! `http.delete(url)`

use reqwest::Method;

use crate::core::{Arguments, Call, Outcome, builtin};

builtin! {
    step http.delete, delete;
    "
    # Sends a DELETE request.
    #
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
      # How long it may take, with all tries.
      within: duration = 30s,
      # Whether a status of 400 and more fails, showing the beginning of the answer.
      check: bool = true,
    ) -> Response
    "
    examples: [
        r#"http.delete("https://api.example.com/v1/locks/shop", token: token)"#,
    ]
}

async fn delete(call: Call<'_>, arguments: Arguments) -> Outcome {
    super::call::send(call, Method::DELETE, &arguments).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::testing::{Machine, Server};

    #[tokio::test]
    async fn the_method_is_its_own() {
        let server = Server::new(|_, _| (204, vec![], String::new())).await;
        let given = [("url", server.url.clone().into())];
        Machine::new().step("http.delete", &given).await.unwrap();
        assert_eq!(server.seen()[0].method, "DELETE");
    }
}
