//! Dockerfiles: which images a repository makes.

use std::path::Path;

use super::{
    app::{self, App},
    survey::{entries, read},
};

/// An image that the repository makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// The folder of its Dockerfile: empty for the repository itself, else like `services/cart`.
    pub(super) folder: String,
    /// Whether the Dockerfile copies from its own folder, and not from the whole repository.
    pub(super) own_context: bool,
    /// The apps that run it.
    pub(super) apps: Vec<App>,
}

/// The images of a repository: that of its own Dockerfile, else those of folders below.
pub(super) fn look(folder: &Path) -> Vec<Image> {
    if folder.join("Dockerfile").is_file() {
        let own = Image { folder: String::new(), own_context: true, apps: Vec::new() };
        return vec![own];
    }
    let mut found = Vec::new();
    for child in entries(folder).into_iter().filter(|path| path.is_dir()) {
        if child.join("Dockerfile").is_file() {
            found.push(image(folder, &child));
            continue;
        }
        for grandchild in entries(&child).into_iter().filter(|path| path.is_dir()) {
            if grandchild.join("Dockerfile").is_file() {
                found.push(image(folder, &grandchild));
            }
        }
    }
    found
}

fn image(root: &Path, folder: &Path) -> Image {
    let name = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().replace('\\', "/");
    let text = read(&folder.join("Dockerfile")).unwrap_or_default();
    let apps = app::look(folder, &format!("{name}/"));
    Image { own_context: copies_from(&text, folder), folder: name, apps }
}

/// Whether everything that a Dockerfile copies lies in a folder.
fn copies_from(dockerfile: &str, folder: &Path) -> bool {
    let mut copied = false;
    for line in dockerfile.lines() {
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or_default();
        if !instruction.eq_ignore_ascii_case("COPY") && !instruction.eq_ignore_ascii_case("ADD") {
            continue;
        }
        let words: Vec<&str> = words.collect();
        if words.iter().any(|word| word.starts_with("--from=")) {
            continue;
        }
        let words: Vec<&str> = words.into_iter().filter(|word| !word.starts_with("--")).collect();
        let Some((_, sources)) = words.split_last() else { continue };
        for source in sources {
            if *source == "." || *source == "./" {
                // All of it: of which, the commands tell that name their own folder.
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let whole = dockerfile.contains(&format!("/{name}"));
                return !whole;
            }
            if source.contains(['*', '$', '[']) || source.contains("://") {
                continue;
            }
            copied = true;
            if !folder.join(source.trim_start_matches('/')).exists() {
                return false;
            }
        }
    }
    copied || !dockerfile.is_empty()
}

/// An image without its tag and digest: `ssk2/demo` of `ssk2/demo:1`.
pub(super) fn repository(image: &str) -> &str {
    let plain = image.split('@').next().unwrap_or(image);
    match plain.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => plain,
    }
}

/// The registry of an image: `docker.io` when it names none.
pub(super) fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_image() {
        assert_eq!(repository("localhost:5000/a/b:1@sha256:x"), "localhost:5000/a/b");
        assert_eq!(repository("localhost:5000/a"), "localhost:5000/a");
        assert_eq!(registry("localhost:5000/a"), "localhost:5000");
        assert_eq!(registry("ssk2/demo"), "docker.io");
    }
}
