//! The Dockerfiles that are built by both builders, and the files that they copy.

use std::process::Command;

use crate::tools::folder;

/// Dockerfiles by what they are about. Those that do not begin with `ARG` or `FROM` stand behind
/// `FROM scratch AS base`. `BASE` is the image of [`base`], `TRIGGERS` that of [`triggers`].
pub(crate) const CASES: &[(&str, &str)] = &[
    // COPY
    ("a file to a name", "COPY a.txt /x"),
    ("a file into a folder", "COPY a.txt /x/"),
    ("a file deep down", "COPY a.txt /x/y/z/a"),
    ("a program keeps its mode", "COPY run.sh /bin/run"),
    ("a setuid program", "COPY setuid /bin/setuid"),
    ("several files", "COPY a.txt run.sh /x/"),
    ("a folder's contents", "COPY dir /srv"),
    ("a folder's contents into a new folder", "COPY dir/ /srv/new/"),
    ("a folder with its own mode", "COPY private /p"),
    ("a folder onto an existing one", "COPY dir /srv\nCOPY private /srv"),
    ("everything", "COPY . /all"),
    ("everything to the root", "COPY . /"),
    ("globs", "COPY *.txt /x/"),
    ("globs of folders", "COPY d*/sub* /x/"),
    ("one match is a name", "COPY r*.sh /x"),
    ("a class", "COPY [ab].txt /x/"),
    ("a question mark", "COPY ?.txt dir/su?/g /x/"),
    ("an absolute source", "COPY /a.txt /x"),
    ("a source with dots", "COPY dir/../a.txt /x"),
    ("json", "COPY [\"a.txt\", \"with blank\", \"/x/\"]"),
    ("a link to a file", "COPY link /x"),
    ("a link to a file into a folder", "COPY link /x/"),
    ("a link to a folder", "COPY dirlink /x"),
    ("a file behind a link", "COPY dirlink/f /x"),
    ("links in a folder", "COPY links /x"),
    ("an empty folder", "COPY empty /x"),
    ("hard links", "COPY hard /x/"),
    ("a hard link alone", "COPY hard/one /x"),
    ("two names of one file", "COPY hard/one hard/two /x/"),
    ("later copies win", "COPY a.txt /x\nCOPY b.txt /x"),
    ("a file in a file's folder", "COPY a.txt /d/a\nCOPY b.txt /d/b"),
    ("through a link of the image", "COPY links /\nCOPY a.txt /lib/a"),
    ("onto a link of the image", "COPY links /\nCOPY a.txt /file"),
    ("a folder onto a link to one", "COPY links /\nCOPY dir /lib"),
    ("a file in place of a link", "COPY links /x/\nCOPY lib /x/"),
    // --chown
    ("chown", "COPY --chown=12:34 dir /x/y"),
    ("chown without a group", "COPY --chown=12 a.txt /new/x"),
    ("chown of links", "COPY --chown=12:34 links /x/"),
    ("chown by name", "FROM BASE\nCOPY --chown=web a.txt dir /n/"),
    ("chown by names", "FROM BASE\nCOPY --chown=web:www a.txt /n/\nCOPY --chown=7:www a.txt /m"),
    ("chown by a variable", "ARG B\nARG C\nCOPY --chown=$B:$C a.txt /x"),
    // --chmod
    ("chmod", "COPY --chmod=0700 dir /q/r\nCOPY --chmod=0640 --chown=3 a.txt /t/"),
    ("chmod of one file", "COPY --chmod=755 a.txt /x"),
    ("chmod of a program", "COPY --chmod=0511 run.sh /x/y"),
    ("chmod of links", "COPY --chmod=600 links /x/"),
    // COPY --from
    ("from a stage", "COPY dir /d\nFROM scratch\nCOPY --from=base /d/f /f"),
    ("from a stage by number", "COPY dir /d\nFROM scratch\nCOPY --from=0 d /e/"),
    ("from a stage, all of it", "COPY . /\nFROM scratch\nCOPY --from=base / /"),
    ("from a stage, its owners", "COPY --chown=5:6 dir /d\nFROM scratch\nCOPY --from=base /d /e"),
    (
        "from a stage, to another owner",
        "COPY --chown=5:6 dir /d\nFROM scratch\nCOPY --from=base --chown=9 /d /e",
    ),
    ("from a stage, by patterns", "COPY . /\nFROM scratch\nCOPY --from=base /*.txt /d*/sub*/g /e/"),
    (
        "from a stage, through links",
        "COPY links /\nFROM scratch\nCOPY --from=base /lib/l /file /e/",
    ),
    ("from a stage, links themselves", "COPY links /l/\nFROM scratch\nCOPY --from=base /l /e"),
    ("from a stage, hard links", "COPY hard /h\nFROM scratch\nCOPY --from=base /h /e"),
    (
        "from a stage that is overwritten",
        "COPY a.txt /x\nCOPY b.txt /x\nFROM scratch\nCOPY --from=base /x /e",
    ),
    (
        "from a stage of a stage",
        "COPY a.txt /x\nFROM base AS two\nCOPY b.txt /y\nFROM scratch\nCOPY --from=two / /e/",
    ),
    ("from an image", "COPY --from=BASE /etc/passwd /x\nCOPY --from=BASE /usr /u"),
    ("from an image, through its links", "COPY --from=BASE /lib/l /x/\nCOPY --from=BASE lib /y"),
    ("from an image, all of it", "COPY --from=BASE / /"),
    ("from an image, its modes", "COPY --from=BASE /tmp /x/tmp\nCOPY --from=BASE /tmp /y"),
    // ADD
    ("add", "ADD a.txt dir /x/"),
    ("add a file to a name", "ADD run.sh /x/y"),
    ("add by patterns", "ADD *.txt /x/"),
    ("add an archive", "ADD plain.tar /x"),
    ("add an archive in gzip", "ADD packed.tar.gz /x/"),
    ("add an archive in bzip2", "ADD packed.tar.bz2 /x/"),
    ("add an archive in xz", "ADD packed.tar.xz /"),
    ("add an archive with another name", "ADD disguised /x"),
    ("add what only looks like one", "ADD fake.tar.gz /x/"),
    ("add a compressed file", "ADD a.gz /x/"),
    ("add an archive and a file", "ADD plain.tar a.txt /x/"),
    ("add an archive onto files", "COPY dir /x/in\nADD plain.tar /x"),
    ("add an archive to an owner", "ADD --chown=12:34 plain.tar /x"),
    ("add to an owner", "ADD --chown=12 a.txt dir /x/"),
    ("add to an owner by name", "FROM BASE\nADD --chown=web:www a.txt /n/x"),
    ("copy an archive", "COPY plain.tar /x/"),
    // WORKDIR
    ("a working folder", "WORKDIR /srv/app\nCOPY a.txt ."),
    ("a relative working folder", "WORKDIR /srv\nWORKDIR app\nWORKDIR ../b\nCOPY a.txt ./c/"),
    ("a working folder that is there", "COPY --chown=5:6 private /w\nWORKDIR /w"),
    ("a working folder through a link", "FROM BASE\nWORKDIR /lib/deep\nCOPY a.txt ."),
    // ENV
    ("env", "ENV A=1 B=\"x y\" C='$A' D=$A E=a\\ b"),
    ("env in the old form", "ENV NAME a value with \"quotes\""),
    ("env in env", "ENV A=1\nENV A=2 B=$A\nENV PATH=/x:$PATH"),
    ("env in a path", "ENV D=/data F=a.txt\nCOPY $F ${D}/x\nWORKDIR $D"),
    ("env with defaults", "ENV A=1\nENV B=${A:-x} C=${N:-x} D=${A:+y} E=${N:+y} F=\\$A"),
    ("env over lines", "ENV A=1 \\\n  # comment\n\n  B=2 \\\n  C=3"),
    // ARG
    ("arg", "ARG A=1\nARG B\nARG C=9\nENV X=$A-$B-$C-${D:-d}"),
    ("env hides arg", "ARG A=1\nENV A=2\nENV X=$A"),
    ("arg before it is declared", "ENV X=$B\nARG B\nENV Y=$B"),
    ("arg in arg", "ARG A=1\nARG D=${A}2\nENV X=$D"),
    ("arg of the file", "ARG G=g\nARG C=c\nFROM scratch\nARG G\nENV X=$G-$C\nARG C\nENV Y=$C"),
    (
        "arg of the file in FROM",
        "ARG S=base\nFROM scratch AS base\nENV A=1\nFROM ${S} AS two\nENV B=2",
    ),
    ("arg of another stage", "ARG A=1\nENV X=$A\nFROM base\nENV Y=$A"),
    (
        "arg of the platform",
        "ARG TARGETARCH\nARG TARGETPLATFORM\nENV X=$TARGETARCH-$TARGETOS Y=$TARGETPLATFORM",
    ),
    ("arg that is known by itself", "ENV X=${HTTP_PROXY}-$http_proxy"),
    // LABEL
    ("label", "LABEL a=1 \"b c\"=\"d e\" f='g h'\nLABEL a=2"),
    ("label over lines", "LABEL a=1 \\\n  # comment\n  b=2"),
    ("label of variables", "ARG B\nENV N=n\nLABEL v=$B-${N} w='$N'"),
    // CMD, ENTRYPOINT, SHELL
    ("cmd", "CMD [\"/x\", \"$HOME\"]"),
    ("cmd by shell", "CMD exec /x \\\n  --flag $HOME"),
    ("cmd twice", "CMD a\nCMD []"),
    ("entrypoint", "CMD [\"a\"]\nENTRYPOINT [\"/x\"]"),
    ("entrypoint by shell", "ENTRYPOINT exec /x \"y z\""),
    ("entrypoint takes the command of the base away", "FROM BASE\nENTRYPOINT [\"/x\"]"),
    ("cmd keeps the entrypoint of the base", "ENTRYPOINT [\"/e\"]\nFROM base\nCMD [\"c\"]"),
    ("shell", "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nCMD echo hi"),
    ("shell for an entrypoint", "SHELL [\"/sh\", \"-ec\"]\nENTRYPOINT a b"),
    ("shell of a stage below", "SHELL [\"/sh\", \"-ec\"]\nFROM base\nCMD a b\nHEALTHCHECK CMD c"),
    // USER, EXPOSE, VOLUME, STOPSIGNAL, MAINTAINER
    ("user", "ENV U=12\nUSER $U:34"),
    ("user by name", "USER web"),
    ("user of the base", "FROM BASE\nUSER 0\nUSER web:www\nCOPY a.txt /x"),
    ("expose", "ENV P=8080\nEXPOSE $P 53/udp 9000-9002"),
    ("expose once more", "FROM BASE\nEXPOSE 80 80/tcp 81/TCP"),
    ("expose by a variable with several", "ENV P=\"80 81\"\nEXPOSE $P"),
    ("volume", "VOLUME /a /b\nVOLUME [\"/c d\"]"),
    ("volume of the base", "FROM BASE\nVOLUME /w\nCOPY a.txt /w/"),
    ("volume by a variable", "ENV V=/data\nVOLUME $V ${V}/2"),
    ("stopsignal", "STOPSIGNAL SIGQUIT"),
    ("stopsignal by number", "STOPSIGNAL 9"),
    ("stopsignal by a variable", "ARG S=SIGINT\nSTOPSIGNAL $S"),
    ("maintainer", "MAINTAINER A B <a@example.com>"),
    ("maintainer twice", "MAINTAINER a\nMAINTAINER b"),
    ("maintainer of the base", "MAINTAINER a\nFROM base\nENV A=1"),
    // HEALTHCHECK
    (
        "healthcheck",
        "HEALTHCHECK --interval=1m30s --timeout=5s --start-period=1s --retries=3 CMD [\"/x\"]",
    ),
    (
        "healthcheck with fractions",
        "HEALTHCHECK --interval=1.5s --timeout=500ms --start-period=1h2m --retries=1 CMD x",
    ),
    (
        "healthcheck over lines",
        "HEALTHCHECK --interval=5s \\\n  --timeout=3s --start-period=2s --retries=9 \\\n  CMD [\"/x\", \"-y\"]",
    ),
    ("healthcheck by shell", "HEALTHCHECK CMD curl -f localhost"),
    ("no healthcheck", "HEALTHCHECK NONE"),
    // FROM
    (
        "a stage on a stage",
        "ENV A=1\nCOPY a.txt /x\nCMD [\"c\"]\nFROM base\nCOPY b.txt /y\nENTRYPOINT [\"e\"]",
    ),
    (
        "a stage that is not needed",
        "FROM none.invalid/x:1 AS other\nRUN x\nFROM scratch\nCOPY a.txt /x",
    ),
    ("an image", "FROM BASE"),
    (
        "an image with more",
        "FROM BASE\nENV PATH=/x:$PATH A=${A}2\nCOPY a.txt /tmp/\nCOPY b.txt new/",
    ),
    ("an image twice", "FROM BASE AS one\nCOPY a.txt /one\nFROM BASE\nCOPY --from=one /one /two"),
    ("for a platform", "FROM --platform=linux/amd64 BASE\nCOPY a.txt /x"),
    (
        "for the platform of the build",
        "FROM --platform=$BUILDPLATFORM BASE AS b\nCOPY a.txt /x\nFROM scratch\nCOPY --from=b /x /y",
    ),
    ("for the wanted platform", "FROM --platform=$TARGETPLATFORM scratch\nCOPY a.txt /x"),
    // ONBUILD
    ("onbuild", "ONBUILD COPY a.txt  /x\nONBUILD ENV A=1\nONBUILD CMD [\"b\"]"),
    ("onbuild of a base", "FROM TRIGGERS"),
    ("onbuild of a base and more", "FROM TRIGGERS\nCOPY b.txt .\nENV C=$T"),
    ("onbuild of a base, from a stage", "FROM TRIGGERS AS low\nFROM low\nENV D=$T\nONBUILD USER 9"),
    ("onbuild with variables", "ENV A=1\nONBUILD ARG X=y\nONBUILD LABEL a=$A x=$X"),
    // The file itself
    (
        "another escape character",
        "# escape=`\nFROM scratch\nENV A=a` b B=`$A `\n  C=c\nCOPY a.txt /x",
    ),
    (
        "lower case and comments",
        "# first\nfrom scratch as base\n  # second\ncopy a.txt /x\nFrom BASE\n\ncopy --from=base x y",
    ),
    ("line ends of Windows", "ENV A=1 \\\r\n  B=2\r\nCOPY a.txt /x\r\nLABEL a=b\r\n"),
];

/// What the engine's frontend does not know yet, and how the same is written for it.
pub(crate) const NEWER: &[(&str, &str, &str)] = &[
    ("link", "COPY --link a.txt /x", "COPY a.txt /x"),
    ("link of a folder", "COPY --link --chown=5:6 dir /x/y", "COPY --chown=5:6 dir /x/y"),
    (
        "link from a stage",
        "COPY dir /d\nFROM scratch\nCOPY --link --from=base /d/f /e/",
        "COPY dir /d\nFROM scratch\nCOPY --from=base /d/f /e/",
    ),
    ("add with link", "ADD --link plain.tar /x", "ADD plain.tar /x"),
    ("add with a mode", "ADD --chmod=600 a.txt /x", "COPY --chmod=600 a.txt /x"),
    ("a here-document", "COPY <<EOF /x\none\nEOF", "COPY here/x /x"),
    ("a here-document into a folder", "COPY <<x /y/\none\nx", "COPY here/x /y/"),
    (
        "several here-documents",
        "COPY <<x <<\"z\" a.txt /y/\none\nx\n$A\nz",
        "COPY here/x here/z a.txt /y/",
    ),
    (
        "a here-document of variables",
        "ENV A=on\nCOPY <<x /y/\n${A}e\nx",
        "ENV A=on\nCOPY here/x /y/",
    ),
    ("a here-document without tabs", "COPY <<-x /y/\n\t\tone\n\tx", "COPY here/x /y/"),
    (
        "a here-document with owner and mode",
        "COPY --chown=5 --chmod=700 <<x /y/\none\nx",
        "COPY --chown=5 --chmod=700 here/x /y/",
    ),
    ("add a here-document", "ADD <<x /y/\none\nx", "COPY here/x /y/"),
];

/// The files of all cases.
pub(crate) fn context() -> tempfile::TempDir {
    let context = folder(&[
        ("a.txt", 0o644, "a"),
        ("b.txt", 0o640, "b"),
        ("with blank", 0o644, "w"),
        ("run.sh", 0o755, "#!"),
        ("setuid", 0o6755, "s"),
        ("dir/f", 0o600, "f"),
        ("dir/sub/g", 0o644, "g"),
        ("dir/sub/link", 0, "->../f"),
        ("dir/sub2/h", 0o644, "h"),
        ("private/x", 0o644, "x"),
        ("private/", 0o700, ""),
        ("empty/", 0o750, ""),
        ("link", 0, "->dir/f"),
        ("dirlink", 0, "->dir"),
        ("links/usr/lib/l", 0o644, "longer"),
        ("links/lib", 0, "->usr/lib"),
        ("links/file", 0, "->usr/lib/l"),
        ("lib/lib", 0o644, "lib"),
        ("here/x", 0o644, "one\n"),
        ("here/z", 0o644, "$A\n"),
        ("fake.tar.gz", 0o644, "not packed"),
        ("hard/one", 0o644, "hard"),
    ]);
    let root = context.path();
    std::fs::hard_link(root.join("hard/one"), root.join("hard/two")).unwrap();
    // What archives hold: files of several owners, a link, a hard link, a folder with a mode.
    let packed = folder(&[
        ("in/f", 0o640, "packed"),
        ("in/sub/run", 0o755, "#!"),
        ("closed/x", 0o600, "x"),
        ("closed/", 0o750, ""),
        ("to", 0, "->in/f"),
    ]);
    std::fs::hard_link(packed.path().join("in/f"), packed.path().join("in/again")).unwrap();
    for name in ["plain.tar", "packed.tar.gz", "packed.tar.bz2", "packed.tar.xz"] {
        let names = ["in", "closed", "to"];
        let options = ["--owner=21", "--group=22", "--numeric-owner", "--auto-compress"];
        run(Command::new("tar")
            .args(options)
            .arg("-C")
            .arg(packed.path())
            .arg("-cf")
            .arg(root.join(name))
            .args(names));
    }
    std::fs::copy(root.join("packed.tar.gz"), root.join("disguised")).unwrap();
    run(Command::new("sh").arg("-c").arg("gzip -c a.txt > a.gz").current_dir(root));
    context
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

/// A folder whose image is a base.
pub(crate) fn base() -> tempfile::TempDir {
    let text = "FROM scratch\nCOPY root /\nCOPY --chown=101:33 web /srv/\nENV PATH=/bin A=base\n\
                LABEL from=base\nWORKDIR /work\nUSER web\nEXPOSE 1\nVOLUME /v\nCMD [\"/c\"]\n";
    folder(&[
        ("Dockerfile", 0o644, text),
        ("root/etc/passwd", 0o644, "root:x:0:0::/:/bin/sh\nweb:x:101:33::/srv:/bin/sh\n"),
        ("root/etc/group", 0o644, "root:x:0:\nwww:x:33:web\nother:x:44:\n"),
        ("root/usr/lib/l", 0o644, "l"),
        ("root/usr/bin/x", 0o755, "#!"),
        ("root/lib", 0, "->usr/lib"),
        ("root/bin", 0, "->/usr/bin"),
        ("root/tmp/", 0o1777, ""),
        ("root/tmp/.keep", 0o644, ""),
        ("web/index", 0o640, "w"),
    ])
}

/// A folder whose image leaves triggers.
pub(crate) fn triggers(base: &str) -> tempfile::TempDir {
    let text = format!(
        "FROM {base}\nUSER 0\nONBUILD ENV T=t\nONBUILD COPY --chown=web:www a.txt /app/\n\
         ONBUILD WORKDIR /app/$T\nONBUILD ADD plain.tar /app/\nONBUILD ENTRYPOINT [\"/t\"]\n"
    );
    folder(&[("Dockerfile", 0o644, &text)])
}

/// A whole Dockerfile.
pub(crate) fn dockerfile(text: &str, base: &str, triggers: &str) -> String {
    let text = text.replace("BASE", base).replace("TRIGGERS", triggers);
    let first = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    let is_whole = first.to_uppercase().starts_with("FROM ")
        || (first.starts_with("ARG ") && text.contains("\nFROM scratch"));
    let start = if is_whole { "" } else { "FROM scratch AS base\n" };
    // Without it some images of the classic builder are those of an earlier case.
    format!("{start}{text}\nLABEL case=1\n")
}

/// How many of the cases have each instruction and flag.
#[test]
fn each_instruction_and_flag_has_three_cases() {
    let mut counts = std::collections::BTreeMap::new();
    let all = CASES.iter().map(|(_, text)| *text).chain(NEWER.iter().map(|(_, text, _)| *text));
    for text in all {
        let text = dockerfile(text, "base", "triggers");
        let mut words = std::collections::BTreeSet::new();
        for line in text.lines() {
            let line = line.trim_start().strip_prefix("ONBUILD ").unwrap_or(line);
            let name = line.split_whitespace().next().unwrap_or_default().to_uppercase();
            let flags = line.split_whitespace().filter(|word| word.starts_with("--"));
            let flags = flags.map(|flag| flag.split('=').next().unwrap_or_default());
            words.extend(flags.map(|flag| format!("{name} {flag}")));
            words.insert(name);
        }
        for word in words {
            *counts.entry(word).or_insert(0) += 1;
        }
    }
    for word in [
        "ADD",
        "ADD --chown",
        "ARG",
        "CMD",
        "COPY",
        "COPY --chmod",
        "COPY --chown",
        "COPY --from",
        "COPY --link",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "FROM --platform",
        "HEALTHCHECK",
        "HEALTHCHECK --interval",
        "LABEL",
        "MAINTAINER",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ] {
        assert!(counts.get(word).is_some_and(|count| *count >= 3), "{word}: {counts:?}");
    }
    let onbuild =
        CASES.iter().filter(|(_, text)| text.contains("ONBUILD") || text.contains("TRIGGERS"));
    assert!(onbuild.count() >= 3);
    let mut names: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
    names.dedup();
    assert_eq!(names.len(), CASES.len());
}
