//! How a repository is checked and tested: by its Makefile, else by the tools of its languages.

use std::path::Path;

use serde_json::Value as Json;

use super::survey::read;

/// What a file says of how to check and test.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Work {
    /// The file.
    pub(super) file: String,
    /// Stages and their commands, in order.
    pub(super) stages: Vec<(&'static str, Vec<String>)>,
}

/// Everything that says how to test. A Makefile that does so comes first: it was written to be
/// called.
pub(super) fn look(folder: &Path) -> Vec<Work> {
    let has = |name: &str| folder.join(name).is_file();
    let first = |names: &[&'static str]| names.iter().copied().find(|name| has(name));
    let mut found = Vec::new();
    if let Some(file) = first(&["GNUmakefile", "Makefile", "makefile"]) {
        let targets = targets(&read(&folder.join(file)).unwrap_or_default());
        let has = |name: &&str| targets.iter().any(|target| target == name);
        let make = |target: &'static str| (target, vec![format!("make {target}")]);
        let test = ["test", "check"].iter().copied().find(|name| has(name));
        let lint = has(&"lint").then(|| make("lint"));
        let stages: Vec<_> = lint.into_iter().chain(test.map(make)).collect();
        if test.is_some() {
            found.push(work(file, stages));
        }
    }
    if let Some(text) = read(&folder.join("package.json")) {
        found.extend(node(&text, &has));
    }
    if has("Cargo.toml") {
        let locked = if has("Cargo.lock") { " --locked" } else { "" };
        let lint = vec![
            "cargo fmt --check".to_owned(),
            format!("cargo clippy --all-targets{locked} -- -D warnings"),
        ];
        let test = vec![format!("cargo test{locked}")];
        found.push(work("Cargo.toml", vec![("lint", lint), ("test", test)]));
    }
    if has("go.mod") {
        let test = ["go vet ./...", "go test ./..."].map(str::to_owned).to_vec();
        found.push(work("go.mod", vec![("test", test)]));
    }
    if has("pom.xml") {
        let maven = if has("mvnw") { "./mvnw" } else { "mvn" };
        found.push(work("pom.xml", vec![("test", vec![format!("{maven} --batch-mode verify")])]));
    }
    if let Some(file) = first(&["build.gradle", "build.gradle.kts"]) {
        let gradle = if has("gradlew") { "./gradlew" } else { "gradle" };
        found.push(work(file, vec![("test", vec![format!("{gradle} check")])]));
    }
    found.extend(python(folder, &has));
    found
}

fn work(file: &str, stages: Vec<(&'static str, Vec<String>)>) -> Work {
    Work { file: file.to_owned(), stages }
}

/// The targets of a Makefile.
fn targets(makefile: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in makefile.lines() {
        let Some((names, rest)) = line.split_once(':') else { continue };
        let is_rule = !line.starts_with(['\t', ' ', '#', '.']) && !rest.starts_with('=');
        if is_rule && !names.contains(['=', '$', '%']) {
            targets.extend(names.split_whitespace().map(str::to_owned));
        }
    }
    targets
}

fn node(package: &str, has: &dyn Fn(&str) -> bool) -> Option<Work> {
    let json: Json = serde_json::from_str(package).ok()?;
    let (install, run) = if has("pnpm-lock.yaml") {
        ("pnpm install --frozen-lockfile", "pnpm")
    } else if has("yarn.lock") {
        ("yarn install --frozen-lockfile", "yarn")
    } else if has("bun.lock") || has("bun.lockb") {
        ("bun install --frozen-lockfile", "bun run")
    } else if has("package-lock.json") || has("npm-shrinkwrap.json") {
        ("npm ci", "npm")
    } else {
        ("npm install", "npm")
    };
    let script = |name: &str| json["scripts"][name].as_str();
    let lint =
        script("lint").map(|_| ("lint", vec![format!("{run} run lint").replace("run run", "run")]));
    // What `npm init` writes fails by intention.
    let test = script("test").filter(|text| !text.contains("no test specified"));
    let test = test.map(|_| ("test", vec![format!("{run} test")]));
    // With a Dockerfile its `RUN` lines build.
    let build = script("build").filter(|_| !has("Dockerfile"));
    let build =
        build.map(|_| ("build", vec![format!("{run} run build").replace("run run", "run")]));
    let own: Vec<_> = lint.into_iter().chain(test).chain(build).collect();
    if own.is_empty() {
        return None;
    }
    let install = std::iter::once(("install", vec![install.to_owned()]));
    Some(work("package.json", install.chain(own).collect()))
}

fn python(folder: &Path, has: &dyn Fn(&str) -> bool) -> Option<Work> {
    let files =
        ["pyproject.toml", "requirements-dev.txt", "requirements.txt", "setup.cfg", "setup.py"];
    let file = files.iter().find(|name| has(name))?;
    if has("tox.ini") {
        return Some(work("tox.ini", vec![("test", vec!["tox".to_owned()])]));
    }
    let texts = files.map(|name| read(&folder.join(name)).unwrap_or_default());
    let pytest = texts.iter().any(|text| text.contains("pytest"));
    let tests = ["tests", "test"].iter().any(|name| folder.join(name).is_dir());
    if !pytest && !tests {
        return None;
    }
    let test = if pytest { "pytest" } else { "unittest discover" };
    if has("uv.lock") {
        let test = format!("uv run python -m {test}");
        return Some(work("uv.lock", vec![("test", vec!["uv sync --locked".to_owned(), test])]));
    }
    if has("poetry.lock") {
        let test = format!("poetry run python -m {test}");
        let install = "poetry install --no-interaction".to_owned();
        return Some(work("poetry.lock", vec![("test", vec![install, test])]));
    }
    let mut commands = vec!["python3 -m venv .venv".to_owned()];
    let requirements: Vec<&str> =
        ["requirements.txt", "requirements-dev.txt"].into_iter().filter(|name| has(name)).collect();
    if requirements.is_empty() {
        commands.push(".venv/bin/pip install --editable .".to_owned());
    } else {
        let each = requirements.iter().map(|name| format!(" --requirement {name}"));
        commands.push(format!(".venv/bin/pip install{}", each.collect::<String>()));
    }
    commands.push(format!(".venv/bin/python -m {test}"));
    Some(work(file, vec![("test", commands)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_a_makefile() {
        let text = "CC := gcc\n.PHONY: test\nall test: deps\n\techo a:b\n%.o: %.c\nX = a:b\n";
        assert_eq!(targets(text), ["all", "test"]);
    }

    #[test]
    fn the_script_that_npm_init_writes_is_no_test() {
        let package = r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#;
        assert_eq!(node(package, &|_| false), None);
        let package = r#"{"scripts": {"test": "jest", "lint": "eslint ."}}"#;
        let found = node(package, &|name| name == "package-lock.json").expect("work");
        let stages: Vec<String> =
            found.stages.iter().map(|(name, all)| format!("{name}: {}", all.join("; "))).collect();
        assert_eq!(stages, ["install: npm ci", "lint: npm run lint", "test: npm test"]);
        let found = node(package, &|name| name == "bun.lock").expect("work");
        assert_eq!(found.stages[1].1, ["bun run lint"]);
    }
}
