//! `http.download(url, to)`

use std::{path::Path, time::Duration};

use futures_util::future::BoxFuture;
use pipe_grammar::Code;
use reqwest::{Method, Response};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::{
    client::http::{self, Answer, Deadline, Redirects, refused},
    core::{
        Arguments, Call, Failure, Outcome, Value, add_file, beside, builtin, hexadecimal, keep,
        make_folder, written,
    },
};

builtin! {
    step http.download, download;
    "
    # Saves what a server has under a URL to a file.
    #
    # Whole or not at all, by renaming; with a sum only if it is right. A file that is there with the
    # right sum is not fetched again. A download that breaks off begins anew, at most three times.
    (
      # The URL, `https://` or `http://`.
      url: hidden,
      # The file; folders on the way are made.
      to: path,
      # The SHA-256 that the content must have.
      sha256: string?,
      # Whether the file may be executed.
      executable: bool = false,
      # Headers. Those with a secret go to no other host.
      headers: environment = {},
      # For basic authentication.
      username: string?,
      # For basic authentication.
      password: hidden?,
      # Sent as `Authorization: Bearer …`.
      token: hidden?,
      # How long it may take, with all tries.
      within: duration = 10m,
    ) -> path
    "
    examples: [
        r#"http.download("https://example.com/tool-1.2", to: "bin/tool", executable: true)"#,
    ]
}

async fn download(call: Call<'_>, arguments: Arguments) -> Outcome {
    let shown: String = arguments.get("to")?;
    let within: Duration = arguments.get("within")?;
    let wanted = sum(&arguments)?;
    let to = call.world.path(call.dir, &shown).map_err(|f| f.at_argument("to"))?;
    if shown.ends_with('/') || to.is_dir() {
        return Err(Failure::new(Code::BAD_PATH, format!("`{shown}` is a folder"))
            .at_argument("to")
            .help("name the file"));
    }
    let request = super::call::request(&call, Method::GET, &arguments)?;
    let done = Ok(Value::Path(shown.as_str().into()));
    if let Some(wanted) = &wanted
        && of_file(&call, &to).await?.as_ref() == Some(wanted)
    {
        call.report.say(&format!("`{shown}` is there already, with this sum"));
        return done;
    }
    let redirects = if request.secret { Redirects::Home } else { Redirects::All };
    let client = http::client(call.world, redirects)?;
    written(make_folder(to.parent().unwrap_or(Path::new("/"))), &shown, "to")?;
    let read = |answer: Response| -> BoxFuture<'_, _> {
        Box::pin(async {
            if answer.status().is_success() {
                return content(answer, &to, &shown).await;
            }
            Ok(Found::Refused(Answer::read(&request, answer).await?))
        })
    };
    let found = http::send(&call, &client, &request, Deadline::new(within), &read).await?;
    let (file, length, found) = match found {
        Found::Refused(answer) => return Err(refused(&request, &answer)),
        Found::Content(file, length, sum) => (file, length, sum),
    };
    if let Some(wanted) = wanted
        && found != wanted
    {
        let what = format!("what `{}` sent has not the sum that was expected", request.shown);
        return Err(Failure::new(Code::WRONG_SUM, what)
            .at_argument("sha256")
            .label(format!("it is {found}"))
            .help("nothing was saved; if the new content is right, write its sum"));
    }
    let executable: bool = arguments.get("executable")?;
    written(keep(file, &to, executable), &shown, "to")?;
    call.report.say(&format!("saved {} to `{shown}`", pipe_grammar::size_text(length)));
    done
}

enum Found {
    Refused(Answer),
    /// A file beside its place, its length, its SHA-256.
    Content(tempfile::NamedTempFile, u64, String),
}

/// Saves an answer beside where it belongs.
async fn content(mut answer: Response, to: &Path, shown: &str) -> Result<Found, http::Broken> {
    let unwritten = |error| match written(Err(error), shown, "to") {
        Err(failure) => http::Broken::Failure(failure),
        Ok(()) => http::Broken::Failure(Failure::internal("an error that is none")),
    };
    let place = beside(to).map_err(unwritten)?;
    let file = place.as_file().try_clone().map_err(unwritten)?;
    let mut file = tokio::io::BufWriter::with_capacity(1 << 18, tokio::fs::File::from_std(file));
    let (mut sum, mut length) = (Sha256::new(), 0);
    while let Some(piece) = answer.chunk().await.map_err(http::Broken::Off)? {
        sum.update(&piece);
        length += piece.len() as u64;
        file.write_all(&piece).await.map_err(unwritten)?;
    }
    file.flush().await.map_err(unwritten)?;
    Ok(Found::Content(place, length, hexadecimal(&sum.finalize())))
}

/// The sum that is asked for, in lower case.
fn sum(arguments: &Arguments) -> Result<Option<String>, Failure> {
    let Some(text) = arguments.get::<Option<String>>("sha256")? else { return Ok(None) };
    let sum = text.trim().to_ascii_lowercase();
    if sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Some(sum));
    }
    Err(Failure::new(Code::EVALUATION, format!("`{text}` is no SHA-256"))
        .at_argument("sha256")
        .help("it has 64 digits, as `sha256sum` prints them"))
}

/// The sum of what is there already.
async fn of_file(call: &Call<'_>, path: &Path) -> Result<Option<String>, Failure> {
    let path = path.to_path_buf();
    call.blocking(move |_| {
        let mut sum = Sha256::new();
        Ok(add_file(&mut sum, &path).ok().map(|()| hexadecimal(&sum.finalize())))
    })
    .await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, os::unix::fs::PermissionsExt};

    use crate::{
        core::{FailureKind, Outcome, Value},
        testing::{Machine, Server, raw_server},
    };

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    async fn download(machine: &Machine, url: &str, given: &[(&str, Value)]) -> Outcome {
        let mut all = vec![("url", url.into())];
        all.extend(given.iter().cloned());
        if !given.iter().any(|(name, _)| *name == "to") {
            all.push(("to", Value::Path("bin/tool".into())));
        }
        machine.step("http.download", &all).await
    }

    #[tokio::test]
    async fn a_file_is_saved_with_its_sum() {
        let server = Server::new(|_, _| (200, vec![], "abc".into())).await;
        let machine = Machine::new();
        let given = [("sha256", ABC.to_uppercase().into()), ("executable", true.into())];
        let path = download(&machine, &server.url, &given).await.unwrap();
        assert_eq!(path, Value::Path("bin/tool".into()));
        assert_eq!(machine.read("bin/tool"), "abc");
        let mode = fs::metadata(machine.path("bin/tool")).unwrap().permissions().mode();
        assert_eq!(mode & 0o100, 0o100);
        // What is there is not fetched again.
        download(&machine, &server.url, &given).await.unwrap();
        assert_eq!(server.seen().len(), 1);
    }

    #[tokio::test]
    async fn what_is_wrong_is_not_saved() {
        let machine = Machine::new();
        machine.write("bin/tool", "old");
        let server = Server::new(|_, seen| match seen.target.as_str() {
            "/no" => (404, vec![], "gone".into()),
            _ => (200, vec![], "abd".into()),
        })
        .await;
        let failure = download(&machine, &server.url, &[("sha256", ABC.into())]).await.unwrap_err();
        assert!(failure.message.ends_with("has not the sum that was expected"));
        assert!(
            failure.label.starts_with(
                "it is a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"
            )
        );
        let failure = download(&machine, &format!("{}/no", server.url), &[]).await.unwrap_err();
        assert_eq!(failure.evidence[0].1, ["gone"]);
        let failure =
            download(&machine, &server.url, &[("sha256", "12".into())]).await.unwrap_err();
        assert_eq!(failure.message, "`12` is no SHA-256");
        let failure = download(&machine, &server.url, &[("to", Value::Path("bin".into()))])
            .await
            .unwrap_err();
        assert_eq!(failure.message, "`bin` is a folder");
        assert_eq!(machine.read("bin/tool"), "old");
        assert_eq!(fs::read_dir(machine.path("bin")).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn one_that_breaks_off_begins_anew() {
        let url = raw_server(vec![
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        ])
        .await;
        let machine = Machine::new();
        download(&machine, &url, &[]).await.unwrap();
        assert_eq!(machine.read("bin/tool"), "abc");
        assert_eq!(fs::read_dir(machine.path("bin")).unwrap().count(), 1);
        let failure = download(&machine, "http://127.0.0.1:1/", &[]).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Infrastructure);
    }
}
