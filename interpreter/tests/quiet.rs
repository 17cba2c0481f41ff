//! `check` and `plan` start no process, open no connection and change no file, whatever a
//! repository's own configuration would have git do.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Command, Stdio},
};

const PIPELINE: &str = r##"edition 2026

secret token = env("HOME")

connect docker("registry.example.com")
connect marathon("http://127.0.0.1:1/", token: token)

let image = "registry.example.com/web:#{git.short_commit}"
let about = "#{git.describe} by #{git.author.name}, #{if git.dirty then "changed" else "as it is"}"
let site = git.changed(["site/**"], since: "HEAD")

require git.commit != "", "no commit"

stage build {
  docker.build(".", tag: image, push: true)
}

stage test {
  $ echo #{about}
}

stage deploy when git.branch != "x" and not site {
  marathon.deploy("marathon.json", with: { container.docker.image: image })
}
"##;

/// Everything that git runs by itself, or asks to be run, when a repository says so.
const HOSTILE: &str = r#"[core]
	fsmonitor = "touch PWNED; false"
	pager = "touch PWNED"
	editor = "touch PWNED"
	sshCommand = "touch PWNED"
	askPass = "./hook"
	hooksPath = "."
	alternateRefsCommand = "touch PWNED"
	attributesFile = hostile-attributes
	untrackedCache = true
[include]
	path = more-config
[includeIf "gitdir:**"]
	path = more-config
[filter "x"]
	clean = "touch PWNED; cat"
	smudge = "touch PWNED; cat"
	process = "touch PWNED"
	required = true
[diff "x"]
	command = "touch PWNED"
	textconv = "touch PWNED"
[diff]
	external = "touch PWNED"
[merge "x"]
	driver = "touch PWNED"
[credential]
	helper = "!touch PWNED"
[gpg]
	program = "./hook"
[uploadpack]
	packObjectsHook = "touch PWNED"
[remote "origin"]
	url = "ext::sh -c touch% PWNED"
	promisor = true
	partialclonefilter = blob:none
	uploadpack = "touch PWNED"
[extensions]
	partialClone = origin
[alias]
	status = "!touch PWNED"
[maintenance]
	auto = true
"#;

#[allow(clippy::print_stderr, reason = "what is left out is said")]
fn tool(name: &str) -> bool {
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        let all = std::env::var("PIPE_TEST_ALL").is_ok_and(|value| value == "1");
        let line = format!("left out: check_and_plan_only_look: needs {name}");
        assert!(!all, "{line}");
        eprintln!("{line}");
    }
    found
}

fn repository(folder: &Path) {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("Pipelinefile", PIPELINE);
    write("Dockerfile", "FROM scratch\nCOPY site /\n");
    write("site/index.html", "<p>");
    write(
        "marathon.json",
        r#"{ "id": "/web", "container": { "type": "DOCKER", "docker": { "image": "web:1" } } }"#,
    );
    write(".gitattributes", "* filter=x diff=x merge=x\n");
    write("hook", "#!/bin/sh\ntouch PWNED\n");
    fs::set_permissions(folder.join("hook"), fs::Permissions::from_mode(0o755)).expect("a mode");
    for name in ["post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"] {
        fs::copy(folder.join("hook"), folder.join(name)).expect("a hook");
    }
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "core.hooksPath=/"];
        let done = Command::new("git").current_dir(folder).args(who).args(arguments).output();
        assert!(done.expect("git").status.success(), "git {arguments:?}");
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=one"]);
    git(&["tag", "v1"]);
    // What is as old as the index has to be read again to tell whether it has changed.
    write("site/index.html", "<b>");
    write("site/new.html", "");
    write("more-config", "[core]\n\tfsmonitor = \"touch PWNED\"\n");
    write(".git/more-config", "[core]\n\tfsmonitor = \"touch PWNED\"\n");
    write("hostile-attributes", "* filter=x diff=x\n");
    let config = folder.join(".git/config");
    let text = fs::read_to_string(&config).expect("the configuration");
    fs::write(config, text + HOSTILE).expect("the configuration");
}

/// Everything in a folder: when it was last changed, its mode, what is in it.
fn snapshot(folder: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let data = fs::symlink_metadata(&path).expect("its data");
        let mut shown = format!("{:o} {}.{}", data.mode(), data.mtime(), data.mtime_nsec());
        if data.is_dir() {
            all.extend(snapshot(&path));
        } else {
            shown += &format!(" {:?}", fs::read(&path).expect("a file"));
        }
        all.insert(path.display().to_string(), shown);
    }
    all
}

/// The system calls of a trace that do more than look.
fn acts(trace: &str) -> Vec<&str> {
    let calls = trace.lines().filter_map(|line| Some((line, line.split_once(' ')?.1.trim_start())));
    let mut programs = 0;
    calls
        .filter(|(_, call)| {
            let name = call.split('(').next().unwrap_or("");
            match name {
                "execve" | "execveat" => {
                    programs += 1;
                    programs > 1
                }
                "fork" | "vfork" => true,
                "clone" | "clone3" => !call.contains("CLONE_THREAD"),
                "socket" | "socketpair" | "connect" | "bind" | "sendto" | "sendmsg" => true,
                "open" | "openat" | "openat2" | "creat" => {
                    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE"];
                    let device = call.contains("\"/dev/null\"") || call.contains("\"/dev/tty\"");
                    !device && writes.iter().any(|flag| call.contains(flag))
                }
                name => [
                    "mkdir",
                    "rmdir",
                    "unlink",
                    "rename",
                    "link",
                    "symlink",
                    "mknod",
                    "chmod",
                    "fchmod",
                    "chown",
                    "fchown",
                    "lchown",
                    "truncate",
                    "ftruncate",
                    "fallocate",
                    "utime",
                    "setxattr",
                    "fsetxattr",
                    "lsetxattr",
                    "mount",
                    "kill",
                    "tkill",
                ]
                .iter()
                .any(|stem| {
                    name.strip_suffix("at2").or(name.strip_suffix("at")).unwrap_or(name) == *stem
                }),
            }
        })
        .map(|(line, _)| line)
        .collect()
}

#[test]
fn check_and_plan_only_look() {
    if !tool("strace") || !tool("git") {
        return;
    }
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("repository");
    repository(&folder);
    let trace = place.path().join("trace");
    let before = snapshot(&folder);
    for arguments in [
        &["check"][..],
        &["check", "--format", "sarif"],
        &["plan"],
        &["graph"],
        &["list", "--format", "json"],
        &["fmt", "--check"],
    ] {
        let done = Command::new("strace")
            .args(["-f", "-s", "300", "-o"])
            .arg(&trace)
            .arg(env!("CARGO_BIN_EXE_pipe"))
            .args(arguments)
            .current_dir(&folder)
            .env("XDG_CONFIG_HOME", place.path())
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .output()
            .expect("strace");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
        let traced = fs::read_to_string(&trace).expect("the trace");
        assert!(traced.contains("Pipelinefile"), "{arguments:?}: nothing was traced");
        let acts = acts(&traced);
        assert!(acts.is_empty(), "{arguments:?}:\n{}", acts.join("\n"));
        assert_eq!(snapshot(&folder), before, "{arguments:?}");
    }
}

#[test]
fn what_acts_is_found_in_a_trace() {
    let quiet = "7 execve(\"/usr/bin/pipe\", [\"pipe\"], 0x7ff) = 0\n\
                 7 openat(AT_FDCWD, \"Pipelinefile\", O_RDONLY|O_CLOEXEC) = 3\n\
                 7 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}) = 8\n\
                 8 newfstatat(AT_FDCWD, \"a\", {st_mode=S_IFREG}, 0) = 0\n";
    assert_eq!(acts(quiet), [""; 0]);
    for call in [
        "7 execve(\"/bin/sh\", [\"sh\"], 0x7ff) = 0",
        "7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 8",
        "7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4",
        "7 openat(AT_FDCWD, \"x\", O_WRONLY|O_CREAT, 0666) = 4",
        "7 renameat2(AT_FDCWD, \"a\", AT_FDCWD, \"b\", 0) = 0",
        "7 unlink(\"a\") = 0",
        "7 mkdirat(AT_FDCWD, \"a\", 0777) = 0",
    ] {
        assert_eq!(acts(&format!("{quiet}{call}\n")), [call]);
    }
}
