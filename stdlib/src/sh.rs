//! `sh("""…""")`: a script as a function. The interpreter runs it, as it runs `$` lines.

use crate::core::builtin;

builtin! {
    command sh, command;
    "
    # Runs a script, like a `$` line, and gives what came of it.
    #
    # Its values go by the environment, as those of a `$` line. Output is shown as it comes.
    (
      # The script: a text in the call itself.
      script: string,
      # Variables for it alone.
      env: environment = {},
      # What it reads; without it, nothing.
      stdin: hidden?,
      # Whether a status that is not 0 fails the stage.
      check: bool = true,
      # What runs it; without it, as a `$` line, bash where there is one, else sh. A script for
      # another interpreter takes values by `env` alone.
      shell: (\"sh\" | \"bash\" | \"python3\" | \"node\" | \"perl\" | \"ruby\" | \"powershell\")?,
      # The folder it starts in.
      dir: path?,
    )
      -> { status: int, stdout: string, stderr: string, duration: duration }
    "
    examples: [
        r#"sh("make -j4 all")"#,
        r#"sh("diff -q a b", check: false)"#,
        r#"sh("import os; print(os.environ['NAME'])", shell: "python3", env: { NAME: "x" })"#,
    ]
}
