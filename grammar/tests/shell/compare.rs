//! Whether a command does with its values what it does with a harmless word in their place.

use pipe_grammar::shell::RefusalKind;

use super::shells::{Folder, Shell, environment, run};
use super::template::Command;

/// What came out.
pub enum Compared {
    /// The machine refuses the command, for this reason.
    Refused(RefusalKind),
    /// The shell lost its way with the harmless words already.
    Lost,
    /// Both did the same.
    Same {
        /// They called `W` or `C` at all.
        told: bool,
    },
}

/// A word that is plain in one script and quoted in the other may be the name of a user to `~`.
const HOME: &str = "HOME='~'; ";

/// Stands for the value of hole `n` in the command that it is compared with. It begins and ends
/// with what no name of a variable goes on with.
fn token(number: usize) -> String {
    format!(".t{number}.")
}

/// Runs a command whose holes are `#{v0}`, `#{v1}`, … with the values and with harmless words.
pub fn compare(
    command: &Command<'_>,
    shell: Shell,
    folder: &Folder,
    values: &[Vec<u8>],
) -> Result<Compared, String> {
    let scan = command.scan(shell.dialect);
    let mut kinds = scan.refusals.iter().map(|refusal| &refusal.kind);
    if let Some(kind) = kinds.find(|kind| !matches!(kind, RefusalKind::Comment)) {
        return Ok(Compared::Refused(kind.clone()));
    }
    let mut harmless = HOME.to_owned() + command.source;
    for hole in 0..values.len() {
        harmless = harmless.replace(&format!("#{{v{hole}}}"), &token(hole));
    }
    let reference = run(shell, folder, &[(harmless, Vec::new())]);
    // After a mistake in a here-document busybox waits for itself or prints what lies in its
    // memory, and bash gives up anywhere after one inside backquotes.
    let lost = match shell.name {
        "busybox sh" => reference.status.is_none() || !reference.stderr.is_empty(),
        _ => reference.stderr.contains("unexpected EOF"),
    };
    if lost {
        return Ok(Compared::Lost);
    }
    let script = command.lower(&scan, &[]);
    let each: Vec<Vec<Vec<u8>>> = values.iter().map(|value| vec![value.clone()]).collect();
    let source = HOME.to_owned() + &script.source();
    let mut told = run(shell, folder, &[(source, environment(&script, &each))]);
    let insert = |record: &Vec<u8>| {
        (0..values.len()).fold(record.clone(), |record, hole| {
            replace(&record, token(hole).as_bytes(), &values[hole])
        })
    };
    let mut expected: Vec<Vec<u8>> = reference.records.iter().map(insert).collect();
    // Commands of a pipe run at the same time.
    expected.sort();
    told.records.sort();
    let ran = folder.0.join("PWNED");
    let code = ran.exists();
    let _ = std::fs::remove_file(ran);
    let ended = |status| status == Some(0);
    let differs = reference.stderr.is_empty() && ended(reference.status) != ended(told.status);
    if expected == told.records && !differs && !code {
        return Ok(Compared::Same { told: !expected.is_empty() });
    }
    let texts = |records: &[Vec<u8>]| -> Vec<String> {
        records.iter().map(|record| String::from_utf8_lossy(record).into_owned()).collect()
    };
    Err(format!(
        "{}: {:?}\n  script {:?}\n  values {:?}\n  expected {:?}\n  found    {:?}\n  \
         status {:?} {:?}, a value ran: {code}\n  stderr {}---\n  {}",
        shell.name,
        command.source,
        script.text,
        texts(values),
        texts(&expected),
        texts(&told.records),
        reference.status,
        told.status,
        reference.stderr,
        told.stderr,
    ))
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(from) {
            replaced.extend_from_slice(to);
            at += from.len();
        } else {
            replaced.push(text[at]);
            at += 1;
        }
    }
    replaced
}
